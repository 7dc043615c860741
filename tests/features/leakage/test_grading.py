"""How much agreement is needed before a feature is refused, and what is said of it."""

import numpy as np
import pytest

from glabella.features.leakage.grading import judge_agreement, make_finding


@pytest.mark.parametrize(
    ("chance", "comparisons", "uncommon", "severity"),
    [
        (0.9e-6, 1, 5, "stop"),
        (1.1e-6, 1, 5, "warn"),
        # Each comparison is one more chance to agree.
        (0.9e-8, 100, 5, "stop"),
        (0.9e-6, 100, 5, "warn"),
        # Four who differ from the rest may agree with anything.
        (1e-12, 1, 4, "warn"),
        (0.9e-2, 1, 50, "warn"),
        (1.1e-2, 1, 50, None),
        (0.9e-2, 0, 50, "warn"),
    ],
)
def test_an_agreement_is_graded_by_the_chance_that_all_comparisons_have(
    chance: float, comparisons: int, uncommon: int, severity: str | None
) -> None:
    assert judge_agreement(float(np.log(chance)), comparisons, uncommon) == severity


def test_a_finding_names_the_feature_and_what_to_do() -> None:
    found = make_finding("age_years", "warn", "it may say who stayed")
    assert (found.place, found.severity) == ("feature 'age_years'", "warn")
    assert found.finding == "it may say who stayed"
    assert found.remedy.startswith("Leave it out, or map the column that was recorded by then.")
