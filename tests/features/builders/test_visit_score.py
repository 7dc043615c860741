"""The value at a later visit, by hand."""

import pytest

from glabella.features.assemble import note_conversions

from .conftest import DICTIONARY, build, make_early, make_set, make_tables


def test_without_a_window_only_the_week_itself_stands_for_it() -> None:
    row = "{name: early, builder: visit_score, of: madrs, week: 1.5}"
    found = build(make_set(row), make_tables())["early"].dropna()
    assert found.to_dict() == {"tie": 20}


def test_a_later_score_can_be_in_bands_or_on_another_scale_and_its_source_is_noted() -> None:
    tables = make_tables("total", scale="hamd17")
    for expressed, value in (("severity_band", 3.0), ("madrs", 27.0)):
        feature_set = make_set(
            "{name: early, builder: visit_score, of: total, week: 2, window: [1, 3], "
            f"as: {expressed}}}"
        )
        assert build(feature_set, tables).loc["tie", "early"] == pytest.approx(value, abs=1)
        notes = note_conversions(tables, feature_set, DICTIONARY)
        assert len(notes) == 1
    assert " of 8 totals have no plausible entry" in notes[0].finding
    assert note_conversions(tables, make_early("total"), DICTIONARY) == ()
