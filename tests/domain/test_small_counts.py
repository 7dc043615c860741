"""No count under ten is told, and none can be worked out from those that are."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from glabella.domain.small_counts import (
    Told,
    list_lines,
    suppress_cells,
    suppress_count,
    suppress_each,
    suppress_group,
    suppress_groups,
    suppress_words,
)


def test_a_group_tells_responders_where_ten_are_and_ten_others():
    assert suppress_group(40, 12) == Told(40, 12)
    assert suppress_group(40, 9) == Told(40, None)
    assert suppress_group(40, 31) == Told(40, None)
    assert suppress_group(40, 0) == Told(40, None)
    assert suppress_group(7, 0) == Told(None, None)
    assert [suppress_count(each) for each in (0, 1, 9, 10)] == [0, None, None, 10]


def test_the_rest_of_a_whole_is_not_told_where_it_would_tell_the_small_one():
    # In all 100 participants are told of: 93 alone would tell of 7.
    assert suppress_groups([(93, 40), (7, 3)]) == [Told(None, None), Told(None, None)]
    assert suppress_groups([(50, 20), (50, 15), (50, 3)]) == [
        Told(50, 20),
        Told(50, None),
        Told(50, None),
    ]
    assert suppress_groups([(7, 0)]) == [Told(None, None)]
    assert suppress_groups([(30, 12), (30, 14)]) == [Told(30, 12), Told(30, 14)]


def test_cells_of_trial_and_arm_are_safe_in_both_directions():
    trials, arms = ["a", "a", "b", "b"], ["x", "y", "x", "y"]
    counts = [(40, 20), (40, 4), (40, 20), (40, 20)]
    told = suppress_cells(counts, list_lines(trials, arms))
    assert [mine.events for mine in told] == [None, None, None, None]
    assert [mine.n for mine in told] == [40, 40, 40, 40]
    assert suppress_each([12, 3, 0, 40], [(0, 1, 2, 3)]) == [12, None, None, 40]


_COUNTS = st.lists(
    st.tuples(st.integers(0, 60), st.floats(0, 1)).map(
        lambda pair: (pair[0], int(pair[0] * pair[1]))
    ),
    min_size=6,
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(_COUNTS)
def test_no_sum_of_a_table_gives_a_hidden_count_away(counts):
    trials, arms = "aabbcc", "xyxyxy"
    lines = list_lines(trials, arms)
    told = suppress_cells(counts, lines)
    for (n, events), mine in zip(counts, told, strict=True):
        assert mine.n is None or n >= 10
        assert mine.events is None or min(events, n - events) >= 10
    for line, name in itertools.product(lines, ("n", "events")):
        missing = [cell for cell in line if getattr(told[cell], name) is None]
        assert len(missing) != 1 or len(line) == 1


def test_sentences_lose_their_small_counts_and_keep_other_numbers():
    assert suppress_words("trial 3: 4 participants of 40 have no arm") == (
        "trial 3: under 10 participants of 40 have no arm"
    )
    assert suppress_words("holds 3 observed scores, week 8; 12 rows, 1.5 values") == (
        "holds under 10 observed scores, week 8; 12 rows, 1.5 values"
    )
