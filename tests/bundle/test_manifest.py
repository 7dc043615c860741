"""A manifest whose parts contradict each other is found."""

import pytest

from glabella.bundle.manifest import ScoredArm, TrainingRange


def test_a_whole_manifest_has_no_contradiction(manifest):
    assert manifest.find_contradiction() is None
    assert manifest.form.name == "clinic"
    assert manifest.id_columns == ("site", "id")
    assert [spec.name for spec in manifest.feature_specs] == ["age_years", "sex"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: {"specs": (*m.specs, m.specs[0])}, "a feature is described twice"),
        (lambda m: {"specs": m.specs[:1]}, "not those of the feature set"),
        (lambda m: {"ranges": {"age_years": TrainingRange()}}, "ranges are not of the patient's"),
        (lambda m: {"reference": {}}, "reference is not of the patient's"),
        (
            lambda m: {
                "reference": {
                    **m.reference,
                    "sex": m.reference["sex"].model_copy(update={"counts": (1, 2, 3)}),
                }
            },
            "counts for other bins",
        ),
        (
            lambda m: {"arms": (ScoredArm(name="a", label="A", role="active"),)},
            "arms are not those that the model knows",
        ),
        (lambda m: {"forms": (m.form, m.form)}, "two of its forms have one name"),
        (
            lambda m: {"forms": (m.form.model_copy(update={"ids": ()}),)},
            "a form lacks an identifier",
        ),
        (lambda m: {"required": ("total",)}, "needs a variable that it does not know"),
        (
            lambda m: {"variables": {"age_years": m.variables["age_years"]}},
            "names a variable that it does not know",
        ),
        (lambda m: {"model": "m\x1b[2J"}, "can't be printed"),
    ],
)
def test_a_contradiction_is_named(manifest, change, words):
    changed = manifest.model_copy(update=change(manifest))
    assert words in changed.find_contradiction()
