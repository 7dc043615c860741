"""What all figures share: palette, canvas, and how one becomes SVG."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by readers with any colour vision; dashes do it in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# Letters in a line of a name beside a mark; a longer one has two lines or more.
_LONGEST_NAME = 36
# Of the width of a figure, without widening it.
_MOST_FOR_NAMES = 0.45
# Of the width of an axis; its marks take the rest.
_MOST_FOR_LEGEND = 0.8
# Inches: below all axes for the mark of simulated data, and around what reaches beyond the canvas.
_ROOM_FOR_NOTE = 0.2
_MARGIN = 0.05
# What matplotlib would write into each file about itself.
_METADATA = ("Creator", "Date", "Format", "Type")
# A fixed salt makes the ids inside an SVG, and so the file, the same each time.
# Words come from definitions and data: a dollar in them is no formula.
_SETTINGS = {"svg.hashsalt": "glabella", "svg.fonttype": "none", "text.parse_math": False}


def open_pyplot() -> Any:
    """Import matplotlib's pyplot, which takes a second, for files alone."""
    matplotlib = import_module("matplotlib")
    matplotlib.use("Agg")
    matplotlib.rcParams.update(_SETTINGS)
    return import_module("matplotlib.pyplot")


def render_svg(figure: Figure) -> bytes:
    """Render a figure, the same each time."""
    content = io.BytesIO()
    with import_module("matplotlib").rc_context(_SETTINGS):
        figure.savefig(
            content,
            format="svg",
            metadata=dict.fromkeys(_METADATA),
            dpi=150,
            bbox_inches=_measure_canvas(figure),
        )
    return content.getvalue()


def _measure_canvas(figure: Figure) -> Any:
    """Give the canvas, wider where a label or a legend would be cut off at its edge."""
    boxes = import_module("matplotlib.transforms").Bbox
    canvas, drawn = figure.bbox_inches, figure.get_tightbbox()
    if tuple(boxes.union([canvas, drawn]).extents) == tuple(canvas.extents):
        return canvas
    return boxes.union([canvas, drawn.padded(_MARGIN)])


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it shows as a table.

    Parameters
    ----------
    image : bytes
        SVG.
    data : bytes
        CSV: ``panel``, ``series``, ``mark``, ``x``, ``y``, with ``x_to`` and ``y_to`` where a
        mark is a line or a band from one value to another. Of a figure that draws each
        participant, bins of at least ten.
    """

    image: bytes
    data: bytes

    def name_files(self, name: str) -> dict[str, bytes]:
        """Name both files."""
        return {f"{name}.svg": self.image, f"{name}.csv": self.data}


def drop_figures() -> None:
    """Close what a drawing that failed left open."""
    import_module("matplotlib.pyplot").close("all")


def finish_figure(figure: Any, note: str, data: pd.DataFrame | None = None) -> Drawn:
    """Finish a figure, read off what it shows, and close it."""
    if note:
        figure.text(0.99, 0.005, note, ha="right", va="bottom", fontsize=9, color="#8a2b0a")
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    _split_names_beside(figure)
    below = _ROOM_FOR_NOTE / figure.get_figheight()
    with warnings.catch_warnings():
        # Where words take more than there is, the canvas is extended around them instead.
        warnings.filterwarnings("ignore", "Tight layout not applied", UserWarning)
        # Once more when the axes have their width, which the names beside them take from.
        for _ in range(2):
            _split_labels(figure)
            figure.tight_layout(rect=(0, below, 1, 1))
    # Places are settled now; with an engine, saving would draw everything twice.
    figure.set_layout_engine("none")
    image = render_svg(figure)
    table = _read_data(figure) if data is None else data
    import_module("matplotlib.pyplot").close(figure)
    text = str(table.to_csv(index=False, float_format="%.6g"))
    return Drawn(image, text.encode("utf-8"))


def _split_names_beside(figure: Any) -> None:
    """Break long names beside the marks, and widen the figure where they take too much of it."""
    widest = 0.0
    for axis in figure.axes:
        names = [label.get_text() for label in axis.get_yticklabels()]
        if any(len(name) > _LONGEST_NAME for name in names):
            axis.set_yticks(axis.get_yticks(), [_split_text(name, _LONGEST_NAME) for name in names])
        widths = [label.get_window_extent().width for label in axis.get_yticklabels()]
        widest = max([widest, *widths])
    width = figure.get_figwidth()
    figure.set_figwidth(width + max(0.0, widest / figure.dpi - _MOST_FOR_NAMES * width))


def _split_labels(figure: Any) -> None:
    """Break labels that are longer than their axis."""
    for axis in figure.axes:
        _split_names_below(axis)
        room = axis.get_window_extent()
        legend = axis.get_legend()
        inside = [] if legend is None else legend.get_texts()
        for label, length in (
            (axis.xaxis.label, room.width),
            (axis.yaxis.label, room.height),
            (axis.title, room.width),
            *((text, _MOST_FOR_LEGEND * room.width) for text in inside),
        ):
            extent = label.get_window_extent()
            # A label beside its axis lies on its side.
            taken = extent.height if label is axis.yaxis.label else extent.width
            if taken > length:
                text = label.get_text()
                longest = max(map(len, text.split("\n")))
                label.set_text(_split_text(text, int(longest * length / taken)))


def _split_names_below(axis: Any) -> None:
    labels = [label for label in axis.get_xticklabels() if label.get_text()]
    if len(labels) < 2 or any(label.get_rotation() for label in labels):
        return
    room = axis.get_window_extent().width / len(labels)
    names = [label.get_text() for label in labels]
    widths = [label.get_window_extent().width for label in labels]
    if max(widths) > room and len(labels) == len(axis.get_xticks()):
        letters = int(max(map(len, names)) * room / max(widths))
        axis.set_xticks(axis.get_xticks(), [_split_text(name, letters) for name in names])


def _split_text(text: str, letters: int) -> str:
    return textwrap.fill(text, max(letters, 8), break_long_words=False)


def _read_data(figure: Any) -> pd.DataFrame:
    """Read the marks of a figure off its axes, so that the data are what is shown."""
    rows = [
        {"panel": _name_panel(axis, number), **row}
        for number, axis in enumerate(figure.axes, 1)
        for row in _read_axis(axis)
    ]
    columns = ["panel", "series", "mark", "x", "y", "x_to", "y_to"]
    return pd.DataFrame(rows, columns=columns)


def _name_panel(axis: Any, number: int) -> str:
    named = [axis.get_title(), axis.get_ylabel(), axis.get_xlabel()]
    return "; ".join(part.replace("\n", " ") for part in named if part) or f"panel {number}"


def _read_axis(axis: Any) -> Iterator[dict[str, Any]]:
    for line in axis.get_lines():
        x, y = (np.asarray(each, dtype=float) for each in line.get_data())
        # What spans the axis is a guide to the eye.
        if line.get_transform() == axis.transData:
            for one, other in zip(x, y, strict=True):
                yield {"series": _name_series(line), "mark": "line", "x": one, "y": other}
    for collection in axis.collections:
        kind = type(collection).__name__
        series = _name_series(collection)
        if kind == "PathCollection":
            for one, other in np.ma.filled(collection.get_offsets(), np.nan):
                yield {"series": series, "mark": "point", "x": one, "y": other}
        elif kind == "LineCollection":
            for segment in collection.get_segments():
                if len(segment):
                    (x, y), (x_to, y_to) = segment[0], segment[-1]
                    mark = {"x": x, "y": y, "x_to": x_to, "y_to": y_to}
                    yield {"series": series, "mark": "interval", **mark}
        else:
            for path in collection.get_paths():
                for one, other in path.vertices:
                    yield {"series": series, "mark": "band", "x": one, "y": other}
    for patch in axis.patches:
        if type(patch).__name__ == "Rectangle":
            (x, y), wide, high = patch.get_xy(), patch.get_width(), patch.get_height()
            ends = {"x": x, "y": y, "x_to": x + wide, "y_to": y + high}
            yield {"series": _name_series(patch), "mark": "bar", **ends}


def _name_series(artist: Any) -> str:
    label = str(artist.get_label())
    return "" if label.startswith("_") else label
