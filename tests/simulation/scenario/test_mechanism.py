"""What moves a simulated score: courses, belief and adverse events."""

import numpy as np
import pytest
from pydantic import ValidationError

from glabella.simulation.scenario.mechanism import AdverseEvent, Course, Unblinding

PART = {0.0: 0.0, 2.0: 0.5, 6.0: 1.0}
UNBLINDING = Unblinding(relaxation=(0.1, 0.2, 0.3, 0.4), guess=(0.4, 0.6, 0.75, 0.85))


def test_a_course_is_linear_between_its_weeks_and_level_after_the_last() -> None:
    course = Course(background=PART, effect={**PART, 12.0: 0.2}, belief=PART)
    shares = [course.find_share("background", week) for week in (0, 1, 2, 4, 6, 30)]
    assert shares == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])
    assert course.find_share("effect", 9) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("part", "finding"),
    [
        ({0.0: 0.5, 6.0: 1.0}, "a course must be 0 at week 0"),
        ({-1.0: 0.0, 0.0: 0.0}, "weeks from 0 and shares from 0 to 2"),
        ({0.0: 0.0, 6.0: 2.1}, "weeks from 0 and shares from 0 to 2"),
    ],
)
def test_a_course_that_is_none_is_refused(part: dict[float, float], finding: str) -> None:
    with pytest.raises(ValidationError, match=finding):
        Course(background=PART, effect=part, belief=PART)


def test_the_chance_of_belief_is_over_the_grades_that_may_go() -> None:
    found = UNBLINDING.find_chance(np.arange(3.0), relaxes=True)
    # Of no grade none can go, of one at the most that one, of two at the most these.
    by_hand = [0.4, 0.1 * 0.4 + 0.9 * 0.6, 0.1 * 0.4 + 0.2 * 0.6 + 0.7 * 0.75]
    assert found.tolist() == pytest.approx(by_hand)


@pytest.mark.parametrize("weeks", [(16.0, 12.0), (0.0, 12.0)])
def test_the_weeks_in_which_a_frown_returns_must_rise(weeks: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match="the two weeks must be above 0 and rise"):
        Unblinding(relaxation=UNBLINDING.relaxation, guess=UNBLINDING.guess, lasts=weeks)


def test_an_adverse_events_odds_rise_by_the_same_factor_with_each_unit() -> None:
    event = AdverseEvent(at_0_units=0.05, at_40_units=0.2)
    chance = event.find_chance(np.array([0.0, 20.0, 40.0, 60.0]))
    odds = chance / (1 - chance)
    np.testing.assert_allclose(odds[1:] / odds[:-1], np.sqrt((0.2 / 0.8) / (0.05 / 0.95)))
