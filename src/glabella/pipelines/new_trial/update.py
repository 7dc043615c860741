"""The verb `update`: a version of a model that a new trial has recalibrated, or refitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis, load_analysis
from glabella.bundle.applicability.applicability_domain import (
    LIKENESS_FILE,
    learn_applicability_domain,
)
from glabella.bundle.applicability.drift import describe_distributions
from glabella.bundle.applicability.similar_patients import NEIGHBOURS_FILE, learn_similar_groups
from glabella.bundle.applicability.training_ranges import describe_ranges
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.refits import REFITS_FILE, export_refits
from glabella.bundle.save import write_bundle
from glabella.bundle.tables import make_request
from glabella.cluster.versions import list_versions
from glabella.data.reading.raw import ReadOptions
from glabella.definitions.locate import Project, find_project
from glabella.domain.small_counts import UNDER_TEN, suppress_group
from glabella.errors import AnalysisError
from glabella.features.spec import FeatureTable
from glabella.models.build import export_model
from glabella.models.estimators.interface import ResponderModel
from glabella.models.estimators.recalibrated import CalibratedModel
from glabella.old_names import apply_old_names
from glabella.pipelines.new_trial.read_table import NewTrial, NewTrialOptions
from glabella.pipelines.new_trial.results import TrialValidation
from glabella.pipelines.new_trial.transport import read_prediction_interval, validate_trial
from glabella.pipelines.new_trial.validate import read_new_trials
from glabella.pipelines.run_folder import BUNDLE_FOLDER, open_run_folder
from glabella.tracking.models import find_bundle
from glabella.tracking.registry import UPDATED_TAG, register_bundle
from glabella.tracking.runs import open_run
from glabella.tracking.store import open_store
from glabella.validation.across_trials.recalibration import Recalibration, Update, UpdateChoice
from glabella.validation.comparison.candidate_result import describe_performance
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.performance import Performance, measure_performance

__all__ = ["UpdateResult", "update"]

Method = Literal["auto", "in-the-large", "intercept-and-slope", "refit"]
METHODS: Mapping[Method, Update | None] = {
    "auto": None,
    "in-the-large": "in the large",
    "intercept-and-slope": "intercept and slope",
    "refit": "refit",
}
_SLUGS: Mapping[Update, str] = {
    "in the large": "recalibrated in the large",
    "intercept and slope": "recalibrated",
    "refit": "refitted",
}
RECORD_FILE = "update.json"


@dataclass(frozen=True)
class UpdateResult:
    """What an update came to.

    Parameters
    ----------
    parent, model : str
        The model that was updated, and the new one; the same where nothing was needed.
    update : str
        ``none``, ``in the large``, ``intercept and slope`` or ``refit``.
    before : TrialValidation
        The parent in the new trial.
    after : Performance
        The new model on the same participants: it has learnt from them.
    model_uri : str or None
        The registered version; None where nothing was written.
    bundle : str or None
        Its folder.
    run_id : str or None
        MLflow's id of the run.
    """

    parent: str
    model: str
    update: Update
    before: TrialValidation = field(repr=False)
    after: Performance = field(repr=False)
    model_uri: str | None
    bundle: str | None
    run_id: str | None

    def describe(self) -> str:
        """Say what was done and why.

        Returns
        -------
        str
            The test, and what it led to.
        """
        said = [] if self.before.update is None else [self.before.update.describe()]
        if self.update == "none":
            said.append("The model stays as it is; no version was written.")
        else:
            said.append(
                f"{self.model} is {_SLUGS[self.update]} to {self.before.trial.name} "
                f"({self.before.performance.n} participants) and has not been validated since: its "
                "figures there are of participants it has learnt from."
            )
        return " ".join(said)

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            ``before`` as `validate` tells it; ``after`` is apparent.
        """
        return {
            "parent": self.parent,
            "model": self.model,
            "update": self.update,
            "statement": self.describe(),
            "before": self.before.as_json(),
            "after": describe_performance(self.after),
            "model_uri": self.model_uri,
            "bundle": self.bundle,
            "run_id": self.run_id,
        }


@apply_old_names
def update(
    table: str | Path,
    *,
    outcome: str | None = None,
    event: str | None = None,
    model: str | None = None,
    method: Method = "auto",
    arm_column: str | None = None,
    arm: str | None = None,
    form: str | None = None,
    read: ReadOptions | Mapping[str, str | None] | None = None,
    training_data: str | Path | None = None,
    allow_overlap: bool = False,
    allow_reversed: bool = False,
    allow_simulated: bool = False,
    data: str | Path | None = None,
    project: str | Path | None = None,
) -> UpdateResult:
    """Write a version of a model that is updated to a new trial.

    Parameters
    ----------
    table : str or Path
        As one of `validate`; an analysis of one trial.
    outcome, event, model, arm_column, arm, form, read, data, project
        As in `validate`.
    allow_overlap, allow_reversed, allow_simulated
        As in `validate`.
    method : str
        ``auto``: the least update that the closed test of `choose_update` does not reject;
        ``in-the-large``: a new intercept; ``intercept-and-slope``; ``refit``: the candidate tuned
        and fitted again with the new trial pooled in, which needs the training's own data.
    training_data : str or Path, optional
        The folder of the data that the model was trained on, for ``refit``; the project's unless
        stated. They are held against the hash that training recorded.

    Returns
    -------
    UpdateResult
        The new version is registered beside the old one, which stays as it is, with its lineage.
        Nothing is written where no update is needed.

    Raises
    ------
    GlabellaError
        If the trial is refused or says too little to update by, the slope would turn the order of
        participants, or the training's data are not there or not the same.

    References
    ----------
    .. [1] Vergouwe Y et al. A closed testing procedure to select an appropriate method for updating
       prediction models. Stat Med 2017;36:4529-4539.
    """
    home = find_project(Path(project) if project is not None else None)
    bundle = find_bundle(model, project=home, allow_simulated=allow_simulated)
    options = NewTrialOptions(
        outcome=outcome,
        event=event,
        arm_column=arm_column,
        arm=arm,
        request=make_request(form, read),
        allow_overlap=allow_overlap,
        allow_reversed=allow_reversed,
        data=None if data is None else Path(data),
    )
    trials = list(read_new_trials(str(table), bundle, options, project=home))
    if len(trials) != 1:
        raise AnalysisError(
            f"an update takes one trial, and the analysis has {len(trials)}",
            place=str(table),
            remedy="Name an analysis of the new trial alone.",
        )
    before = validate_trial(
        trials[0], bundle, read_prediction_interval(bundle.manifest.performance)
    )
    choice = before.update
    if choice is None:
        raise AnalysisError(
            f"the trial says too little to update by: {before.update_reason}",
            place=trials[0].name,
            remedy="Wait for more participants.",
        )
    wanted = METHODS[method] or choice.chosen
    if wanted == "none":
        name = bundle.manifest.model
        return UpdateResult(name, name, "none", before, before.performance, None, None, None)
    made = (
        _refit(trials[0], bundle, home, None if training_data is None else Path(training_data))
        if wanted == "refit"
        else _fit_recalibration(bundle, choice.find(wanted))
    )
    return _write(home, bundle, before, choice, wanted, made)


@dataclass(frozen=True)
class _Made:
    """An updated model, and what it changes in the bundle."""

    model: ResponderModel
    files: dict[str, bytes]
    changes: dict[str, Any]
    applied: Recalibration | None


def _fit_recalibration(bundle: Bundle, learnt: Recalibration) -> _Made:
    if not bundle.model.is_additive:
        raise AnalysisError(
            "its predictions do not add up on the log-odds scale, so they can't be recalibrated "
            "there",
            place=bundle.manifest.model,
            remedy="Update it with --method refit.",
        )
    if not learnt.slope > 0:
        raise AnalysisError(
            f"the slope in the new trial is {learnt.slope:.2f}: recalibrating would turn the order "
            "of participants",
            place=bundle.manifest.model,
            remedy="The model does not hold there; --method refit, or do not use it.",
        )
    model = CalibratedModel(bundle.model, learnt.slope, learnt.intercept)
    refits = [
        export_model(CalibratedModel(each, learnt.slope, learnt.intercept))
        for each in bundle.refits
    ]
    files = {
        **export_model(model),
        LIKENESS_FILE: bundle.domain.export(),
        NEIGHBOURS_FILE: bundle.further[NEIGHBOURS_FILE],
        **({REFITS_FILE: export_refits(refits)} if refits else {}),
    }
    return _Made(model, files, {"performance": _keep_order(bundle.manifest)}, learnt)


def _keep_order(manifest: Manifest) -> dict[str, Any]:
    """The figures that a recalibration leaves as they are: those of the order of participants."""
    kept: dict[str, Any] = {}
    for design in ("pooled", "across"):
        found = manifest.performance.get(design)
        if found:
            kept[design] = {name: found[name] for name in ("auc", "auc_low", "auc_high")}
    random = (manifest.performance.get("across") or {}).get("random_effects") or {}
    if "auc" in random:
        kept["across"]["random_effects"] = {"auc": random["auc"]}
    return kept


def _refit(trial: NewTrial, bundle: Bundle, home: Project, data: Path | None) -> _Made:
    """Tune and fit the candidate again, with the new trial pooled in."""
    manifest = bundle.manifest
    loaded = load_analysis(manifest.analysis, home, data=data)
    if loaded.data_hash != manifest.provenance.get("data_sha256"):
        raise AnalysisError(
            "the data are not those that the model was trained on",
            place=manifest.analysis,
            remedy="Name their folder with --training-data, or update with another --method.",
        )
    sample = _pool(loaded, trial)
    tuned = replace(loaded.trainer, sample=sample).fit_to_all(
        loaded.resolved.candidates[manifest.candidate].value,
        unit=loaded.analysis.validation.pooled.unit,
    )
    files = {
        **export_model(tuned.model),
        LIKENESS_FILE: learn_applicability_domain(sample.features, sample.trial).export(),
        NEIGHBOURS_FILE: learn_similar_groups(
            sample.features, sample.expected, sample.arm
        ).export(),
    }
    cells = pd.DataFrame({"trial": sample.trial, "arm": sample.arm, "responded": sample.expected})
    counts = cells.groupby(["trial", "arm"], sort=False, as_index=False).agg(
        n=("responded", "size"), events=("responded", "sum")
    )
    changes = {
        "training": {
            "n": sample.n,
            "events": sample.events,
            "cells": counts.to_dict("records"),
        },
        "ranges": describe_ranges(sample.features),
        "reference": describe_distributions(sample.features),
        # Nothing was validated anew, and what was is of another fit.
        "performance": {},
    }
    return _Made(tuned.model, files, changes, None)


def _pool(loaded: LoadedAnalysis, trial: NewTrial) -> Sample:
    old, new = loaded.sample, trial.sample
    if old.imputation is not None or len(new.outcomes) > 1:
        raise AnalysisError(
            "outcomes are imputed, and those of two trials can't be pooled after the fact",
            place=loaded.resolved.name,
            remedy="Add the trial to the analysis's `data:` and train again.",
        )
    specs, frames = [], [old.features.frame.copy(), new.features.frame.copy()]
    for spec in old.features.specs:
        if spec.part == "trial":
            levels = {**spec.levels, trial.name: trial.name}
            spec = replace(spec, levels=levels)
            frames[1][spec.name] = trial.name
        if spec.kind == "category":
            for frame in frames:
                frame[spec.name] = pd.Categorical(frame[spec.name], categories=list(spec.levels))
        specs.append(spec)
    joined = pd.concat(frames, ignore_index=True)[[spec.name for spec in specs]]
    people = None
    if old.person is not None or new.person is not None:
        people = np.concatenate([old.people, new.people + int(old.people.max()) + 1])

    def stack(name: str) -> np.ndarray:
        return np.concatenate([getattr(old, name), getattr(new, name)])

    return Sample(
        features=FeatureTable(joined, tuple(specs)),
        outcomes=np.concatenate([old.outcomes, new.outcomes], axis=1),
        trial=stack("trial"),
        site=stack("site"),
        cohort=stack("cohort"),
        arm=stack("arm"),
        active=stack("active"),
        person=people,
        background=old.background,
    )


def _write(
    home: Project,
    bundle: Bundle,
    before: TrialValidation,
    choice: UpdateChoice,
    done: Update,
    made: _Made,
) -> UpdateResult:
    """Save, log and register the new version, or nothing of it."""
    parent, trial = bundle.manifest, before.trial
    after = _measure(trial, made.model)
    mark = " (simulated)" if parent.origin == "simulated" else ""
    tags = {"origin": parent.origin, UPDATED_TAG: parent.model, "update": done}
    with (
        open_run(
            open_store(home, create=True),
            analysis=parent.analysis,
            run_name=f"{parent.model} {_SLUGS[done]} to {trial.name}{mark}"[:250],
            tags=tags,
            is_training=False,
        ) as run,
        open_run_folder(home, "updated", run.run_id) as folder,
    ):
        manifest = _describe(bundle, before, choice, done, made, run.run_id)
        write_bundle(folder.partial / BUNDLE_FOLDER, manifest, made.files)
        result = UpdateResult(
            parent.model, manifest.model, done, before, after, None,
            str(folder.final / BUNDLE_FOLDER), run.run_id,
        )  # fmt: skip
        (folder.partial / RECORD_FILE).write_text(
            json.dumps(result.as_json(), indent=1, allow_nan=False), encoding="utf-8"
        )
        # Who was learnt from is known to this machine alone, as of a training.
        folder.write_keys(trial.people)
        run.log_folder(folder.partial / BUNDLE_FOLDER, BUNDLE_FOLDER)
        run.log_file(folder.partial / RECORD_FILE)
        folder.keep()
        uri = register_bundle(
            run,
            folder.final / BUNDLE_FOLDER,
            manifest,
            record=folder.final / RECORD_FILE,
            tags={UPDATED_TAG: parent.model, "update": done, "update.trial": trial.name},
        )
    return replace(result, model_uri=uri)


def _measure(trial: NewTrial, model: ResponderModel) -> Performance:
    frame = trial.sample.features.frame
    probability = model.predict_proba(frame)[:, 1]
    return measure_performance(trial.predict().assign(probability=probability), trial.sample)


def _describe(
    bundle: Bundle,
    before: TrialValidation,
    choice: UpdateChoice,
    done: Update,
    made: _Made,
    run_id: str,
) -> Manifest:
    """Make the manifest of the new version: its parent's, but for what the update changed."""
    parent, trial = bundle.manifest, before.trial
    earlier = parent.provenance.get("lineage")
    name = f"{parent.analysis}/{parent.candidate} {_SLUGS[done]}/{run_id[:8]}"
    applied = None
    if made.applied is not None:
        applied = {"slope": made.applied.slope, "intercept": made.applied.intercept}
    told = suppress_group(before.performance.n, before.performance.events)
    lineage = {
        "parent": parent.model,
        "parent_bundle_sha256": bundle.digest,
        # Whoever was learnt from before was learnt from still.
        "runs": [*((earlier or {}).get("runs") or []), parent.provenance.get("run")],
        "update": done,
        "was_chosen": done == choice.chosen,
        "test": choice.as_json(),
        "applied": applied,
        "trial": trial.name,
        "trial_n": told.n,
        "trial_events": told.events,
        "trial_sha256": trial.table_sha256,
        "earlier": earlier,
    }
    count = UNDER_TEN if told.n is None else told.n
    finding = (
        f"Updated: {name} is {parent.model}, {_SLUGS[done]} to {trial.name} "
        f"({count} participants), and has not been validated since. Of its parent: "
        f"{parent.finding}"
    )
    # What stands out from noise was tested of another fit.
    beyond = dict.fromkeys(parent.beyond_noise) if done == "refit" else parent.beyond_noise
    return parent.model_copy(
        update={
            "glabella": version("glabella"),
            "model": name,
            "finding": finding,
            "beyond_noise": beyond,
            "provenance": {
                **parent.provenance,
                "run": run_id,
                "versions": list_versions(),
                "lineage": lineage,
            },
            **made.changes,
        }
    )
