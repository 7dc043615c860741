"""The verb `validate`: a model in trials that came after its training."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from glabella.bundle.load import Bundle
from glabella.bundle.tables import make_request
from glabella.data.reading.raw import ReadOptions
from glabella.definitions.locate import Project, find_project
from glabella.domain.outcome_words import OutcomeWords
from glabella.domain.small_counts import FEWEST_TOLD, tell_count
from glabella.errors import DataError
from glabella.old_names import accept_old_names
from glabella.pipelines.new_trial.read_analysis import read_mapped_trials
from glabella.pipelines.new_trial.read_table import NewTrial, NewTrialOptions, read_new_trial
from glabella.pipelines.run_folder import open_run_folder
from glabella.reporting.new_trial_page import draw_over_time, draw_trial, render_new_trials
from glabella.reporting.verdict import PredictionInterval, Promise, write_verdict
from glabella.tracking.models import find_bundle
from glabella.tracking.runs import name_metric, open_run
from glabella.tracking.store import open_store
from glabella.validation.across_trials.case_mix import (
    CaseMix,
    TrialLikeness,
    compute_expected_concordance,
    measure_likeness,
)
from glabella.validation.across_trials.recalibration import UpdateChoice, choose_update
from glabella.validation.comparison.candidate_result import flatten_metrics, plain_performance
from glabella.validation.fitting.runner import Progress
from glabella.validation.measures.performance import Performance, measure_performance
from glabella.validation.measures.registry import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TrialValidation", "ValidationResult", "validate"]

REPORT_FILE, RESULT_FILE = "validation.html", "validation.json"


@dataclass(frozen=True)
class TrialValidation:
    """A model in one new trial.

    Parameters
    ----------
    trial : NewTrial
        The participants, and what was predicted for them.
    performance : Performance
        All measures, with intervals.
    case_mix : CaseMix
        Where a difference in concordance comes from.
    likeness : tuple of TrialLikeness
        How well features tell the new trial from each of training.
    promise : str
        What became of the prediction interval of training.
    update : UpdateChoice or None
        How much of an update the trial asks for; None where that can't be tested.
    update_reason : str
        Why not.
    verdict : str
        In words.
    """

    trial: NewTrial = field(repr=False)
    performance: Performance
    case_mix: CaseMix
    likeness: tuple[TrialLikeness, ...]
    promise: Promise
    update: UpdateChoice | None
    update_reason: str
    verdict: str

    @property
    def moved(self) -> tuple[str, ...]:
        """The features that are distributed otherwise than in training, beyond noise."""
        return tuple(name for name, item in self.trial.drift.items() if item["is_marked"])

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, without any participant's.

        Returns
        -------
        dict
            Measures with bounds and reasons, counts, and each part of the transport report.
        """
        trial = self.trial
        return {
            "trial": trial.name,
            "rows": trial.rows,
            "refused_by_reason": trial.refused_by_reason,
            "without_outcome": trial.without_outcome,
            "out_of_domain": trial.out_of_domain,
            "overlap": trial.overlap,
            "table_sha256": trial.table_sha256,
            **plain_performance(self.performance),
            "case_mix": self.case_mix.as_json(),
            "likeness": [asdict(item) for item in self.likeness],
            "drift": trial.drift,
            "moved": list(self.moved),
            "promise": self.promise,
            "update": None if self.update is None else self.update.as_json(),
            "update_reason": self.update_reason or None,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class ValidationResult:
    """A model in one or several new trials, in the order in which they came.

    Parameters
    ----------
    model : str
        The model's name.
    promised : PredictionInterval
        What training said of the concordance in a new trial.
    trials : tuple of TrialValidation
        In order.
    report : str
        The page.
    run_id : str
        MLflow's id of the run.
    """

    model: str
    promised: PredictionInterval
    trials: tuple[TrialValidation, ...]
    report: str
    run_id: str

    @property
    def statement(self) -> str:
        """When a promise broke, or that none did."""
        broken = [item.trial.name for item in self.trials if item.promise == "broken"]
        if self.promised.low is None:
            return "Training promised nothing of a new trial: no trial was left out in turn."
        if broken:
            return f"The promise of training broke first in {broken[0]}."
        return "The promise of training is not shown to be broken in any of them."

    def frame(self) -> pd.DataFrame:
        """Tabulate the measures.

        Returns
        -------
        DataFrame
            A row a trial: ``trial``, ``n``, ``events``, ``promise`` and each measure with its
            interval.
        """
        rows = []
        for item in self.trials:
            row: dict[str, Any] = {
                "trial": item.trial.name,
                "n": item.performance.n,
                "events": item.performance.events,
                "promise": item.promise,
            }
            for measure in MEASURES:
                row |= item.performance.estimates[measure].columns(measure)
            rows.append(row)
        return pd.DataFrame(rows)

    def plot(self) -> Figure:
        """Draw the concordance in each trial beside what was promised.

        Returns
        -------
        Figure
            Of matplotlib.
        """
        return draw_over_time(self.frame(), self.promised)

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            ``model``, ``promised``, ``statement``, ``trials``, ``report``, ``run_id``.
        """
        return {
            "model": self.model,
            "promised": self.promised.as_json(),
            "statement": self.statement,
            "trials": [item.as_json() for item in self.trials],
            "report": self.report,
            "run_id": self.run_id,
        }


@accept_old_names
def validate(
    *tables: str | Path,
    outcome: str | None = None,
    event: str | None = None,
    model: str | None = None,
    arm_column: str | None = None,
    arm: str | None = None,
    form: str | None = None,
    read: ReadOptions | Mapping[str, str | None] | None = None,
    allow_overlap: bool = False,
    allow_reversed: bool = False,
    allow_simulated: bool = False,
    data: str | Path | None = None,
    project: str | Path | None = None,
    progress: Progress | None = None,
) -> ValidationResult:
    """Validate a model in new trials whose outcomes are known.

    Parameters
    ----------
    *tables : str or Path
        One or several, in the order in which the trials came: tables as for `score` with a column
        of the outcome; or an analysis, ending in ``.yaml`` or by its name in ``pipelines``, whose
        data are the new trials, read and derived as it says.
    outcome : str, optional
        The column of a table's outcome; blank where it is not known. One that the endpoint is read
        from is decoded by the endpoint. An analysis derives it.
    event : str, optional
        The value of another column, or its label in the file, that means response. It can be left
        out if words such as ``responder`` say so, or if the column is called ``responded``,
        ``responder`` or ``response`` and holds 1 and 0, true and false, or yes and no.
    model : str, optional
        As for `score`.
    arm_column : str, optional
        The column of each row's arm, if the model knows arms; the one that the table's form names
        by default.
    arm : str, optional
        The arm of all rows, instead.
    form, read
        As for `score`.
    allow_overlap : bool
        Allow participants who were trained on; their number is reported all the same.
    allow_reversed : bool
        Allow an outcome that fits the model much better with its classes swapped.
    allow_simulated : bool
        Allow a model that was trained on simulated data.
    data : str or Path, optional
        The folder of an analysis's data files; the project's unless stated.
    project : str or Path, optional
        The project.
    progress : callable, optional
        Called with a stage, the number of tables done and the number in all.

    Returns
    -------
    ValidationResult
        Measures, transport and verdict for each, and where the report is.

    Raises
    ------
    GlabellaError
        If the model is missing, a table is refused, participants were trained on, or the store
        can't be used. Nothing is logged then.

    References
    ----------
    .. [1] Debray TPA et al. A new framework to enhance the interpretation of external validation
       studies of clinical prediction models. J Clin Epidemiol 2015;68:279-289.
    .. [2] Riley RD et al. Evaluation of clinical prediction models (part 2): how to undertake an
       external validation study. BMJ 2024;384:e074820.
    """
    if not tables:
        raise DataError("there is no table", place="TABLE", remedy="Name one at least.")
    home = find_project(Path(project) if project is not None else None)
    bundle = find_bundle(model, project=home, allow_simulated=allow_simulated)
    promised = read_promise(bundle.manifest.performance)
    found: list[TrialValidation] = []
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
    for at, table in enumerate(tables):
        if progress is not None:
            progress("validating", at, len(tables))
        for trial in read_new_trials(str(table), bundle, options, project=home):
            found.append(validate_trial(trial, bundle, promised))
    names = [item.trial.name for item in found]
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"two tables are called '{name}'",
                place="TABLE",
                remedy="A table's name stands for its trial: rename one.",
            )
    return _log(home, bundle, promised, tuple(found))


def read_new_trials(
    table: str, bundle: Bundle, options: NewTrialOptions, *, project: Project
) -> Iterator[NewTrial]:
    """Read a table, or the trials of an analysis.

    Parameters
    ----------
    table : str
        A file, or an analysis.
    bundle : Bundle
        The model.
    options : NewTrialOptions
        What is stated of them.
    project : Project
        The definitions.

    Yields
    ------
    NewTrial
        One, or one a trial of the analysis.

    Raises
    ------
    GlabellaError
        If it is refused.
    """
    path = Path(table)
    is_analysis = path.suffix in (".yaml", ".yml") or (
        not path.exists() and table in project.list_names("pipelines")
    )
    if is_analysis:
        yield from read_mapped_trials(table, bundle, project=project, options=options)
        return
    yield read_new_trial(path, bundle, options, project=project)


def validate_trial(
    trial: NewTrial, bundle: Bundle, promised: PredictionInterval
) -> TrialValidation:
    """Measure a model in a new trial, and hold it against its training.

    Parameters
    ----------
    trial : NewTrial
        Participants with predictions.
    bundle : Bundle
        The model.
    promised : PredictionInterval
        What its training said of a new trial.

    Returns
    -------
    TrialValidation
        With a verdict.
    """
    performance = measure_performance(trial.predict(), trial.sample)
    update, reason = _choose(trial, bundle)
    case_mix = _find_case_mix(trial, bundle, performance, update)
    return TrialValidation(
        trial=trial,
        performance=performance,
        case_mix=case_mix,
        likeness=_find_likeness(trial, bundle),
        promise=promised.judge(performance.estimates["auc"]),
        update=update,
        update_reason=reason,
        verdict=write_verdict(
            performance,
            case_mix,
            promised,
            has_arms=bool(bundle.manifest.arms),
            words=OutcomeWords(bundle.manifest.event),
        ),
    )


def _choose(trial: NewTrial, bundle: Bundle) -> tuple[UpdateChoice | None, str]:
    """Choose an update, or say why that can't be."""
    if len(trial.sample.outcomes) > 1:
        return None, "outcomes are imputed, and what is tested is one set of them"
    try:
        features = encode_features(trial, bundle)
        return choose_update(trial.log_odds, trial.sample.labels, features=features), ""
    except ValueError as error:
        return None, str(error)


def encode_features(trial: NewTrial, bundle: Bundle) -> np.ndarray:
    """Encode the patient's features and the arm as numbers.

    Parameters
    ----------
    trial : NewTrial
        Participants.
    bundle : Bundle
        The model, whose training says how.

    Returns
    -------
    array of float, shape (n, n_columns)
        Without columns that are constant here.
    """
    matrix = bundle.domain.encoding.transform(trial.sample.features.frame)
    arms = [item.name for item in bundle.manifest.arms][1:]
    told = np.column_stack([matrix, *((trial.sample.arm == name).astype(float) for name in arms)])
    return np.asarray(told[:, np.ptp(told, axis=0) > 0.0], dtype=float)


def read_promise(performance: Mapping[str, Any]) -> PredictionInterval:
    """Read what training said of the concordance in a new trial.

    Parameters
    ----------
    performance : mapping
        Of a manifest.

    Returns
    -------
    PredictionInterval
        The first of its prediction intervals; without ends where no trial was left out.
    """
    across = performance.get("across") or {}
    pooled = (across.get("random_effects") or {}).get("auc") or {}
    for item in pooled.get("predictions") or ():
        return PredictionInterval(float(item["low"]), float(item["high"]), str(item["method"]))
    return PredictionInterval(None, None, "")


def _find_case_mix(
    trial: NewTrial, bundle: Bundle, performance: Performance, update: UpdateChoice | None
) -> CaseMix:
    sample = trial.sample
    active, cells = sample.active, sample.strata
    pooled = bundle.manifest.performance.get("pooled") or {}
    recalibrated = None
    if update is not None:
        recalibrated = compute_expected_concordance(
            expit(update.logistic.apply(trial.log_odds))[active], cells[active]
        )
    return CaseMix(
        promised=pooled.get("auc"),
        expected=compute_expected_concordance(trial.probability[active], cells[active]),
        expected_recalibrated=recalibrated,
        observed=performance.estimates["auc"],
    )


def _find_likeness(trial: NewTrial, bundle: Bundle) -> tuple[TrialLikeness, ...]:
    """Hold the mean of the new trial against that of each of training, in the order of names."""
    counted = _count_trials(bundle.manifest.training)
    matrix = bundle.domain.encoding.transform(trial.sample.features.frame)
    # Trials of fewer than ten keep no mean.
    if len(counted) != len(bundle.domain.trials):
        return ()
    return tuple(
        TrialLikeness(
            name,
            measure_likeness(
                float(cloud.measure(matrix.mean(axis=0)[None])[0] ** 2),
                columns=matrix.shape[1],
                n=len(matrix),
                n_training=n_training,
            ),
        )
        for (name, n_training), cloud in zip(counted.items(), bundle.domain.trials, strict=True)
        # Where a number would give another's away it is not told, and nothing is measured.
        if n_training is not None
    )


def _count_trials(training: Mapping[str, Any]) -> dict[str, int | None]:
    """Give the trials of which a likeness is kept, in the order of names, and their numbers."""
    if "trials" in training:
        return {str(item["trial"]): item["n"] for item in training["trials"]}
    counted: dict[str, int] = {}
    for cell in training["cells"]:
        counted[str(cell["trial"])] = counted.get(str(cell["trial"]), 0) + int(cell["n"])
    return {name: counted[name] for name in sorted(counted) if counted[name] >= FEWEST_TOLD}


def _log(
    home: Project, bundle: Bundle, promised: PredictionInterval, trials: Sequence[TrialValidation]
) -> ValidationResult:
    """Write the report and log the run; neither stays where the other fails."""
    manifest = bundle.manifest
    is_simulated = manifest.origin == "simulated"
    store = open_store(home, create=True)
    names = ", ".join(item.trial.name for item in trials)
    mark = " (simulated)" if is_simulated else ""
    tags = {
        "origin": manifest.origin,
        "validated_model": manifest.model,
        "validated_run": str(manifest.provenance.get("run", "")),
        "validated_bundle_sha256": bundle.digest,
    }
    with (
        open_run(
            store,
            analysis=manifest.analysis,
            run_name=f"validation of {manifest.model} in {names}{mark}"[:250],
            tags=tags,
            is_training=False,
        ) as run,
        open_run_folder(home, "validated", run.run_id) as folder,
    ):
        result = ValidationResult(
            manifest.model, promised, tuple(trials), str(folder.final / REPORT_FILE), run.run_id
        )
        # The page and what it shows are logged, and may leave those who hold the data.
        shown = result.as_json()
        shown["trials"] = [_hide_counts(item) for item in shown["trials"]]
        page = render_new_trials(
            shown,
            manifest,
            {
                item.trial.name: draw_trial(
                    item.trial.predict(),
                    item.trial.sample,
                    title=item.trial.name,
                    note=mark,
                    words=OutcomeWords(manifest.event),
                )
                for item in trials
            },
            None if len(trials) < 2 else result.plot(),
        )
        (folder.partial / REPORT_FILE).write_text(page, encoding="utf-8")
        (folder.partial / RESULT_FILE).write_text(
            json.dumps(shown, indent=1, allow_nan=False), encoding="utf-8"
        )
        for item in trials:
            name = name_metric(item.trial.name)
            run.log(metrics=flatten_metrics(f"new_{name}", item.performance))
        run.log_folder(folder.partial, "validation")
        folder.keep()
    return result


def _hide_counts(item: dict[str, Any]) -> dict[str, Any]:
    """Hide how many participants were refused or are unlike the others, if they are few."""
    refused = {why: tell_count(count) for why, count in item["refused_by_reason"].items()}
    hidden = {name: tell_count(item[name]) for name in ("without_outcome", "out_of_domain")}
    return {**item, **hidden, "refused_by_reason": refused}
