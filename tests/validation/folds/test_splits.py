from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glabella.errors import AnalysisError
from glabella.validation.folds.splits import (
    count_classes,
    make_left_out_folds,
    make_repeated_folds,
    split_balanced,
    split_grouped,
    split_stratified,
)

_PROPERTY = settings(max_examples=100, deadline=None, derandomize=True)


def _spread(labels, splits):
    """Of each label, the most in a test part less the fewest."""
    counts = [Counter(np.asarray(labels)[test].tolist()) for _, test in splits]
    return {
        label: max(count[label] for count in counts) - min(count[label] for count in counts)
        for label in set(np.asarray(labels).tolist())
    }


def _join(*parts):
    return np.array(["|".join(map(str, row)) for row in zip(*parts, strict=True)])


@st.composite
def _participants(draw):
    """Arms, trials and outcomes with at least `folds` of a class."""
    folds = draw(st.integers(2, 6))
    n = draw(st.integers(0, 60))
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from("ac"), st.sampled_from(["T1", "T2", "T3"]), st.booleans()),
            min_size=n,
            max_size=n,
        )
    )
    rows += [("a", "T1", True), ("c", "T2", False)] * folds
    arm, trial, responded = map(np.array, zip(*rows, strict=True))
    return arm, trial, responded.astype(int), folds


class TestSplitStratified:
    @_PROPERTY
    @given(_participants(), st.integers(0, 2**32 - 1))
    def test_each_participant_is_tested_once_and_never_trained_on_there(self, participants, seed):
        arm, trial, responded, folds = participants

        splits = split_stratified([arm, trial], responded, folds=folds, seed=seed)

        assert len(splits) == folds
        everyone = list(range(len(arm)))
        assert sorted(np.concatenate([test for _, test in splits]).tolist()) == everyone
        for train, test in splits:
            assert sorted([*train, *test]) == everyone

    @_PROPERTY
    @given(_participants(), st.integers(0, 2**32 - 1))
    def test_each_part_holds_both_classes(self, participants, seed):
        arm, trial, responded, folds = participants

        for train, test in split_stratified([arm, trial], responded, folds=folds, seed=seed):
            assert min(count_classes(responded[train])) >= 1
            assert min(count_classes(responded[test])) >= 1

    @_PROPERTY
    @given(_participants(), st.integers(0, 2**32 - 1))
    def test_folds_are_of_equal_size_to_within_one(self, participants, seed):
        arm, trial, responded, folds = participants

        splits = split_stratified([arm, trial], responded, folds=folds, seed=seed)

        assert np.ptp([len(test) for _, test in splits]) <= 1

    @_PROPERTY
    @given(_participants(), st.integers(0, 2**32 - 1))
    def test_small_cells_fall_back_to_arm_and_outcome_and_to_outcome(self, participants, seed):
        arm, trial, responded, folds = participants

        splits = split_stratified([arm, trial], responded, folds=folds, seed=seed)

        for cells in (_join(responded, arm), responded.astype(str)):
            assert max(_spread(cells, splits).values()) <= 1

    @pytest.mark.parametrize("folds", [2, 5])
    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_large_cells_are_spread_to_within_one(self, folds, seed):
        random = np.random.default_rng(seed)
        cells = [("a", "T1"), ("c", "T1"), ("a", "T2"), ("c", "T2")]
        drawn = random.permutation(np.repeat(np.arange(8), 7 + np.arange(8)))
        arm = np.array([cells[index // 2][0] for index in drawn])
        trial = np.array([cells[index // 2][1] for index in drawn])
        responded = drawn % 2

        splits = split_stratified([arm, trial], responded, folds=folds, seed=seed)

        assert set(_spread(_join(responded, arm, trial), splits).values()) <= {0, 1}

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_a_small_cell_does_not_undo_the_strata_of_others(self, seed):
        # Forty a trial and arm; in T2 four of forty controls respond, one fewer than there are
        # folds. The seven other cells are large.
        sizes = {
            ("a", "T1", 1): 20, ("a", "T1", 0): 20, ("c", "T1", 1): 10, ("c", "T1", 0): 30,
            ("a", "T2", 1): 15, ("a", "T2", 0): 25, ("c", "T2", 1): 4, ("c", "T2", 0): 36,
        }  # fmt: skip
        rows = [cell for cell, size in sizes.items() for _ in range(size)]
        arm, trial, responded = map(np.array, zip(*rows, strict=True))

        splits = split_stratified([arm, trial], responded, folds=5, seed=seed)
        spread = _spread(_join(arm, trial, responded), splits)

        large = {"|".join(map(str, cell)) for cell, size in sizes.items() if size >= 5}
        assert {cell: spread[cell] for cell in large if spread[cell] > 1} == {}

    @_PROPERTY
    @given(_participants(), st.integers(0, 2**32 - 1))
    def test_whatever_the_others_large_cells_are_spread_to_within_one(self, participants, seed):
        arm, trial, responded, folds = participants
        cells = _join(responded, arm, trial)
        sizes = Counter(cells.tolist())

        spread = _spread(cells, split_stratified([arm, trial], responded, folds=folds, seed=seed))

        assert max(spread[cell] for cell in sizes if sizes[cell] >= folds) <= 1

    @pytest.mark.parametrize(("responders", "others", "most"), [(4, 40, 4), (40, 3, 3), (2, 2, 2)])
    def test_too_few_of_a_class_are_refused_with_what_would_do(self, responders, others, most):
        responded = [1] * responders + [0] * others

        with pytest.raises(AnalysisError) as refusal:
            split_stratified([], responded, folds=5, seed=1)

        # The finding is recorded, and so without counts; the remedy is for who asked.
        assert refusal.value.finding == (
            "a class of too few participants can't be spread over 5 folds"
        )
        assert refusal.value.remedy.startswith(
            f"There are {responders} responders and {others} others: ask for at most {most} folds"
        )

    @pytest.mark.parametrize(("responders", "others"), [(0, 9), (9, 0), (1, 9)])
    def test_fewer_than_two_of_a_class_are_not_told_to_ask_for_fewer_than_two_folds(
        self, responders, others
    ):
        with pytest.raises(AnalysisError) as refusal:
            split_stratified([], [1] * responders + [0] * others, folds=2, seed=1)

        assert "at most 0 folds" not in refusal.value.remedy
        assert "at most 1 folds" not in refusal.value.remedy

    def test_as_many_of_a_class_as_folds_are_enough(self):
        splits = split_stratified([], [1] * 5 + [0] * 30, folds=5, seed=1)

        assert [int((test < 5).sum()) for _, test in splits] == [1] * 5

    def test_the_same_seed_gives_the_same_folds_and_another_seed_others(self):
        responded = np.tile([0, 1], 30)

        first, again, other = (
            np.concatenate([test for _, test in split_stratified([], responded, folds=5, seed=s)])
            for s in (3, 3, 4)
        )

        assert first.tolist() == again.tolist()
        assert first.tolist() != other.tolist()


class TestRepeatedFolds:
    @staticmethod
    def _make(seed=7, **changes):
        responded = np.tile([0, 1, 0], 30)
        arm = np.repeat(["a", "c"], 45)
        return make_repeated_folds(
            [arm], responded, folds=5, repeats=4, seed=np.random.SeedSequence(seed), **changes
        )

    def test_no_participant_is_in_both_parts_of_a_fold(self):
        for fold in self._make():
            assert not set(fold.train) & set(fold.test)
            assert len(fold.train) + len(fold.test) == 90

    def test_each_participant_is_tested_once_in_each_repetition(self):
        made = self._make()

        assert [(fold.repeat, fold.number) for fold in made] == [
            (repeat, number) for repeat in range(4) for number in range(5)
        ]
        for repeat in range(4):
            tested = np.concatenate([fold.test for fold in made if fold.repeat == repeat])
            assert sorted(tested.tolist()) == list(range(90))

    def test_repetitions_differ(self):
        made = self._make()

        assert made[0].test.tolist() != made[5].test.tolist()

    def test_the_same_seed_gives_the_same_folds(self):
        for first, again in zip(self._make(), self._make(), strict=True):
            assert first.key == again.key
            assert first.test.tolist() == again.test.tolist()
            assert first.train.tolist() == again.train.tolist()

    def test_the_same_seed_object_gives_the_same_folds_when_used_again(self):
        seed = np.random.SeedSequence(7)
        responded = np.tile([0, 1], 20)

        first, again = (
            make_repeated_folds([], responded, folds=2, repeats=1, seed=seed) for _ in range(2)
        )

        assert first[0].test.tolist() == again[0].test.tolist()

    def test_more_repetitions_leave_the_earlier_ones_as_they_were(self):
        responded = np.tile([0, 1], 20)
        few, many = (
            make_repeated_folds(
                [], responded, folds=2, repeats=repeats, seed=np.random.SeedSequence(7)
            )
            for repeats in (2, 5)
        )

        for first, second in zip(few, many, strict=False):
            assert first.test.tolist() == second.test.tolist()

    def test_folds_inside_a_trial_hold_its_participants_only(self):
        rows = np.arange(10, 60)

        made = self._make(design="inside", rows=rows, group="T1")

        assert {(fold.design, fold.group) for fold in made} == {("inside", "T1")}
        for repeat in range(4):
            folds = [fold for fold in made if fold.repeat == repeat]
            assert sorted(np.concatenate([fold.test for fold in folds])) == rows.tolist()
            for fold in folds:
                assert sorted([*fold.train, *fold.test]) == rows.tolist()

    def test_no_two_folds_have_the_same_key(self):
        made = self._make() + self._make(design="inside", group="T1")
        made += self._make(design="inside", group="T2") + make_left_out_folds(["T1", "T2"])

        assert len({fold.key for fold in made}) == len(made)


class TestLeftOutFolds:
    def test_each_group_is_wholly_left_out_once_in_order_of_appearance(self):
        groups = np.array(["T2", "T1", "T2", "T3", "T1", "T2"])

        made = make_left_out_folds(groups)

        assert [(fold.number, fold.group) for fold in made] == [(0, "T2"), (1, "T1"), (2, "T3")]
        for fold in made:
            assert (fold.design, fold.repeat) == ("across", 0)
            assert fold.test.tolist() == np.flatnonzero(groups == fold.group).tolist()
            assert fold.group not in groups[fold.train]
            assert sorted([*fold.train, *fold.test]) == list(range(6))

    @pytest.mark.parametrize("groups", [["T1"] * 5, []])
    def test_one_group_is_refused_with_what_to_do(self, groups):
        with pytest.raises(AnalysisError) as refusal:
            make_left_out_folds(groups)

        assert refusal.value.place == "validation.across"
        assert "one group only" in refusal.value.finding
        assert refusal.value.remedy == "Leave `across:` out."

    def test_numbers_serve_as_names_of_sites(self):
        assert [fold.group for fold in make_left_out_folds([7, 12, 7])] == ["7", "12"]


def _find_bias(split, samples=300, n=120):
    """How much too good the log loss of each arm's rate is, in cross-validation."""
    draw = np.random.default_rng(0)
    arm = np.arange(n) % 2
    chance = np.where(arm, 0.45, 0.2)
    apart = []
    for seed in range(samples):
        outcome = (draw.random(n) < chance).astype(int)
        lost = 0.0
        for train, test in split([arm], outcome, folds=5, seed=seed):
            cells = [outcome[train][arm[train] == each] for each in (0, 1)]
            rate = np.array([(cell.sum() + 0.5) / (len(cell) + 1) for cell in cells])[arm]
            seen = np.where(outcome, np.log(rate), np.log(1 - rate))
            expected = chance * np.log(rate) + (1 - chance) * np.log(1 - rate)
            # Less what is expected of these rates in all other participants.
            lost -= (seen - np.mean(expected))[test].sum()
        apart.append(lost / n)
    return np.mean(apart), np.std(apart) / np.sqrt(samples)


def test_folds_that_are_not_dealt_by_outcome_leave_losses_as_they_are():
    stratified, _ = _find_bias(split_stratified)
    balanced, error = _find_bias(split_balanced)
    # Two rates: (1 / 120 + 1 / 96) / 2 each.
    assert stratified < -0.01
    assert abs(balanced) < 3 * error
    assert abs(balanced) < 0.5 * abs(stratified)


def test_balanced_folds_spread_arms_and_trials_and_hold_both_classes():
    draw = np.random.default_rng(3)
    arm, trial = np.arange(90) % 2, np.repeat([0, 1, 2], 30)
    outcome = (draw.random(90) < 0.2).astype(int)
    for seed in range(20):
        splits = split_balanced([arm, trial], outcome, folds=5, seed=seed)
        assert sorted(np.concatenate([test for _, test in splits]).tolist()) == list(range(90))
        assert max(_spread(_join(arm, trial), splits).values()) <= 1
        assert all(min(count_classes(outcome[part])) > 0 for pair in splits for part in pair)
        again = split_balanced([arm, trial], outcome, folds=5, seed=seed)
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(splits, again, strict=True))


def test_a_class_too_rare_for_chance_is_stratified():
    outcome = np.zeros(200, dtype=int)
    outcome[:10] = 1
    splits = split_balanced([np.arange(200) % 2], outcome, folds=10, seed=1)
    assert [outcome[test].sum() for _, test in splits] == [1] * 10


def test_balanced_folds_keep_a_persons_rows_together():
    people = np.repeat(np.arange(40), 2)
    outcome = (np.arange(80) % 3 == 0).astype(int)
    for train, test in split_balanced([np.zeros(80)], outcome, folds=4, seed=2, people=people):
        assert not set(people[train]) & set(people[test])


def test_classes_are_counted():
    assert count_classes([1, 0, 0, 1, 0]) == (2, 3)
    assert count_classes([]) == (0, 0)


def test_rows_of_a_person_share_every_fold() -> None:
    draw = np.random.default_rng(5)
    people = np.repeat(np.arange(60), 2)
    arm = np.tile(["a", "b"], 60)
    responded = draw.integers(0, 2, 120)
    for fold in make_repeated_folds(
        [arm],
        responded,
        folds=5,
        repeats=3,
        seed=np.random.SeedSequence(1),
        people=people,
    ):
        assert not set(people[fold.train]) & set(people[fold.test])
        assert len(fold.train) + len(fold.test) == 120
        assert len(fold.test) == 24


def test_naming_each_row_a_person_changes_nothing() -> None:
    responded = np.tile([0, 1, 0], 20)
    plain = split_stratified([], responded, folds=4, seed=3)
    named = split_stratified([], responded, folds=4, seed=3, people=np.arange(60))
    for (_, first), (_, second) in zip(plain, named, strict=True):
        assert first.tolist() == second.tolist()


class TestGrouped:
    SITES = np.repeat(
        [f"S{number}" for number in range(12)], [3, 9, 4, 8, 5, 7, 6, 6, 2, 10, 1, 11]
    )

    @pytest.fixture
    def outcome(self):
        return np.random.default_rng(2).random(len(self.SITES)) < 0.4

    def test_no_site_is_on_both_sides_and_everybody_is_held_out_once(self, outcome):
        splits = split_grouped(self.SITES, outcome, folds=4, seed=1)
        for train, test in splits:
            assert not set(self.SITES[train]) & set(self.SITES[test])
            assert len(train) + len(test) == len(self.SITES)
        assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(self.SITES)))

    def test_responders_are_spread_as_sites_allow(self, outcome):
        splits = split_grouped(self.SITES, outcome, folds=3, seed=1)
        held = [outcome[test].sum() for _, test in splits]
        # A third each would be exact; whole sites of up to eleven participants can't give that.
        assert min(held) >= outcome.sum() / 6

    def test_another_seed_gives_another_split(self, outcome):
        first, second = (
            [test.tolist() for _, test in split_grouped(self.SITES, outcome, folds=4, seed=seed)]
            for seed in (1, 2)
        )
        assert first != second
        assert first == [
            test.tolist() for _, test in split_grouped(self.SITES, outcome, folds=4, seed=1)
        ]

    def test_fewer_groups_than_folds_are_refused(self):
        with pytest.raises(AnalysisError, match="2 groups can't be spread over 3 folds") as caught:
            split_grouped(["a", "a", "b"], [1, 0, 1], folds=3, seed=1)
        assert "at most 2 folds" in caught.value.remedy
        with pytest.raises(AnalysisError, match="1 groups"):
            split_grouped(["a", "a"], [1, 0], folds=2, seed=1)

    def test_a_training_part_of_one_class_is_refused(self):
        with pytest.raises(AnalysisError, match="training part of one class"):
            split_grouped(["a", "a", "b", "b"], [1, 0, 0, 0], folds=2, seed=1)

    def test_repeated_folds_say_what_they_keep_whole(self, outcome):
        made = make_repeated_folds(
            [], outcome, folds=3, repeats=2, seed=np.random.SeedSequence(4),
            unit="site", groups=self.SITES,
        )  # fmt: skip
        assert {fold.unit for fold in made} == {"site"}
        assert len({tuple(fold.test) for fold in made}) == 6
