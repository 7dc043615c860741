"""Beeswarm and bar figures of attributions, drawn by shap."""

from __future__ import annotations

import io
import warnings
from importlib import import_module
from typing import Any

import numpy as np

from glabella.explanation.attributions import Attributions


def draw_attributions(attributions: Attributions, *, note: str) -> dict[str, bytes]:
    """Draw the beeswarm and the bar figure.

    Parameters
    ----------
    attributions : Attributions
        Of held-out participants.
    note : str
        A line below each figure, such as the mark of simulated data; may be empty.

    Returns
    -------
    dict of bytes
        PNG images: ``beeswarm.png`` and ``importance.png``.
    """
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
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
        return {
            "beeswarm.png": _draw(shap, "beeswarm", explanation, attributions.scale, note),
            "importance.png": _draw(shap, "bar", explanation, attributions.scale, note),
        }


def _draw(shap: Any, kind: str, explanation: Any, scale: str, note: str) -> bytes:
    pyplot: Any = import_module("matplotlib.pyplot")
    shown = explanation.shape[1]
    pyplot.figure()
    if kind == "beeswarm":
        # shap jitters equal points with numpy's global generator; the figure must not depend on
        # what ran before, nor change what runs after.
        state = np.random.get_state()
        np.random.seed(0)
        axes = shap.plots.beeswarm(
            explanation, max_display=shown, show=False, plot_size=(8.0, 0.45 * shown + 1.6)
        )
        np.random.set_state(state)
        axes.set_xlabel(f"Attribution to the {scale} of response (held-out participants)")
    else:
        axes = shap.plots.bar(explanation, max_display=shown, show=False)
        axes.figure.set_size_inches(8.0, 0.45 * shown + 1.6)
        axes.set_xlabel(f"Mean absolute attribution, {scale} (held-out participants)")
    figure = axes.figure
    if note:
        figure.text(0.99, 0.01, note, ha="right", va="bottom", fontsize=9, color="#8a2b0a")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120, bbox_inches="tight")
    pyplot.close(figure)
    return content.getvalue()
