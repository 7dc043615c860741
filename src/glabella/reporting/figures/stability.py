"""The instability of predictions and of calibration over bootstrap refits, as SVG."""

from __future__ import annotations

import pandas as pd

from glabella.explanation.bins import cut_into_bins
from glabella.reporting.figures.drawing import COLOURS, Drawn, finish_figure, open_pyplot
from glabella.validation.adequacy.stability import Stability


def draw_stability(stability: Stability, *, title: str, note: str) -> Drawn:
    """Draw each participant's range of predictions, and the refits' calibration slopes.

    Returns
    -------
    Drawn
        Image and data; these are of bins of at least ten participants, and of each refit.

    References
    ----------
    .. [1] Riley RD, Collins GS. Stability of clinical prediction models developed using
       statistical or machine learning methods. Biom J 2023;65:2200302.
    """
    figure, (axis, beside) = open_pyplot().subplots(1, 2, figsize=(10.0, 4.8), width_ratios=[3, 2])
    axis.vlines(
        stability.probability,
        stability.low,
        stability.high,
        color=COLOURS[0],
        alpha=0.35,
        linewidth=0.8,
        label="middle 95 % of refits",
        rasterized=True,
    )
    axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, label="the model itself")
    axis.axhline(
        stability.threshold, color=COLOURS[1], linewidth=0.8, linestyle="--", label="threshold"
    )
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(-0.02, 1.02)
    axis.set_title(title)
    axis.set_xlabel("Probability predicted by the model")
    axis.set_ylabel("Probability predicted by refits")
    axis.legend(loc="upper left", frameon=False)
    if len(stability.slopes):
        beside.hist(stability.slopes, bins=20, color=COLOURS[2])
    beside.axvline(1.0, color="#999999", linewidth=0.8)
    beside.set_title("Calibration of refits")
    beside.set_xlabel("Calibration slope on the original participants")
    beside.set_ylabel("Refits")
    return finish_figure(figure, note, _tabulate(stability))


def _tabulate(stability: Stability) -> pd.DataFrame:
    """Give means over bins of participants: the lines of the figure are one each."""
    members = [
        {
            "series": "participants in bins",
            "predicted": float(stability.probability[rows].mean()),
            "refits_low": float(stability.low[rows].mean()),
            "refits_high": float(stability.high[rows].mean()),
            "n": len(rows),
        }
        for rows in cut_into_bins(stability.probability)
    ]
    slopes = [{"series": "refit", "calibration_slope": float(each)} for each in stability.slopes]
    columns = ["series", "predicted", "refits_low", "refits_high", "n", "calibration_slope"]
    return pd.DataFrame([*members, *slopes], columns=columns)
