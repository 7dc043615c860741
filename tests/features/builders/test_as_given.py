"""A column that keeps its variable's description takes it from the dictionary."""

import pytest

from glabella.data.dictionary import Variable
from glabella.features.builders.as_given import AsGiven
from glabella.features.feature_set import FeatureDefinition


class Shouted(AsGiven):
    def _label(self, feature: FeatureDefinition, variable: Variable) -> str:
        return variable.label.upper()


def test_kind_levels_and_unit_are_those_of_the_dictionary() -> None:
    grade = Variable(label="Frown", type="ordinal", range=(0, 3), codes={"2": "some"})
    spec = Shouted().describe(FeatureDefinition(name="x"), grade)
    assert (spec.name, spec.label, spec.kind) == ("x", "FROWN", "ordinal")
    assert spec.levels == {"2": "some"}
    assert spec.unit is None
    weight = Variable(label="Weight", type="number", range=(0, 300), unit="kg")
    spec = Shouted().describe(FeatureDefinition(name="x"), weight)
    assert (spec.kind, spec.levels, spec.unit) == ("number", {}, "kg")


def test_a_builder_that_names_no_column_is_none() -> None:
    with pytest.raises(TypeError, match="_label"):
        AsGiven()  # type: ignore[abstract]
