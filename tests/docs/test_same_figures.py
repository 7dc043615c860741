"""The comparison of two versions' figures sees every kind of figure it collects."""

from __future__ import annotations

import copy
from importlib import import_module

import pytest

COLLECTED = {
    "json": {"run_id": "a" * 32, "table": [{"auc": 0.7}]},
    "record": {"measures": [0.1, 0.2]},
    "metrics": {"auc": 0.7},
    "bundle": {"model.json": "5f63", "manifest.json": {"created": "2026-01-01", "n": 90}},
}
CHANGES = {
    "json": lambda c: c["json"]["table"][0].update(auc=0.7000000000000001),
    "record": lambda c: c["record"]["measures"].append(0.3),
    "metrics": lambda c: c["metrics"].pop("auc"),
    "bundle": lambda c: c["bundle"].update({"model.json": "5f64"}),
    "manifest": lambda c: c["bundle"]["manifest.json"].update(n=91),
}


@pytest.fixture
def list_differences(checkout, monkeypatch):
    monkeypatch.syspath_prepend(str(checkout / "benchmarks"))
    return import_module("same_figures").list_differences


@pytest.mark.parametrize("where", CHANGES)
def test_a_change_is_seen_wherever_it_stands(list_differences, where):
    after = copy.deepcopy(COLLECTED)
    CHANGES[where](after)

    assert len(list_differences(COLLECTED, after)) == 1


def test_what_belongs_to_a_run_is_no_change(list_differences):
    after = copy.deepcopy(COLLECTED)
    after["json"]["run_id"] = "b" * 32
    after["bundle"]["manifest.json"]["created"] = "2026-01-02"

    assert list_differences(COLLECTED, after) == []
