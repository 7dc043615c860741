"""Totals of different scales meet in percent, in bands, or on one scale; nothing is made up."""

import numpy as np
import pandas as pd
import pytest

from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables
from glabella.definitions.reader import parse_definition
from glabella.errors import AnalysisError, DefinitionError
from glabella.features.assemble import build_patient_features, describe_features, note_conversions
from glabella.features.feature_set import FeatureSet

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  total: {label: Total, type: score, scale: by_trial, timing: visit}
  twstrs: {label: Torticollis, type: score, scale: twstrs, timing: visit}
  frown: {label: Frown, type: ordinal, range: [0, 3], timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value


def make_set(expressed: str, of: str = "total") -> FeatureSet:
    text = (
        "kind: feature_set\ndescription: x\nfeatures:\n"
        f"  - {{name: severity, builder: baseline_score, of: {of}, as: {expressed}}}\n"
    )
    return parse_definition(text, FeatureSet, name="f.yaml").value


def make_tables(totals: list[tuple[str, float]], variable: str = "total") -> PatientTables:
    names = [str(number) for number in range(len(totals))]
    scales = [scale for scale, _ in totals]
    people = pd.DataFrame({"studyid": "t", "usubjid": names, "scale": scales})
    visits = pd.DataFrame(
        {
            "studyid": "t",
            "usubjid": names,
            "paramcd": variable,
            "week": 0.0,
            "aval": [total for _, total in totals],
        }
    )
    return PatientTables(people, visits, "real")


def build(expressed: str, totals: list[tuple[str, float]]) -> list[float]:
    frame = build_patient_features(make_tables(totals), make_set(expressed), DICTIONARY)
    return frame["severity"].tolist()


def test_bands_are_each_scales_own() -> None:
    totals = [("hamd17", 13), ("hamd17", 14), ("madrs", 15), ("madrs", 26), ("hamd21", 7)]
    assert build("severity_band", totals) == [1, 2, 1, 3, 0]
    spec = describe_features(make_set("severity_band"), DICTIONARY, endpoint_variable="total")[0]
    assert (spec.kind, spec.unit) == ("ordinal", None)
    assert spec.describe_value(3.0) == "severe"


def test_a_published_table_puts_totals_on_one_scale() -> None:
    totals = [("hamd17", 20), ("madrs", 26), ("hamd17", 15)]
    assert build("madrs", totals) == [26, 26, 19.5]
    spec = describe_features(make_set("madrs"), DICTIONARY, endpoint_variable="total")[0]
    assert (spec.kind, spec.unit, spec.is_severity) == ("number", "points of madrs", True)


def test_what_has_no_entry_stays_missing_and_is_counted_with_the_source() -> None:
    totals = [("qids_sr16", 15), ("qids_sr16", 11), ("hamd17", 20)]
    values = build("hamd17", totals)
    assert np.isnan(values[0])
    assert values[1:] == [14.5, 20]
    notes = note_conversions(make_tables(totals), make_set("hamd17"), DICTIONARY)
    assert len(notes) == 1
    assert "ids-qids.org" in notes[0].finding
    assert "1 of 2 totals have no plausible entry and stay missing" in notes[0].finding
    assert notes[0].severity == "note"


def test_bands_name_their_source_and_points_and_percent_need_none() -> None:
    tables = make_tables([("hamd21", 20)])
    notes = note_conversions(tables, make_set("severity_band"), DICTIONARY)
    assert [note.finding for note in notes] == [
        "bands of Hamilton Depression Rating Scale, 21 items: ClinicalTrials.gov NCT01392963"
    ]
    assert note_conversions(tables, make_set("percent_of_range"), DICTIONARY) == ()


def test_scales_that_no_table_links_are_refused() -> None:
    with pytest.raises(DefinitionError, match="no published table links the scales 'phq9'"):
        build("madrs", [("phq9", 10)])


def test_a_scale_without_bands_is_refused() -> None:
    tables = make_tables([("", 40)], "twstrs")
    with pytest.raises(AnalysisError, match="no bands of severity are published"):
        build_patient_features(tables, make_set("severity_band", "twstrs"), DICTIONARY)


def test_what_is_no_score_has_no_band() -> None:
    with pytest.raises(DefinitionError, match="is not the total of a rating scale"):
        describe_features(make_set("severity_band", "frown"), DICTIONARY, endpoint_variable="total")
