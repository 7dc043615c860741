"""Figures of predictors: how important, in which shape."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.interpolate import make_smoothing_spline

from glabella.explanation.attributions import Attributions
from glabella.explanation.bins import FEWEST, cut_into_bins, describe_bin
from glabella.explanation.figures import plot_beeswarm, tabulate_beeswarm
from glabella.explanation.noise import Noise
from glabella.explanation.predictors import Predictor
from glabella.features.spec import FeatureSpec
from glabella.reporting.figures.drawing import COLOURS, Drawn, finish_figure, open_pyplot
from glabella.validation.folds.sample import Sample

_MOST_POINTS = 2000
# A spline through fewer distinct values says no more than their means.
_FEWEST_FOR_CURVE = 8

Floats = npt.NDArray[np.float64]


def draw_importance(
    predictors: Sequence[Predictor], threshold: Noise | None, *, scale: str, note: str
) -> Drawn:
    """Draw each feature's importance with its interval, beside that of noise."""
    pyplot = open_pyplot()
    figure, axis = pyplot.subplots(figsize=(7.0, 0.36 * len(predictors) + 1.5))
    for place, item in enumerate(predictors):
        found = item.importance
        colour = "#767676" if item.is_beyond_noise is False or not item.is_patient else COLOURS[0]
        value = found.value or 0.0
        if found.low is not None and found.high is not None:
            axis.plot([found.low, found.high], [place, place], color=colour, linewidth=1.6,
                      label=f"{item.label}, 95 % interval")  # fmt: skip
        axis.plot(
            [value],
            [place],
            marker="o" if item.is_patient else "D",
            color=colour,
            markerfacecolor=colour if item.is_beyond_noise is not False else "white",
            label=item.label,
        )
    if threshold is not None and threshold.threshold is not None:
        axis.axvspan(0, threshold.threshold, color="#bbbbbb", alpha=0.35, linewidth=0)
        axis.axvline(threshold.threshold, color="#767676", linewidth=0.8, linestyle="--")
        axis.annotate(
            "noise", (threshold.threshold, len(predictors) - 0.4), ha="right", va="center",
            fontsize=9, color="#555555", xytext=(-3, 0), textcoords="offset points",
        )  # fmt: skip
    axis.set_yticks(range(len(predictors)), [item.label for item in predictors])
    axis.set_ylim(len(predictors) - 0.1, -0.6)
    axis.set_xlim(left=0)
    axis.set_xlabel(f"Mean absolute attribution, {scale} (held-out participants)")
    return finish_figure(figure, note)


def draw_beeswarm(attributions: Attributions, *, note: str) -> Drawn:
    """Draw the beeswarm in the colours of the report."""
    open_pyplot()
    figure = plot_beeswarm(attributions, low=COLOURS[0], high=COLOURS[1])
    return finish_figure(figure, note, tabulate_beeswarm(attributions))


def draw_dependence(
    attributions: Attributions,
    sample: Sample,
    feature: str,
    spec: FeatureSpec,
    *,
    note: str,
) -> Drawn:
    """Draw a feature's attributions over its values, with a smooth.

    Returns
    -------
    Drawn
        Of more than 2,000 participants, evenly taken ones are drawn; the smooth
        is of all. Who lacks the value stands at the right. The data are of bins of at least ten.
    """
    effect = attributions.values[:, attributions.features.index(feature)]
    places = _find_places_of_values(sample.features.frame[feature], spec)
    shown = np.unique(np.linspace(0, sample.n - 1, min(sample.n, _MOST_POINTS)).astype(int))
    pyplot = open_pyplot()
    figure, axis = pyplot.subplots(figsize=(6.0, 3.6))
    axis.axhline(0, color="#999999", linewidth=0.8)
    _name_ticks(axis, spec)
    known = ~np.isnan(places)
    discrete = spec.kind != "number"
    jitter = np.random.default_rng(0).uniform(-0.12, 0.12, sample.n)
    x = places + (jitter if discrete else 0.0)
    drawn = shown[known[shown]]
    # As one picture: a mark of its own would hold a participant's value.
    axis.scatter(x[drawn], effect[drawn], s=9, color=COLOURS[0], alpha=0.35, linewidths=0,
                 rasterized=True, label="participants")  # fmt: skip
    if (~known).any() and known.any():
        right = np.nanmax(places) + 0.08 * max(float(np.ptp(places[known])), 1.0)
        lacking = shown[~known[shown]]
        axis.scatter(np.full(len(lacking), right), effect[lacking], s=9, color="#767676",
                     marker="x", rasterized=True, label="not recorded")  # fmt: skip
    values, smooth = _fit_smooth(places[known], effect[known], discrete=discrete)
    if len(values):
        axis.plot(values, smooth, color=COLOURS[1], linewidth=2.0,
                  marker="o" if discrete else None, linestyle="none" if discrete else "-",
                  label="mean" if discrete else "smooth")  # fmt: skip
    unit = f", {spec.unit}" if spec.unit else ""
    axis.set_xlabel(f"{spec.label}{unit}")
    axis.set_ylabel(f"Attribution, {attributions.scale}")
    axis.legend(frameon=False, fontsize=8)
    curve = [] if discrete else list(zip(values, smooth, strict=True))
    return finish_figure(figure, note, _tabulate(places, effect, spec, curve))


def _find_places_of_values(column: pd.Series, spec: FeatureSpec) -> Floats:
    if spec.kind != "category":
        return column.to_numpy(dtype=float)
    levels = list(spec.levels)
    return np.array([levels.index(v) if v in spec.levels else np.nan for v in column])


def _name_ticks(axis: Any, spec: FeatureSpec) -> None:
    if spec.kind == "category":
        ticks = list(spec.levels.values())
        axis.set_xticks(range(len(ticks)), ticks, rotation=0 if len(ticks) < 6 else 60)
    elif spec.levels:
        axis.set_xticks([float(grade) for grade in spec.levels], list(spec.levels.values()))


def _tabulate(
    places: Floats, effect: Floats, spec: FeatureSpec, curve: Sequence[tuple[float, float]]
) -> pd.DataFrame:
    """Give bins of at least ten participants, and the smooth: nobody's value."""
    known = np.flatnonzero(~np.isnan(places))
    if spec.kind == "number":
        bins = [known[rows] for rows in cut_into_bins(places[known])]
    else:
        bins = [known[places[known] == place] for place in np.unique(places[known])]
    levels = list(spec.levels.values())
    rows: list[dict[str, Any]] = []
    for members in (each for each in bins if len(each) >= FEWEST):
        value = float(places[members].mean())
        told = levels[int(value)] if spec.kind == "category" else value
        rows.append({"series": "participants", "value": told, **describe_bin(effect[members])})
    lacking = np.flatnonzero(np.isnan(places))
    if len(lacking) >= FEWEST:
        rows.append({"series": "not recorded", **describe_bin(effect[lacking])})
    rows += [{"series": "smooth", "value": x, "mean": y} for x, y in curve]
    columns = ["series", "value", "mean", "lower_quartile", "median", "upper_quartile", "n"]
    return pd.DataFrame(rows, columns=columns)


def _fit_smooth(values: Floats, effect: Floats, *, discrete: bool) -> tuple[Floats, Floats]:
    """Means by value, and over many values a spline whose smoothness is cross-validated.

    A value that under ten participants have is left out of means, and the spline ends where ten
    lie beyond: neither is anybody's.
    """
    ends = [float(values[rows].mean()) for rows in cut_into_bins(values)]
    distinct, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    if not ends:
        return np.empty(0), np.empty(0)
    means = np.bincount(where, effect) / counts
    if discrete or len(distinct) < _FEWEST_FOR_CURVE:
        told = counts >= FEWEST
        return distinct[told], means[told]
    if len(distinct) > _MOST_POINTS // 4:
        cuts = np.quantile(values, np.linspace(0, 1, 201))
        places = np.unique(cuts)
        which = np.clip(np.searchsorted(places, values, "right") - 1, 0, len(places) - 2)
        where, counts = np.unique(which, return_inverse=True, return_counts=True)[1:]
        distinct = np.bincount(where, values) / counts
        means = np.bincount(where, effect) / counts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curve = make_smoothing_spline(distinct, means, w=np.sqrt(counts))
    grid = np.linspace(ends[0], ends[-1], 100)
    return grid, np.asarray(curve(grid), dtype=float)
