"""Refits of the chosen candidate that a bundle keeps, to say how sure a prediction is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from glabella.analysis.load import LoadedAnalysis
from glabella.bundle.refits import MOST_KEPT
from glabella.explanation.refits import SeenRefit
from glabella.models.build import export_model
from glabella.models.estimators.interface import ResponderModel
from glabella.pipelines.training.explanation import make_scope
from glabella.validation.adequacy.stability import refit_on_resamples
from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.kept import Keeper
from glabella.validation.fitting.nested import Progress
from glabella.validation.folds.sample import Sample


def refit_for_uncertainty(
    loaded: LoadedAnalysis,
    chosen: str,
    refits: Sequence[SeenRefit | None],
    *,
    workers: int,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[Mapping[str, bytes]]:
    """Refit the chosen candidate, tuning included, to samples of trials and of their participants.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    chosen : str
        The chosen candidate.
    refits : sequence of SeenRefit or None
        To samples of participants: what differs between trials does not differ between these, so
        they serve where there is one trial alone. Empty where the analysis asks for no refits.
    workers : int
        Processes; the results do not depend on it.
    progress : callable, optional
        Called with a stage, the number done and the number in all.
    checkpoint : Checkpoint, optional
        Where finished refits are kept and found.

    Returns
    -------
    list of mapping of bytes
        The files of each, as many as a bundle keeps; those whose sample gave a model.
    """
    known = [item.files for item in refits if item is not None]
    if not known or len(np.unique(loaded.sample.trial)) < 2:
        return list(known)
    analysis = loaded.resolved.analysis.value
    drawn = refit_on_resamples(
        loaded.resolved.candidates[chosen].value,
        loaded.sample,
        _export,
        refits=MOST_KEPT,
        inner_folds=analysis.validation.inner_folds,
        seed=analysis.seed,
        workers=workers,
        unit=analysis.validation.pooled.unit,
        resampled="trials",
        progress=None if progress is None else partial(progress, "refitting to samples of trials"),
        keeper=None
        if checkpoint is None
        else Keeper(checkpoint, make_scope(loaded, chosen, checkpoint) + "files", dict, dict),
    )
    return [files for files in drawn if files is not None]


def _export(model: ResponderModel, sample: Sample, drawn: npt.NDArray[np.int_]) -> dict[str, bytes]:
    return dict(export_model(model))
