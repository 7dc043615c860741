"""Our predictors beside published ones: what agrees, and what can't be told."""

from dataclasses import dataclass, field

import pytest

from glabella.definitions.locate import find_project
from glabella.explanation.evidence import PredictorEvidence, PublishedPredictor, hold_beside


@dataclass
class Mine:
    feature: str
    direction: float
    is_beyond_noise: bool | None
    label: str = "Ours"
    role: object = None
    extra: dict = field(default_factory=dict)


def _hold(direction, mine, *, level=None, levels=None, is_simulated=False):
    published = PublishedPredictor(
        variables=("v",), level=level, direction=direction, strength="weak", seen_in="contrast"
    )
    evidence = PredictorEvidence(kind="predictor_evidence", description="", predictors=(published,))
    found = hold_beside(evidence, [mine], {"f": "v"}, levels or {}, is_simulated=is_simulated)
    return [item.agreement for item in found]


@pytest.mark.parametrize(
    ("published", "ours", "beyond", "word"),
    [
        ("plus", 0.8, True, "agrees"),
        ("plus", -0.8, True, "contradicts"),
        ("minus", -0.8, True, "agrees"),
        ("minus", 0.1, True, "can't tell"),
        ("plus", 0.8, False, "can't tell"),
        ("plus", 0.8, None, "can't tell"),
        ("plus", float("nan"), True, "can't tell"),
        ("none", 0.8, False, "agrees"),
        ("none", 0.8, True, "contradicts"),
        ("unknown", 0.8, True, "nothing to hold it against"),
    ],
)
def test_agreement_in_a_word(published, ours, beyond, word):
    assert _hold(published, Mine("f", ours, beyond)) == [word]


def test_a_direction_of_the_first_level_is_turned():
    levels = {"f": ["F", "M"]}
    assert _hold("plus", Mine("f", -0.8, True), level="F", levels=levels) == ["agrees"]
    assert _hold("plus", Mine("f", -0.8, True), level="M", levels=levels) == ["contradicts"]


def test_on_simulated_data_agreement_is_by_construction():
    found = _hold("plus", Mine("f", 0.8, True), is_simulated=True)
    assert found == ["agrees by construction"]


def test_what_nothing_is_published_of_stands_nowhere():
    assert _hold("plus", Mine("other", 0.8, True)) == []


def test_the_shipped_table_reads_and_cites_a_source_for_each_finding(checkout):
    table = find_project(checkout).read("features", "predictors", PredictorEvidence).value
    assert len(table.predictors) >= 6
    for item in table.predictors:
        for finding in item.findings:
            assert finding.source
        if item.direction in ("plus", "minus"):
            assert any(finding.speaks == "for" for finding in item.findings)
            # What is only remembered is no ground for an expected direction.
            assert any(finding.confidence != "recalled" for finding in item.findings)
