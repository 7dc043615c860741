"""The dictionary refuses entries that could not be checked against."""

import pytest

from glabella.data.dictionary import Dictionary, Variable
from glabella.definitions.reader import parse_definition
from glabella.domain.scales import SCALES
from glabella.domain.timing import END, Moment
from glabella.errors import DefinitionError

HEAD = "kind: dictionary\ndescription: x\nvariables:\n"


def parse(entry: str) -> Dictionary:
    return parse_definition(HEAD + f"  one:\n    {entry}\n", Dictionary, name="d.yaml").value


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ("{label: A, type: number}", "a variable of type number needs a `range`"),
        ("{label: A, type: ordinal}", "a variable of type ordinal needs a `range`"),
        ("{label: A, type: number, range: [3, 3]}", "the `range` must go from low to high"),
        ("{label: A, type: number, range: [3, 1]}", "the `range` must go from low to high"),
        ("{label: A, type: category}", "a variable of type category needs at least two `codes`"),
        (
            "{label: A, type: category, codes: {F: female}}",
            "a variable of type category needs at least two `codes`",
        ),
        ("{label: A, type: score}", "`scale` goes with the type score, and a score needs one"),
        (
            "{label: A, type: number, range: [0, 1], scale: madrs}",
            "`scale` goes with the type score, and a score needs one",
        ),
        (
            "{label: A, type: score, scale: mards}",
            "there is no scale 'mards'. Did you mean 'madrs'? "
            f"There are: {', '.join(sorted(SCALES))}.",
        ),
        (
            "{label: A, type: number, range: [0, 1], timing: later}",
            "'later' is no moment of a trial; write `baseline`, `week N`, `end` or `visit`",
        ),
    ],
)
def test_an_entry_that_cannot_be_checked_against_is_refused(entry: str, finding: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(entry)
    assert str(caught.value) == f"d.yaml:4: 'variables.one': {finding}"


@pytest.mark.parametrize(
    ("entry", "finding", "nearest"),
    [
        (
            "{label: A, type: nubmer, range: [0, 1]}",
            "'nubmer' is no value of 'variables.one.type'",
            "number",
        ),
        ("{lable: A, label: A, type: number, range: [0, 1]}", "unknown key 'lable'", "label"),
    ],
)
def test_a_misspelt_word_of_an_entry_is_answered_with_the_nearest_one(
    entry: str, finding: str, nearest: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(entry)
    assert caught.value.place == "d.yaml:5"
    assert caught.value.finding == finding
    assert str(caught.value.remedy).startswith(f"Did you mean '{nearest}'?")


@pytest.mark.parametrize(
    ("timing", "moment"),
    [("baseline", Moment(0)), ("week 2", Moment(2)), ("end", END), ("visit", None)],
)
def test_a_variable_says_when_it_is_known(timing: str, moment: Moment | None) -> None:
    variable = Variable(label="A", type="number", range=(0, 1), timing=timing)
    assert variable.known_at == moment


def test_a_variable_is_known_at_baseline_unless_stated() -> None:
    assert parse("{label: A, type: number, range: [0, 1]}").find("one").known_at == Moment(0)


@pytest.mark.parametrize(
    ("scale", "named", "found"),
    [("madrs", None, "madrs"), ("madrs", "hamd17", "madrs"), ("by_trial", "hamd17", "hamd17")],
)
def test_the_scale_of_a_score_is_its_own_or_that_of_the_trial(
    scale: str, named: str | None, found: str
) -> None:
    variable = Variable(label="A", type="score", scale=scale)
    assert variable.find_scale(named).name == found


def test_a_score_by_trial_without_a_named_scale_is_refused() -> None:
    with pytest.raises(DefinitionError) as caught:
        Variable(label="Total", type="score", scale="by_trial").find_scale(None)
    assert str(caught.value) == (
        "'Total' is rated on each trial's own scale, and none is named\n"
        "  Name the column that holds it: `scale:` of the participants' file."
    )


def test_what_is_no_score_has_no_scale() -> None:
    with pytest.raises(DefinitionError, match="'Age' is not the total of a rating scale"):
        Variable(label="Age", type="number", range=(0, 1)).find_scale("madrs")


def test_a_variable_that_the_dictionary_lacks_is_answered_with_the_nearest_one() -> None:
    dictionary = parse("{label: A, type: number, range: [0, 1]}")
    with pytest.raises(DefinitionError) as caught:
        dictionary.find("ones", place="f.yaml:3")
    assert str(caught.value) == (
        "f.yaml:3: the dictionary has no variable 'ones'\n  Did you mean 'one'? There are: one."
    )


@pytest.mark.parametrize("name", ["studyid", "usubjid", "siteid", "cohort", "arm", "scale"])
def test_a_variable_cannot_take_the_name_of_a_column_with_another_part(name: str) -> None:
    # Mapped, it would overwrite the participants' trial, id, site, cohort, arm or scale.
    text = HEAD + f"  {name}: {{label: A, type: number, range: [0, 1]}}\n"
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Dictionary, name="d.yaml")
    assert name in caught.value.finding
