from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from glabella.validation.measures.discrimination import compute_concordance, count_concordance
from glabella.validation.measures.registry import compute_measure

_Z = 1.959963984540054
_PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)


def _standard_error(estimate):
    """The standard error that a logit interval was made from."""
    width = logit(estimate.high) - logit(estimate.low)
    return width / (2 * _Z) * estimate.value * (1 - estimate.value)


def _half_width(estimate):
    return (estimate.high - estimate.low) / 2 / _Z


def _assert_close(first, second):
    """The same but for rounding, or null alike."""
    for name in ("value", "low", "high"):
        one, two = getattr(first, name), getattr(second, name)
        assert one is two is None or one == pytest.approx(two, rel=1e-9)
    assert (first.reason is None) == (second.reason is None)


def _within(data):
    """Strata of the reference: trial, arm, repetition and fold."""
    return (data["trial"] + data["arm"] + data["repetition"].astype(str)) + data["fold"].astype(str)


def _concordance(responded, probability, strata=None, participant=None, repeats=1):
    n = len(responded)
    return compute_concordance(
        responded,
        probability,
        strata=np.zeros(n, dtype=int) if strata is None else strata,
        participant=np.arange(n) if participant is None else participant,
        repeats=repeats,
    )


@st.composite
def _stratified(draw):
    """Outcomes, whole-numbered scores (so that they tie) and strata, five of a class at least."""
    n = draw(st.integers(12, 40))
    responded = draw(st.lists(st.booleans(), min_size=n - 10, max_size=n - 10))
    responded = np.array(responded + [True] * 5 + [False] * 5)
    score = np.array(draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n)), dtype=float)
    strata = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    return responded, score, strata


class TestAgainstR:
    """pROC 1.18.0, rms 6.5.0, sandwich 3.0.2 and survival 3.5.3: validation_reference.json."""

    def test_one_stratum_has_the_auc_and_the_delong_error_of_proc(
        self, reference, reference_predictions
    ):
        data = reference_predictions.query("repetition == 0")
        expected = reference["one_repetition"]

        estimate, pairs = _concordance(data["responded"], data["probability"])

        assert estimate.value == pytest.approx(expected["auc"], abs=1e-12)
        assert _standard_error(estimate) == pytest.approx(expected["auc_delong_se"], rel=1e-9)
        assert pairs == expected["events"] * (expected["n"] - expected["events"])

    @pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
    def test_concordance_within_strata_and_its_error_are_those_of_survival(
        self, reference, reference_predictions, part
    ):
        single = part == "one_repetition"
        data = reference_predictions.query("repetition == 0") if single else reference_predictions
        expected = reference[part]["within_trial_arm_fold"]
        repeats = data["repetition"].nunique()

        estimate, pairs = _concordance(
            data["responded"], data["probability"], _within(data), data["participant"], repeats
        )

        assert estimate.value == pytest.approx(expected["value"], abs=1e-12)
        assert _standard_error(estimate) == pytest.approx(expected["se"], rel=1e-9)
        assert pairs == round(expected["pairs"] / repeats)


class TestConcordanceByHand:
    # Stratum a: responders 3, 2; others 1, 2, 4. Pairs: 3>1, 3>2, 3<4, 2>1, 2=2, 2<4: 3.5 of 6.
    # Stratum b: responders 5, 5, 1; others 5, 0. Pairs: half, 1, half, 1, 0, 1: 4 of 6.
    # Stratum c: one responder and nobody else: no pair.
    responded = (1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1)
    score = (3, 2, 1, 2, 4, 5, 5, 1, 5, 0, 9)
    strata = tuple("aaaaabbbbbc")

    def test_pairs_are_counted_within_strata_and_ties_are_one_half(self):
        estimate, pairs = _concordance(self.responded, self.score, self.strata)

        assert pairs == 12
        assert estimate.value == pytest.approx(7.5 / 12)

    def test_each_participant_has_its_own_agreeing_pairs(self):
        agreeing, pairs = count_concordance(
            np.array(self.responded, dtype=bool),
            np.array(self.score, dtype=float),
            np.array([0] * 5 + [1] * 5 + [2]),
        )

        assert agreeing.tolist() == [2, 1.5, 2, 1.5, 0, 1.5, 1.5, 1, 1, 3, 0]
        assert pairs.tolist() == [3, 3, 2, 2, 2, 2, 2, 2, 3, 3, 0]

    def test_a_stratum_of_one_class_changes_no_value(self):
        more = ((*self.responded, 1, 1), (*self.score, 0, 9), (*self.strata, "c", "d"))

        assert (
            _concordance(*more)[0].value
            == _concordance(self.responded, self.score, self.strata)[0].value
        )
        assert _concordance(*more)[1] == 12

    def test_pairs_are_those_of_an_average_repetition(self):
        twice = [list(part) * 2 for part in (self.responded, self.score)]
        strata = [*self.strata, *(label + "2" for label in self.strata)]
        participant = [*range(11), *range(11)]

        assert _concordance(*twice, strata, participant, repeats=2)[1] == 12


class TestConcordanceIsInvariant:
    @_PROPERTY
    @given(_stratified())
    def test_to_monotone_transforms(self, data):
        responded, score, strata = data

        for transform in (lambda s: 7 * s - 3, np.exp, lambda s: expit(s / 3), lambda s: s**3):
            assert _concordance(responded, transform(score), strata) == _concordance(
                responded, score, strata
            )

    @_PROPERTY
    @given(_stratified(), st.randoms(use_true_random=False))
    def test_to_the_order_of_rows(self, data, random):
        responded, score, strata = data
        order = list(range(len(score)))
        random.shuffle(order)

        first, pairs = _concordance(responded, score, strata)
        second, pairs_shuffled = _concordance(
            responded[order], score[order], strata[order], np.array(order)
        )

        assert pairs == pairs_shuffled
        _assert_close(first, second)

    @_PROPERTY
    @given(_stratified())
    def test_to_the_names_of_strata_and_participants(self, data):
        responded, score, strata = data
        renamed = np.array(["zebra", "ant", "7", "|"])[strata]
        people = np.array([f"p{number * 7919 % 1000}" for number in range(len(score))])

        assert _concordance(responded, score, renamed, people) == _concordance(
            responded, score, strata
        )

    @_PROPERTY
    @given(_stratified())
    def test_to_swapping_classes_and_turning_predictions(self, data):
        responded, score, strata = data
        first, pairs = _concordance(responded, score, strata)
        second, pairs_swapped = _concordance(~responded, -score, strata)

        assert pairs == pairs_swapped
        _assert_close(first, second)

    @_PROPERTY
    @given(_stratified())
    def test_and_turning_predictions_alone_gives_the_complement(self, data):
        responded, score, strata = data
        first, _ = _concordance(responded, score, strata)
        second, _ = _concordance(responded, -score, strata)

        if first.value is None:
            assert second == first
        else:
            assert second.value == pytest.approx(1 - first.value)
            if first.low is not None:
                assert second.low == pytest.approx(1 - first.high)

    @_PROPERTY
    @given(_stratified())
    def test_and_equals_scikit_learn_in_one_stratum(self, data):
        responded, score, _ = data

        estimate, pairs = _concordance(responded, score)

        assert estimate.value == pytest.approx(roc_auc_score(responded, score))
        assert pairs == responded.sum() * (~responded).sum()


@pytest.mark.parametrize("level", [0.0, 0.31, 1.0])
def test_a_constant_prediction_has_a_concordance_of_exactly_one_half(level):
    responded = np.tile([1, 0, 0], 20)
    strata = np.repeat(np.arange(6), 10)

    assert _concordance(responded, np.full(60, level), strata)[0].value == 0.5


def test_a_prediction_that_knows_only_the_stratum_has_a_concordance_of_one_half():
    random = np.random.default_rng(4)
    strata = random.integers(0, 5, 200)
    responded = random.random(200) < strata / 6

    assert _concordance(responded, strata / 6.0, strata)[0].value == 0.5
    assert _concordance(responded, strata / 6.0)[0].value > 0.6


class TestTooFew:
    @pytest.mark.parametrize(("responders", "others"), [(4, 40), (40, 4), (0, 10), (10, 0), (0, 0)])
    def test_under_five_of_a_class_gives_no_number_but_a_reason(self, responders, others):
        responded = [1] * responders + [0] * others
        probability = np.linspace(0.1, 0.9, responders + others)
        people = np.arange(responders + others)

        concordance, pairs = _concordance(responded, probability)
        assert pairs == 0
        for estimate in (
            concordance,
            compute_measure("brier", responded, probability, participant=people),
            compute_measure("log_loss", responded, probability, participant=people),
        ):
            assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
            assert estimate.reason
        if responders + others:
            assert concordance.reason == "under 5 of a class"

    def test_five_of_a_class_are_enough(self):
        responded = [1] * 5 + [0] * 5

        assert _concordance(responded, np.arange(10))[0].value is not None

    def test_repetitions_of_four_responders_are_still_four(self):
        responded = np.tile([1] * 4 + [0] * 20, 10)
        people = np.tile(np.arange(24), 10)
        strata = np.repeat(np.arange(10), 24)
        probability = np.random.default_rng(1).random(240)

        estimate, _ = _concordance(responded, probability, strata, people, 10)

        assert estimate.value is None
        assert estimate.reason == "under 5 of a class"

    def test_strata_without_pairs_give_no_number_but_a_reason(self):
        estimate, pairs = _concordance([1] * 10 + [0] * 10, np.arange(20), [0] * 10 + [1] * 10)

        assert estimate.value is None
        assert estimate.reason == "no stratum holds both a responder and another"
        assert pairs == 0

    def test_responders_who_are_in_no_pair_do_not_count_towards_the_five(self):
        # One responder is compared with ten others; nine responders are alone in their stratum.
        responded = [1] + [0] * 10 + [1] * 9
        score = [7.5, *range(1, 11), *range(9)]

        estimate, _ = _concordance(responded, score, [0] * 11 + [1] * 9)

        assert estimate.value is None
        assert estimate.reason


class TestRepetitions:
    """Ten repetitions of the same participants are not ten times the participants."""

    @pytest.fixture
    def once(self):
        random = np.random.default_rng(11)
        log_odds = random.normal(size=90)
        responded = random.random(90) < expit(log_odds)
        return responded, expit(log_odds + random.normal(size=90)), random.integers(0, 3, 90)

    def test_same_predictions_repeated_give_the_same_concordance_and_interval(self, once):
        responded, probability, strata = once
        first, pairs = _concordance(responded, probability, strata)

        second, pairs_repeated = _concordance(
            np.tile(responded, 10),
            np.tile(probability, 10),
            np.concatenate([strata + 3 * repeat for repeat in range(10)]),
            np.tile(np.arange(90), 10),
            10,
        )

        assert pairs_repeated == pairs
        _assert_close(first, second)

    @pytest.mark.parametrize(
        "measure", [partial(compute_measure, "brier"), partial(compute_measure, "log_loss")]
    )
    def test_same_predictions_repeated_give_the_same_error_and_interval(self, once, measure):
        responded, probability, _ = once
        people = np.arange(90)

        first = measure(responded, probability, participant=people)
        second = measure(
            np.tile(responded, 10), np.tile(probability, 10), participant=np.tile(people, 10)
        )

        _assert_close(first, second)

    def test_ten_times_the_participants_give_a_narrower_interval(self, once):
        responded, probability, _ = once

        first = _concordance(responded, probability)[0]
        second = _concordance(np.tile(responded, 10), np.tile(probability, 10))[0]

        assert second.high - second.low < 0.4 * (first.high - first.low)


class TestCoverage:
    """The 95 % interval holds the truth in about 95 % of new samples of participants."""

    samples = 400
    n = 150

    def _draw(self, seed, noises=1, noise=0.0):
        """Scores are standard normal; their log odds of response are -0.3 + 1.2 x score."""
        random = np.random.default_rng(seed)
        x = random.normal(size=(self.samples, self.n))
        responded = random.random((self.samples, self.n)) < expit(-0.3 + 1.2 * x)
        predicted = x[:, None] + noise * random.normal(size=(self.samples, noises, self.n))
        return responded, predicted

    @staticmethod
    def _true_concordance(noise):
        """By numerical integration of the two classes' densities of the noisy score."""
        x = np.linspace(-8, 8, 3201)
        step = x[1] - x[0]
        cases = norm.pdf(x) * expit(-0.3 + 1.2 * x)
        controls = norm.pdf(x) - cases
        if noise:
            blur = norm.pdf(x, scale=noise) * step
            cases, controls = (np.convolve(part, blur, "same") for part in (cases, controls))
        cases, controls = cases / cases.sum(), controls / controls.sum()
        return float(np.sum(cases * (np.cumsum(controls) - controls / 2)))

    @staticmethod
    def _share(estimates, truth):
        return np.mean([estimate.low <= truth <= estimate.high for estimate in estimates])

    @pytest.mark.parametrize("strata", [1, 10])
    def test_of_concordance(self, strata):
        responded, predicted = self._draw(seed=21)
        labels = np.arange(self.n) % strata

        estimates = [
            _concordance(y, p[0], labels)[0] for y, p in zip(responded, predicted, strict=True)
        ]

        assert 0.92 <= self._share(estimates, self._true_concordance(0.0)) <= 0.98

    def test_of_concordance_over_repetitions(self):
        responded, predicted = self._draw(seed=22, noises=3, noise=0.6)
        people, strata = np.tile(np.arange(self.n), 3), np.repeat(np.arange(3), self.n)
        strata = strata * 5 + people % 5

        estimates = [
            _concordance(np.tile(y, 3), p.ravel(), strata, people, 3)[0]
            for y, p in zip(responded, predicted, strict=True)
        ]

        assert 0.92 <= self._share(estimates, self._true_concordance(0.6)) <= 0.98

    def test_of_the_brier_score(self):
        responded, predicted = self._draw(seed=23)
        x = np.linspace(-8, 8, 3201)
        response, forecast = expit(-0.3 + 1.2 * x), expit(2 * x)
        error = response * (1 - forecast) ** 2 + (1 - response) * forecast**2
        truth = float(np.sum(norm.pdf(x) * error) * (x[1] - x[0]))
        people = np.arange(self.n)

        estimates = [
            compute_measure("brier", y, expit(2 * p[0]), participant=people)
            for y, p in zip(responded, predicted, strict=True)
        ]

        assert 0.92 <= self._share(estimates, truth) <= 0.98
