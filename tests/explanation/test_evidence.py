"""Our predictors compared with published ones: what agrees, and what is not known."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from glabella.definitions.locate import find_project
from glabella.explanation.evidence import (
    PredictorEvidence,
    PublishedPredictor,
    compare_with_evidence,
)
from glabella.models.grouping import Grouping


@dataclass
class Mine:
    feature: str
    direction: float
    is_beyond_noise: bool | None
    label: str = "Ours"
    role: object = None
    words: str = "higher goes with response"


def _compare_one(direction, mine, *, level=None, levels=None, seen_in="treated patients", **more):
    published = PublishedPredictor(
        variables=("v",), level=level, direction=direction, strength="weak", seen_in=seen_in
    )
    evidence = PredictorEvidence(kind="predictor_evidence", description="", predictors=(published,))
    more = {"is_simulated": False, **more}
    return compare_with_evidence(evidence, [mine], {"f": "v", "g": "w"}, levels or {}, **more)


def _agree(*args, **more):
    return [item.agreement for item in _compare_one(*args, **more)]


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
        ("none", 0.8, False, "can't tell"),
        ("none", 0.8, True, "contradicts"),
        ("unknown", 0.8, True, "nothing to compare with"),
    ],
)
def test_agreement_in_a_word(published, ours, beyond, word):
    assert _agree(published, Mine("f", ours, beyond)) == [word]


def test_a_direction_of_the_first_level_is_turned():
    levels = {"f": ["F", "M"]}
    assert _agree("plus", Mine("f", -0.8, True), level="F", levels=levels) == ["agrees"]
    assert _agree("plus", Mine("f", -0.8, True), level="M", levels=levels) == ["contradicts"]


def test_on_simulated_data_agreement_is_by_construction():
    assert _agree("plus", Mine("f", 0.8, True), is_simulated=True) == ["agrees by construction"]


@pytest.mark.parametrize(
    ("role", "direction", "word"),
    [
        ("of the effect", 0.8, "agrees"),
        ("of the effect", -0.8, "contradicts"),
        ("of the effect, in the other direction", 0.8, "contradicts"),
        ("of the effect, in the other direction", -0.8, "agrees"),
        ("prognostic", 0.8, "can't tell"),
        ("can't be told", 0.8, "can't tell"),
    ],
)
def test_what_was_seen_in_a_contrast_is_compared_with_the_difference_of_the_arms(
    role, direction, word
):
    mine = Mine("f", direction, True, role=SimpleNamespace(role=role))
    assert _agree("plus", mine, seen_in="contrast") == [word]


def test_without_arms_a_contrast_is_compared_with_nothing():
    assert _agree("plus", Mine("f", 0.8, True), seen_in="contrast") == ["can't tell"]


def test_what_no_feature_is_of_has_a_row_that_says_so():
    [found] = _compare_one("plus", Mine("other", 0.8, True), labels={"v": "Agitation"})
    assert (found.label, found.agreement) == ("Agitation", "not measured in this analysis")
    assert found.as_json()["held_against"] is None


def test_a_feature_in_a_group_is_compared_through_it_and_the_group_claims_nothing():
    [found] = _compare_one(
        "plus", Mine("G", float("nan"), True, label="Both"),
        grouping=Grouping({"G": ("f", "g")}), labels={"v": "One"},
    )  # fmt: skip
    assert (found.label, found.agreement) == ("One", "can't tell")
    assert found.ours == "part of the group Both: higher goes with response"


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
