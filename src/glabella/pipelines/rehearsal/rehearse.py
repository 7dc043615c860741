"""The verb `rehearse`: simulates, trains and collects what repeated use would show."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from glabella.analysis.resolve import resolve_analysis
from glabella.cluster.versions import list_versions
from glabella.definitions.locate import Project, find_project
from glabella.errors import AnalysisError, DefinitionError
from glabella.pipelines.rehearsal.fresh_trials import Estimand, RehearsalPlan, load_rehearsed
from glabella.pipelines.rehearsal.repeat import Repeat, rehearse_once
from glabella.pipelines.rehearsal.store import CHUNK_SIZE, TABLES, ChunkStore
from glabella.reporting.figures.drawing import render_svg
from glabella.reporting.rehearsal import describe_rehearsal, draw_rehearsal
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.reading import read_scenario
from glabella.tracking.runs import open_run
from glabella.tracking.store import open_store
from glabella.validation.adequacy.simulation_study import tabulate_claims, tabulate_repeats
from glabella.validation.fitting.runner import Progress, Runner
from glabella.validation.fitting.workers import open_workers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Rehearsal", "rehearse"]

SUMMARY_FILE, CLAIMS_FILE, JSON_FILE = "summary.csv", "claims.csv", "rehearsal.json"
FIGURE_FILE = "rehearsal.svg"
# Seconds of finished work that a crash may cost.
_LONGEST_UNKEPT = 60.0


@dataclass(frozen=True)
class Rehearsal:
    """What repeated use of an analysis would show, were a scenario true.

    Parameters
    ----------
    analysis, scenario : str
        Their names.
    repeats : int
        Those that were asked for.
    failures : dict of int
        Why repeats ended without a result, to how many.
    with_failed_candidates : int
        Repeats in which some candidate failed, and others did not.
    participants, trials : int
        Randomised in each repeat, and in how many trials.
    truth : str
        As in `rehearse`.
    figures : DataFrame
        One row for each estimate, as `tabulate_repeats` makes it.
    claims : DataFrame
        One row for each claim, as `tabulate_claims` makes it.
    verdicts : dict of float
        The finding of the report in a word, to the share of repeats in which it was that.
    seconds : float
        Median time of a repeat on one core.
    folder : Path
        Where the results are.
    run_id : str
        MLflow's id of the run.
    """

    analysis: str
    scenario: str
    repeats: int
    failures: dict[str, int]
    with_failed_candidates: int
    participants: int
    trials: int
    truth: Estimand
    figures: pd.DataFrame = field(repr=False)
    claims: pd.DataFrame = field(repr=False)
    verdicts: dict[str, float]
    seconds: float
    folder: Path
    run_id: str

    @property
    def finished(self) -> int:
        """Repeats with a result."""
        return self.repeats - sum(self.failures.values())

    def frame(self) -> pd.DataFrame:
        """Give the table of figures.

        Returns
        -------
        DataFrame
            A copy.
        """
        return self.figures.copy()

    def plot(self) -> Figure:
        """Draw coverage and bias of the main figures.

        Returns
        -------
        Figure
            Of matplotlib.
        """
        return draw_rehearsal(self.figures)

    def describe(self) -> str:
        """Say in a few sentences what is to be expected.

        Returns
        -------
        str
            What the headline would be, how wide, and how often it would be told from chance.
        """
        return describe_rehearsal(self.figures, self.claims, repeats=self.finished)

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            What has no value is None.
        """
        plain = {
            name: getattr(self, name)
            for name in (
                "analysis",
                "scenario",
                "repeats",
                "finished",
                "failures",
                "with_failed_candidates",
                "participants",
                "trials",
                "truth",
                "verdicts",
                "seconds",
                "run_id",
            )
        }
        return {
            **plain,
            "folder": str(self.folder),
            "statement": self.describe(),
            "figures": _as_records(self.figures),
            "claims": _as_records(self.claims),
        }

    def list_metrics(self) -> dict[str, float]:
        """Name the main figures for a tracking store.

        Returns
        -------
        dict of float
            Coverage, bias, width, error and power of each estimate of pooled validation and of
            the mean over trials left out; what has no value is left out.
        """
        found: dict[str, float] = {"repeats": self.finished, "seconds": self.seconds}
        shown = self.figures[self.figures["kind"].isin(["estimate", "mean over trials"])]
        for row in shown.to_dict(orient="records"):
            name = ".".join(
                str(row[key]).replace(" ", "_")
                for key in ("design", "candidate", "kind", "measure")
            )
            for what in ("truth", "coverage", "bias", "width", "rmse", "power"):
                value = row[what]
                if value is not None and not pd.isna(value):
                    found[f"{name}.{what}"] = float(value)
        return found


def rehearse(
    analysis: str,
    *,
    scenario: str | None = None,
    repeats: int = 1000,
    participants: int | None = None,
    trials: int | None = None,
    truth: Estimand = "analysis",
    out: str | Path | None = None,
    project: str | Path | None = None,
    workers: int | str | None = None,
    progress: Progress | None = None,
) -> Rehearsal:
    """Simulate an analysis again and again, and hold what it reports against the truth.

    Each repeat draws the trials anew, random effects included, and trains as `train` would: the
    folds, candidates, choice, and the permutations and explanations that the analysis asks for.
    The truth of an estimate is the expected performance of the same procedure at the size of its
    training parts, on participants whom it never saw: of the same trials where it was
    cross-validated in them, of another draw of a left-out trial where that was left out.

    Parameters
    ----------
    analysis : str
        A name in ``pipelines`` or a path; of simulated data.
    scenario : str, optional
        A name in ``pipelines/scenarios``; the analysis's own unless stated.
    repeats : int
        How many, at least 1.
    participants : int, optional
        In all trials together; as the scenario says unless stated. Each arm keeps its share.
    trials : int, optional
        How many; the scenario's in their order, and from the first again where they are fewer.
    truth : str
        ``analysis``: of the analysis's own outcome. ``followed``: had nobody left, which tells
        what counting those who left as non-responders does.
    out : str or Path, optional
        The folder of the results, ``mlruns/rehearsed/ANALYSIS-SCENARIO`` unless stated. Finished
        repeats in it are counted, where nothing that they depend on changed since.
    project : str or Path, optional
        The project; the nearest one unless stated.
    workers : int or str, optional
        Processes, or ``dask://host:port``; the number of cores unless stated. The results do not
        depend on it.
    progress : callable, optional
        Called with a stage, the number done and the number in all.

    Returns
    -------
    Rehearsal
        Figures, claims, and where they are.

    Raises
    ------
    GlabellaError
        If definitions are refused, the data are real, the scenario draws nothing that the analysis
        is of, the folder holds repeats of another definition, a worker was killed, or no repeat
        could be evaluated.
    """
    home = find_project(Path(project) if project is not None else None)
    runner = Runner(progress=progress)
    if repeats < 1:
        raise AnalysisError(
            f"{repeats} repeats show nothing",
            place="--repeats",
            remedy="Ask for at least one; a thousand tell a coverage to within 1.4 points.",
        )
    name, plan = _make_plan(
        analysis, home, scenario=scenario, participants=participants, trials=trials, truth=truth
    )
    runner.note_done("looking at the first draw")
    _check_first(plan, name)
    store = ChunkStore(
        Path(out) if out is not None else home.runs / "rehearsed" / f"{plan.resolved.name}-{name}"
    )
    definition = _describe_definition(plan, read_scenario(home, name).value)
    with store.open(definition):
        with open_workers(workers or os.cpu_count() or 1, again="the same command again") as opened:
            _run(plan, store, repeats=repeats, runner=replace(runner, workers=opened))
        runner.note_done("summing up")
        return _sum_up(plan, store, home, scenario=name, repeats=repeats, definition=definition)


def _make_plan(
    analysis: str,
    home: Project,
    *,
    scenario: str | None,
    participants: int | None,
    trials: int | None,
    truth: Estimand,
) -> tuple[str, RehearsalPlan]:
    resolved = resolve_analysis(analysis, home)
    data, origin = resolved.analysis.value.data, resolved.analysis.origin
    if data.simulate is None:
        raise AnalysisError(
            "it is of real data, of which there is no truth to hold figures against",
            place=origin.name_place("data"),
            remedy="Copy it with `data: {simulate: SCENARIO}`, keep endpoint, features, models and "
            "validation as they are, and rehearse the copy.",
        )
    name = scenario or data.simulate
    read = read_scenario(home, name)
    drawn: Scenario = read.value
    if trials is not None:
        if trials < 1:
            raise AnalysisError("no trials can't be drawn", place="--trials", remedy="Ask for 1.")
        drawn = drawn.with_trials(trials)
    if participants is not None:
        least = sum(len(trial.arms) for trial in drawn.trials)
        if participants < least:
            raise DefinitionError(
                f"{participants} participants are fewer than the {least} arms",
                place=f"scenario '{name}'",
                remedy="Ask for at least one in each arm.",
            )
        drawn = drawn.with_participants(participants)
    across = resolved.analysis.value.validation.across
    if across == "leave_one_trial_out" and len(drawn.trials) < 2:
        raise AnalysisError(
            "one trial alone can't be left out",
            place=origin.name_place("validation", "across"),
            remedy="Ask for two --trials at least, or leave `across:` out of a copy of it.",
        )
    resolved = replace(resolved, scenario=replace(read, value=drawn))
    return name, RehearsalPlan(resolved, drawn, truth)


def _check_first(plan: RehearsalPlan, scenario: str) -> None:
    """Refuse, before anything is repeated, what no draw of the scenario can satisfy."""
    variable = plan.resolved.analysis.value.endpoint.of
    try:
        load_rehearsed(plan, 0, is_held=True)
    except AnalysisError as error:
        raise AnalysisError(
            f"scenario '{scenario}' has no truth of the endpoint '{variable}' or of the features: "
            f"{error.finding}",
            place=error.place,
            remedy=error.remedy or "Rehearse under a scenario that draws them.",
        ) from None


def _describe_definition(plan: RehearsalPlan, stated: Scenario) -> dict[str, str]:
    """Name everything that the numbers of a repeat depend on, but how many there are."""
    trials, participants = len(plan.scenario.trials), plan.scenario.size
    as_stated = stated if trials == len(stated.trials) else stated.with_trials(trials)
    return {
        **plan.resolved.definition_hashes,
        **{f"version of {name}": version for name, version in list_versions().items()},
        # The same whether a size is asked for or the scenario's own.
        "--participants": str(None if participants == as_stated.size else participants),
        "--trials": str(None if trials == len(stated.trials) else trials),
        "--truth": plan.truth,
    }


def _run(plan: RehearsalPlan, store: ChunkStore, *, repeats: int, runner: Runner) -> None:
    """Run the repeats that are missing, and keep them in chunks as they are finished."""
    finished = store.list_finished()
    numbers = [number for number in range(repeats) if number not in finished]
    done = repeats - len(numbers)
    runner.note_done("rehearsing", done, repeats)
    tasks = (delayed(rehearse_once)(plan, number) for number in numbers)
    chunk: list[Repeat] = []
    kept = time.monotonic()

    def keep() -> None:
        nonlocal chunk, kept
        whole, chunk, kept = chunk, [], time.monotonic()
        if whole:
            store.keep(whole)

    try:
        for repeat in runner.run(tasks, shared=[plan]):
            if chunk and repeat.number != chunk[-1].number + 1:
                keep()
            chunk.append(repeat)
            done += 1
            runner.note_done("rehearsing", done, repeats)
            if len(chunk) == CHUNK_SIZE or time.monotonic() - kept > _LONGEST_UNKEPT:
                keep()
    except TerminatedWorkerError:
        raise AnalysisError(
            "a worker was killed, perhaps for want of memory",
            place=str(store.folder),
            remedy="Run the same command again, with fewer --workers: finished repeats are kept.",
        ) from None
    finally:
        # An interrupt too leaves what was finished.
        keep()


def _sum_up(
    plan: RehearsalPlan,
    store: ChunkStore,
    home: Project,
    *,
    scenario: str,
    repeats: int,
    definition: Mapping[str, str],
) -> Rehearsal:
    tables = {name: store.read(name, repeats=repeats) for name in TABLES}
    digest = hashlib.sha256(json.dumps(dict(definition), sort_keys=True).encode()).hexdigest()
    name = plan.resolved.name
    found = _summarise(tables, plan, scenario=scenario, repeats=repeats, folder=store.folder)
    with open_run(
        open_store(home, create=True),
        analysis=name,
        run_name=f"rehearsal of {name} under {scenario} (simulated)",
        tags={"origin": "simulated", "rehearsal_sha256": digest},
        is_training=False,
    ) as run:
        rehearsal = replace(found, run_id=run.run_id)
        written = _write(rehearsal, tables, store)
        run.log(
            params={
                "scenario": scenario,
                "repeats": repeats,
                "participants": rehearsal.participants,
                "trials": rehearsal.trials,
                "truth": rehearsal.truth,
            },
            metrics=rehearsal.list_metrics(),
        )
        for path in written:
            run.log_file(path, "rehearsal")
    return rehearsal


def _summarise(
    tables: Mapping[str, pd.DataFrame],
    plan: RehearsalPlan,
    *,
    scenario: str,
    repeats: int,
    folder: Path,
) -> Rehearsal:
    about = tables["repeats"]
    failed = about["failure"] != ""
    failures = {str(why): int(n) for why, n in about["failure"][failed].value_counts().items()}
    if failed.all():
        raise AnalysisError(
            f"no repeat could be evaluated: {next(iter(failures))}",
            place=f"scenario '{scenario}'",
            remedy="Ask for more participants, fewer folds, or another scenario.",
        )
    evaluated = about[~failed]
    shares = evaluated["verdict"].value_counts(normalize=True)
    return Rehearsal(
        analysis=plan.resolved.name,
        scenario=scenario,
        repeats=repeats,
        failures=failures,
        with_failed_candidates=int((evaluated["failed_candidates"] > 0).sum()),
        participants=plan.scenario.size,
        trials=len(plan.scenario.trials),
        truth=plan.truth,
        figures=tabulate_repeats(tables["figures"]),
        claims=tabulate_claims(tables["claims"], repeats=len(evaluated)),
        verdicts={str(word): float(share) for word, share in shares.items()},
        seconds=float(evaluated["seconds"].median()),
        folder=folder,
        run_id="",
    )


def _write(
    rehearsal: Rehearsal, tables: Mapping[str, pd.DataFrame], store: ChunkStore
) -> list[Path]:
    """Write the results in place of those of a rehearsal before."""
    files = {f"{name}.parquet": _as_parquet(table) for name, table in tables.items()} | {
        SUMMARY_FILE: rehearsal.figures.to_csv(index=False).encode(),
        CLAIMS_FILE: rehearsal.claims.to_csv(index=False).encode(),
        JSON_FILE: json.dumps(rehearsal.as_json(), indent=1).encode(),
        FIGURE_FILE: render_svg(rehearsal.plot()),
    }
    store.remove_all(files)
    return [store.write(name, content) for name, content in files.items()]


def _as_parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object).where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]
