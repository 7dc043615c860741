"""Texts that a terminal, a spreadsheet or a reader could be deceived by are refused."""

import pytest

from glabella.data.dictionary import Dictionary
from glabella.definitions.reader import parse_definition
from glabella.errors import DefinitionError

HEAD = "kind: dictionary\ndescription: x\nvariables:\n  sex:\n"


def read(label: str, word: str = "male") -> Dictionary:
    text = (
        f'    label: "{label}"\n    type: category\n    codes: {{"1": "{word}", "-1": "female"}}\n'
    )
    return parse_definition(HEAD + text, Dictionary, name="features/dictionary.yaml").value


@pytest.mark.parametrize(
    "label",
    ["=1+1", "+49 region", "-x", "@SUM(A1)", "=", "\uff1d1", "-1+1", "--1", "+1x", "\\t=1"],
)
def test_a_label_that_a_spreadsheet_would_run_is_refused(label: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(label)
    assert str(caught.value).startswith("features/dictionary.yaml:5: the label '")
    assert "begins with a sign with which spreadsheets begin a formula\n" in str(caught.value)
    with pytest.raises(DefinitionError, match="yaml:7: the label"):
        read("Sex", label)


@pytest.mark.parametrize("label", ["-", "+", "++", "-1", "+2.5", "-0,5", "Sex (=1)", "a-b", "n/a"])
def test_signs_and_numbers_alone_are_labels(label: str) -> None:
    assert read("Sex", label).variables["sex"].codes["1"] == label


def test_a_code_that_begins_so_is_a_value_and_no_label() -> None:
    assert "-1" in read("Sex").variables["sex"].codes


@pytest.mark.parametrize(
    ("sign", "shown"),
    [
        ("\\x1b", "\\x1b"),
        ("\\x07", "\\x07"),
        ("\\x7f", "\\x7f"),
        ("\\x9b", "\\x9b"),
        ("\\u202e", "\\u202e"),
        ("\\u2066", "\\u2066"),
        ("\\u2028", "\\u2028"),
        ("\\u200b", "\\u200b"),
        ("\\ufeff", "\\ufeff"),
        ("\u202e", "\\u202e"),
        ("\\r", "\\r"),
    ],
)
def test_a_character_that_is_not_shown_is_refused_and_named(sign: str, shown: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(f"Se{sign}x")
    assert str(caught.value) == (
        f"features/dictionary.yaml:5: 'Se{shown}x' contains a character that is invisible or "
        "changes how others are shown\n  Write the text without it."
    )


def test_words_of_every_script_are_taken() -> None:
    assert read("Größe, pojęcie, 年齢, ÅÄÖ é").variables["sex"].label.startswith("Größe")


def test_a_dictionary_has_no_more_codes_than_can_be_told_apart() -> None:
    codes = ", ".join(f'"{at}": "level {at}"' for at in range(1_001))
    text = f"    label: Town\n    type: category\n    codes: {{{codes}}}\n"
    with pytest.raises(DefinitionError, match="at most 1000 `codes`, and this one has 1001"):
        parse_definition(HEAD + text, Dictionary, name="d.yaml")
