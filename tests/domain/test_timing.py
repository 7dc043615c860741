import pytest

from glabella.domain.timing import BASELINE, END, Moment, parse_moment, parse_timing
from glabella.errors import DefinitionError


@pytest.mark.parametrize(
    ("text", "week"), [("baseline", 0.0), ("week 0", 0.0), ("week 4", 4.0), ("week 2.5", 2.5)]
)
def test_a_moment_is_read(text: str, week: float) -> None:
    assert parse_moment(text) == Moment(week)


@pytest.mark.parametrize("text", ["week 4", "week 2.5", "baseline"])
def test_a_moment_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_moment(text)) == text


def test_moments_are_ordered_in_time() -> None:
    assert BASELINE < parse_moment("week 0.5") < parse_moment("week 4") < parse_moment("week 12")
    assert parse_moment("week 0") == BASELINE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Baseline",
        "week",
        "week four",
        "week -1",
        "4",
        "week 4 ",
        "week  4",
        "week 4\n",
        "visit",
        "end",
    ],
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_moment(text)
    assert caught.value.finding == f"'{text}' is no moment of a trial"
    assert caught.value.remedy == "Write `baseline` or `week N`."


def test_the_end_of_follow_up_comes_after_every_week_and_nothing_is_predicted_from_it() -> None:
    assert parse_timing("end") == END > parse_moment("week 5000")
    assert str(END) == "the end of follow-up"
    with pytest.raises(DefinitionError, match="'end' is no moment of a trial"):
        parse_moment("end")


@pytest.mark.parametrize("text", ["baseline", "week 4"])
def test_other_timings_are_read_as_moments(text: str) -> None:
    assert parse_timing(text) == parse_moment(text)
