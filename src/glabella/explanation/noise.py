"""How important features look that are not associated with response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import delayed

from glabella.errors import GlabellaError
from glabella.models.candidate import Candidate, EnsembleCandidate
from glabella.models.grouping import Grouping
from glabella.validation.comparison.permutation import permute_within
from glabella.validation.fitting.keeper import Keeper
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner, Task
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.fitting.workers import keep_one_thread
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import Fold

FAMILY_WISE = 0.05

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """The importance of permuted features, which are not associated with response.

    Parameters
    ----------
    threshold : float or None
        The most important permuted feature has a mean absolute attribution above it in at most
        5 % of permutations; None if it could not be computed.
    largest : array of float, shape (n_permutations,)
        The importance of the most important permuted feature, in the step that decided.
    permutations : int
        The number of permutations in each step that gave a model.
    steps : int
        1 if all or no features exceeded the threshold of the first step; 2 if those that did were
        kept in place, and the others permuted again.
    reason : str or None
        Why there is no threshold.
    """

    threshold: float | None
    largest: Floats
    permutations: int
    steps: int
    reason: str | None = None

    def find_p(self, importance: float) -> float | None:
        """Find the family-wise p-value of a mean absolute attribution; None without threshold."""
        if self.threshold is None:
            return None
        return float((1 + (self.largest >= importance).sum()) / (1 + len(self.largest)))


def measure_noise(
    candidate: Candidate,
    trainer: Trainer,
    folds: Sequence[Fold],
    importance: dict[str, float],
    *,
    grouping: Grouping,
    permutations: int,
    runner: Runner = ONE_BY_ONE,
    keeper: Keeper[Any] | None = None,
) -> Noise:
    """Refit a candidate to permuted features, and keep the largest importance of each permutation.

    Features of the patient are permuted together, between participants of the same trial, cohort
    and arm, as if outcomes were permuted. If all features are permuted, a penalty shrinks all of
    them; beside real predictors it would not, and permuted features would look more important. So
    the features above the threshold are then kept in place, the others are permuted again, and
    the larger of the two thresholds is used.

    Settings are searched once for each fold and step, in its first permutation, and the other
    permutations of the fold use them, since a search costs many times a fit. Weights, calibration
    and penalties that are part of a fit are estimated in each permutation.

    ``importance`` is the mean absolute attribution of each feature or group of the patient. Each
    permutation is fitted to the training part of one of the ``folds``, and measured in its
    held-out part. Finished permutations are kept in, and read from, ``keeper``.

    References
    ----------
    .. [1] Westfall PH, Young SS. Resampling-based multiple testing. Wiley, 1993.
    .. [2] Altmann A, Tolosi L, Sander O, Lengauer T. Permutation importance: a corrected feature
       importance measure. Bioinformatics 2010;26:1340-1347.
    """
    if not importance or max(importance.values()) == 0.0:
        return Noise(None, np.empty(0), 0, 0, "the candidate uses no feature of the patient")

    def run(
        block: tuple[str, ...], step: int, numbers: range, known: Sequence[PermutationResult | None]
    ) -> Iterator[PermutationResult | None]:
        tasks = [
            Task(
                (block, step, number),
                delayed(_measure_permuted)(
                    candidate if before is None else apply_settings(candidate, before.settings),
                    trainer,
                    folds[number % len(folds)],
                    block,
                    grouping,
                    (step, number),
                ),
            )
            for number, before in zip(numbers, known, strict=True)
        ]
        results = runner.run_kept(tasks, keeper, shared=[trainer])
        for number, found in zip(numbers, results, strict=True):
            done = number + 1 + (step - 1) * permutations
            runner.note_done("permuting features", done, step * permutations)
            yield found

    def permute(block: tuple[str, ...], step: int) -> Floats:
        # The first permutation of each fold tunes, and the others of the fold use its settings.
        first = range(min(len(folds), permutations))
        others = range(len(first), permutations)
        tuned = list(run(block, step, first, [None] * len(first)))
        known = [tuned[number % len(folds)] for number in others]
        found = [*tuned, *run(block, step, others, known)]
        return np.array([each.largest for each in found if each is not None])

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
    """Find the value that 5 % of permutations, with the observed order among them, exceed."""
    beyond = int(FAMILY_WISE * (len(largest) + 1))
    return float(np.sort(largest)[len(largest) - beyond])


@dataclass(frozen=True)
class PermutationResult:
    """The result of a permutation.

    Parameters
    ----------
    largest : float
        The importance of the most important permuted feature.
    settings : dict of dict
        The tuned settings by member of an ensemble; under a blank name for another candidate.
    """

    largest: float
    settings: dict[str, dict[str, Any]]


def export_permuted(permuted: PermutationResult) -> dict[str, Any]:
    """Convert the result of a permutation to plain values, for a checkpoint."""
    return vars(permuted)


def restore_permuted(content: dict[str, Any]) -> PermutationResult:
    """Restore the result of a permutation from `export_permuted`."""
    return PermutationResult(**content)


def apply_settings(candidate: Candidate, settings: Mapping[str, Mapping[str, Any]]) -> Candidate:
    """Apply settings that were tuned before, so that a candidate does not search them.

    Weights, calibration and penalties that are estimated without a search still are.
    """
    if isinstance(candidate, EnsembleCandidate):
        members = {
            name: _apply(member, settings.get(name, {}))
            for name, member in candidate.resolved.items()
        }
        return candidate.model_copy(update={"resolved": members})
    return _apply(candidate, settings.get("", {}))


def remove_search(candidate: Candidate) -> Candidate:
    """Remove the search of a candidate, to count the cost of one whose settings are known."""
    if isinstance(candidate, EnsembleCandidate):
        members = {name: remove_search(member) for name, member in candidate.resolved.items()}
        return candidate.model_copy(update={"resolved": members})
    return candidate.model_copy(update={"search": {}})


def _apply(candidate: Candidate, setting: Mapping[str, Any]) -> Candidate:
    fixed = {name: value for name, value in setting.items() if name in candidate.search}
    left = {name: space for name, space in candidate.search.items() if name not in fixed}
    return candidate.model_copy(
        update={"search": left, "settings": {**candidate.settings, **fixed}}
    )


def _measure_permuted(
    candidate: Candidate,
    trainer: Trainer,
    fold: Fold,
    block: tuple[str, ...],
    grouping: Grouping,
    key: tuple[int, int],
) -> PermutationResult | None:
    sample, seed = trainer.sample, trainer.seed
    draw = np.random.default_rng(derive_seed(seed, "noise", *key))
    order = permute_within(sample.strata, draw, people=sample.people)
    columns = [name for shown in block for name in grouping.groups.get(shown, (shown,))]
    permuted = sample.exchange(columns, order, seed)
    try:
        with keep_one_thread():
            tuned = replace(trainer, sample=permuted).fit(
                candidate,
                fold.train,
                seed=derive_seed(seed, "noise fit", *key),
                unit=fold.unit,
            )
            found = grouping.sum_values(
                tuned.model.contributions(permuted.features.take(fold.test))
            )
    except (ValueError, ArithmeticError, GlabellaError):
        return None
    sizes = np.abs(found.values).mean(axis=0)
    largest = float(max(sizes[found.features.index(name)] for name in block))
    settings = {name: dict(member.setting) for name, member in tuned.members.items()}
    return PermutationResult(largest, settings or {"": dict(tuned.setting)})
