"""The page's YAML is read as it stands, and its defaults are those of the gate."""

import json
import re

import pytest
from ruamel.yaml import YAML

from glabella.analysis.definition import Analysis, ValidationDefinition
from glabella.analysis.policy import PromotionDefinition


@pytest.fixture
def blocks(checkout):
    page = (checkout / "docs" / "promote_a_model.md").read_text(encoding="utf-8")
    found = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    return [json.loads(json.dumps(YAML(typ="safe").load(block))) for block in found]


def test_the_policy_has_every_key_with_its_default(blocks):
    written = blocks[0]["promotion"]
    assert set(written) == set(PromotionDefinition.model_fields)
    assert PromotionDefinition.model_validate_json(json.dumps(written)) == PromotionDefinition()
    assert Analysis.model_fields["promotion"].default == PromotionDefinition()


def test_what_the_defaults_need_is_a_validation(blocks):
    read = ValidationDefinition.model_validate_json(json.dumps(blocks[1]["validation"]))
    assert read.across is not None
    assert read.stability is not None
