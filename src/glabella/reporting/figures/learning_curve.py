"""The learning curve and what it is expected to go on to, as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np

from glabella.reporting.figures.drawing import COLOURS, Drawn, finish_figure, open_pyplot
from glabella.validation.adequacy.learning_curve import Extrapolation, LearningCurve

_LABELS = {"log_loss": "Log loss (lower is better)", "auc": "Concordance in the active arm"}


def draw_learning_curve(curve: LearningCurve, *, title: str, note: str) -> Drawn:
    """Draw log loss and concordance over the participants learnt from.

    References
    ----------
    .. [1] Viering T, Loog M. The shape of learning curves: a review. IEEE Trans Pattern Anal Mach
       Intell 2023;45:7799-7819.
    """
    figure, axes = open_pyplot().subplots(1, 2, figsize=(10.0, 4.4))
    for axis, (measure, label) in zip(axes, _LABELS.items(), strict=True):
        axis.set_xlabel("Participants to learn from")
        known = [
            (point.size, getattr(point, measure))
            for point in curve.points
            if getattr(point, measure).value is not None
        ]
        _draw_estimates(axis, known, COLOURS[0], filled=True, label="measured")
        found = curve.extrapolations[measure]
        expected = [(item.size, item.value) for item in found.projections]
        expected = [(size, value) for size, value in expected if value.value is not None]
        if found.reason is None and known:
            _draw_law(axis, found, known[0][0], known[-1][0], [size for size, _ in expected])
        _draw_estimates(axis, expected, COLOURS[1], filled=False, label="expected")
        if not expected:
            axis.set_xlabel("Participants to learn from (not extrapolated)")
        if measure == "auc":
            axis.axhline(0.5, color="#999999", linewidth=0.8)
        ticks = [size for size, _ in [*known, *expected]]
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{size:.0f}" for size in ticks])
        axis.minorticks_off()
        axis.set_title(title)
        axis.set_ylabel(label)
        if known:
            axis.legend(loc="upper right" if measure == "log_loss" else "upper left", frameon=False)
            axis.margins(y=0.16)
    return finish_figure(figure, note)


def _draw_estimates(
    axis: Any, points: list[tuple[float, Any]], colour: str, *, filled: bool, label: str
) -> None:
    if not points:
        return
    sizes = [size for size, _ in points]
    axis.plot(
        sizes,
        [found.value for _, found in points],
        "o",
        color=colour,
        markerfacecolor=colour if filled else "white",
        label=label,
        zorder=3,
    )
    for size, found in points:
        if found.low is not None:
            axis.vlines(size, found.low, found.high, color=colour, linewidth=1.2)


def _draw_law(
    axis: Any, found: Extrapolation, first: float, last: float, expected: list[float]
) -> None:
    if found.limit is None or found.excess is None or found.rate is None:
        return
    inside = np.geomspace(first, last, 60)
    beyond = np.geomspace(last, max(expected, default=last), 60)
    for sizes, style in ((inside, "-"), (beyond, "--")):
        axis.plot(
            sizes,
            found.limit + found.excess * (sizes / last) ** -found.rate,
            color="#666666",
            linewidth=1.0,
            linestyle=style,
        )
