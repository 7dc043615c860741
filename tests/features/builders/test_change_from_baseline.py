"""The change from baseline, by hand: its value, its unit and what has none."""

import pytest

from glabella.errors import DefinitionError
from glabella.features.assemble import describe_features

from .conftest import DICTIONARY, build, make_early, make_set, make_tables


def test_percent_change_is_of_the_baseline_and_missing_where_that_is_zero() -> None:
    fall = build(
        make_set(
            "{name: fall, builder: change_from_baseline, of: madrs, week: 2, window: [1, 3], "
            "as: percent_change}"
        ),
        make_tables(),
    )["fall"]
    assert fall["exact"] == -37.5
    assert fall["screened"] == 10
    assert fall[["zero", "no_baseline", "no_visit"]].isna().all()


def test_a_change_of_grades_is_a_number_and_has_no_percent() -> None:
    early, fall = describe_features(make_early("frown"), DICTIONARY, endpoint_variable="frown")
    assert (early.kind, early.label) == ("ordinal", "Frown at week 2")
    assert (fall.kind, fall.label) == ("number", "Frown, change from baseline to week 2")
    assert (early.describe_value(2.0), fall.describe_value(2.0)) == ("some", "2")
    row = "{name: fall, builder: change_from_baseline, of: frown, week: 2, as: percent_change}"
    with pytest.raises(DefinitionError, match="of grades, of which a percent means nothing"):
        describe_features(make_set(row), DICTIONARY, endpoint_variable="frown")


@pytest.mark.parametrize(
    ("of", "expressed", "words"),
    [
        ("madrs", "points", "-3 points"),
        ("madrs", "percent_change", "-3 % of the baseline"),
        ("madrs", "percent_of_range", "-3 % of the scale's range"),
        ("weight", "points", "-3 kg"),
        ("weight", "percent_change", "-3 % of the baseline"),
    ],
)
def test_a_change_is_said_in_its_unit(of: str, expressed: str, words: str) -> None:
    row = f"{{name: fall, builder: change_from_baseline, of: {of}, week: 2, as: {expressed}}}"
    spec = describe_features(make_set(row), DICTIONARY, endpoint_variable=of)[0]
    assert (spec.describe_value(-3.0), spec.is_severity) == (words, False)
