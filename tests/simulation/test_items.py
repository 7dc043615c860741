"""A total of the Hamilton scale is split into items that add up to it."""

import numpy as np
import pytest

from glabella.domain.scales import SCALES
from glabella.simulation.items import AGITATION, draw_baseline_items, draw_later_items

MAXIMA = SCALES["hamd17"].item_maxima
TOTAL = np.array([0.0, 14.0, 20.0, 52.0])
GRADES = np.array([0.0, 2.0, 0.0, 4.0])


def draw_baseline(seed: int = 1, times: int = 50) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return draw_baseline_items(np.tile(TOTAL, times), np.tile(GRADES, times), MAXIMA, draw)


def test_baseline_items_add_to_the_total_with_the_agitation_that_was_drawn() -> None:
    items = draw_baseline()
    assert items.sum(axis=1).tolist() == TOTAL.tolist() * 50
    assert items[:, AGITATION].tolist() == GRADES.tolist() * 50
    assert ((items >= 0) & (items <= np.array(MAXIMA))).all()


@pytest.mark.parametrize("change", [-5.0, 0.0, 3.0])
def test_later_items_only_fall_where_the_total_fell_and_only_rise_where_it_rose(
    change: float,
) -> None:
    baseline = draw_baseline()
    later = np.clip(np.tile(TOTAL, 50) + change, 0, sum(MAXIMA))
    items = draw_later_items(baseline, later, MAXIMA, np.random.default_rng(2))
    assert items.sum(axis=1).tolist() == later.tolist()
    moved = (items - baseline) * np.sign(change)
    assert (moved >= 0).all()
    assert (items <= np.array(MAXIMA)).all()


def test_points_fall_on_items_by_the_room_that_they_have() -> None:
    n = 20_000
    draw = np.random.default_rng(3)
    items = draw_baseline_items(np.full(n, 10.0), np.zeros(n), MAXIMA, draw)
    room = np.array(MAXIMA, dtype=float)
    room[AGITATION] = 0
    # The mean of a multivariate hypergeometric distribution.
    np.testing.assert_allclose(items.mean(axis=0), 10 * room / room.sum(), atol=0.03)


def test_a_score_at_the_top_has_one_way_to_be_split() -> None:
    items = draw_baseline_items(np.array([52.0]), np.array([4.0]), MAXIMA, np.random.default_rng(4))
    assert items[0].tolist() == list(MAXIMA)
