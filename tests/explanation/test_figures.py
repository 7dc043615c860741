"""The beeswarm: an image without any single participant's mark, and its data in bins."""

import numpy as np
import pytest

from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.explanation.attributions import Attributions, collect_attributions
from glabella.explanation.figures import tabulate_beeswarm
from glabella.reporting.figures.predictors import draw_beeswarm


def _attribute(values, ranks):
    count = values.shape[1]
    names = tuple(f"f{at}" for at in range(count))
    return Attributions(
        names, names, (True,) * count, values, np.zeros(len(values)), np.abs(values), ranks,
        ("higher",) * count, "exact",
    )  # fmt: skip


def test_the_beeswarm_is_an_image_and_the_same_each_time_with_its_data(trained):
    sample = load_analysis("small", find_project(trained[0])).sample
    pooled = [
        item
        for item in trained[1].figures.validated.results
        if item.candidate == "xgboost" and item.fold.design == "pooled"
    ]
    found = collect_attributions(pooled, sample, method="exact")
    first, second = (draw_beeswarm(found, note="SIMULATED DATA") for _ in range(2))
    assert first == second
    lines = first.data.decode().splitlines()
    assert lines[0] == "feature,bin,mean,lower_quartile,median,upper_quartile,n,rank"
    assert len(lines) == 1 + sample.n // 10 * len(found.features)
    picture = first.image.decode()
    # The points are pictures; the words stay words, in the type of the other figures.
    assert picture.count("<image ") >= 1 and "SIMULATED DATA" in picture
    assert "font: 13px" not in picture and "#ff0051" not in picture


def test_a_bin_has_the_mean_rank_of_its_participants():
    values = np.arange(20.0)[:, None]
    table = tabulate_beeswarm(_attribute(values, values[::-1] / 19.0))
    assert table["n"].tolist() == [10, 10]
    assert table["mean"].tolist() == [4.5, 14.5]
    assert table["rank"].tolist() == pytest.approx([14.5 / 19.0, 4.5 / 19.0])


def test_a_rank_of_fewer_than_ten_participants_is_not_shown():
    values = np.arange(20.0)[:, None]
    ranks = np.linspace(0.0, 1.0, 20)[:, None].copy()
    ranks[0] = np.nan
    assert tabulate_beeswarm(_attribute(values, ranks))["rank"].isna().tolist() == [True, False]
