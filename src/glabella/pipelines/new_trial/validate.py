"""The verb `validate`: a model in trials that came after its training."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from glabella.bundle.load import Bundle
from glabella.bundle.tables import make_request
from glabella.data.reading.raw import ReadOptions
from glabella.definitions.locate import Project, find_project
from glabella.domain.outcome_words import OutcomeWords
from glabella.domain.small_counts import suppress_count
from glabella.errors import DataError
from glabella.old_names import apply_old_names
from glabella.pipelines.new_trial.read_analysis import read_mapped_trials
from glabella.pipelines.new_trial.read_table import NewTrial, NewTrialOptions, read_new_trial
from glabella.pipelines.new_trial.results import TrialValidation, ValidationResult
from glabella.pipelines.new_trial.transport import read_prediction_interval, validate_trial
from glabella.pipelines.run_folder import open_run_folder
from glabella.reporting.new_trial_page import draw_trial, render_new_trials
from glabella.reporting.verdict import PredictionInterval
from glabella.tracking.models import find_bundle
from glabella.tracking.runs import name_metric, open_run
from glabella.tracking.store import open_store
from glabella.validation.comparison.candidate_result import name_metrics
from glabella.validation.fitting.runner import Progress

__all__ = ["validate"]

REPORT_FILE, RESULT_FILE = "validation.html", "validation.json"


@apply_old_names
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
    promised = read_prediction_interval(bundle.manifest.performance)
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
        shown["trials"] = [_suppress_counts(item) for item in shown["trials"]]
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
            run.log(metrics=name_metrics(f"new_{name}", item.performance))
        run.log_folder(folder.partial, "validation")
        folder.keep()
    return result


def _suppress_counts(item: dict[str, Any]) -> dict[str, Any]:
    """Hide how many participants were refused or are unlike the others, if they are few."""
    refused = {why: suppress_count(count) for why, count in item["refused_by_reason"].items()}
    hidden = {name: suppress_count(item[name]) for name in ("without_outcome", "out_of_domain")}
    return {**item, **hidden, "refused_by_reason": refused}
