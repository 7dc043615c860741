"""One run, one root: the stated folder, the nearest parent that is one, or the shipped set."""

from pathlib import Path

import pytest

from glabella.analysis.definition import Analysis
from glabella.data.dictionary import Dictionary
from glabella.definitions.locate import Project, find_project, find_shipped, is_project
from glabella.errors import DefinitionError
from glabella.models.candidate import Candidate

CANDIDATE = "kind: candidate\ndescription: x\nestimator: ridge\n"


def make_project(folder: Path) -> Path:
    for name in ("features/dictionary.yaml", "models/ridge.yaml", "pipelines/first.yaml"):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(CANDIDATE)
    return folder


def test_the_nearest_parent_that_is_a_project_is_taken(tmp_path: Path) -> None:
    make_project(tmp_path)
    inner = make_project(tmp_path / "a" / "inner")
    deep = inner / "b" / "c"
    deep.mkdir(parents=True)
    assert find_project(start=deep) == Project(definitions=inner, home=inner)
    assert find_project(start=tmp_path / "a") == Project(definitions=tmp_path, home=tmp_path)


def test_the_current_folder_is_where_the_search_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(tmp_path)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert find_project().definitions == tmp_path


@pytest.mark.parametrize(
    "lost", ["features/dictionary.yaml", "models/ridge.yaml", "pipelines/first.yaml"]
)
def test_a_folder_that_lacks_a_part_is_no_project(tmp_path: Path, lost: str) -> None:
    make_project(tmp_path)
    assert is_project(tmp_path)
    (tmp_path / lost).unlink()
    assert not is_project(tmp_path)


def test_a_stated_folder_wins_over_the_nearest_parent(tmp_path: Path) -> None:
    stated = make_project(tmp_path / "stated")
    other = make_project(tmp_path / "other")
    assert find_project(stated, start=other).definitions == stated


def test_a_stated_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        find_project(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: this folder is not a project: it needs features/dictionary.yaml and at "
        "least one YAML file in models/ and in pipelines/\n"
        f"  Make one with `glabella init {tmp_path}`."
    )


def test_without_a_project_the_shipped_definitions_serve_and_runs_stay_here(
    tmp_path: Path, checkout: Path
) -> None:
    project = find_project(start=tmp_path)
    assert project.definitions == find_shipped() == checkout
    assert project.home == tmp_path
    assert project.runs == tmp_path / "mlruns"
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_does_not_exist_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    project = Project(definitions=make_project(tmp_path), home=tmp_path)
    with pytest.raises(DefinitionError) as caught:
        project.read("models", "rigde", Candidate)
    assert str(caught.value) == (
        "there is no 'rigde' in models/\n  Did you mean 'ridge'? There are: ridge."
    )


@pytest.mark.parametrize("name", ["../models/ridge", "ridge.yaml", ""])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    project = Project(definitions=make_project(tmp_path), home=tmp_path)
    with pytest.raises(DefinitionError, match="there is no '"):
        project.read("models", name, Candidate)


def test_names_are_listed_sorted_and_without_ending(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "models" / "boost.yaml").write_text(CANDIDATE)
    (tmp_path / "models" / "README.md").write_text("no code here")
    project = Project(definitions=tmp_path, home=tmp_path)
    assert project.list_names("models") == ["boost", "ridge"]
    assert project.list_names("pipelines/scenarios") == []


def test_a_definition_is_called_by_its_place_below_the_project(tmp_path: Path) -> None:
    project = Project(definitions=make_project(tmp_path), home=tmp_path)
    with pytest.raises(DefinitionError) as caught:
        project.read("features", "dictionary", Dictionary)
    assert str(caught.value.place).startswith("features/dictionary.yaml:")


def test_an_analysis_is_read_by_name_or_by_path(tmp_path: Path, checkout: Path) -> None:
    project = Project(definitions=checkout, home=tmp_path)
    by_name = project.read_analysis("cdystonia", Analysis)
    by_path = project.read_analysis(str(checkout / "pipelines" / "cdystonia.yaml"), Analysis)
    assert by_name == by_path
    assert by_path.origin.name == "pipelines/cdystonia.yaml"


def test_an_analysis_outside_the_project_keeps_its_path(tmp_path: Path, checkout: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text((checkout / "pipelines" / "cdystonia.yaml").read_text())
    project = Project(definitions=checkout, home=tmp_path)
    assert project.read_analysis(str(path), Analysis).origin.name == path.as_posix()


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path, checkout: Path) -> None:
    project = Project(definitions=checkout, home=tmp_path)
    with pytest.raises(DefinitionError, match="No such file"):
        project.read_analysis(str(tmp_path / "none.yaml"), Analysis)
