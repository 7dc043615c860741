"""A figure of a report with what it shows in words, drawn when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glabella.reporting.figures.drawing import Drawn


@dataclass(frozen=True)
class Captioned:
    """A figure and its caption.

    Parameters
    ----------
    drawn : Drawn
        Image and data.
    caption : str
        What it shows.
    """

    drawn: Drawn
    caption: str


@dataclass(frozen=True)
class PlannedFigure:
    """A figure that a report will have, if it can be drawn.

    Parameters
    ----------
    stem : str
        The name of its files, without the ending.
    draw : callable
        Draws it; gives None if there is nothing to draw.
    """

    stem: str
    draw: Callable[[], Captioned | None]
