"""The run: load, measure, report, log and register."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis, load_analysis
from glabella.bundle.save import write_bundle
from glabella.cluster.versions import list_versions
from glabella.definitions.locate import Project, find_project
from glabella.domain.small_counts import suppress_group
from glabella.pipelines.run_folder import (
    BUNDLE_FOLDER,
    RECORD_FOLDER,
    REPORT_FILE,
    RunFolder,
    open_run_folder,
)
from glabella.pipelines.training.attempts import Attempts, FailedPart
from glabella.pipelines.training.explanation import Explanation
from glabella.pipelines.training.manifest import describe_bundle
from glabella.pipelines.training.parts.part import Part
from glabella.pipelines.training.refits import refit_for_uncertainty
from glabella.pipelines.training.results import TrainingFigures, When, measure_analysis
from glabella.pipelines.training.run_report.report import make_record
from glabella.pipelines.training.run_report.tables import write_definitions, write_tables
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
from glabella.tracking.runs import OpenRun, name_metric, open_run
from glabella.tracking.store import open_store
from glabella.validation.across_trials.pooled_measures import pool_groups
from glabella.validation.comparison.candidate_result import (
    CandidateResult,
    name_gains,
    name_metrics,
)
from glabella.validation.comparison.procedure import PROCEDURE
from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.runner import Progress, Runner
from glabella.validation.fitting.workers import open_workers
from glabella.validation.measures.registry import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TrainingResult", "train"]


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What a training came to: its figures, and where its files and its model are.

    Parameters
    ----------
    figures : TrainingFigures
        All that it measured.
    failed : tuple of FailedPart
        What could not be computed.
    run_id : str
        MLflow's id of the run.
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
    history : History
        Which training on the same outcome and data it is.
    """

    figures: TrainingFigures = field(repr=False)
    failed: tuple[FailedPart, ...] = ()
    run_id: str
    model_uri: str
    bundle: str
    report: str
    finding: str
    n: int
    events: float
    history: History = field(repr=False)

    @property
    def chosen(self) -> str:
        """The candidate that is kept."""
        return self.figures.chosen

    @property
    def explained(self) -> Explanation | None:
        """The predictors of the chosen candidate; None if it could not be explained."""
        return self.figures.explained

    @property
    def parts(self) -> Mapping[str, Part | None]:
        """The parts that the analysis asks for, by name."""
        return self.figures.parts

    @property
    def candidates(self) -> dict[str, CandidateResult]:
        """The figures of each candidate, by name."""
        return self.figures.validated.candidates

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
            "history": self.history.as_json(),
            "explanation": self.figures.describe_explanation_as_json(),
            "failed": [item.as_json() for item in self.failed],
            "procedure": self.figures.procedure.as_json(),
            **self.figures.describe_parts_as_json(),
        }

    def frame(self) -> pd.DataFrame:
        """Tabulate the figures.

        Returns
        -------
        DataFrame
            One row a candidate and design, one column a measure and bound; last the procedure,
            where there was a choice. With each trial left out, measures that are pooled over trials
            are the random-effects means.
        """
        rows = []
        shown = dict(self.candidates)
        if self.figures.validated.against_chosen:
            shown[PROCEDURE] = self.figures.procedure.validated
        for name, item in shown.items():
            for design, performance in (("pooled", item.pooled), ("across", item.across)):
                if performance is not None:
                    row: dict[str, Any] = {"candidate": name, "design": design}
                    pooled = pool_groups(item.groups) if design == "across" else {}
                    for measure in MEASURES:
                        estimate = performance.estimates[measure]
                        if measure in pooled and pooled[measure].estimate.value is not None:
                            estimate = pooled[measure].estimate
                        row |= estimate.as_columns(measure)
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
    explain: When = "now",
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
    explain : str
        ``now``, or ``later``: the run ends without refits to bootstrap samples and without
        permuted features, and its fits are kept. With `resume` they are taken up, and a further
        run has the same figures, and the explanation.
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
    runner = Runner(progress=progress)
    runner.note_done("reading")
    loaded = load_analysis(analysis, home, data=Path(data) if data is not None else None)
    # What folds refuse is refused before a run is opened, as `check` does.
    runner.note_done(f"planning {len(loaded.plan.folds)} folds")
    runner.note_done("opening the store")
    store = open_store(home, create=True)
    name, origin = loaded.resolved.name, loaded.tables.origin
    tags = _describe_tags(loaded)
    with (
        open_workers(
            workers or os.cpu_count() or 1, again="the same command with --resume"
        ) as opened,
        open_run(
            store,
            analysis=name,
            run_name=f"{name} (simulated)" if origin == "simulated" else name,
            tags=tags,
        ) as run,
        open_run_folder(home, "trained", run.run_id) as folder,
        _keep_fits(home, name, replace(runner, workers=opened), resume=resume) as runner,
    ):
        history = find_history(tags)
        provenance = _describe_provenance(loaded, run)
        attempts = Attempts()
        measured, fitted = measure_analysis(
            loaded,
            runner=runner,
            attempts=attempts,
            explain=explain,
        )
        refits = attempts.run(
            "refits for the bundle",
            lambda: refit_for_uncertainty(loaded, measured.chosen, fitted.refits, runner),
            lambda failure: [],
        )
        runner.note_done("drawing")
        record, figures = make_record(
            loaded, measured, fitted.tuned, provenance, attempts, history=history
        )
        manifest, files = describe_bundle(
            loaded,
            measured.validated,
            fitted.tuned,
            provenance,
            refits=refits,
            finding=record.finding,
            beyond_noise={} if measured.explained is None else measured.explained.beyond_noise,
        )
        write_bundle(folder.partial / BUNDLE_FOLDER, manifest, files)
        write_record(folder.partial / RECORD_FOLDER, record, figures)
        runner.note_done("reporting")
        html = render_report(record, figures)
        (folder.partial / REPORT_FILE).write_text(html, encoding="utf-8")
        runner.note_done("logging")
        _log(run, loaded, measured, folder, finding=record.finding)
        folder.keep()
        model_uri = register_bundle(
            run,
            folder.final / BUNDLE_FOLDER,
            manifest,
            record=folder.final / RECORD_FOLDER / RECORD_FILE,
        )
        if explain == "now" and runner.checkpoint is not None:
            runner.checkpoint.remove_all()
    return TrainingResult(
        figures=measured,
        failed=tuple(attempts.failed),
        run_id=run.run_id,
        model_uri=model_uri,
        bundle=str(folder.final / BUNDLE_FOLDER),
        report=str(folder.final / REPORT_FILE),
        finding=record.finding,
        n=loaded.sample.n,
        events=loaded.sample.events,
        history=history,
    )


def _describe_tags(loaded: LoadedAnalysis) -> dict[str, str]:
    """Tell trainings apart, and which are on the same outcome and data."""
    return {
        "origin": loaded.tables.origin,
        DATA_TAG: loaded.data_hash,
        "definitions_sha256": loaded.resolved.definitions_hash,
        OUTCOME_TAG: loaded.resolved.outcome_hash,
        DEFINITIONS_TAG: write_definitions_tag(loaded.resolved.definition_hashes),
    }


@contextlib.contextmanager
def _keep_fits(
    project: Project, analysis: str, runner: Runner, *, resume: bool
) -> Iterator[Runner]:
    """Keep finished fits while a run lasts, and say how to go on if it is interrupted."""
    checkpoint = Checkpoint(project.runs / "unfinished" / analysis, list_versions())
    if not resume:
        checkpoint.remove_all()
    try:
        yield replace(runner, checkpoint=checkpoint)
    except BaseException:
        kept = checkpoint.count()
        if kept:
            runner.note_done(f"{kept} finished fits are kept: --resume goes on from there")
        raise


def _describe_provenance(loaded: LoadedAnalysis, run: OpenRun) -> dict[str, Any]:
    return {
        "run": run.run_id,
        "seed": loaded.analysis.seed,
        "origin": loaded.tables.origin,
        "data_sha256": loaded.data_hash,
        "definitions_sha256": loaded.resolved.definitions_hash,
        "versions": list_versions(),
    }


def _log(
    run: OpenRun,
    loaded: LoadedAnalysis,
    measured: TrainingFigures,
    folder: RunFolder,
    *,
    finding: str,
) -> None:
    analysis, sample = loaded.analysis, loaded.sample
    told = suppress_group(sample.n, sample.events)
    run.log(
        params={
            "analysis": loaded.resolved.name,
            "chosen": measured.chosen,
            "endpoint": analysis.endpoint.describe(),
            "features": analysis.features,
            "models": ", ".join(analysis.models),
            # JSON, as `compare` reads them.
            "n": json.dumps(told.n),
            "events": json.dumps(told.events),
            "seed": analysis.seed,
            **{f"version.{name}": text for name, text in list_versions().items()},
        },
        metrics=_keep_finite(
            {**_collect_metrics(measured.validated.procedure), **measured.list_metrics()}
        ),
        tags={"chosen": measured.chosen, "mlflow.note.content": finding},
    )
    for name, item in measured.validated.candidates.items():
        candidate = loaded.resolved.candidates[name].value
        run.log_candidate(
            name,
            params={"estimator": candidate.estimator, "role": candidate.role, **candidate.settings},
            metrics=_keep_finite({**_collect_metrics(item), "seconds": item.seconds}),
            tags={"origin": loaded.tables.origin, **({"error": item.error} if item.error else {})},
            failed=item.error is not None,
        )
    write_tables(loaded, measured.validated, folder.partial / "validation", folder)
    write_definitions(loaded, folder.partial / "definitions")
    for part in (BUNDLE_FOLDER, RECORD_FOLDER, "validation", "definitions"):
        run.log_folder(folder.partial / part, part)
    run.log_file(folder.partial / REPORT_FILE)


def _keep_finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Leave out what a store may refuse; the record says of each why it is missing."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _collect_metrics(item: CandidateResult) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for design, performance in (("pooled", item.pooled), ("across", item.across)):
        if performance is not None:
            metrics.update(name_metrics(design, performance))
    for design, gains in item.gains.items():
        metrics.update(name_gains(design, gains))
    by_group = (("inside", item.inside or ()), ("across", item.groups), ("arm", item.arms))
    for design, groups in by_group:
        for group in groups:
            name = f"{design}/{name_metric(group.group)}"
            metrics.update(name_metrics(name, group.performance))
    return metrics
