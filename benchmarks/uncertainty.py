"""How often the range over refits holds the truth, in simulated trials of which it is known."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from glabella.bundle.refits import MOST_KEPT
from glabella.definitions.locate import find_project
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.candidate import Candidate, join_members
from glabella.validation.adequacy.stability import Resampled, refit_on_resamples
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.sample import Sample

ROOT = Path(__file__).resolve().parents[1]
NAMES = tuple(f"x{at}" for at in range(5))
SLOPES = np.array([0.7, -0.4, 0.3, 0.0, 0.0])
# Between trials, of the intercept and of the first slope: standard deviations of log odds.
BETWEEN = (0.5, 0.25)
PER_TRIAL = 60
NEW = 400

Floats = npt.NDArray[np.float64]


def draw_trials(draw: np.random.Generator, trials: int) -> Sample:
    """Draw trials that differ in how many respond, and in what the first feature does.

    Parameters
    ----------
    draw : Generator
        Of random numbers.
    trials : int
        How many.

    Returns
    -------
    Sample
        Of one active and one control arm.
    """
    n = trials * PER_TRIAL
    trial = np.repeat([f"T{at:02d}" for at in range(trials)], PER_TRIAL)
    intercepts = np.repeat(draw.normal(0.0, BETWEEN[0], trials), PER_TRIAL)
    slopes = np.repeat(draw.normal(0.0, BETWEEN[1], trials), PER_TRIAL)
    matrix = draw.normal(size=(n, len(NAMES)))
    arm = np.tile(["a", "c"], n // 2)
    odds = _find_log_odds(matrix, arm == "a") + intercepts + slopes * matrix[:, 0]
    specs = (
        *(FeatureSpec(name, name, "number") for name in NAMES),
        FeatureSpec("arm", "Arm", "category", part="arm", levels={"a": "active", "c": "control"}),
    )
    frame = pd.DataFrame(matrix, columns=list(NAMES))
    frame["arm"] = pd.Categorical(arm, categories=["a", "c"])
    responded = (draw.random(n) < _to_probability(odds)).astype(np.int8)
    blank = np.full(n, "")
    return Sample(FeatureTable(frame, specs), responded[None], trial, blank, blank, arm, arm == "a")


def _find_log_odds(matrix: Floats, active: npt.NDArray[np.bool_]) -> Floats:
    return np.asarray(matrix @ SLOPES + 0.8 * active - 0.6)


def _to_probability(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def cover(candidate: Candidate, trials: int, resampled: Resampled, seed: int) -> list[float]:
    """Count how often ranges hold the probabilities of new patients.

    Parameters
    ----------
    candidate : Candidate
        What is fitted.
    trials : int
        In the training data.
    resampled : str
        As for `refit_on_resamples`.
    seed : int
        Of the draw.

    Returns
    -------
    list of float
        The share of new patients whose probability in a trial of the average kind the range
        holds; the same of their probability in a new trial of its own; and its mean width.
    """
    draw = np.random.default_rng([seed, trials])
    sample = draw_trials(draw, trials)
    matrix = draw.normal(size=(NEW, len(NAMES)))
    new = pd.DataFrame(matrix, columns=list(NAMES))
    new["arm"] = pd.Categorical(["a"] * NEW, categories=["a", "c"])
    refits = refit_on_resamples(
        candidate,
        Trainer(sample, 3, seed),
        lambda model, *_: model.predict_proba(new)[:, 1],
        refits=MOST_KEPT,
        resampled=resampled,
    )
    drawn = np.array([each for each in refits if each is not None])
    low, high = drawn.min(axis=0), drawn.max(axis=0)
    average = _find_log_odds(matrix, np.ones(NEW, dtype=bool))
    own = average + draw.normal(0, BETWEEN[0]) + draw.normal(0, BETWEEN[1]) * matrix[:, 0]
    truths = [_to_probability(average), _to_probability(own)]
    held = [float(((low <= truth) & (truth <= high)).mean()) for truth in truths]
    return [*held, float((high - low).mean())]


def main() -> None:
    """Print coverage and width."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--model", default="ridge")
    parser.add_argument("--trials", type=int, nargs="+", default=[3, 5, 10])
    asked = parser.parse_args()
    project = find_project(ROOT)
    read = {
        path.stem: project.read("models", path.stem, Candidate).value
        for path in sorted((ROOT / "models").glob("*.yaml"))
    }
    candidate = join_members(read[asked.model], read)
    kinds: tuple[Resampled, ...] = ("trials", "participants")
    for trials in asked.trials:
        for resampled in kinds:
            found = np.array(
                Parallel(2)(
                    delayed(cover)(candidate, trials, resampled, seed)
                    for seed in range(asked.repeats)
                )
            )
            mean, error = found.mean(axis=0), found.std(axis=0) / np.sqrt(len(found))
            print(
                f"{asked.model}, {trials} trials of {PER_TRIAL}, {asked.repeats} draws, "
                f"{MOST_KEPT} samples of {resampled}: the range holds the probability in an "
                f"average trial of {mean[0]:.3f} (Monte Carlo error {error[0]:.3f}) of new "
                f"patients, in a new trial of {mean[1]:.3f} ({error[1]:.3f}); its mean width is "
                f"{mean[2]:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
