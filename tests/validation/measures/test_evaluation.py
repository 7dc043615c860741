import numpy as np
import pytest

from glabella.validation.measures.evaluation import Evaluation, explain_few, make_evaluation


@pytest.fixture
def imputed():
    one = make_evaluation([1, 0] * 6, [0.5] * 12, participant=[*"abcdefghijkl"])
    outcomes = np.stack([one.outcome, ~one.outcome])
    others = {
        name: getattr(one, name)
        for name in ("probability", "who", "active", "fold", "stratum", "repetition")
    }
    return Evaluation(outcomes, **others)


def test_each_completed_set_is_given_by_itself(imputed):
    first, second = imputed.split()

    assert first.outcome.tolist() == [True, False] * 6
    assert second.outcome.tolist() == [False, True] * 6
    assert first.split() == (first,)


def test_completed_sets_do_not_share_what_is_computed_of_one(imputed):
    first, second = imputed.split()

    assert first.compute_once(lambda it: it.outcome[0])
    assert [one.compute_once(_take_first) for one in (first, second)] == [True, False]


def test_what_is_shared_is_computed_once(imputed):
    counted = []

    def compute(evaluation):
        counted.append(evaluation)
        return len(counted)

    assert (imputed.compute_once(compute), imputed.compute_once(compute)) == (1, 1)


def test_four_of_a_class_are_too_few_and_a_participant_counts_once():
    responded = np.array([True] * 4 + [False] * 9)

    assert explain_few(responded, np.arange(13)) == "under 5 of a class"
    assert explain_few(np.tile(responded, 2), np.tile(np.arange(13), 2)) == "under 5 of a class"
    assert explain_few(np.array([True, False] * 5), np.arange(10)) is None


def test_one_completed_set_with_too_few_is_enough_to_say_so(imputed):
    assert imputed.explain_few() is None
    few = Evaluation(
        np.stack([imputed.outcomes[0], np.arange(12) < 4]),
        imputed.probability,
        imputed.who,
        imputed.active,
        imputed.fold,
        imputed.stratum,
        imputed.repetition,
    )
    assert few.explain_few() == "under 5 of a class"


def _take_first(evaluation):
    return bool(evaluation.outcome[0])
