"""A variable of the participants' table is taken as it is."""

import numpy as np
import pandas as pd
import pytest

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables
from glabella.errors import AnalysisError
from glabella.features.builders.value import Value
from glabella.features.feature_set import FeatureDefinition

AGE = Variable(label="Age", type="number", range=(18, 95), unit="years")
NO_VISITS = pd.DataFrame(columns=["studyid", "usubjid", "paramcd", "week", "aval"])


def make_tables(**columns: list[float]) -> PatientTables:
    people = pd.DataFrame({"studyid": "t", "usubjid": ["a", "b", "c"], **columns})
    return PatientTables(people, NO_VISITS, "real")


def test_values_keep_their_order_and_their_gaps() -> None:
    tables = make_tables(age_years=[40.0, np.nan, 61.0])
    feature = FeatureDefinition(name="age_years")
    np.testing.assert_array_equal(Value().build(feature, AGE, tables), [40.0, np.nan, 61.0])
    assert Value().describe(feature, AGE).label == "Age"


def test_another_name_for_the_feature_takes_the_variable_it_is_of() -> None:
    feature = FeatureDefinition(name="own", of="age_years")
    built = Value().build(feature, AGE, make_tables(age_years=[40.0, 50.0, 61.0]))
    assert built.tolist() == [40.0, 50.0, 61.0]


def test_a_variable_that_no_source_maps_is_refused_with_what_to_do() -> None:
    with pytest.raises(AnalysisError) as caught:
        Value().build(FeatureDefinition(name="own", of="age_years"), AGE, make_tables())
    assert str(caught.value) == (
        "feature 'own': no column is mapped to 'age_years'\n"
        "  Map it under the participants' `variables:`, or leave the feature out."
    )
