"""How often the interval of an extrapolated learning curve holds what is really reached.

Logistic data of two trials with two arms, a few features that matter and many that do not. The
truth is the mean over fresh samples of the size in question, each fitted to and then measured on a
large new one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import special
from threadpoolctl import threadpool_limits

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.candidate import Candidate
from glabella.validation.adequacy.learning_curve import (
    CURVE_MEASURES,
    FACTORS,
    LearningCurve,
    draw_subsets,
    measure_learning_curve,
)
from glabella.validation.fitting.nested import collect_predictions, validate_candidates
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import make_repeated_folds
from glabella.validation.measures.discrimination import count_concordance
from glabella.validation.measures.overall import compute_losses

WEIGHTS = np.array([0.7, -0.6, 0.4, 0.3] + [0.0] * 8)
ARM = FeatureSpec("arm", "Arm", "category", part="arm", levels={"active": "A", "control": "C"})
RIDGE = Candidate(kind="candidate", description="Ridge", estimator="ridge", settings={"c": 1.0})
FOLDS, REPEATS, POINTS, INNER = 5, 3, 5, 2
FRESH, HELD_OUT = 60, 20_000
LEAST_COVERAGE = 0.90


@dataclass(frozen=True)
class Reached:
    """What fresh samples of one size reach on average.

    Parameters
    ----------
    log_loss, auc : float
        On a large new sample; ``auc`` within trial in the active arm.
    """

    log_loss: float
    auc: float


def simulate(n: int, seed: np.random.SeedSequence) -> Sample:
    """Draw participants.

    Parameters
    ----------
    n : int
        How many.
    seed : SeedSequence
        Of the draw.

    Returns
    -------
    Sample
        Two trials, two arms.
    """
    random = np.random.default_rng(seed)
    values = random.standard_normal((n, len(WEIGHTS)))
    trial = np.array(["T1", "T2"])[np.arange(n) % 2]
    active = random.random(n) < 0.5
    responded = random.random(n) < special.expit(-0.4 + 0.9 * active + values @ WEIGHTS)
    arm = np.where(active, "active", "control")
    names = [f"x{number}" for number in range(len(WEIGHTS))]
    frame = pd.DataFrame(values, columns=names)
    frame["arm"] = pd.Categorical(arm, categories=["active", "control"])
    specs = (*(FeatureSpec(name, name, "number") for name in names), ARM)
    blank = np.array([""] * n)
    return Sample(
        features=FeatureTable(frame, specs),
        outcomes=responded.astype(np.int8)[None],
        trial=trial,
        site=blank,
        cohort=blank,
        arm=arm,
        active=active,
    )


def find_reached(size: int) -> Reached:
    """Average over fresh samples what fits to so many participants reach.

    Parameters
    ----------
    size : int
        Participants to learn from.

    Returns
    -------
    Reached
        To within the error of the average.
    """
    new = simulate(HELD_OUT, derive_seed(1, "held out"))
    within = pd.factorize(new.strata[new.active])[0]
    responded = new.outcomes[0].astype(bool)
    losses, concordances = [], []
    for number in range(FRESH):
        fresh = simulate(size, derive_seed(1, "fresh", size, number))
        with threadpool_limits(1):
            seed = derive_seed(1, "fit", number)
            tuned = Trainer(fresh, INNER, 1).fit(RIDGE, np.arange(fresh.n), seed=seed)
            probability = tuned.model.predict_proba(new.features.frame)[:, 1]
        losses.append(compute_losses(responded, probability).mean())
        agreeing, pairs = count_concordance(responded[new.active], probability[new.active], within)
        concordances.append(agreeing.sum() / pairs.sum())
    return Reached(float(np.mean(losses)), float(np.mean(concordances)))


def draw_curve(participants: int, number: int) -> LearningCurve:
    """Simulate one pooled sample and measure its learning curve.

    Parameters
    ----------
    participants : int
        In the sample.
    number : int
        Of the simulation.

    Returns
    -------
    LearningCurve
        With its extrapolations.
    """
    sample = simulate(participants, derive_seed(2, number))
    folds = make_repeated_folds(
        [sample.arm, sample.trial],
        sample.labels,
        folds=FOLDS,
        repeats=REPEATS,
        seed=derive_seed(2, "folds", number),
    )
    subsets = draw_subsets(Trainer(sample, INNER, number), folds, points=POINTS)
    results = validate_candidates(
        {"ridge": RIDGE},
        Trainer(sample, INNER, number),
        [fold for item in subsets for fold in item.folds],
    )
    predictions = {
        item.size: collect_predictions(results[at * len(folds) : (at + 1) * len(folds)], sample)
        for at, item in enumerate(subsets)
    }
    return measure_learning_curve(subsets, predictions, sample, seed=number)


def main() -> int:
    """Print the coverage of each extrapolation.

    Returns
    -------
    int
        0 if it is kept.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=200)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    learnt_from = asked.participants * (FOLDS - 1) // FOLDS
    truth = {factor: find_reached(factor * learnt_from) for factor in (1, *FACTORS)}
    curves = Parallel(n_jobs=asked.workers)(
        delayed(draw_curve)(asked.participants, number) for number in range(asked.simulations)
    )
    kept = True
    print(f"{asked.simulations} samples of {asked.participants}, learning from {learnt_from}")
    print("measure   times  reached  said %  mean expected  coverage  of the change  mean width")
    for measure in CURVE_MEASURES:
        now = getattr(truth[1], measure)
        for at, factor in enumerate(FACTORS):
            reached = getattr(truth[factor], measure)
            said = [
                curve.extrapolations[measure].projections[at]
                for curve in curves
                if curve.extrapolations[measure].reason is None
                and curve.extrapolations[measure].projections[at].value.value is not None
            ]
            if not said:
                print(f"{measure:8}  {factor:5}  {reached:7.4f}       0")
                continue
            covered, changed = (
                np.mean([getattr(p, part).low <= true <= getattr(p, part).high for p in said])
                for part, true in (("value", reached), ("change", reached - now))
            )
            print(
                f"{measure:8}  {factor:5}  {reached:7.4f}  {100 * len(said) / len(curves):6.0f}  "
                f"{np.mean([p.value.value for p in said]):13.4f}  {covered:8.3f}  "
                f"{changed:13.3f}  {np.mean([p.value.high - p.value.low for p in said]):10.4f}"
            )
            kept &= bool(covered >= LEAST_COVERAGE)
    print("kept" if kept else "BROKEN", "- 95 % intervals hold what is reached nine times in ten")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
