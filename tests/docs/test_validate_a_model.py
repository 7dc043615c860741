"""The page's YAML is read as it stands, and what it says of defaults is so."""

import json
import re

import pytest
from ruamel.yaml import YAML

from glabella.analysis.definition import ValidationDefinition
from glabella.models.build import build_model
from glabella.models.candidate import Candidate


@pytest.fixture
def page(checkout):
    return (checkout / "docs" / "validate_a_model.md").read_text(encoding="utf-8")


def test_the_block_is_a_validation_with_every_key_that_there_is(page):
    [block] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    written = YAML(typ="safe").load(block)["validation"]
    read = ValidationDefinition.model_validate_json(json.dumps(written))
    assert read.external == ("trial_e",)
    assert set(written) == set(ValidationDefinition.model_fields) - {"sensitivity"}


def test_only_pooled_is_there_without_being_asked_for(page):
    plain = ValidationDefinition()
    assert "by default, there is\n`pooled` alone, with five folds and ten repetitions" in page
    assert (plain.pooled.folds, plain.pooled.repeats) == (5, 10)
    asked = ("inside", "across", "external", "permutations", "stability", "learning_curve")
    assert plain.pooled is not None
    assert all(getattr(plain, name) is None for name in asked)


@pytest.mark.parametrize("estimator", ["ridge", "xgboost"])
def test_the_estimators_that_it_names_can_centre(page, estimator):
    assert f"`{estimator}`" in page
    candidate = Candidate(
        kind="candidate", description="x", estimator=estimator, settings={"centring": "trial"}
    )
    assert build_model(candidate, (), random_state=0).centring == "trial"


def test_its_links_lead_somewhere(page, checkout):
    for target in re.findall(r"\]\(([^)]+)\)", page):
        assert (checkout / "docs" / target.partition("#")[0]).is_file()
