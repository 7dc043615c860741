"""The shipped definitions are copied whole, and nothing of the user's is overwritten."""

from pathlib import Path

import pytest

from glabella.definitions.copy import write_shipped_definitions
from glabella.definitions.locate import FOLDERS, find_shipped
from glabella.errors import DefinitionError


def test_every_shipped_file_is_copied_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "study"
    written = write_shipped_definitions(folder)
    shipped = [
        path.relative_to(find_shipped())
        for name in FOLDERS
        for path in (find_shipped() / name).rglob("*")
        if path.is_file()
    ]
    assert written == sorted(shipped)
    for path in written:
        assert (folder / path).read_bytes() == (find_shipped() / path).read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == sorted(FOLDERS)


def test_a_folder_that_holds_one_of_the_names_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DefinitionError) as caught:
        write_shipped_definitions(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: 'models' already exists, and nothing is overwritten\n  Name an empty folder."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("mine")
    with pytest.raises(DefinitionError, match="the definitions can't be written: File exists"):
        write_shipped_definitions(tmp_path / "study")
    assert (tmp_path / "study").read_text() == "mine"
