"""The page's YAML is read as it stands, with every key that there is and its default."""

import json
import re

from ruamel.yaml import YAML

from glabella.analysis.definition import ExplanationDefinition


def test_the_block_holds_every_key_with_its_default(checkout):
    page = (checkout / "docs" / "explanations.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    written = YAML(typ="safe").load(block)["explanation"]
    read = ExplanationDefinition.model_validate_json(json.dumps(written))
    assert set(written) == set(ExplanationDefinition.model_fields)
    plain = ExplanationDefinition()
    for key in ("refits", "permutations", "values", "background"):
        assert getattr(read, key) == getattr(plain, key)
