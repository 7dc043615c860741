"""Refits of the chosen candidate: for its explanation, its stability, and what a bundle keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.bundle.refits import MOST_KEPT
from glabella.explanation.budget import Budget
from glabella.explanation.refits import RefitSummary, SummariseRefit, export_refit, restore_refit
from glabella.models.build import export_model
from glabella.models.estimators.interface import ResponderModel
from glabella.validation.adequacy.stability import refit_on_resamples
from glabella.validation.fitting.digest import Digester
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner
from glabella.validation.folds.sample import Sample


def make_scope(loaded: LoadedAnalysis, chosen: str, part: str, digester: Digester) -> str:
    """Make the scope of a part of what the chosen candidate is refitted for."""
    analysis = loaded.analysis
    scope = digester.make_scope(
        {chosen: loaded.resolved.candidates[chosen].value},
        loaded.sample,
        analysis.seed,
        analysis.validation.inner_folds,
        analysis.validation.pooled.unit,
        sorted(loaded.grouping.groups.items()),
    )
    return scope + part


def refit_chosen(
    loaded: LoadedAnalysis,
    chosen: str,
    budget: Budget,
    runner: Runner = ONE_BY_ONE,
) -> list[RefitSummary | None]:
    """Refit the chosen candidate to bootstrap samples.

    Returns
    -------
    list of RefitSummary or None
        For stability and for explanations, whichever asks for more; None where a sample gave no
        model.
    """
    analysis = loaded.analysis
    stability = analysis.validation.stability
    wanted = max(budget.refits, 0 if stability is None else stability.refits)
    if not wanted:
        return []
    return refit_on_resamples(
        loaded.resolved.candidates[chosen].value,
        loaded.trainer,
        SummariseRefit(loaded.grouping),
        refits=wanted,
        runner=runner.name_stage(f"refitting {chosen}"),
        unit=analysis.validation.pooled.unit,
        keeper=runner.make_keeper(
            partial(make_scope, loaded, chosen, "seen"), export_refit, restore_refit
        ),
    )


def refit_for_uncertainty(
    loaded: LoadedAnalysis,
    chosen: str,
    refits: Sequence[RefitSummary | None],
    runner: Runner = ONE_BY_ONE,
) -> list[Mapping[str, bytes]]:
    """Refit the chosen candidate, tuning included, to samples of trials and of their participants.

    Returns
    -------
    list of mapping of bytes
        The files of each, as many as a bundle keeps; those whose sample gave a model.
    """
    known = [item.files for item in refits if item is not None]
    if not known or len(np.unique(loaded.sample.trial)) < 2:
        return list(known)
    drawn = refit_on_resamples(
        loaded.resolved.candidates[chosen].value,
        loaded.trainer,
        _export,
        refits=MOST_KEPT,
        runner=runner.name_stage("refitting to samples of trials"),
        unit=loaded.analysis.validation.pooled.unit,
        resampled="trials",
        keeper=runner.make_keeper(partial(make_scope, loaded, chosen, "files"), dict, dict),
    )
    return [files for files in drawn if files is not None]


def _export(model: ResponderModel, sample: Sample, drawn: npt.NDArray[np.int_]) -> dict[str, bytes]:
    return dict(export_model(model))
