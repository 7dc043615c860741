"""A feature that stands on a value imputed from later ones is refused; a carried one is not."""

import pandas as pd
import pytest

from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables
from glabella.definitions.reader import parse_definition
from glabella.features.feature_set import FeatureSet
from glabella.features.leakage.imputed_sources import find_imputed_leaks

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, range: [18, 95]}
  total: {label: Total, type: number, range: [0, 70], timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value
FEATURES = parse_definition(
    "kind: feature_set\ndescription: x\nfeatures:\n  - {name: age_years}\n"
    "  - {name: severity, builder: baseline_score, of: total}\n",
    FeatureSet,
    name="features/early.yaml",
).value
PEOPLE = pd.DataFrame({"studyid": "S", "usubjid": ["QQ1", "QQ2"], "age_years": [40.0, 50.0]})


def make_tables(*rows: tuple[str, float, object]) -> PatientTables:
    frame = pd.DataFrame(list(rows), columns=["usubjid", "week", "dtype"])
    return PatientTables(PEOPLE, frame.assign(studyid="S", paramcd="total", aval=20.0), "real")


def test_a_baseline_carried_backward_is_refused() -> None:
    tables = make_tables(("QQ1", 0.0, "NOCB"), ("QQ2", 0.0, ""), ("QQ2", 8.0, "INTERP"))
    (found,) = find_imputed_leaks(tables, FEATURES, DICTIONARY)
    assert (found.severity, found.place) == ("stop", "feature 'severity'")
    assert found.finding == (
        "1 values of 'total' by baseline are derived (NOCB) and may use later ones"
    )
    assert "`imputed: keep`" in found.remedy


@pytest.mark.parametrize("kind", ["LOCF", "BLOCF", "AVERAGE", "", None])
def test_a_baseline_that_stands_on_earlier_values_passes(kind: object) -> None:
    tables = make_tables(("QQ1", 0.0, kind), ("QQ2", 0.0, "SOCF"))
    assert find_imputed_leaks(tables, FEATURES, DICTIONARY) == ()


def test_what_is_imputed_after_the_feature_is_known_is_no_matter_of_it() -> None:
    tables = make_tables(("QQ1", 0.0, ""), ("QQ1", 8.0, "NOCB"))
    assert find_imputed_leaks(tables, FEATURES, DICTIONARY) == ()


def test_a_source_without_derived_values_passes() -> None:
    tables = make_tables(("QQ1", 0.0, "x"))
    plain = PatientTables(PEOPLE, tables.assessments.drop(columns="dtype"), "real")
    assert find_imputed_leaks(plain, FEATURES, DICTIONARY) == ()
