import pytest

from glabella.definitions.reader import parse_definition
from glabella.domain.visits import Window
from glabella.errors import DefinitionError
from glabella.features.feature_set import FeatureSet

HEAD = "kind: feature_set\ndescription: x\nfeatures:\n"


def parse(rows: str) -> FeatureSet:
    return parse_definition(HEAD + rows, FeatureSet, name="f.yaml").value


def test_a_feature_is_built_from_the_variable_of_its_name_unless_stated() -> None:
    features = parse("  - {name: age}\n  - {name: severity, of: total}\n").features
    assert [feature.variable for feature in features] == ["age", "total"]
    assert [feature.builder for feature in features] == ["value", "value"]
    assert parse("  - {name: age}\n").predict_at == "baseline"


def test_the_week_alone_is_the_window_unless_stated() -> None:
    alone, wide = parse(
        "  - {name: a, week: 2}\n  - {name: b, week: 2, window: [1.5, 3]}\n"
    ).features
    assert alone.visit_window == Window(2, 2, 2)
    assert wide.visit_window == Window(2, 1.5, 3)
    with pytest.raises(ValueError, match="names no week"):
        parse("  - {name: a}\n").features[0].visit_window  # noqa: B018


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("  - {name: a}\n  - {name: a, of: b}\n", "f.yaml: the feature 'a' appears twice"),
        (
            "  - {name: arm}\n",
            "f.yaml: 'arm' is no feature of a patient; the analysis adds it by itself",
        ),
        (
            "  - {name: studyid}\n",
            "f.yaml: 'studyid' is no feature of a patient; the analysis adds it by itself",
        ),
        (
            "  - name: a\n    as: percent_of_rnage\n",
            "f.yaml:5: 'features.0.as': a score can't be expressed as 'percent_of_rnage'. Did you "
            "mean 'percent_of_range'? There are: adas_cog11, bdi, bdi_ii, hamd17, hamd21, hamd24, "
            "madrs, percent_change, percent_of_range, phq9, points, qids_sr16, severity_band, "
            "twstrs.",
        ),
        (
            "  - name: a\n    biulder: value\n",
            "f.yaml:5: unknown key 'biulder'\n"
            "  Did you mean 'builder'? There are: as, builder, label, name, of, week, window.",
        ),
        (
            "  - name: a\n    week: 0\n",
            "f.yaml:5: 'features.0.week' must be above 0",
        ),
        (
            "  - name: a\n    window: [1, 3]\n",
            "f.yaml:4: 'features.0': a `window` goes with the `week` that is meant",
        ),
        (
            "  - name: a\n    week: 2\n    window: [0, 3]\n",
            "f.yaml:4: 'features.0': a feature's window must begin after baseline (week 0)",
        ),
        (
            "  - name: a\n    week: 2\n    window: [3, 4]\n",
            "f.yaml:4: 'features.0': the target week lies outside its window",
        ),
        ("  - {of: a}\n", "f.yaml:4: the key 'name' is missing in 'features.0'"),
    ],
    ids=[
        "twice",
        "arm",
        "trial",
        "word",
        "key",
        "week_of_baseline",
        "window_alone",
        "window_from_baseline",
        "window_beside_its_week",
        "no_name",
    ],
)
def test_a_wrong_feature_set_is_refused(rows: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(rows)
    assert str(caught.value).lower() == message.lower()


def test_a_set_without_features_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"f.yaml:3: 'features' must have at least 1 entry"):
        parse_definition(HEAD.rstrip() + " []\n", FeatureSet, name="f.yaml")
