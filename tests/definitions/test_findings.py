"""What is wrong in a definition is said in plain words, with its line and the nearest name."""

import pytest
from pydantic import Field

from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import DefinitionError

from .conftest import HEAD, Leaf, refuse


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


def test_a_finding_of_a_part_as_a_whole_is_placed_at_the_part() -> None:
    from glabella.data.dictionary import Dictionary

    text = "kind: dictionary\ndescription: x\nvariables:\n  age:\n    {label: Age, type: number}\n"
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Dictionary, name="features/dictionary.yaml")
    assert str(caught.value) == (
        "features/dictionary.yaml:4: 'variables.age': a variable of type number needs a `range`"
    )


def test_a_misspelt_required_key_is_answered_with_its_line_and_the_nearest_name() -> None:
    error = refuse(HEAD + "laeves: []\n")
    assert str(error).startswith("features/oak.yaml:3: unknown key 'laeves'")
    assert "Did you mean 'leaves'?" in str(error)
