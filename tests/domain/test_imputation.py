"""What is carried forward stands on earlier data; whatever else a sponsor writes may not."""

import pytest

from glabella.domain.imputation import is_looking_ahead, is_summary


@pytest.mark.parametrize("kind", ["", "LOCF", "locf ", "BLOCF", "BOCF", "SOCF", "LVPD", "POCF"])
@pytest.mark.parametrize("is_baseline", [True, False])
def test_observed_and_carried_values_stand_on_what_was(kind: str, is_baseline: bool) -> None:
    assert not is_looking_ahead(kind, is_baseline=is_baseline)


@pytest.mark.parametrize(
    "kind", ["INTERP", "NOCB", "WOCF", "WC", "BC", "ENDPOINT", "EXTRAP", "MI", "ML", "OWN METHOD"]
)
@pytest.mark.parametrize("is_baseline", [True, False])
def test_whatever_else_may_stand_on_later_data(kind: str, is_baseline: bool) -> None:
    assert is_looking_ahead(kind, is_baseline=is_baseline)


@pytest.mark.parametrize("kind", ["AVERAGE", "MAXIMUM", "MINIMUM"])
def test_a_summary_is_of_earlier_records_at_baseline_alone(kind: str) -> None:
    assert not is_looking_ahead(kind, is_baseline=True)
    assert is_looking_ahead(kind, is_baseline=False)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("AVERAGE", True), ("median ", True), ("LOCF", False), ("MI", False), ("OWN", False)],
)
def test_only_known_summaries_are_observed(kind: str, expected: bool) -> None:
    assert is_summary(kind) is expected
