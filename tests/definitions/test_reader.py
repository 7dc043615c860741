"""A YAML file is read as YAML 1.2, strictly, and what is none is refused at its line."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from glabella.definitions.reader import Read, parse_definition, read_definition
from glabella.errors import DefinitionError

from .conftest import HEAD, Tree, refuse


def parse(rest: str) -> Read[Tree]:
    return parse_definition(HEAD + rest, Tree, name="features/oak.yaml")


def test_a_right_file_is_read_with_its_text_and_lines() -> None:
    read = parse("count: 3\nleaves:\n  - {amount: 2}\n  - amount: 4\n    colour: blue\n")
    assert read.value.count == 3
    assert [leaf.amount for leaf in read.value.leaves] == [2.0, 4.0]
    assert read.origin.text.startswith(HEAD)
    assert read.origin.name_place("count") == "features/oak.yaml:3"
    assert read.origin.name_place("leaves", 1, "colour") == "features/oak.yaml:7"


def test_a_place_falls_back_to_the_nearest_parent_that_stands_in_the_file() -> None:
    origin = parse("branch:\n  main: {amount: 1}\n").origin
    assert origin.name_place("branch", "main", "colour") == "features/oak.yaml:4"
    assert origin.name_place("branch", "leaves", 0, "amount") == "features/oak.yaml:3"
    assert origin.name_place("nowhere") == "features/oak.yaml"
    assert origin.name_place() == "features/oak.yaml"


def test_a_definition_cannot_be_changed_after_it_is_read() -> None:
    value = parse("").value
    with pytest.raises(ValidationError, match="frozen"):
        value.count = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "count: 1\ncount: 2\n", 4),
        (HEAD + "leaves:\n  - amount: 1\n    colour: red\n    amount: 2\n", 6),
        (HEAD + "codes: {F: female, M: male, F: other}\n", 3),
    ],
)
def test_a_repeated_key_is_refused_at_its_second_line(text: str, line: int) -> None:
    error = refuse(text)
    assert error.place == f"features/oak.yaml:{line}"
    assert error.finding.startswith("a key appears twice (found duplicate key ")
    assert error.remedy == "Keep one of the two."


def test_the_message_for_a_repeated_key_names_the_key() -> None:
    assert '"count"' in refuse(HEAD + "count: 1\ncount: 2\n").finding


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind: tree\ndescription: [a, b\n", 3),
        ("kind: tree\n\tdescription: x\n", 2),
        ("kind: tree\ndescription: a: b\n", 2),
        ("kind: tree\ndescription: *nowhere\n", 2),
        ("kind: tree\ndescription: !!python/name:os.system x\n", 2),
        ("kind: tree\n---\nkind: tree\n", 2),
    ],
)
def test_what_is_not_yaml_is_refused_at_its_line(text: str, line: int) -> None:
    error = refuse(text)
    assert error.finding.startswith("this is not YAML: ")
    assert error.place == f"features/oak.yaml:{line}"


@pytest.mark.parametrize(
    "rest",
    [
        "codes: {? [a, b] : c}\n",
        "branch: &loop {main: *loop}\n",
        "codes: &loop\n  a: *loop\n",
    ],
    ids=["a_list_as_a_key", "an_alias_of_itself", "a_deeper_alias_of_itself"],
)
def test_yaml_that_is_no_plain_tree_is_refused_rather_than_failing_inside(rest: str) -> None:
    assert refuse(HEAD + rest).place is not None


def test_a_control_character_is_refused() -> None:
    assert refuse("kind: tree\ndescription: a\x00b\n").finding.startswith("this is not YAML: ")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "tree\n", "3\n"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert refuse(text).finding == "a definition is a set of `key: value` lines"


@pytest.mark.parametrize("word", ["NO", "no", "yes", "on", "off", "Y", "1:30"])
def test_words_that_yaml_1_1_would_convert_stay_text(word: str) -> None:
    value = parse(f"codes: {{{word}: {word}}}\n").value
    assert value.codes == {word: word}


@pytest.mark.parametrize(
    ("written", "number"),
    [("1e-3", 0.001), ("1E3", 1000.0), ("010", 10.0), ("+2", 2.0), (".5", 0.5), ("-1.5e2", -150.0)],
)
def test_numbers_are_those_of_yaml_1_2(written: str, number: float) -> None:
    assert parse(f"leaves:\n  - amount: {written}\n").value.leaves[0].amount == number


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "oak.yaml"
    path.write_text(HEAD, encoding="utf-8-sig")
    assert read_definition(path, Tree, name="oak.yaml").value.description == "An oak"


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_definition(tmp_path / "elm.yaml", Tree, name="features/elm.yaml")
    assert str(caught.value) == (
        "features/elm.yaml: the definition can't be read: No such file or directory"
    )


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "oak.yaml"
    path.write_bytes("kind: tree\ndescription: Bäume\n".encode("latin-1"))
    with pytest.raises(DefinitionError, match="it is not UTF-8 text"):
        read_definition(path, Tree, name="oak.yaml")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="can't be read: Is a directory"):
        read_definition(tmp_path, Tree, name="oak.yaml")


@pytest.mark.parametrize("value", [{"kind": "tree", "description": "x", "count": True}])
def test_strictness_holds_for_values_made_in_python_too(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Tree(**value)


def _nest(depth: int) -> str:
    return "kind: oak\ndescription: x\nmore: " + "[" * depth + "]" * depth + "\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: &a [x, x]\nb: [*a, *a]\n",
            "oak.yaml:1: this is not YAML: anchors and aliases (`&` and `*`) are not supported: "
            "write out what they name, or put text that begins with such a sign in quotes",
        ),
        ("a: 1\nb: *c\n", "oak.yaml:2: this is not YAML: anchors and aliases"),
        ("a: &a {b: 1}\nc: {<<: *a}\n", "oak.yaml:1: this is not YAML: anchors and aliases"),
        (_nest(51), "oak.yaml:3: this is not YAML: it nests more than 50 levels deep"),
        (_nest(200_000), "oak.yaml:3: this is not YAML: it nests more than 50 levels deep"),
        ("a:\n" + "".join(" " * at + "- \n" for at in range(60)), "more than 50 levels deep"),
        ("#" * 1_000_001, "oak.yaml: the definition has more than 1,000,000 bytes\n"),
        ("\u00e9" * 600_000, "oak.yaml: the definition has more than 1,000,000 bytes\n"),
    ],
)
def test_a_definition_that_would_never_end_is_refused(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Tree, name="oak.yaml")
    assert message in str(caught.value)


def test_a_large_definition_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "oak.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DefinitionError, match="more than 1,000,000 bytes"):
        read_definition(path, Tree, name="oak.yaml")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x" * 300 + ".yaml", "File name too long"), ("a\0b.yaml", "its name is not a valid")],
)
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        read_definition(tmp_path / name, Tree, name="oak.yaml")


def test_a_pipe_in_place_of_a_definition_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "oak.yaml")
    with pytest.raises(DefinitionError, match="can't be read: it is not a file"):
        read_definition(tmp_path / "oak.yaml", Tree, name="oak.yaml")
