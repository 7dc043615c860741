"""The steps of the page, done: the rule that it shows is read and put to scores."""

import re

import pandas as pd
import pytest

from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import derive_outcomes
from glabella.data.endpoints.rules import RULES
from glabella.data.tables import PatientTables
from glabella.definitions.reader import Definition, parse_definition

TOTAL = {"label": "T", "type": "number", "range": (0, 99), "timing": "visit"}
DICTIONARY = Dictionary.model_validate(
    {"kind": "dictionary", "description": "x", "variables": {"total": TOTAL}}
)


class Holder(Definition):
    endpoint: EndpointDefinition


@pytest.fixture
def rule(checkout, monkeypatch):
    text = (checkout / "docs" / "how_to_add_an_endpoint_rule.md").read_text("utf-8")
    [block] = re.findall(r"   ```python\n(.*?)   ```", text, flags=re.DOTALL)
    names = {}
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), names)
    monkeypatch.setitem(RULES, "any_fall", names["AnyFall"]())


def test_the_rule_of_the_page_judges_scores(rule):
    text = (
        "endpoint: {rule: any_fall, of: total, week: 6, window: [4, 8], missing: observed_only}\n"
    )
    endpoint = parse_definition(text, Holder, name="page").value.endpoint
    assert endpoint.describe_variable() == (
        "a fall of at least 1 point from baseline at week 6 (window 4 to 8)"
    )
    # A fall by one, no fall, no baseline, no later score.
    scores = {"a": {0: 9, 6: 8}, "b": {0: 9, 6: 9}, "c": {6: 1}, "d": {0: 9}}
    rows = [
        ("t", who, "total", float(week), float(score))
        for who, weeks in scores.items()
        for week, score in weeks.items()
    ]
    people = pd.DataFrame({"studyid": "t", "usubjid": list(scores)})
    visits = pd.DataFrame(rows, columns=["studyid", "usubjid", "paramcd", "week", "aval"])
    found = derive_outcomes(PatientTables(people, visits, "real"), endpoint, DICTIONARY)
    assert found.frame["responded"].tolist()[:2] == [1, 0]
    assert found.left_out == {
        "no baseline score": 1,
        "no score in the endpoint's window": 1,
    }
