"""How important features look that tell nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from joblib import delayed

from glabella.errors import GlabellaError
from glabella.models.candidate import Candidate
from glabella.models.grouping import Grouping
from glabella.validation.comparison.permutation import permute_within
from glabella.validation.fitting.nested import tune_and_fit
from glabella.validation.fitting.parallel import one_thread, run_tasks
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import Fold

FAMILY_WISE = 0.05

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """The importance of features that tell nothing.

    Parameters
    ----------
    threshold : float or None
        Beyond it lies a mean absolute attribution that the most important of the permuted features
        reaches in no more than 5 % of permutations; None where it was not found.
    largest : array of float, shape (n_permutations,)
        The importance of the most important permuted feature, in the step that decided.
    permutations : int
        In each step, those that gave a model.
    steps : int
        1 where nothing stood out from permuted outcomes; 2 where what did was kept in place, and
        the others permuted once more.
    reason : str or None
        Why there is no threshold.
    """

    threshold: float | None
    largest: Floats
    permutations: int
    steps: int
    reason: str | None = None

    def find_p(self, importance: float) -> float | None:
        """Find how often nothing is as important, over all features together.

        Parameters
        ----------
        importance : float
            A feature's mean absolute attribution.

        Returns
        -------
        float or None
            The family-wise p-value; None where there is no threshold.
        """
        if self.threshold is None:
            return None
        return float((1 + (self.largest >= importance).sum()) / (1 + len(self.largest)))


def measure_noise(
    candidate: Candidate,
    sample: Sample,
    folds: Sequence[Fold],
    importance: dict[str, float],
    *,
    grouping: Grouping,
    permutations: int,
    inner_folds: int,
    seed: int,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> Noise:
    """Refit a candidate to permuted features, and keep the largest importance of each time.

    Features of the patient are permuted together, between participants of the same trial, cohort
    and arm: as if outcomes were. A penalty learns that there is nothing, and shrinks all; beside
    real predictors it would not, and features that tell nothing would look larger. So what stood
    out is then kept in place and the others are permuted once more, and the larger of the two
    thresholds holds.

    Parameters
    ----------
    candidate : Candidate
        The definition; all of it is learnt anew each time.
    sample : Sample
        The participants.
    folds : sequence of Fold
        Each permutation is fitted to the training part of one and seen through its held-out part.
    importance : dict of float
        Mean absolute attribution of what is shown of the patient.
    grouping : Grouping
        What is shown as one.
    permutations : int
        In each step.
    inner_folds : int
        Folds of the tuning.
    seed : int
        The analysis's.
    workers : int
        Processes; the result does not depend on it.
    progress : callable, optional
        Called with the number done and the number in all.

    Returns
    -------
    Noise
        The threshold.

    References
    ----------
    .. [1] Westfall PH, Young SS. Resampling-based multiple testing. Wiley, 1993.
    .. [2] Altmann A, Tolosi L, Sander O, Lengauer T. Permutation importance: a corrected feature
       importance measure. Bioinformatics 2010;26:1340-1347.
    """
    if not importance or max(importance.values()) == 0.0:
        return Noise(None, np.empty(0), 0, 0, "the candidate uses no feature of the patient")
    say = progress or (lambda done, total: None)

    def permute(block: tuple[str, ...], step: int) -> Floats:
        jobs = (
            delayed(_measure_permuted)(
                candidate,
                sample,
                folds[number % len(folds)],
                block,
                grouping,
                inner_folds,
                seed,
                (step, number),
            )
            for number in range(permutations)
        )
        found: list[float] = []
        for done, largest in enumerate(run_tasks(jobs, workers=workers, shared=[sample]), 1):
            found.append(largest)
            say(done + (step - 1) * permutations, step * permutations)
        return np.array([each for each in found if not np.isnan(each)])

    shown = tuple(importance)
    first = permute(shown, 1)
    if len(first) < 1 / FAMILY_WISE - 1:
        return Noise(None, first, len(first), 1, "too few permutations gave a model")
    threshold = _find_threshold(first)
    others = tuple(name for name in shown if importance[name] <= threshold)
    if len(others) in (0, len(shown)):
        return Noise(threshold, first, len(first), 1)
    second = permute(others, 2)
    if len(second) < 1 / FAMILY_WISE - 1 or _find_threshold(second) <= threshold:
        return Noise(threshold, first, len(first), 2)
    return Noise(_find_threshold(second), second, len(second), 2)


def _find_threshold(largest: Floats) -> float:
    """The value that leaves 5 % of permutations and the participants' own order beyond it."""
    beyond = int(FAMILY_WISE * (len(largest) + 1))
    return float(np.sort(largest)[len(largest) - beyond])


def _measure_permuted(
    candidate: Candidate,
    sample: Sample,
    fold: Fold,
    block: tuple[str, ...],
    grouping: Grouping,
    inner_folds: int,
    seed: int,
    key: tuple[int, int],
) -> float:
    draw = np.random.default_rng(derive_seed(seed, "noise", *key))
    order = permute_within(sample.strata, draw, people=sample.people)
    columns = [name for shown in block for name in grouping.groups.get(shown, (shown,))]
    permuted = sample.exchange(columns, order, seed)
    try:
        with one_thread():
            tuned = tune_and_fit(
                candidate,
                permuted,
                fold.train,
                inner_folds=inner_folds,
                seed=derive_seed(seed, "noise fit", *key),
                unit=fold.unit,
            )
            found = grouping.sum_values(
                tuned.model.contributions(permuted.features.take(fold.test))
            )
    except (ValueError, ArithmeticError, GlabellaError):
        return float("nan")
    sizes = np.abs(found.values).mean(axis=0)
    return float(max(sizes[found.features.index(name)] for name in block))
