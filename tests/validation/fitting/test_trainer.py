"""A candidate is tuned on the rows that it is given, and fitted to all of them."""

import numpy as np

from glabella.models.build import build_model
from glabella.models.candidate import Candidate, EnsembleCandidate
from glabella.models.space import Space
from glabella.validation.fitting import inner_folds
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.seeds import derive_seed

RIDGE = Candidate(
    kind="candidate",
    description="Ridge",
    estimator="ridge",
    search={"c": Space(log=(0.001, 10.0))},
    draws=3,
)
TREES = Candidate(kind="candidate", description="Trees", estimator="xgboost")


def test_tuning_finds_the_setting_that_scores_best_in_the_training_part(make_sample):
    # Strong effects in many participants: the strongest penalty must lose.
    sample = make_sample(400)

    trainer = Trainer(sample, 3, 1)
    tuned = trainer.fit(RIDGE, np.arange(300), seed=np.random.SeedSequence(1))

    assert tuned.setting["c"] > 0.001


def test_noise_is_not_tuned_to_the_weakest_penalty(make_sample):
    chosen = [
        Trainer(make_sample(60, seed=seed, shuffled=True), 3, 1)
        .fit(RIDGE, np.arange(60), seed=np.random.SeedSequence(1))
        .setting["c"]
        for seed in range(8)
    ]

    assert 10.0 not in chosen


def test_the_same_seed_object_used_again_gives_the_same_model(make_sample):
    seed = np.random.SeedSequence(1)
    sample = make_sample(80)

    first, second = (
        Trainer(sample, 2, 1)
        .fit(TREES, np.arange(80), seed=seed)
        .model.log_odds(sample.features.frame)
        for _ in range(2)
    )

    assert first.tolist() == second.tolist()


def test_settings_are_tuned_on_some_where_there_are_many_and_the_fit_is_to_all(
    make_sample, monkeypatch
):
    sample = make_sample(400)
    monkeypatch.setattr(inner_folds, "MOST_TUNED", 100)
    rows = np.arange(400)
    seed = derive_seed(1, "fit")
    tuned = Trainer(sample, 4, 1).fit(RIDGE, rows, seed=seed)
    assert len(tuned.held_out) == 100
    assert sum(tuned.inner.sizes) == 100
    whole = build_model(RIDGE, sample.features.specs, random_state=0, setting=tuned.setting)
    whole.fit(sample.features.take(rows), sample.labels)
    np.testing.assert_allclose(
        tuned.model.log_odds(sample.features.frame), whole.log_odds(sample.features.frame)
    )


def test_members_of_an_ensemble_are_returned_and_those_that_are_known_are_not_fitted_again(
    make_sample, monkeypatch
):
    sample = make_sample(120)
    trainer, rows, seed = Trainer(sample, 3, 1), np.arange(120), derive_seed(1, "fit")
    ensemble = EnsembleCandidate(
        kind="candidate", description="x", estimator="ensemble", members=("ridge", "trees"),
        resolved={"ridge": RIDGE, "trees": TREES},
    )  # fmt: skip
    known = {"ridge": trainer.fit(RIDGE, rows, seed=seed)}
    alone = trainer.fit(ensemble, rows, seed=seed)
    together = trainer.fit(ensemble, rows, seed=seed, known=known)
    assert set(known) == {"ridge"}
    assert set(together.members) == {"ridge", "trees"}
    assert together.members["ridge"] is known["ridge"]
    assert alone.members["ridge"] is not known["ridge"]
    assert together.setting == alone.setting
    frame = sample.features.frame
    assert together.model.log_odds(frame).tolist() == alone.model.log_odds(frame).tolist()
