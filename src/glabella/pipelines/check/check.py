"""Checks definitions, data, clock and folds; fits no candidate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glabella.analysis.estimand import describe_estimand
from glabella.analysis.loaded.load import LoadedAnalysis, load_analysis
from glabella.atomic import describe_os_error, make_folder, write_whole
from glabella.data.checks import Finding, RowsError, group_findings
from glabella.data.overview import count_followed, count_visits
from glabella.data.visit_weeks import find_visit_weeks, round_week
from glabella.definitions.locate import Project, find_project
from glabella.errors import DataError, GlabellaError
from glabella.models.encoding import fit_encoding
from glabella.pipelines.check.design_warnings import (
    note_cells,
    note_constants,
    note_membership,
    note_missing,
    note_schedule,
    note_size,
    note_visit_weeks,
)
from glabella.pipelines.check.feasibility import (
    note_folds,
    note_sizes,
    tabulate_folds,
    tabulate_parameters,
    tabulate_sizes,
    tabulate_trials_by_fold,
)
from glabella.pipelines.check.promotion_notes import note_promotion
from glabella.pipelines.check.responder_counts import count_by_strategy
from glabella.reporting.check_page import render_check, render_stop
from glabella.reporting.finding import format_count
from glabella.reporting.table_one import make_table_one
from glabella.reporting.write import write_page
from glabella.validation.across_trials.membership_model import Membership, estimate_membership
from glabella.validation.folds.seeds import derive_seed, draw_state
from glabella.validation.measures.estimation.attempt import attempt

__all__ = ["CheckResult", "check"]


@dataclass(frozen=True)
class CheckResult:
    """What a statistician looks at before anything is fitted.

    Parameters
    ----------
    analysis, endpoint, event, origin : str
        What was checked; the event is the words for the outcome.
    estimand : dict
        What is estimated, in the words of ICH E9(R1).
    n : int
        Analysed participants.
    events : float
        Responders; where outcomes are imputed, their mean number.
    participants : DataFrame
        By trial and arm: ``n``, ``responders``, ``left_out``.
    strategies : DataFrame
        Responders by trial and arm under each definition of the outcome.
    missing : DataFrame
        Share of missing values by trial and feature.
    visits : DataFrame
        By trial: which week served as endpoint for how many, and on what basis; the nearest whole
        week where weeks are days.
    schedule : DataFrame
        By trial and week: who was assessed, and whether the week is a scheduled visit; without
        trials whose visits can't be told apart.
    followed : DataFrame
        By trial, arm and scheduled week: who was still followed; without the same trials.
    table_one : DataFrame
        The analysed participants' features by arm, or by trial where there are no arms.
    membership : Membership
        How well the features predict the trial.
    left_out : dict
        Reason to count.
    folds : dict
        Design to the number of fits for each candidate.
    classes : DataFrame
        By design and trial or site left out: the fewest responders and others in training and
        held-out parts.
    by_fold : DataFrame
        By trial: responders and participants held out in each fold of the first repetition.
    parameters : int
        Columns after encoding, the intercept not counted.
    candidates : DataFrame
        By candidate: parameters and events for each.
    sizes : DataFrame
        By candidate and anticipated concordance: participants needed by Riley's criteria to
        develop it and to validate it in others, and the expected shrinkage.
    findings : tuple of Finding
        What may mislead (``warn``) and what is worth knowing (``note``), gravest first; many of a
        kind are counted.
    """

    analysis: str
    endpoint: str
    event: str
    estimand: dict[str, list[str]]
    origin: str
    n: int
    events: float
    participants: pd.DataFrame
    strategies: pd.DataFrame
    missing: pd.DataFrame
    visits: pd.DataFrame
    schedule: pd.DataFrame
    followed: pd.DataFrame
    table_one: pd.DataFrame
    membership: Membership
    left_out: dict[str, int]
    folds: dict[str, int]
    classes: pd.DataFrame
    by_fold: pd.DataFrame
    parameters: int
    candidates: pd.DataFrame
    sizes: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """The findings in a sentence each."""
        return tuple(f"{item.place}: {item.finding}" for item in self.findings)

    def frame(self) -> pd.DataFrame:
        """Give the participants by trial and arm.

        Returns
        -------
        DataFrame
            As in `participants`.
        """
        return self.participants

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            As `glabella check --json` prints it.
        """
        plain = dict(vars(self))
        for name, value in plain.items():
            if isinstance(value, pd.DataFrame):
                plain[name] = value.astype(object).where(value.notna(), None).to_dict("records")
        plain["membership"] = asdict(self.membership)
        plain["findings"] = [asdict(finding) for finding in self.findings]
        return plain


def check(
    analysis: str,
    *,
    project: str | Path | None = None,
    data: str | Path | None = None,
    out: str | Path | None = None,
) -> CheckResult:
    """Check an analysis and its data; no candidate is fitted.

    Parameters
    ----------
    analysis : str
        A name in ``pipelines`` or a path.
    project : str or Path, optional
        The project; the nearest one unless stated.
    data : str or Path, optional
        The folder of the data files; the project's unless stated.
    out : str or Path, optional
        Where to write the result as an HTML page; what stops the analysis likewise.

    Returns
    -------
    CheckResult
        Counts, folds and findings.

    Raises
    ------
    GlabellaError
        If definitions, data or their combination are refused. Where rows are at fault, which
        they are is written to ``mlruns/checks`` in the project, and the message gives the file.
    """
    home = find_project(Path(project) if project is not None else None)
    try:
        loaded = load_analysis(analysis, home, data=Path(data) if data is not None else None)
        result = _describe(loaded)
    except GlabellaError as error:
        named = error
        if isinstance(error, RowsError):
            named = _list_rows(error, home, Path(analysis).stem)
        if out is not None:
            # A page of an earlier check would still say that nothing stops the analysis.
            write_page(Path(out), render_stop(Path(analysis).stem, named), what="page")
        raise named from None
    if out is not None:
        write_page(Path(out), render_check(vars(result)), what="page")
    return result


def _describe(loaded: LoadedAnalysis) -> CheckResult:
    folds: dict[str, int] = {}
    for fold in loaded.plan.folds:
        folds[fold.design] = folds.get(fold.design, 0) + 1
    sample, tables = loaded.sample, loaded.tables
    used = [spec for spec in sample.features.specs if spec.part != "trial"]
    encoding = fit_encoding(sample.features.frame, used, fill_and_scale=True)
    participants = _count_participants(loaded)
    missing = _count_missing(loaded)
    membership = attempt(
        lambda: estimate_membership(
            sample.features,
            sample.trial,
            seed=draw_state(derive_seed(loaded.analysis.seed, "membership")),
        ),
        lambda failure: Membership(None, None, failure.words),
    )
    endpoint = loaded.analysis.endpoint
    schedule = count_visits(tables, endpoint.of)
    told = find_visit_weeks(tables, endpoint.of)
    strategies, impossible = count_by_strategy(loaded)
    classes = tabulate_folds(loaded)
    sizes = tabulate_sizes(loaded)
    findings = [
        *tables.findings,
        *note_size(round(min(sample.events, sample.n - sample.events)), encoding),
        *note_cells(participants),
        *note_missing(missing),
        *note_constants(sample.features),
        *note_membership(membership),
        *note_visit_weeks(told),
        *note_schedule(schedule),
        *note_folds(classes),
        *note_sizes(sizes, loaded.resolved.references),
        *impossible,
        *_note_external(loaded),
        *note_promotion(loaded),
        *(
            Finding(f"trial {name}", f"not validated inside: {why}", "", "note")
            for name, why in loaded.plan.infeasible.items()
        ),
    ]
    return CheckResult(
        analysis=loaded.resolved.name,
        endpoint=endpoint.describe(),
        event=endpoint.outcome_words.event,
        estimand=describe_estimand(loaded),
        origin=tables.origin,
        n=sample.n,
        events=sample.events,
        participants=participants,
        strategies=strategies,
        missing=missing,
        visits=_count_visits(loaded, (*told.rounded, *told.untold)),
        schedule=schedule,
        followed=count_followed(tables, endpoint.of),
        table_one=make_table_one(sample.features, _name_groups(loaded)),
        membership=membership,
        left_out=loaded.outcomes.left_out,
        folds=folds,
        classes=classes,
        by_fold=tabulate_trials_by_fold(loaded),
        parameters=len(encoding.columns),
        candidates=tabulate_parameters(loaded),
        sizes=sizes,
        findings=tuple(sorted(group_findings(findings), key=lambda item: item.severity != "warn")),
    )


def _note_external(loaded: LoadedAnalysis) -> Iterator[Finding]:
    if loaded.external is not None:
        trials = ", ".join(dict.fromkeys(loaded.external.trial.tolist()))
        yield Finding(
            "validation.external",
            f"{trials}, {loaded.external.n} participants with "
            f"{format_count(loaded.external.events)} responders: left out of everything, and "
            "predicted once",
            "",
            "note",
        )


def _name_groups(loaded: LoadedAnalysis) -> pd.Series:
    sample = loaded.sample
    if not loaded.analysis.arms:
        return pd.Series(sample.trial)
    labels = {arm.name: arm.label or arm.name for arm in loaded.analysis.arms}
    return pd.Series(sample.arm).map(labels)


def _list_rows(error: RowsError, home: Project, name: str) -> DataError:
    """Write which rows are at fault beside the runs, and say where."""
    if error.rows is None or error.rows.empty:
        return error
    path = home.runs / "checks" / f"{name}.csv"
    try:
        make_folder(path.parent)
        write_whole(path, error.rows.to_csv(index=False).encode(), private=True)
    except OSError as refused:
        # The fault in the rows matters more than the list of them.
        kept = f"Which rows they are can't be written to {path}: {describe_os_error(refused)}"
        remedy = f"{error.remedy} {kept}" if error.remedy else kept
        return DataError(error.finding, place=error.place, remedy=remedy)
    remedy = f"{error.remedy} " if error.remedy else ""
    return DataError(
        error.finding, place=error.place, remedy=f"{remedy}Which rows they are: {path}"
    )


def _count_participants(loaded: LoadedAnalysis) -> pd.DataFrame:
    people, outcomes = loaded.tables.participants, loaded.outcomes
    table = pd.DataFrame(
        {
            "trial": people["studyid"],
            "arm": people.get("arm", "all"),
            "responders": loaded.expected,
            "left_out": ~outcomes.is_analysed,
        }
    )
    grouped = table.groupby(["trial", "arm"], sort=False)
    counts = grouped.agg(
        n=("responders", "count"), responders=("responders", "sum"), left_out=("left_out", "sum")
    ).reset_index()
    return counts.assign(responders=_round_events(counts["responders"], loaded))


def _round_events(responders: pd.Series, loaded: LoadedAnalysis) -> pd.Series:
    is_whole = loaded.outcomes.imputation is None
    return responders.astype(int) if is_whole else responders.round(1)


def _count_missing(loaded: LoadedAnalysis) -> pd.DataFrame:
    sample = loaded.sample
    patient = [spec.name for spec in sample.features.specs if spec.part == "patient"]
    shares = sample.features.frame[patient].isna().groupby(sample.trial, sort=False).mean()
    return shares.rename_axis("trial").reset_index()


def _count_visits(loaded: LoadedAnalysis, by_day: Sequence[str]) -> pd.DataFrame:
    """Count by week which visits served; where weeks are days, by the nearest whole one."""
    if not loaded.endpoint.is_of_visits:
        return pd.DataFrame({"trial": [], "week": [], "basis": [], "participants": []})
    frame = loaded.outcomes.frame
    trial = loaded.tables.participants["studyid"]
    is_by_day = trial.isin(by_day).to_numpy()
    table = pd.DataFrame(
        {
            "trial": trial,
            "week": frame["week"].mask(is_by_day, round_week(frame["week"])),
            "basis": frame["basis"].str.replace("_", " "),
        }
    )
    counts = table.groupby(["trial", "week", "basis"], sort=False, dropna=False).size()
    return counts.rename("participants").reset_index()
