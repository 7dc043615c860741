"""Bins of participants, whose figures are nobody's."""

from itertools import pairwise

import numpy as np
import pytest

from glabella.explanation.bins import cut_into_bins, describe_bin


@pytest.mark.parametrize("n", [10, 11, 13, 19, 20, 57, 399, 1000])
def test_every_participant_is_in_one_bin_of_ten_at_least_and_no_figure_is_anybodys(n):
    values = np.random.default_rng(n).normal(size=n)
    bins = cut_into_bins(values)
    assert sorted(np.concatenate(bins).tolist()) == list(range(n))
    assert min(map(len, bins)) >= 10 and len(bins) <= 20
    assert all(values[one].max() <= values[other].min() for one, other in pairwise(bins))
    for rows in bins:
        told = describe_bin(values[rows])
        assert told.pop("n") == len(rows)
        assert not np.isin(list(told.values()), values).any()
        assert told["lower_quartile"] < told["median"] < told["upper_quartile"]


def test_fewer_than_ten_make_no_bin():
    assert cut_into_bins(np.arange(9.0)) == []
