"""Every figure has room for its words."""

import re

import numpy as np
import pytest

from glabella.reporting.figures.drawing import finish_figure, open_pyplot, render_svg

LONG = "Change of the clinician-rated severity of depression from screening to baseline visit"


def _measure_svg(image: bytes) -> tuple[float, float]:
    """Give width and height in inches."""
    _, _, width, height = map(float, re.search(rb'viewBox="([^"]*)"', image)[1].split())
    return width / 72, height / 72


def _overlap(boxes) -> bool:
    return any(
        one.overlaps(other) and one.intersection(one, other).height > 1
        for number, one in enumerate(boxes)
        for other in boxes[:number]
    )


@pytest.fixture
def figure():
    """Small, with each label longer than its axis."""
    drawn, axis = open_pyplot().subplots(figsize=(4.0, 2.4))
    axis.plot([0.1, 0.4], [0, 1], label=LONG)
    axis.set_yticks([0, 1], [LONG, "Age"])
    axis.set_xlabel(f"Mean absolute attribution, {LONG}")
    axis.set_title(f"{LONG}, {LONG}")
    axis.legend(loc="lower left")
    return drawn


def test_no_label_is_cut_off(figure):
    drawn = finish_figure(figure, "SIMULATED DATA")
    width, height = _measure_svg(drawn.image)
    words = figure.get_tightbbox()
    assert width >= max(words.x1, 4.0) - min(words.x0, 0.0)
    assert height >= max(words.y1, 2.4) - min(words.y0, 0.0)


def test_a_label_longer_than_its_axis_is_broken_into_lines(figure):
    finish_figure(figure, "")
    [axis] = figure.axes
    room = axis.get_window_extent().width
    assert axis.get_xlabel().count("\n") >= 1
    assert axis.title.get_text().replace("\n", " ") == f"{LONG}, {LONG}"
    assert axis.xaxis.label.get_window_extent().width <= 1.05 * room
    assert axis.get_yticklabels()[0].get_text().replace("\n", " ") == LONG
    assert max(map(len, axis.get_yticklabels()[0].get_text().split("\n"))) <= 36


def test_the_data_name_a_broken_label_as_one(figure):
    text = finish_figure(figure, "").data.decode()
    assert f"Mean absolute attribution, {LONG}" in text


def test_categories_below_an_axis_do_not_run_into_each_other():
    drawn, axis = open_pyplot().subplots(figsize=(4.0, 2.4))
    axis.plot(range(3), np.zeros(3))
    names = ["taken before entry and continued", "never taken before entry", "not known at entry"]
    axis.set_xticks(range(3), names)
    finish_figure(drawn, "")
    labels = axis.get_xticklabels()
    assert [label.get_text().replace("\n", " ") for label in labels] == names
    assert not _overlap([label.get_window_extent() for label in labels])


def test_a_figure_whose_words_fit_keeps_its_size():
    drawn, axis = open_pyplot().subplots(figsize=(4.0, 2.4))
    axis.plot([0, 1], [0, 1])
    axis.set_xlabel("Age, years")
    drawn.tight_layout()
    drawn.set_layout_engine("none")
    assert _measure_svg(render_svg(drawn)) == pytest.approx((4.0, 2.4))
    open_pyplot().close(drawn)


@pytest.mark.parametrize("height", [1.9, 3.6, 8.0])
def test_the_mark_of_simulated_data_lies_below_all_labels(height):
    drawn, axis = open_pyplot().subplots(figsize=(6.0, height))
    axis.plot([0, 1], [0, 1])
    axis.set_xlabel(f"Mean absolute attribution, {LONG}")
    finish_figure(drawn, "SIMULATED DATA")
    [note] = drawn.texts
    assert note.get_window_extent().y1 <= axis.xaxis.label.get_window_extent().y0 + 1
