"""The randomised effect beside what the kept model implies: page, JSON, store."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.load import load_bundle
from glabella.definitions.locate import find_project
from glabella.pipelines.training.parts.randomised_effect import RandomisedEffect


def test_the_effect_is_that_of_the_tables_and_the_implied_one_of_the_kept_model(trained):
    project, result = trained
    [row] = json.loads(json.dumps(result.as_json(), allow_nan=False))["randomised_effect"][
        "effects"
    ]
    sample = load_analysis("small", find_project(project)).sample
    table = pd.DataFrame({"t": sample.trial, "a": sample.active, "y": sample.labels})
    cells = table.groupby(["t", "a"])["y"].agg(["mean", "size"]).unstack()
    n, m = cells["size"][True], cells["size"][False]
    weight = n * m / (n + m)
    gap = cells["mean"][True] - cells["mean"][False]
    assert row["risk_difference"] == pytest.approx((weight * gap).sum() / weight.sum(), abs=0.005)
    assert row["risk_difference_low"] < row["risk_difference"] < row["risk_difference_high"]
    model, frame = load_bundle(Path(result.bundle)).model, sample.features.frame
    levels = frame["arm"].cat.categories
    under = [
        model.predict_proba(frame.assign(arm=pd.Categorical([arm] * len(frame), levels)))[:, 1]
        for arm in ("bont", "placebo")
    ]
    assert row["implied"] == pytest.approx((under[0] - under[1]).mean(), abs=1e-12)
    page = Path(result.report).read_text()
    section = page.split("<h3>Effect of the treatment</h3>")[1].split("</section>")[0]
    assert f"{row['risk_difference']:.2f}" in section and f"{row['implied']:.2f}" in section


def test_the_store_has_the_effect_and_its_interval(trained):
    metrics = trained[1].figures.parts["randomised_effect"].list_metrics()
    names = ("risk_difference", "odds_ratio")
    ends = ("", "_low", "_high")
    assert set(metrics) == {f"randomised_effect.{n}{end}.bont" for n in names for end in ends}


def test_estimates_are_rounded_where_a_count_would_follow_from_them(trained):
    part = trained[1].figures.parts["randomised_effect"]
    [item] = part.effects
    value = item.risk_difference.value
    for smallest, shown in ((9.0, round(value, 2)), (10.0, value)):
        each = RandomisedEffect((replace(item, smallest=smallest),), part.labels, part.implied)
        [row] = each.as_json()["effects"]
        assert row["risk_difference"] == shown
