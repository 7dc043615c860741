"""Finished runs and their candidates side by side, and the champion against its challengers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glabella.definitions.locate import Project, find_project
from glabella.errors import StoreError, describe_choices
from glabella.pipelines.promotion.comparison import ComparedRun, Comparison, RunDifference
from glabella.pipelines.promotion.pairing import HeldOut, NotPairedError, match_runs, read_held_out
from glabella.pipelines.run_folder import BUNDLE_FOLDER, RECORD_FOLDER, REPORT_FILE
from glabella.reporting.compare_page import render_comparison
from glabella.reporting.record import read_record
from glabella.reporting.write import write_page
from glabella.tracking.history import DATA_TAG, OUTCOME_TAG
from glabella.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    SIMULATED,
    RegisteredVersion,
    list_versions_of,
)
from glabella.tracking.runs import FinishedRun, find_artifacts, list_finished
from glabella.tracking.store import Store, open_store
from glabella.validation.comparison.choice import adjust_by_holm
from glabella.validation.comparison.paired import measure_paired

__all__ = ["compare"]

_DESIGNS = ("pooled", "across")
_SHORTEST_ID = 4


def compare(
    analysis: str | None = None,
    *,
    runs: Sequence[str] = (),
    limit: int = 10,
    out: str | Path | None = None,
    project: str | Path | None = None,
) -> Comparison:
    """Set finished runs side by side, and hold the champion's against the others.

    Parameters
    ----------
    analysis : str, optional
        The analysis; all of them unless stated.
    runs : sequence of str, optional
        Ids of runs or their beginnings; the newest unless stated.
    limit : int
        The most runs, the newest first; those with an alias are shown beyond it.
    out : str or Path, optional
        An HTML page to write.
    project : str or Path, optional
        The project.

    Returns
    -------
    Comparison
        Runs with their candidates, and paired differences of their procedures: each run against
        the champion of its analysis or, if it has none, its challenger or model of simulated data.
        Named runs are compared with the champion among them, else with the first.

    Raises
    ------
    StoreError
        If the store can't be reached, or holds no such run or analysis.
    DataError
        If the page can't be written.
    """
    home = find_project(Path(project) if project is not None else None)
    store = open_store(home)
    versions = list_versions_of(store)
    listed = _select(store, list_finished(store), versions, analysis, runs, limit)
    shown = tuple(_describe(store, run, versions, home) for run in listed)
    by_analysis = {name: [run for run in shown if run.analysis == name]
                   for name in dict.fromkeys(run.analysis for run in shown)}  # fmt: skip
    groups = [list(shown)] if runs else list(by_analysis.values())
    differences: list[RunDifference] = []
    for group in groups:
        differences += _compare_with_base(
            store, group, listed, home.runs / "keys", is_named=bool(runs)
        )
    result = Comparison(shown, tuple(differences))
    if out is not None:
        write_page(Path(out), render_comparison(result.as_json()), what="comparison")
    return result


def _select(
    store: Store,
    finished: Sequence[FinishedRun],
    versions: Sequence[RegisteredVersion],
    analysis: str | None,
    named: Sequence[str],
    limit: int,
) -> list[FinishedRun]:
    known = sorted({run.analysis for run in finished})
    if analysis is not None:
        finished = [run for run in finished if run.analysis == analysis]
    if not finished:
        what = "finished run" if analysis is None else f"finished run of '{analysis}'"
        raise StoreError(
            f"there is no {what}",
            place=store.shown,
            remedy=describe_choices(analysis or "", known),
        )
    if named:
        return list(
            {run.run_id: run for run in (_find(store, finished, r) for r in named)}.values()
        )
    marked = {item.run_id for item in versions if item.aliases}
    return [run for place, run in enumerate(finished) if place < limit or run.run_id in marked]


def _find(store: Store, finished: Sequence[FinishedRun], reference: str) -> FinishedRun:
    found = [run for run in finished if run.run_id.startswith(reference)]
    if len(reference) < _SHORTEST_ID or len(found) != 1:
        count = "no finished run" if not found else f"more than one run ({len(found)})"
        raise StoreError(
            f"the id '{reference[:40]}' names {count}",
            place=store.shown,
            remedy=f"Give the id, or at least {_SHORTEST_ID} of its first letters.",
        )
    return found[0]


def _describe(
    store: Store, run: FinishedRun, versions: Sequence[RegisteredVersion], project: Project
) -> ComparedRun:
    mine = [item for item in versions if item.run_id == run.run_id]
    reasons: dict[str, str] = {}
    plain: dict[str, Any] = {}
    try:
        record, _ = read_record(find_artifacts(store, run.run_id, RECORD_FOLDER))
        plain = record.as_training()
    except StoreError as error:
        reasons["candidates"] = error.finding
    folder = project.runs / "trained" / run.run_id
    paths: dict[str, str | None] = {}
    for name, file in (("bundle", BUNDLE_FOLDER), ("report", REPORT_FILE)):
        paths[name] = str(folder / file) if (folder / file).exists() else None
        if paths[name] is None:
            reasons[name] = "the files of this run are not in this project's mlruns/trained"
    if not mine:
        reasons["model_uri"] = "no version of the registry is of this run"
    return ComparedRun(
        run_id=run.run_id,
        analysis=run.analysis,
        started=run.started,
        origin=run.tags.get("origin", "real"),
        n=json.loads(run.params["n"]) if "n" in run.params else None,
        events=json.loads(run.params["events"]) if "events" in run.params else None,
        versions=tuple((item.name, item.version, item.aliases) for item in mine),
        bundle=paths["bundle"],
        report=paths["report"],
        record=plain,
        reasons=reasons,
    )


def _compare_with_base(
    store: Store,
    group: Sequence[ComparedRun],
    listed: Sequence[FinishedRun],
    keys: Path,
    *,
    is_named: bool,
) -> list[RunDifference]:
    base, role = _choose_base(group, is_named=is_named)
    if base is None:
        return []
    tags = {run.run_id: run.tags for run in listed}
    found: list[RunDifference] = []
    held: dict[str, HeldOut] = {}
    for run in group:
        if run is base:
            continue
        try:
            _check_same_data(tags[run.run_id], tags[base.run_id])
            for each in (run, base):
                if each.run_id not in held:
                    held[each.run_id] = read_held_out(store, each.run_id, keys)
        except NotPairedError as reason:
            found.append(RunDifference(run.run_id, base.run_id, role, reason=str(reason)))
            continue
        found += [_measure(run, base, role, held, design) for design in _DESIGNS]
    return _adjust(found)


def _choose_base(group: Sequence[ComparedRun], *, is_named: bool) -> tuple[ComparedRun | None, str]:
    for alias in (CHAMPION,) if is_named else (CHAMPION, CHALLENGER, SIMULATED):
        for run in group:
            if alias in run.aliases:
                return run, alias
    return (group[0], "the first that was named") if is_named else (None, "")


def _check_same_data(one: Any, other: Any) -> None:
    for tag, what in ((DATA_TAG, "other data"), (OUTCOME_TAG, "another outcome")):
        if tag not in one or tag not in other:
            raise NotPairedError("one of the two runs does not say which data it is of")
        if one[tag] != other[tag]:
            raise NotPairedError(f"the two runs are of {what}, so no participant has a pair")


def _measure(
    run: ComparedRun, base: ComparedRun, role: str, held: dict[str, HeldOut], design: str
) -> RunDifference:
    try:
        paired = match_runs(held[run.run_id], held[base.run_id], design)
    except NotPairedError as reason:
        return RunDifference(run.run_id, base.run_id, role, design, reason=str(reason))
    measured = measure_paired(paired.first, paired.second, paired.sample)
    return RunDifference(
        run.run_id, base.run_id, role, design, measured=measured, left_out=paired.left_out
    )


def _adjust(found: Sequence[RunDifference]) -> list[RunDifference]:
    """Adjust for how many runs are held against one, under each design."""
    adjusted: dict[int, float | None] = {}
    for design in _DESIGNS:
        family = [item for item in found if item.design == design]
        p_values = adjust_by_holm([item.p_value for item in family])
        adjusted |= {id(item): p for item, p in zip(family, p_values, strict=True)}
    return [item.with_holm(adjusted.get(id(item))) for item in found]
