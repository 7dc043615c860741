"""Search spaces: the values tried lie inside them, cover them, and are the same each time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.definitions.reader import parse_definition
from glabella.errors import DefinitionError
from glabella.models.space import Space, list_settings

SEARCH = {
    "depth": Space(integer=(1, 3)),
    "rate": Space(log=(0.01, 1.0)),
    "kind": Space(choice=("a", "b")),
    "share": Space(uniform=(0.5, 1.0)),
}


def list_with(seed: int, draws: int = 12, **search: Space) -> list[dict[str, object]]:
    return list_settings(search or SEARCH, draws, np.random.SeedSequence(seed))


@given(
    st.floats(1e-6, 1e5),
    st.floats(1.0001, 1e6),
    st.floats(0, 1),
    st.sampled_from(["log", "uniform"]),
)
def test_a_value_never_leaves_its_bounds(
    low: float, ratio: float, quantile: float, form: str
) -> None:
    high = low * ratio
    space = Space(**{form: (low, high)})
    assert low <= space.find_value(quantile) <= high


@given(st.integers(-5, 5), st.integers(1, 9), st.floats(0, 1))
def test_a_whole_number_stays_whole_and_within_its_bounds(
    low: int, width: int, quantile: float
) -> None:
    value = Space(integer=(low, low + width)).find_value(quantile)
    assert isinstance(value, int)
    assert low <= value <= low + width


@pytest.mark.parametrize(
    ("space", "values"),
    [
        (Space(log=(0.001, 10)), [0.001, 0.1, 10]),
        (Space(uniform=(2, 4)), [2, 3, 4]),
        (Space(integer=(1, 3)), [1, 2, 3]),
        (Space(choice=("a", "b", "c")), ["a", "b", "c"]),
    ],
)
def test_the_ends_and_the_middle_by_hand(space: Space, values: list[object]) -> None:
    assert [space.find_value(quantile) for quantile in (0.0, 0.5, 1.0)] == values


def test_nothing_to_search_gives_one_empty_setting() -> None:
    assert list_settings({}, 8, np.random.SeedSequence(1)) == [{}]


def test_a_single_setting_is_spread_evenly_whatever_the_seed() -> None:
    tried = list_with(1, draws=5, c=Space(log=(0.001, 10)))
    assert tried == [{"c": 0.001}, {"c": 0.01}, {"c": 0.1}, {"c": 1.0}, {"c": 10.0}]
    assert tried == list_with(2, draws=5, c=Space(log=(0.001, 10)))


def test_the_shipped_ridge_tries_nine_distinct_penalties() -> None:
    assert len(list_with(1, draws=9, c=Space(log=(0.001, 10)))) == 9


def test_one_draw_takes_the_middle() -> None:
    assert list_with(1, draws=1, c=Space(log=(0.01, 1.0))) == [{"c": 0.1}]


@pytest.mark.parametrize("draws", [3, 9, 50])
def test_a_single_whole_number_is_covered_without_repeats(draws: int) -> None:
    assert [s["n"] for s in list_with(1, draws=draws, n=Space(integer=(1, 3)))] == [1, 2, 3]


def test_the_same_seed_gives_the_same_settings_and_another_seed_others() -> None:
    seed = np.random.SeedSequence(7)
    # Asked twice of one sequence, too: nothing may be used up.
    assert list_settings(SEARCH, 12, seed) == list_settings(SEARCH, 12, seed)
    assert list_with(7) == list_with(7)
    assert list_with(7) != list_with(8)


def test_the_order_in_which_the_settings_are_written_makes_no_difference() -> None:
    turned = dict(reversed(SEARCH.items()))
    assert list_with(3) == list_settings(turned, 12, np.random.SeedSequence(3))


@pytest.mark.parametrize("seed", range(5))
def test_few_draws_cover_every_range(seed: int) -> None:
    tried = list_with(seed, draws=12)
    assert len(tried) == 12
    assert {setting["depth"] for setting in tried} == {1, 2, 3}
    assert {setting["kind"] for setting in tried} == {"a", "b"}
    # One draw in each twelfth of each range.
    places = sorted(int(12 * (setting["share"] - 0.5) / 0.5) for setting in tried)  # type: ignore[operator]
    assert places == list(range(12))
    logs = sorted(int(12 * (np.log10(setting["rate"]) + 2) / 2) for setting in tried)  # type: ignore[arg-type]
    assert logs == list(range(12))


def test_settings_are_plain_values_that_json_takes() -> None:
    for setting in list_with(1):
        assert {type(value) for value in setting.values()} <= {int, float, str}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("{}", "give exactly one of log, uniform, integer, choice"),
        ("{log: [1, 2], uniform: [1, 2]}", "give exactly one of log, uniform, integer, choice"),
        ("{choice: []}", "give exactly one of log, uniform, integer, choice"),
        ("{log: [2, 1]}", "the bounds must go from low to high"),
        ("{uniform: [1, 1]}", "the bounds must go from low to high"),
        ("{integer: [3, 1]}", "the bounds must go from low to high"),
        ("{log: [0, 1]}", "a log range must be above zero"),
        ("{log: [-1, 1]}", "a log range must be above zero"),
        ("{integer: [1, 2.5]}", "'integer.1' must be a whole number"),
        ("{log: [1, 2, 3]}", "'log' must have at most 2 entries"),
        ("{lgo: [1, 2]}", "unknown key 'lgo'"),
    ],
)
def test_a_space_that_is_none_is_refused(text: str, finding: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Space, name="m.yaml")
    assert finding.lower() in str(caught.value).lower()
