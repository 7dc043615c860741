"""What every builder promises, and the registry that names them."""

import pytest

from glabella.data.dictionary import Variable
from glabella.domain.timing import BASELINE, Moment
from glabella.errors import DefinitionError
from glabella.features.builders import BUILDERS, find_builder
from glabella.features.feature_set import FeatureDefinition

FEATURE = FeatureDefinition(name="x", week=2, window=(1.5, 3))


@pytest.mark.parametrize(
    ("builder", "timing", "known"),
    [
        ("value", "baseline", BASELINE),
        ("value", "week 2", Moment(2)),
        ("value", "visit", None),
        ("baseline_score", "visit", BASELINE),
        ("baseline_score", "baseline", None),
        ("baseline_score", "week 2", None),
        ("visit_score", "visit", Moment(3)),
        ("visit_score", "baseline", None),
        ("visit_score", "week 2", None),
        ("change_from_baseline", "visit", Moment(3)),
        ("change_from_baseline", "baseline", None),
    ],
)
def test_a_builder_says_when_its_feature_is_known(
    builder: str, timing: str, known: Moment | None
) -> None:
    variable = Variable(label="X", type="number", range=(0, 1), timing=timing)
    assert BUILDERS[builder].known_at(FEATURE, variable) == known


def test_a_misspelt_builder_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(DefinitionError) as caught:
        find_builder("vaule", place="f.yaml:3")
    assert str(caught.value) == (
        "f.yaml:3: there is no builder 'vaule'\n"
        "  Did you mean 'value'? There are: baseline_score, change_from_baseline, "
        "value, visit_score."
    )


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_label_of_the_feature_wins_over_the_variables(builder: str) -> None:
    variable = Variable(label="Long label", type="number", range=(0, 1), unit="mm")
    spec = BUILDERS[builder].describe(FeatureDefinition(name="x", label="Short", week=2), variable)
    assert (spec.name, spec.label, spec.unit, spec.kind) == ("x", "Short", "mm", "number")


@pytest.mark.parametrize(
    ("expressed", "unit"), [("points", "points"), ("percent_of_range", "% of the scale's range")]
)
@pytest.mark.parametrize("builder", BUILDERS)
def test_a_score_is_described_in_the_unit_it_is_expressed_in(
    builder: str, expressed: str, unit: str
) -> None:
    feature = FeatureDefinition.model_validate({"name": "x", "as": expressed, "week": 2})
    variable = Variable(label="Total", type="score", scale="madrs", timing="visit")
    spec = BUILDERS[builder].describe(feature, variable)
    assert (spec.kind, spec.unit) == ("number", unit)
