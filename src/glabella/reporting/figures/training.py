"""ROC, calibration, net-benefit and per-trial figures as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from glabella.domain.outcome_words import RESPONSE_WORDS, OutcomeWords
from glabella.explanation.bins import cut_into_bins
from glabella.reporting.figures.drawing import COLOURS, Drawn, finish_figure, open_pyplot
from glabella.validation.across_trials.meta_analysis import PooledMeasure
from glabella.validation.across_trials.pooled_measures import pool_groups
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.calibration import CalibrationGroup, group_calibration
from glabella.validation.measures.calibration_curve import CalibrationCurve
from glabella.validation.measures.net_benefit import NetBenefitCurve
from glabella.validation.measures.performance import GroupPerformance

# Enough for a line that no eye tells from a finer one.
_MOST_POINTS = 200
# One alone compares with nothing.
_FEWEST_GROUPS = 2
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))


def draw_roc(
    predictions: Mapping[str, pd.DataFrame],
    sample: Sample,
    *,
    note: str,
    words: OutcomeWords = RESPONSE_WORDS,
) -> Drawn:
    """Draw the ROC curves of all candidates, within the active arm and over all arms.

    Parameters
    ----------
    predictions : mapping of DataFrame
        Rows of `collect_predictions` of the pooled design, by candidate.
    sample : Sample
        The participants.
    note : str
        The mark of simulated data; may be empty.
    words : OutcomeWords
        The words for the outcome.

    Returns
    -------
    Drawn
        Image and data.
    """
    panels = [("Within the active arm", sample.active), ("All arms", np.ones(sample.n, dtype=bool))]
    if not sample.has_arms:
        panels = [("All participants", sample.active)]
    pyplot = open_pyplot()
    figure, axes = pyplot.subplots(1, len(panels), figsize=(5.0 * len(panels), 4.8), squeeze=False)
    for axis, (title, members) in zip(axes[0], panels, strict=True):
        axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for index, (name, table) in enumerate(predictions.items()):
            mine = table[members[table["row"].to_numpy()]]
            outcome, probability = mine["responded"].to_numpy(), mine["probability"].to_numpy()
            if not 0 < outcome.sum() < len(outcome):
                continue
            # An imputed outcome is partly one and partly the other.
            false, true, _ = roc_curve(
                np.repeat([1, 0], len(outcome)),
                np.tile(probability, 2),
                sample_weight=np.concatenate([outcome, 1 - outcome]),
            )
            style = {
                "color": COLOURS[index % len(COLOURS)],
                "linestyle": _DASHES[index % len(_DASHES)],
            }
            axis.plot(false, true, label=name, linewidth=1.6, **style)
        axis.set_title(title)
        axis.set_xlabel(f"{words.lacking.capitalize()} above the threshold")
        axis.set_ylabel(f"{words.having.capitalize()} above the threshold")
        axis.set_aspect("equal")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(loc="lower right", frameon=False)
        else:
            axis.text(0.5, 0.25, "one class: no curve", ha="center")
    return finish_figure(figure, note)


def draw_calibration(
    predictions: pd.DataFrame,
    sample: Sample,
    curve: CalibrationCurve,
    *,
    title: str,
    note: str,
    words: OutcomeWords = RESPONSE_WORDS,
) -> Drawn:
    """Draw observed against predicted response, smooth and in groups, and how predictions spread.

    The curve and its groups are of the active arms, and control arms have groups beside them.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of the procedure and the pooled design.
    sample : Sample
        The participants.
    curve : CalibrationCurve
        Their calibration curve.
    title : str
        Of the figure.
    note : str
        The mark of simulated data; may be empty.
    words : OutcomeWords
        The words for the outcome.

    Returns
    -------
    Drawn
        In groups and spread, a participant's predictions are averaged over repetitions.
    """
    mean = predictions.groupby("row")["probability"].mean()
    probability = mean.to_numpy(dtype=float)
    outcome = sample.expected[mean.index.to_numpy()]
    is_active = sample.active[mean.index.to_numpy()]
    pyplot = open_pyplot()
    figure, (axis, below) = pyplot.subplots(
        2, 1, figsize=(5.2, 6.0), height_ratios=[4, 1], sharex=True
    )
    axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, label="ideal")
    _draw_curve(axis, curve)
    of_active = "active arm in groups" if sample.has_arms else "observed in groups"
    for members, label, colour, mark in (
        (is_active, f"{of_active}, 95 % interval", COLOURS[0], "o"),
        (~is_active, "control arm in groups", "#777777", "s"),
    ):
        if members.any():
            groups = group_calibration(
                outcome[members],
                probability[members],
                groups=max(2, min(10, int(members.sum()) // 25)),
            )
            _draw_groups_of(axis, groups, label=label, color=colour, fmt=mark)
    axis.set_title(title)
    axis.set_ylabel(f"Observed rate of {words.event}")
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(-0.02, 1.02)
    axis.legend(loc="upper left", frameon=False)
    bins = np.linspace(0, 1, 26)
    below.hist(
        [probability, probability],
        weights=[outcome, 1 - outcome],
        bins=bins,
        stacked=True,
        color=[COLOURS[1], "#bbbbbb"],
        label=[words.having, "others"],
    )
    below.set_xlabel(f"Predicted probability of {words.event} (out of fold)")
    below.set_ylabel("Count")
    below.legend(frameon=False, fontsize=8)
    return finish_figure(figure, note)


def _draw_groups_of(axis: Any, groups: Sequence[CalibrationGroup], **style: Any) -> None:
    axis.errorbar(
        [group.predicted for group in groups],
        [group.observed for group in groups],
        yerr=[
            [group.observed - group.low for group in groups],
            [group.high - group.observed for group in groups],
        ],
        **style,
    )


def _draw_curve(axis: Any, curve: CalibrationCurve) -> None:
    if curve.reason is not None:
        return
    # The lowest and the highest prediction are somebody's.
    bins = cut_into_bins(curve.predicted)
    if not bins:
        return
    first, last = (float(curve.predicted[rows].mean()) for rows in (bins[0], bins[-1]))
    ends = np.linspace(first, last, _MOST_POINTS)
    low, high, observed = (
        np.interp(ends, curve.predicted, each) for each in (curve.low, curve.high, curve.observed)
    )
    axis.fill_between(ends, low, high, color=COLOURS[1], alpha=0.2, linewidth=0)
    axis.plot(ends, observed, color=COLOURS[1], linewidth=1.6, label="smooth, 95 % band")


def draw_net_benefit(
    curve: NetBenefitCurve, *, title: str, note: str, words: OutcomeWords = RESPONSE_WORDS
) -> Drawn | None:
    """Draw net benefit over thresholds, and the gain over the better of treating all and none.

    Parameters
    ----------
    curve : NetBenefitCurve
        Of the chosen candidate.
    title : str
        Of the figure.
    note : str
        The mark of simulated data; may be empty.
    words : OutcomeWords
        The words for the outcome.

    Returns
    -------
    Drawn or None
        None where there is no curve.
    """
    if curve.reason is not None:
        return None
    table = curve.frame()
    threshold = table["threshold"].to_numpy()
    pyplot = open_pyplot()
    figure, (axis, below) = pyplot.subplots(
        2, 1, figsize=(6.4, 6.0), height_ratios=[3, 2], sharex=True
    )
    axis.plot(threshold, np.zeros(len(table)), color="#999999", linewidth=1.2, label="treat nobody")
    axis.plot(
        threshold, table["treat_all"], color=COLOURS[1], linestyle="--", label="treat everybody"
    )
    for panel, name, label in ((axis, "model", title), (below, "gain", "95 % band")):
        ends = table[f"{name}_low"].to_numpy(), table[f"{name}_high"].to_numpy()
        panel.fill_between(threshold, *ends, color=COLOURS[0], alpha=0.2, linewidth=0)
        panel.plot(threshold, table[name], color=COLOURS[0], linewidth=1.6, label=label)
    # Far down, treating everybody would leave no room for what is of interest.
    top = float(np.nanmax(table[["treat_all", "model_high"]].to_numpy()))
    axis.set_ylim(-0.3 * top, 1.08 * top)
    axis.set_title(f"{title}, {curve.n} participants")
    axis.set_ylabel("Net benefit")
    axis.legend(frameon=False)
    below.axhline(0, color="#999999", linewidth=0.8)
    below.set_ylabel("Gain over the better\nof all and nobody")
    below.set_xlabel(f"Probability of {words.event} from which one would treat")
    below.set_xlim(0, 1)
    return finish_figure(figure, note)


def draw_groups(chosen: CandidateResult, *, left_out: str, note: str) -> Drawn | None:
    """Draw the headline concordance by trial or site, inside each and with each left out.

    Parameters
    ----------
    chosen : CandidateResult
        The chosen candidate.
    left_out : str
        ``trial`` or ``site``.
    note : str
        The mark of simulated data; may be empty.

    Returns
    -------
    Drawn or None
        None where under two groups have a concordance with an interval.
    """
    series = [
        ("cross-validated inside the trial", chosen.inside or ()),
        (f"{left_out} left out of training", chosen.groups),
    ]
    names = list(dict.fromkeys(group.group for _, groups in series for group in groups))
    told = {group.group for _, groups in series for group in groups if _has_interval(group)}
    if len(told) < _FEWEST_GROUPS:
        return None
    pyplot = open_pyplot()
    figure, axis = pyplot.subplots(figsize=(7.5, 0.55 * len(names) + 1.8))
    axis.axvline(0.5, color="#999999", linewidth=0.8)
    for index, (label, groups) in enumerate(series):
        drawn = [group for group in groups if _has_figure(group)]
        if drawn:
            _draw_series(axis, drawn, names, index, label)
    pooled = pool_groups(chosen.groups)["auc"]
    if pooled.estimate.value is not None:
        names.append(f"new {left_out}")
        _draw_pooled(axis, pooled, len(names) - 1)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.7)
    axis.set_xlim(0, 1)
    axis.set_xlabel("Concordance within the active arm, 95 % interval")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.22), ncols=2, frameon=False)
    return finish_figure(figure, note)


def _draw_series(
    axis: Any, groups: Sequence[GroupPerformance], names: Sequence[str], index: int, label: str
) -> None:
    estimates = [group.performance.estimates["auc"] for group in groups]
    values = [float(estimate.value or 0.0) for estimate in estimates]
    lows = [
        v - float(e.low) if e.low is not None else 0.0
        for v, e in zip(values, estimates, strict=True)
    ]
    highs = [
        float(e.high) - v if e.high is not None else 0.0
        for v, e in zip(values, estimates, strict=True)
    ]
    axis.errorbar(
        values,
        [names.index(group.group) + 0.16 * (2 * index - 1) for group in groups],
        xerr=[lows, highs],
        fmt="so"[index],
        color=COLOURS[index],
        label=label,
    )


def _draw_pooled(axis: Any, pooled: PooledMeasure, place: int) -> None:
    """Draw the random-effects mean as a diamond and what a new trial will show as a line."""
    estimate = pooled.estimate
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return
    corners = [
        (estimate.low, place), (estimate.value, place - 0.18),
        (estimate.high, place), (estimate.value, place + 0.18),
    ]  # fmt: skip
    axis.fill(*zip(*corners, strict=True), color=COLOURS[1], alpha=0.6, linewidth=0)
    for at, prediction in enumerate(pooled.predictions):
        axis.plot(
            [prediction.low, prediction.high],
            [place + 0.26 + 0.12 * at] * 2,
            color=COLOURS[1],
            linestyle=_DASHES[at],
            linewidth=1.2,
        )


def _has_interval(group: GroupPerformance) -> bool:
    return group.performance.estimates["auc"].low is not None


def _has_figure(group: GroupPerformance) -> bool:
    return group.performance.estimates["auc"].value is not None
