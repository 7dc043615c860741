"""A planned figure is drawn when it is asked for, and not before."""

from glabella.reporting.figures.captioned import Captioned, PlannedFigure
from glabella.reporting.figures.drawing import Drawn


def test_a_planned_figure_is_drawn_only_when_it_is_asked_for():
    drawn = []

    def draw():
        drawn.append("once")
        return Captioned(Drawn(b"<svg/>", b"x\n"), "What it shows.")

    planned = PlannedFigure("curve", draw)
    assert drawn == []
    assert planned.draw().drawn.name_files(planned.stem) == {
        "curve.svg": b"<svg/>",
        "curve.csv": b"x\n",
    }
