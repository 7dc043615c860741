"""What all figures share: palette, canvas, and how one becomes SVG."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

# Okabe and Ito's palette, told apart by readers with any colour vision; dashes do it in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# What matplotlib would write into each file about itself.
_METADATA = ("Creator", "Date", "Format", "Type")


def open_pyplot() -> Any:
    """Import matplotlib's pyplot, which takes a second, for files alone.

    Returns
    -------
    module
        With no window behind it, and the same SVG each time.
    """
    matplotlib = import_module("matplotlib")
    matplotlib.use("Agg")
    # A fixed salt makes the ids inside an SVG, and so the file, the same each time.
    matplotlib.rcParams.update({"svg.hashsalt": "glabella", "svg.fonttype": "none"})
    return import_module("matplotlib.pyplot")


def finish_figure(figure: Any, note: str) -> bytes:
    """Finish a figure and close it.

    Parameters
    ----------
    figure : Figure
        With its axes drawn.
    note : str
        The mark of simulated data; may be empty.

    Returns
    -------
    bytes
        SVG.
    """
    if note:
        figure.text(0.99, 0.005, note, ha="right", va="bottom", fontsize=9, color="#8a2b0a")
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata=dict.fromkeys(_METADATA))
    import_module("matplotlib.pyplot").close(figure)
    return content.getvalue()
