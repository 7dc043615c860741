"""One seed in the analysis, and a separate one for each task."""

from glabella.validation.folds.seeds import derive_seed, derive_spawned_seeds, draw_state


class TestSeeds:
    def test_the_same_labels_give_the_same_seed(self):
        first, second = (derive_seed(3, "fit", "ridge", 0, 1) for _ in range(2))

        assert first.generate_state(4).tolist() == second.generate_state(4).tolist()

    def test_other_labels_give_other_seeds(self):
        labels = [
            (3, "fit", "ridge", 0, 1),
            (4, "fit", "ridge", 0, 1),
            (3, "fit", "xgboost", 0, 1),
            (3, "fit", "ridge", 1, 0),
            (3, "fit", "ridge", 0),
            (3, "folds", "ridge", 0, 1),
        ]

        states = {tuple(derive_seed(*label).generate_state(4).tolist()) for label in labels}

        assert len(states) == len(labels)


def test_spawned_seeds_are_the_same_each_time_and_leave_their_source_as_it_was():
    source = derive_seed(3, "bootstrap")
    first = [seed.generate_state(2).tolist() for seed in derive_spawned_seeds(source, 4)]
    again = [seed.generate_state(2).tolist() for seed in derive_spawned_seeds(source, 6)]
    assert first == again[:4]
    assert len({tuple(state) for state in again}) == 6
    assert source.n_children_spawned == 0


def test_a_drawn_state_is_a_whole_number_that_every_interface_takes():
    states = [draw_state(derive_seed(3, "fit", number)) for number in range(200)]
    assert all(isinstance(state, int) and 0 <= state < 2**31 for state in states)
    assert len(set(states)) == 200
    assert draw_state(derive_seed(3, "fit", 0)) == states[0]
