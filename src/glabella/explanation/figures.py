"""The beeswarm of attributions, drawn by shap."""

from __future__ import annotations

import io
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from glabella.explanation.attributions import Attributions


def draw_beeswarm(attributions: Attributions, *, note: str) -> tuple[bytes, bytes]:
    """Draw the beeswarm.

    Parameters
    ----------
    attributions : Attributions
        Of held-out participants.
    note : str
        A line below the figure, such as the mark of simulated data; may be empty.

    Returns
    -------
    tuple of bytes
        A PNG image, and its data as CSV: ``feature``, ``attribution``, ``rank``; in the order of
        the values.
    """
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    matplotlib.rcParams["text.parse_math"] = False
    with warnings.catch_warnings():
        # shap warns of changes inside numpy and matplotlib that are not the user's to mend.
        warnings.simplefilter("ignore")
        shap: Any = import_module("shap")
        explanation = shap.Explanation(
            values=attributions.values,
            base_values=attributions.base,
            data=attributions.ranks,
            feature_names=list(attributions.labels),
        )
        return _draw(shap, explanation, attributions.scale, note), _tabulate(attributions)


def _tabulate(attributions: Attributions) -> bytes:
    parts = [
        pd.DataFrame(
            {
                "feature": label,
                "attribution": attributions.values[:, at],
                "rank": attributions.ranks[:, at],
            }
        ).sort_values(["attribution", "rank"])
        for at, label in enumerate(attributions.labels)
    ]
    return str(pd.concat(parts).to_csv(index=False, float_format="%.6g")).encode("utf-8")


def _draw(shap: Any, explanation: Any, scale: str, note: str) -> bytes:
    pyplot: Any = import_module("matplotlib.pyplot")
    shown = explanation.shape[1]
    pyplot.figure()
    # shap jitters equal points with numpy's global generator; the figure must not depend on what
    # ran before, nor change what runs after.
    state = np.random.get_state()
    np.random.seed(0)
    axes = shap.plots.beeswarm(
        explanation, max_display=shown, show=False, plot_size=(8.0, 0.45 * shown + 1.6)
    )
    np.random.set_state(state)
    axes.set_xlabel(f"Attribution to the {scale} of response (held-out participants)")
    figure = axes.figure
    if note:
        figure.text(0.99, 0.01, note, ha="right", va="bottom", fontsize=9, color="#8a2b0a")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120, bbox_inches="tight")
    pyplot.close(figure)
    return content.getvalue()
