"""The beeswarm of attributions, drawn by shap."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from glabella.explanation.attributions import Attributions
from glabella.explanation.bins import FEWEST, cut_into_bins, describe_bin

_TYPE_SIZE = 10


def plot_beeswarm(attributions: Attributions, *, low: str, high: str) -> Any:
    """Plot the beeswarm of held-out participants.

    Returns
    -------
    matplotlib Figure
        The points are one image, in which no participant has a separate element; those of the
        arm, and of features without an order, are grey.
    """
    with warnings.catch_warnings():
        # shap warns of changes inside numpy and matplotlib, which a user can't fix.
        warnings.simplefilter("ignore")
        shap: Any = import_module("shap")
        patient = np.array(attributions.is_patient)
        explanation = shap.Explanation(
            values=attributions.values,
            base_values=attributions.base,
            data=np.where(patient, attributions.ranks, np.nan),
            feature_names=list(attributions.labels),
        )
        return _plot(shap, explanation, attributions.scale, low, high)


def tabulate_beeswarm(attributions: Attributions) -> pd.DataFrame:
    """Tabulate the beeswarm in bins, without any single participant's value.

    Returns
    -------
    DataFrame
        For each feature, bins of at least ten participants from the lowest attribution on:
        ``feature``, ``bin``, ``mean``, ``lower_quartile``, ``median``, ``upper_quartile`` and
        ``n`` of the attributions, and ``rank``: the mean rank of the values within the feature,
        0 low to 1 high, missing if fewer than ten participants have a value.
    """
    rows = []
    for at, label in enumerate(attributions.labels):
        values, ranks = attributions.values[:, at], attributions.ranks[:, at]
        for number, members in enumerate(cut_into_bins(values), 1):
            known = ranks[members][~np.isnan(ranks[members])]
            rank = float(known.mean()) if len(known) >= FEWEST else float("nan")
            rows.append(
                {"feature": label, "bin": number, **describe_bin(values[members]), "rank": rank}
            )
    return pd.DataFrame(rows)


def _plot(shap: Any, explanation: Any, scale: str, low: str, high: str) -> Any:
    pyplot: Any = import_module("matplotlib.pyplot")
    colors: Any = import_module("matplotlib.colors")
    shown = explanation.shape[1]
    pyplot.figure()
    # shap jitters equal points with numpy's global generator; the figure must not depend on what
    # ran before, nor change what runs after.
    state = np.random.get_state()
    np.random.seed(0)
    axes = shap.plots.beeswarm(
        explanation,
        max_display=shown,
        show=False,
        color=colors.LinearSegmentedColormap.from_list("values", [low, "#c8c8c8", high]),
        plot_size=(7.0, 0.42 * shown + 1.4),
    )
    np.random.set_state(state)
    for each in axes.figure.axes:
        each.tick_params(labelsize=_TYPE_SIZE)
        each.yaxis.label.set_size(_TYPE_SIZE)
    for points in axes.collections:
        points.set_rasterized(True)
    axes.set_xlabel(
        f"Attribution to the {scale} of response (held-out participants)", fontsize=_TYPE_SIZE
    )
    return axes.figure
