"""The run: load, validate, choose, refit, explain, report, log and register."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from glabella.bundle.save import save_bundle
from glabella.definitions.locate import Project, find_project
from glabella.pipelines.choice import Procedure, measure_procedure
from glabella.pipelines.compose_report import compose_record
from glabella.pipelines.explain import Explained, explain_chosen, refit_chosen
from glabella.pipelines.external import External, predict_external
from glabella.pipelines.learning_curve import ChosenLearningCurve, run_learning_curve
from glabella.pipelines.limits import Limits, find_limits
from glabella.pipelines.load import LoadedAnalysis, load_analysis
from glabella.pipelines.make_bundle import describe_bundle, list_versions, refit
from glabella.pipelines.permutations import Permutations, run_permutations
from glabella.pipelines.sensitivity import Sensitivity, run_sensitivity
from glabella.pipelines.stability import ChosenStability, run_stability
from glabella.pipelines.uncertainty import refit_for_uncertainty
from glabella.pipelines.validate import PROCEDURE, Validated, plan_folds, run_validation
from glabella.reporting.record import RECORD_FILE, write_record
from glabella.reporting.render import render_report
from glabella.tracking.history import (
    DATA_TAG,
    DEFINITIONS_TAG,
    OUTCOME_TAG,
    History,
    find_history,
    write_definitions_tag,
)
from glabella.tracking.registry import register_bundle
from glabella.tracking.runs import OpenRun, open_run
from glabella.tracking.store import open_store
from glabella.validation.checkpoint import Checkpoint
from glabella.validation.nested import Progress, collect_predictions
from glabella.validation.net_benefit import measure_net_benefit
from glabella.validation.parallel import use_workers
from glabella.validation.performance import MEASURES
from glabella.validation.result import CandidateResult, flatten_gains, flatten_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BUNDLE_FOLDER = "bundle"
RECORD_FOLDER = "record"
REPORT_FILE = "report.html"


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to.

    Parameters
    ----------
    run_id : str
        MLflow's id of the run.
    chosen : str
        The chosen candidate.
    model_uri : str
        The registered version.
    bundle, report : str
        Where the model and the report are.
    finding : str
        The sentence at the top of the report.
    n : int
        Analysed participants.
    events : float
        Responders; where outcomes are imputed, their mean number.
    candidates : dict of CandidateResult
        By name.
    validated : Validated
        Predictions, differences and folds.
    procedure : Procedure
        The figures of choice and fit together, and how far they are from the apparent ones.
    explained : Explained
        The predictors of the chosen candidate, and how sure they are.
    sensitivity : Sensitivity or None
        The same under other definitions of the endpoint, and for drop-out, where the analysis
        lists some.
    limits : Limits or None
        What rules that know the truth reach, where the data are simulated.
    history : History
        Which training on the same outcome and data it is.
    permutations : Permutations or None
        Whether there is anything to find, where the analysis asks for permutations.
    stability : ChosenStability or None
        The chosen candidate refitted to bootstrap samples, where the analysis asks for it.
    external : External or None
        The trials that had no part in anything else, where the analysis names some.
    learning_curve : ChosenLearningCurve or None
        What fewer participants brought and more would, where the analysis asks for it.
    """

    run_id: str
    chosen: str
    model_uri: str
    bundle: str
    report: str
    finding: str
    n: int
    events: float
    candidates: dict[str, CandidateResult]
    validated: Validated = field(repr=False)
    procedure: Procedure = field(repr=False)
    explained: Explained = field(repr=False)
    sensitivity: Sensitivity | None = field(default=None, repr=False)
    limits: Limits | None = field(default=None, repr=False)
    history: History = field(default=History(1), repr=False)
    permutations: Permutations | None = field(default=None, repr=False)
    stability: ChosenStability | None = field(default=None, repr=False)
    external: External | None = field(default=None, repr=False)
    learning_curve: ChosenLearningCurve | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            As `glabella train --json` prints it.
        """
        return {
            "run_id": self.run_id,
            "chosen": self.chosen,
            "model_uri": self.model_uri,
            "bundle": self.bundle,
            "report": self.report,
            "finding": self.finding,
            "n": self.n,
            "events": self.events,
            "candidates": {name: item.as_json() for name, item in self.candidates.items()},
            "procedure": self.procedure.as_json(),
            "sensitivity": None if self.sensitivity is None else self.sensitivity.as_json(),
            "limits": None if self.limits is None else self.limits.as_json(),
            "history": self.history.as_json(),
            "permutations": None if self.permutations is None else self.permutations.as_json(),
            "stability": None if self.stability is None else self.stability.as_json(),
            "external": None if self.external is None else self.external.as_json(),
            "explanation": self.explained.as_json(),
            "learning_curve": (
                None if self.learning_curve is None else self.learning_curve.as_json()
            ),
        }

    def frame(self) -> pd.DataFrame:
        """Tabulate the figures.

        Returns
        -------
        DataFrame
            One row a candidate and design, one column a measure and bound; last the procedure,
            where there was a choice.
        """
        rows = []
        shown = dict(self.candidates)
        if self.validated.against_chosen:
            shown[PROCEDURE] = self.procedure.validated
        for name, item in shown.items():
            for design, performance in (("pooled", item.pooled), ("across", item.across)):
                if performance is not None:
                    row: dict[str, Any] = {"candidate": name, "design": design}
                    for measure in MEASURES:
                        estimate = performance.estimates[measure]
                        row[measure] = estimate.value
                        row[f"{measure}_low"] = estimate.low
                        row[f"{measure}_high"] = estimate.high
                    rows.append(row)
        return pd.DataFrame(rows)

    def plot(self) -> Figure:
        """Draw the headline concordance of each candidate under each design.

        Returns
        -------
        Figure
            Of matplotlib.
        """
        from matplotlib.figure import Figure

        table = self.frame()
        figure = Figure(figsize=(7.0, 0.5 * len(table) + 1.5), layout="constrained")
        axis = figure.subplots()
        known = table[table["auc_low"].notna()].reset_index(drop=True)
        axis.errorbar(
            known["auc"],
            range(len(known)),
            xerr=[known["auc"] - known["auc_low"], known["auc_high"] - known["auc"]],
            fmt="o",
            color="#0072B2",
        )
        axis.axvline(0.5, color="#999999", linewidth=0.8)
        axis.set_yticks(range(len(known)), known["candidate"] + ", " + known["design"])
        axis.invert_yaxis()
        axis.set_xlabel("Concordance within the active arm, 95 % interval")
        return figure


def train(
    analysis: str,
    *,
    project: str | Path | None = None,
    data: str | Path | None = None,
    workers: int | str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train an analysis: validate every candidate, choose, refit, explain, log and report.

    Parameters
    ----------
    analysis : str
        A name in ``pipelines`` or a path.
    project : str or Path, optional
        The project; the nearest one unless stated.
    data : str or Path, optional
        The folder of the data files; the project's unless stated.
    workers : int or str, optional
        Processes, or ``dask://host:port`` of a Dask scheduler; the number of cores unless stated.
        The results do not depend on it.
    resume : bool
        Whether to take up the fits that an interrupted training of the same analysis finished;
        a fit on other data, definitions or versions is not taken for one of these. The results
        are those of a training that was never interrupted.
    progress : callable, optional
        Called with a stage, the number done and the number in all.

    Returns
    -------
    TrainingResult
        Figures, and where the run, the model and the report are.

    Raises
    ------
    GlabellaError
        If definitions, data or their combination are refused, or the store can't be used.
    """
    home = find_project(Path(project) if project is not None else None)
    say: Progress = progress or (lambda stage, done, total: None)
    say("reading", 0, 0)
    folder_of_data = Path(data) if data is not None else None
    loaded = load_analysis(analysis, home, data=folder_of_data)
    # What folds refuse is refused before a run is opened, as `check` does.
    plan_folds(loaded)
    say("opening the store", 0, 0)
    store = open_store(home, create=True)
    name, origin = loaded.resolved.name, loaded.tables.origin
    tags = {
        "origin": origin,
        DATA_TAG: loaded.data_hash,
        "definitions_sha256": loaded.resolved.definitions_hash,
        OUTCOME_TAG: loaded.resolved.outcome_hash,
        DEFINITIONS_TAG: write_definitions_tag(loaded.resolved.definition_hashes),
    }
    run_name = f"{name} (simulated)" if origin == "simulated" else name
    with (
        use_workers(workers or os.cpu_count() or 1, list_versions()) as jobs,
        open_run(store, analysis=name, run_name=run_name, tags=tags) as run,
        _work_folder(home, run.run_id) as folder,
    ):
        history = find_history(tags)
        with _keep_fits(home, name, resume=resume, say=say) as checkpoint:
            validated = run_validation(loaded, workers=jobs, progress=say, checkpoint=checkpoint)
            sensitivity = run_sensitivity(
                loaded, validated, workers=jobs, progress=say, checkpoint=checkpoint
            )
            permutations = run_permutations(loaded, workers=jobs, progress=say)
            learning_curve = run_learning_curve(
                loaded, validated, workers=jobs, progress=say, checkpoint=checkpoint
            )
        limits = find_limits(loaded, validated, folder_of_data)
        say("refitting", 0, 0)
        provenance = _describe_provenance(loaded, run)
        tuned = refit(loaded, validated.choice.name)
        say("correcting for the choice", 0, 0)
        procedure = measure_procedure(loaded, validated, tuned)
        if loaded.external is not None:
            say("predicting the external set", 0, 0)
        external = predict_external(loaded, validated, tuned, workers=jobs)
        refits = refit_chosen(loaded, validated.choice.name, workers=jobs, progress=say)
        stability = run_stability(
            loaded, tuned, [None if item is None else item.whole for item in refits]
        )
        explained = explain_chosen(loaded, validated, refits, workers=jobs, progress=say)
        if sensitivity is not None:
            sensitivity = replace(sensitivity, standing=explained.standing)
        say("drawing", 0, 0)
        record, figures = compose_record(
            loaded,
            validated,
            tuned,
            provenance,
            procedure=procedure,
            explained=explained,
            sensitivity=sensitivity,
            limits=limits,
            history=history,
            permutations=permutations,
            stability=stability,
            external=external,
            learning_curve=learning_curve,
        )
        manifest, files = describe_bundle(
            loaded,
            validated,
            tuned,
            provenance,
            refits=refit_for_uncertainty(
                loaded, validated.choice.name, refits, workers=jobs, progress=say
            ),
            finding=record.finding,
            beyond_noise=explained.beyond_noise,
        )
        save_bundle(folder.partial / BUNDLE_FOLDER, manifest, files)
        write_record(folder.partial / RECORD_FOLDER, record, figures)
        say("reporting", 0, 0)
        html = render_report(record, figures)
        (folder.partial / REPORT_FILE).write_text(html, encoding="utf-8")
        say("logging", 0, 0)
        _log(run, loaded, validated, folder, home, record.finding)
        run.log(metrics=procedure.list_metrics())
        for part in (explained, permutations, stability, external, learning_curve):
            if part is not None:
                run.log(metrics=part.list_metrics())
        folder.keep()
        model_uri = register_bundle(
            run,
            folder.final / BUNDLE_FOLDER,
            manifest,
            record=folder.final / RECORD_FOLDER / RECORD_FILE,
        )
        checkpoint.clear()
    return TrainingResult(
        run_id=run.run_id,
        chosen=validated.choice.name,
        model_uri=model_uri,
        bundle=str(folder.final / BUNDLE_FOLDER),
        report=str(folder.final / REPORT_FILE),
        finding=record.finding,
        n=loaded.sample.n,
        events=loaded.sample.events,
        candidates=validated.candidates,
        validated=validated,
        procedure=procedure,
        explained=explained,
        sensitivity=sensitivity,
        limits=limits,
        history=history,
        permutations=permutations,
        stability=stability,
        external=external,
        learning_curve=learning_curve,
    )


@contextlib.contextmanager
def _keep_fits(
    project: Project, analysis: str, *, resume: bool, say: Progress
) -> Iterator[Checkpoint]:
    """Keep finished fits while a run lasts, and say how to go on where it is interrupted."""
    checkpoint = Checkpoint(project.runs / "unfinished" / analysis, list_versions())
    if not resume:
        checkpoint.clear()
    try:
        yield checkpoint
    except BaseException:
        kept = checkpoint.count()
        if kept:
            say(f"{kept} finished fits are kept: --resume goes on from there", 0, 0)
        raise


@dataclass
class _WorkFolder:
    """A run's files: partial until they are all there."""

    partial: Path
    final: Path

    def keep(self) -> None:
        self.partial.rename(self.final)


@contextlib.contextmanager
def _work_folder(project: Project, run_id: str) -> Iterator[_WorkFolder]:
    trained = project.runs / "trained"
    trained.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{run_id[:8]}-", dir=trained))
    folder = _WorkFolder(partial, trained / run_id)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder.final, ignore_errors=True)
        (project.runs / "keys" / f"{run_id}.csv").unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _describe_provenance(loaded: LoadedAnalysis, run: OpenRun) -> dict[str, Any]:
    return {
        "run": run.run_id,
        "seed": loaded.resolved.analysis.value.seed,
        "origin": loaded.tables.origin,
        "data_sha256": loaded.data_hash,
        "definitions_sha256": loaded.resolved.definitions_hash,
        "versions": list_versions(),
    }


def _log(
    run: OpenRun,
    loaded: LoadedAnalysis,
    validated: Validated,
    folder: _WorkFolder,
    project: Project,
    finding: str,
) -> None:
    analysis, sample = loaded.resolved.analysis.value, loaded.sample
    run.log(
        params={
            "analysis": loaded.resolved.name,
            "chosen": validated.choice.name,
            "endpoint": analysis.endpoint.describe(),
            "features": analysis.features,
            "models": ", ".join(analysis.models),
            "n": sample.n,
            "events": sample.events,
            "seed": analysis.seed,
            **{f"version.{name}": text for name, text in list_versions().items()},
        },
        metrics=_collect_metrics(validated.procedure),
        tags={"chosen": validated.choice.name, "mlflow.note.content": finding},
    )
    for name, item in validated.candidates.items():
        candidate = loaded.resolved.candidates[name].value
        run.log_candidate(
            name,
            params={"estimator": candidate.estimator, "role": candidate.role, **candidate.settings},
            metrics={**_collect_metrics(item), "seconds": item.seconds},
            tags={"origin": loaded.tables.origin, **({"error": item.error} if item.error else {})},
            failed=item.error is not None,
        )
    _write_tables(loaded, validated, folder.partial / "validation", project, run)
    _write_definitions(loaded, folder.partial / "definitions")
    for part in (BUNDLE_FOLDER, RECORD_FOLDER, "validation", "definitions"):
        run.log_folder(folder.partial / part, part)
    run.log_file(folder.partial / REPORT_FILE)


def _collect_metrics(item: CandidateResult) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for design, performance in (("pooled", item.pooled), ("across", item.across)):
        if performance is not None:
            metrics.update(flatten_metrics(design, performance))
    for design, gains in item.gains.items():
        metrics.update(flatten_gains(design, gains))
    by_group = (("inside", item.inside or ()), ("across", item.groups), ("arm", item.arms))
    for design, groups in by_group:
        for group in groups:
            # MLflow takes letters, digits and a few signs in a metric's name.
            name = re.sub(r"[^\w.-]", "_", group.group)
            metrics.update(flatten_metrics(f"{design}/{name}", group.performance))
    return metrics


def _write_definitions(loaded: LoadedAnalysis, folder: Path) -> None:
    for name, text in loaded.resolved.texts.items():
        path = folder / Path(name).as_posix().lstrip("/").replace("..", "_")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _write_tables(
    loaded: LoadedAnalysis, validated: Validated, folder: Path, project: Project, run: OpenRun
) -> None:
    """Write folds, predictions and differences; participants under a key made for this run."""
    folder.mkdir(parents=True)
    sample = loaded.sample
    keys = [secrets.token_hex(8) for _ in range(sample.n)]
    people = loaded.tables.participants.iloc[loaded.kept][["studyid", "usubjid"]]
    scores = loaded.outcomes.frame.iloc[loaded.kept]
    # The key file is all that leads back to a participant, so it stays out of MLflow's store.
    key_folder = project.runs / "keys"
    key_folder.mkdir(exist_ok=True)
    # The scores behind the responses stay with it, for the same reason.
    # Whom a participant may be paired with, for comparisons with other runs on the same data.
    cells = {"arm": sample.arm, "cohort": sample.cohort, "active": sample.active}
    beside = people.assign(key=keys, **cells).join(scores)
    beside.to_csv(key_folder / f"{run.run_id}.csv", index=False)
    predictions = {
        **validated.predictions,
        PROCEDURE: collect_predictions(validated.followed.results, sample),
    }
    tables = [
        table.assign(candidate=name, key=[keys[row] for row in table["row"]]).drop(columns="row")
        for name, table in predictions.items()
    ]
    # By the random key: the order of the participants would be a way back to them.
    order = ["candidate", "design", "repeat", "fold", "key"]
    pd.concat(tables, ignore_index=True).sort_values(order).to_parquet(
        folder / "predictions.parquet", index=False
    )
    _tabulate_folds(validated, loaded).to_csv(folder / "folds.csv", index=False)
    pooled = validated.select(validated.choice.name, "pooled")
    measure_net_benefit(pooled, sample).frame().to_csv(folder / "net_benefit.csv", index=False)
    settings = [
        {
            "candidate": item.candidate,
            "design": item.fold.design,
            "repeat": item.fold.repeat,
            "fold": item.fold.number,
            "group": item.fold.group or "",
            "setting": json.dumps(item.setting, sort_keys=True),
        }
        for item in validated.results
    ]
    pd.DataFrame(settings).to_csv(folder / "settings.csv", index=False)


def _tabulate_folds(validated: Validated, loaded: LoadedAnalysis) -> pd.DataFrame:
    """Count, for each fold, held-out participants and responders by trial."""
    sample = loaded.sample
    rows = []
    for fold in validated.plan.folds:
        for trial in dict.fromkeys(sample.trial[fold.test].tolist()):
            held = fold.test[sample.trial[fold.test] == trial]
            rows.append(
                {
                    "design": fold.design,
                    "repeat": fold.repeat,
                    "fold": fold.number,
                    "group": fold.group or "",
                    "trial": trial,
                    "held_out": len(held),
                    "responders": sample.count_events(held),
                    "trained_on": len(fold.train),
                }
            )
    return pd.DataFrame(rows)
