"""What fails becomes a reason; what would take every later figure along ends the run."""

from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from glabella.errors import AnalysisError
from glabella.validation.measures.estimation.attempt import (
    attempt,
    attempt_estimate,
    describe_failure,
)
from glabella.validation.measures.estimation.estimate import Estimate


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (np.linalg.LinAlgError("Singular matrix"), "LinAlgError: Singular matrix"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (FloatingPointError("overflow"), "FloatingPointError: overflow"),
        (UserWarning("did not converge"), "UserWarning: did not converge"),
        (KeyError("P-0042"), "KeyError: '...'"),
        (TypeError(), "TypeError: TypeError"),
        (AnalysisError("two trials are needed", remedy="Pool"), "AnalysisError: two trials are"),
    ],
)
def test_every_failure_is_a_reason_with_its_kind_and_without_a_value(error, words):
    found = attempt_estimate(lambda: _raise(error))
    assert found.value is None
    assert found.reason.startswith(f"it could not be computed ({words}")
    assert "P-0042" not in found.reason


@pytest.mark.parametrize(
    "error", [OSError("disk"), MemoryError(), BrokenProcessPool(), KeyboardInterrupt()]
)
def test_what_is_lost_for_every_figure_ends_the_run(error):
    with pytest.raises(type(error)):
        attempt(lambda: _raise(error), lambda failure: failure)


def test_a_failure_says_where_in_the_package_it_came_from():
    def compute():
        from glabella.validation.across_trials.meta_analysis import estimate_tau2

        return estimate_tau2(np.empty(0), np.empty(0))

    failure = attempt(compute, lambda failure: failure)
    assert failure.place.startswith("meta_analysis:")


def test_a_value_that_is_no_number_is_none_and_so_is_its_interval():
    infinite = attempt_estimate(lambda: Estimate(float("inf"), 0.0, 1.0))
    assert (infinite.value, infinite.low) == (None, None)
    assert infinite.reason == "its value is beyond what a number can hold"
    bare = attempt_estimate(lambda: Estimate(0.5, 0.1, float("nan"), standard_error=0.2))
    assert (bare.value, bare.low, bare.high, bare.standard_error) == (0.5, None, None, None)
    assert bare.reason == "its interval is beyond what a number can hold"
    whole = Estimate(0.5, 0.1, 0.9)
    assert attempt_estimate(lambda: whole) is whole


def test_a_message_is_one_line_without_what_it_quotes():
    assert describe_failure(ValueError("no level 'P-7'\nsecond line")) == "no level '...'"
