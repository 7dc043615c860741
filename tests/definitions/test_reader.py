"""Every mistake in a YAML file is answered with its line, the finding and the nearest name."""

import os
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError

from glabella.definitions.reader import Definition, Read, parse_definition, read_definition
from glabella.errors import DefinitionError


class Leaf(Definition):
    amount: float = 0.0
    colour: Literal["red", "green", "blue"] = "red"
    note: str | None = None


class Branch(Definition):
    leaves: tuple[Leaf, ...] = ()
    main: Leaf | None = None


class Tree(Definition):
    kind: Literal["tree"]
    description: str
    count: int = 1
    codes: dict[str, str] = Field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf] = Field(default_factory=dict)
    branch: Branch | None = None


HEAD = "kind: tree\ndescription: An oak\n"


def parse(rest: str) -> Read[Tree]:
    return parse_definition(HEAD + rest, Tree, name="features/oak.yaml")


def refuse(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Tree, name="features/oak.yaml")
    return caught.value


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
    ("rest", "line", "wrong", "nearest"),
    [
        ("cuont: 1\n", 3, "cuont", "count"),
        ("branch:\n  mian: {amount: 1}\n", 4, "mian", "main"),
        ("leaves:\n  - {amount: 1}\n  - {amuont: 1}\n", 5, "amuont", "amount"),
        ("named:\n  first:\n    color: red\n", 5, "color", "colour"),
        ("branch:\n  leaves:\n    - {}\n    - colr: red\n", 6, "colr", "colour"),
        ("branch:\n  main:\n    amount: 1\n    colur: red\n", 6, "colur", "colour"),
        # A name of the user's own may be the name of a field below it.
        ("named:\n  amount:\n    color: red\n", 5, "color", "colour"),
    ],
    ids=[
        "top",
        "nested",
        "in_a_list",
        "in_a_mapping",
        "list_in_nested",
        "nested_twice",
        "own_name_is_a_field",
    ],
)
def test_a_misspelt_key_is_answered_with_the_nearest_one(
    rest: str, line: int, wrong: str, nearest: str
) -> None:
    error = refuse(HEAD + rest)
    assert error.place == f"features/oak.yaml:{line}"
    assert error.finding == f"unknown key '{wrong}'"
    assert error.remedy is not None
    assert error.remedy.startswith(f"Did you mean '{nearest}'? There are: ")


def test_the_whole_message_has_place_finding_and_remedy() -> None:
    assert str(refuse(HEAD + "leaves:\n  - {amuont: 1}\n")) == (
        "features/oak.yaml:4: unknown key 'amuont'\n"
        "  Did you mean 'amount'? There are: amount, colour, note."
    )


def test_a_key_near_to_none_is_answered_with_the_list() -> None:
    error = refuse(HEAD + "leaves:\n  - {xyzzy: 1}\n")
    assert error.remedy == "There are: amount, colour, note."


def test_all_findings_of_a_file_are_listed_in_the_order_of_its_lines() -> None:
    known = "There are: bounds, branch, codes, count, description, kind, leaves, named."
    assert str(refuse(HEAD + "aaa: 1\ncount: '3'\nleaves:\n  - {amuont: 1}\n  - {note: 2}\n")) == (
        "4 findings\n"
        f"  features/oak.yaml:3: unknown key 'aaa'. {known}\n"
        "  features/oak.yaml:4: 'count' must be a whole number, and is text. Write it as a "
        "number, without quotes.\n"
        "  features/oak.yaml:6: unknown key 'amuont'. Did you mean 'amount'? There are: amount, "
        "colour, note.\n"
        "  features/oak.yaml:7: 'leaves.1.note' must be text, and is a number. Put it in quotes."
    )


def test_very_many_findings_are_counted_after_the_first_twenty() -> None:
    lines = str(refuse(HEAD + "".join(f"key_{i}: 1\n" for i in range(30)))).splitlines()
    assert (lines[0], len(lines), lines[-1]) == ("30 findings", 22, "  ... and 10 more")


def test_a_file_of_another_kind_has_no_finding_but_that() -> None:
    error = refuse("kind: bush\nestimator: x\n")
    assert error.finding == "'bush' is no value of 'kind'"


class Mixed(Definition):
    either: str | Leaf = ""
    several: dict[str, str | Leaf] = Field(default_factory=dict)
    pair: tuple[float, float] | None = None
    at_least_two: tuple[str, ...] = Field(default=("a", "b"), min_length=2)
    above: float = Field(default=1.0, gt=0, le=5)
    word: str = Field(default="x", min_length=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("either: 3\n", "'either' must be text or a set of `key: value` lines, and is a number\n"
         "  Put it in quotes."),
        ("either: {amuont: 1}\n", "unknown key 'amuont'\n"
         "  Did you mean 'amount'? There are: amount, colour, note."),
        ("several:\n  a: {amount: x}\n", "'several.a.amount' must be a number, and is text\n"
         "  Write it as a number, without quotes."),
        ("pair: [1]\n", "'pair' has 1 entries, and needs more"),
        ("at_least_two: [a]\n", "'at_least_two' must have at least 2 entries, and has 1"),
        ("above: 0\n", "'above' must be above 0"),
        ("above: 6\n", "'above' must be at most 5"),
        ("word: ''\n", "'word' must not be blank"),
        ("word:\n", "'word' must be text, and is blank\n  Give it a value, or remove the key."),
    ],
)  # fmt: skip
def test_what_pydantic_finds_is_said_in_plain_words(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Mixed, name="x.yaml")
    assert str(caught.value).split(": ", 1)[1] == message


def test_a_missing_key_is_named() -> None:
    error = refuse("kind: tree\n")
    assert str(error) == "features/oak.yaml: the key 'description' is missing"


def test_a_missing_key_of_a_nested_part_is_placed_at_the_part() -> None:
    class Needy(Definition):
        amount: float

    class Holder(Definition):
        kind: str
        parts: tuple[Needy, ...]

    with pytest.raises(DefinitionError) as caught:
        parse_definition("kind: x\nparts:\n  - {amount: 1}\n  - {}\n", Holder, name="x.yaml")
    assert str(caught.value) == "x.yaml:4: the key 'amount' is missing in 'parts.1'"


@pytest.mark.parametrize(
    ("rest", "line", "key"),
    [
        ("count: three\n", 3, "count"),
        ("count: '3'\n", 3, "count"),
        ("count: 3.5\n", 3, "count"),
        ("count: true\n", 3, "count"),
        ("leaves:\n  - amount: '2'\n", 4, "leaves.0.amount"),
        ("leaves: {amount: 2}\n", 3, "leaves"),
        ("codes: {F: 1}\n", 3, "codes.F"),
        ("bounds: [1, 2, 3]\n", 3, "bounds"),
        ("bounds:\n  - 1\n  - low\n", 5, "bounds.1"),
        ("leaves:\n  - amount: .nan\n", 4, "leaves.0.amount"),
        ("leaves:\n  - amount: .inf\n", 4, "leaves.0.amount"),
        ("branch: oak\n", 3, "branch"),
        ("count:\n", 3, "count"),
    ],
)
def test_a_wrong_type_is_refused_and_never_coerced(rest: str, line: int, key: str) -> None:
    error = refuse(HEAD + rest)
    assert error.place == f"features/oak.yaml:{line}"
    assert error.finding.startswith(f"'{key}' must ")


def test_a_wrong_word_is_answered_with_the_nearest_one() -> None:
    error = refuse(HEAD + "leaves:\n  - {}\n  - colour: gren\n")
    assert str(error) == (
        "features/oak.yaml:5: 'gren' is no value of 'leaves.1.colour'\n"
        "  Did you mean 'green'? There are: blue, green, red."
    )


def test_another_kind_of_file_is_told_apart_by_its_kind() -> None:
    error = refuse("kind: tee\ndescription: x\n")
    assert error.place == "features/oak.yaml:1"
    assert error.finding == "'tee' is no value of 'kind'"
    assert error.remedy == "Did you mean 'tree'? There are: tree."


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


def test_a_finding_of_a_part_as_a_whole_is_placed_at_the_part() -> None:
    from glabella.data.dictionary import Dictionary

    text = "kind: dictionary\ndescription: x\nvariables:\n  age:\n    {label: Age, type: number}\n"
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Dictionary, name="features/dictionary.yaml")
    assert str(caught.value) == (
        "features/dictionary.yaml:4: 'variables.age': a variable of type number needs a `range`"
    )


@pytest.mark.parametrize("value", [{"kind": "tree", "description": "x", "count": True}])
def test_strictness_holds_for_values_made_in_python_too(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Tree(**value)


def test_a_misspelt_required_key_is_answered_with_its_line_and_the_nearest_name() -> None:
    error = refuse(HEAD + "laeves: []\n")
    assert str(error).startswith("features/oak.yaml:3: unknown key 'laeves'")
    assert "Did you mean 'leaves'?" in str(error)


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
