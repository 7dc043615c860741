"""How much the chosen model would differ, had other participants of the same kind come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import delayed

from glabella.errors import GlabellaError
from glabella.models.candidate import Candidate
from glabella.models.estimators.contributions import Contributions
from glabella.models.estimators.interface import ResponderModel
from glabella.validation.fitting.keeper import Keeper
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner, Task
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.fitting.workers import keep_one_thread
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import Unit
from glabella.validation.measures.calibration import compute_calibration
from glabella.validation.measures.estimation.estimate import LEVEL

LEADING = 3
# Below this a mean absolute attribution, in log odds, moves no probability in its ninth digit.
_USED = 1e-9

Floats = npt.NDArray[np.float64]
Seen = TypeVar("Seen")
Resampled = Literal["participants", "trials"]
Look = Callable[[ResponderModel, Sample, npt.NDArray[np.int_]], Seen]


@dataclass(frozen=True)
class Refit:
    """A model refitted to a bootstrap sample, seen through the original participants.

    Parameters
    ----------
    probability : array of float, shape (n_participants,)
        Its predictions.
    importance : dict of float
        Mean absolute attribution of each feature of the patient, in log odds.
    """

    probability: Floats
    importance: dict[str, float]


@dataclass(frozen=True)
class FeatureStability:
    """How often refits use a feature.

    Parameters
    ----------
    feature : str
        Its name.
    is_leading : bool
        Whether it is among the leading features of the model itself.
    used, leading : float
        The share of refits that use it, and that have it among their leading features.
    """

    feature: str
    is_leading: bool
    used: float
    leading: float


@dataclass(frozen=True)
class Stability:
    """How the predictions of refits scatter around those of the model.

    Parameters
    ----------
    refits, failed : int
        Bootstrap samples that gave a model, and those that gave none.
    threshold : float
        The probability at which classification is compared.
    probability, low, high : array of float, shape (n_participants,)
        The model's prediction and the middle 95 % of the refits' predictions.
    error : array of float, shape (n_participants,)
        Mean absolute difference of the refits' predictions from the model's.
    flips : array of float, shape (n_participants,)
        Share of refits that put the participant on the other side of the threshold.
    slopes, intercepts : array of float, shape (n_estimable,)
        Calibration of refits on the original participants, where it can be estimated.
    features : tuple of FeatureStability
        In the order of the model's importance.
    agreement : float
        The mean share of the model's leading features that refits have among theirs.
    """

    refits: int
    failed: int
    threshold: float
    probability: Floats
    low: Floats
    high: Floats
    error: Floats
    flips: Floats
    slopes: Floats
    intercepts: Floats
    features: tuple[FeatureStability, ...]
    agreement: float

    @property
    def mean_error(self) -> float:
        """The mean absolute prediction error over participants."""
        return float(self.error.mean())

    @property
    def mean_flips(self) -> float:
        """The classification instability index averaged over participants."""
        return float(self.flips.mean())

    @property
    def median_width(self) -> float:
        """The median width of a participant's range."""
        return float(np.median(self.high - self.low))

    def describe(self) -> str:
        """Say how stable predictions and predictors are."""
        width = self.high - self.low
        words = (
            f"Refitted to {self.refits} bootstrap samples, the model gives the median participant "
            f"predictions over a range of {self.median_width:.2f}, and one in ten a range of more "
            f"than {np.quantile(width, 0.9):.2f}; a refit's prediction is off the model's by "
            f"{self.mean_error:.2f} on average, and on the other side of {self.threshold:g} in "
            f"{100 * self.mean_flips:.0f} %. Of the leading features, refits share "
            f"{100 * self.agreement:.0f} %."
        )
        return f"{words} {self.failed} samples gave no model." if self.failed else words


def refit_on_resamples(
    candidate: Candidate,
    trainer: Trainer,
    look: Look[Seen],
    *,
    refits: int,
    runner: Runner = ONE_BY_ONE,
    unit: Unit = "participant",
    resampled: Resampled = "participants",
    keeper: Keeper[Seen] | None = None,
) -> list[Seen | None]:
    """Tune and fit a candidate to bootstrap samples.

    Returns
    -------
    list
        What `look` returned; None where a sample gave no model, for the most part because it
        holds one class.

    References
    ----------
    .. [1] Davison AC, Hinkley DV. Bootstrap methods and their application. Cambridge University
       Press 1997, section 3.8: hierarchical data.
    """
    tasks = [
        Task(
            (resampled, number),
            delayed(_refit)(candidate, trainer, look, unit, resampled, number),
        )
        for number in range(refits)
    ]
    done: list[Seen | None] = []
    for result in runner.run_kept(tasks, keeper, shared=[trainer]):
        done.append(result)
        runner.note_done("refitting", len(done), refits)
    return done


def describe_refit(
    model: ResponderModel, sample: Sample, drawn: npt.NDArray[np.int_] | None = None
) -> Refit:
    """See a fitted model through the participants."""
    return explain_refit(model, sample, model.contributions(sample.features.columns))


def explain_refit(model: ResponderModel, sample: Sample, contributions: Contributions) -> Refit:
    """See a fitted model through participants whose contributions are known."""
    columns = sample.features.columns
    sizes = np.abs(contributions.values).mean(axis=0)
    patient = {spec.name for spec in sample.features.specs if spec.part == "patient"}
    return Refit(
        np.asarray(model.predict_proba(columns)[:, 1], dtype=float),
        {
            name: float(size)
            for name, size in zip(contributions.features, sizes, strict=True)
            if name in patient
        },
    )


def measure_stability(
    tuned: TunedModel,
    refits: Sequence[Refit | None],
    sample: Sample,
    *,
    threshold: float = 0.5,
) -> Stability | None:
    """Compare refits with the model itself.

    References
    ----------
    .. [1] Riley RD, Collins GS. Stability of clinical prediction models developed using
       statistical or machine learning methods. Biom J 2023;65:2200302.
    """
    if not 0.0 < threshold < 1.0:
        raise ValueError(f"a threshold of {threshold:g} is not inside (0, 1)")
    known = [refit for refit in refits if refit is not None]
    if not known:
        return None
    original = describe_refit(tuned.model, sample)
    drawn = np.stack([refit.probability for refit in known])
    low, high = np.quantile(drawn, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0], axis=0)
    above = original.probability >= threshold
    calibrations = [
        compute_calibration(sample.labels, refit.probability, participant=sample.people)
        for refit in known
    ]
    leading = _find_leading(original.importance)
    found = [_find_leading(refit.importance) for refit in known]
    return Stability(
        refits=len(known),
        failed=len(refits) - len(known),
        threshold=threshold,
        probability=original.probability,
        low=low,
        high=high,
        error=np.abs(drawn - original.probability).mean(axis=0),
        flips=((drawn >= threshold) != above).mean(axis=0),
        slopes=_collect([item.slope.value for item in calibrations]),
        intercepts=_collect([item.intercept.value for item in calibrations]),
        features=tuple(
            FeatureStability(
                feature=name,
                is_leading=name in leading,
                used=float(np.mean([refit.importance[name] > _USED for refit in known])),
                leading=float(np.mean([name in mine for mine in found])),
            )
            for name in _rank(original.importance)
        ),
        # A model that uses nothing agrees with refits that use nothing either.
        agreement=float(
            np.mean([len(leading & mine) / len(leading) if leading else not mine for mine in found])
        ),
    )


def _refit(
    candidate: Candidate,
    trainer: Trainer,
    look: Look[Seen],
    unit: Unit,
    resampled: Resampled,
    number: int,
) -> Seen | None:
    sample, seed = trainer.sample, trainer.seed
    draw = np.random.default_rng(derive_seed(seed, "resample", number))
    if resampled == "participants":
        rows = _resample(sample, np.arange(sample.n), draw)
    else:
        rows = _resample_trials(sample, draw)
    try:
        with keep_one_thread():
            tuned = trainer.fit(
                candidate, rows, seed=derive_seed(seed, "stability", number), unit=unit
            )
            return look(tuned.model, sample, rows)
    except (ValueError, ArithmeticError, GlabellaError):
        return None


def _resample(
    sample: Sample, among: npt.NDArray[np.int_], draw: np.random.Generator
) -> npt.NDArray[np.int_]:
    """Draw persons with replacement within strata: trials and arms keep their size by design."""
    rows = pd.DataFrame(
        {"person": sample.people[among], "stratum": sample.strata[among]}, index=among
    )
    rows_of = {person: index.to_numpy() for person, index in rows.groupby("person").groups.items()}
    first = rows.drop_duplicates("person")
    taken = [
        rows_of[person]
        for _, members in first.groupby("stratum", sort=False)
        for person in draw.choice(members["person"].to_numpy(), len(members))
    ]
    return np.concatenate(taken)


def _resample_trials(sample: Sample, draw: np.random.Generator) -> npt.NDArray[np.int_]:
    """Draw trials with replacement, and anew the persons of each time that a trial is drawn."""
    trials = np.unique(sample.trial)
    return np.concatenate(
        [
            _resample(sample, np.flatnonzero(sample.trial == trial), draw)
            for trial in draw.choice(trials, len(trials))
        ]
    )


def _rank(importance: Mapping[str, float]) -> list[str]:
    return sorted(importance, key=lambda name: -importance[name])


def _find_leading(importance: Mapping[str, float]) -> set[str]:
    return {name for name in _rank(importance)[:LEADING] if importance[name] > _USED}


def _collect(values: Sequence[float | None]) -> Floats:
    return np.array([value for value in values if value is not None], dtype=float)
