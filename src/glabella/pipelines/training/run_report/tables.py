"""The tables that a training logs: folds, predictions and settings, and the definitions."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.domain.small_counts import suppress_cells, suppress_groups
from glabella.pipelines.run_folder import RunFolder
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.validation.comparison.procedure import PROCEDURE
from glabella.validation.fitting.nested import collect_predictions
from glabella.validation.measures.net_benefit import measure_net_benefit


def write_definitions(loaded: LoadedAnalysis, folder: Path) -> None:
    """Write the texts of all definitions as they were read."""
    for name, text in loaded.resolved.texts.items():
        path = folder / Path(name).as_posix().lstrip("/").replace("..", "_")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def write_tables(
    loaded: LoadedAnalysis, validated: CrossValidation, target: Path, folder: RunFolder
) -> None:
    """Write folds, predictions, net benefit and settings, and who is behind which key."""
    target.mkdir(parents=True)
    sample = loaded.sample
    keys = [secrets.token_hex(8) for _ in range(sample.n)]
    folder.write_keys(_tabulate_keys(loaded, keys))
    _tabulate_predictions(loaded, validated, keys).to_parquet(
        target / "predictions.parquet", index=False
    )
    _tabulate_folds(validated, loaded).to_csv(target / "folds.csv", index=False)
    pooled = validated.select(validated.choice.name, "pooled")
    measure_net_benefit(pooled, sample).frame().to_csv(target / "net_benefit.csv", index=False)
    _tabulate_settings(validated).to_csv(target / "settings.csv", index=False)


def _tabulate_keys(loaded: LoadedAnalysis, keys: list[str]) -> pd.DataFrame:
    """Set keys beside participants, and beside what must not go where only keys are."""
    sample = loaded.sample
    people = loaded.tables.participants.iloc[loaded.kept]
    # Of a crossover's periods, whose they are: a later trial may hold the same people.
    people = people[[name for name in ("studyid", "usubjid", "person") if name in people]]
    # Whom a participant may be paired with, for comparisons with other runs on the same data.
    cells = {"arm": sample.arm, "cohort": sample.cohort, "active": sample.active}
    # Scores behind a response would tell a participant as an id does.
    return people.assign(key=keys, **cells).join(loaded.outcomes.frame.iloc[loaded.kept])


def _tabulate_predictions(
    loaded: LoadedAnalysis, validated: CrossValidation, keys: list[str]
) -> pd.DataFrame:
    hidden = _list_small_groups(validated, loaded)
    predictions = {
        **validated.predictions,
        PROCEDURE: collect_predictions(validated.followed.results, loaded.sample),
    }
    tables = [
        table.assign(
            candidate=name,
            key=[keys[row] for row in table["row"]],
            # Rows can be counted: a trial or site of few is not named beside them.
            group=table["group"].where(~table["group"].isin(hidden), ""),
        ).drop(columns="row")
        for name, table in predictions.items()
    ]
    # By the random key: the order of the participants would be a way back to them.
    order = ["candidate", "design", "repeat", "fold", "key"]
    return pd.concat(tables, ignore_index=True).sort_values(order)


def _tabulate_settings(validated: CrossValidation) -> pd.DataFrame:
    """List what inner folds chose, for each candidate and fold."""
    return pd.DataFrame(
        [
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
    )


def _list_small_groups(validated: CrossValidation, loaded: LoadedAnalysis) -> list[str]:
    """List the trials and sites of which a count is not told."""
    sample = loaded.sample
    found = []
    for names in (sample.trial, sample.site):
        groups = list(dict.fromkeys(names.tolist()))
        members = [np.flatnonzero(names == group) for group in groups]
        told = suppress_groups([(len(rows), sample.count_events(rows)) for rows in members])
        found += [
            group
            for group, mine in zip(groups, told, strict=True)
            if group and (mine.n is None or mine.events is None)
        ]
    return found


def _tabulate_folds(validated: CrossValidation, loaded: LoadedAnalysis) -> pd.DataFrame:
    """Count, for each fold, held-out participants and responders by trial; none under ten."""
    sample = loaded.sample
    rows, counts = [], []
    for fold in loaded.plan.folds:
        for trial in dict.fromkeys(sample.trial[fold.test].tolist()):
            held = fold.test[sample.trial[fold.test] == trial]
            counts.append((len(held), sample.count_events(held)))
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
    table = pd.DataFrame(rows)
    # A trial's folds add up to it, in each repetition; a fold's trials to all but those trained on.
    sums = [["design", "repeat", "trial"], ["design", "repeat", "fold", "group"]]
    lines = [list(group) for by in sums for group in table.groupby(by).indices.values()]
    told = suppress_cells(counts, lines)
    table["held_out"] = pd.array([mine.n for mine in told], dtype="Int64")
    table["responders"] = pd.array([mine.events for mine in told], dtype="Float64")
    few = [mine.n is None for mine in told]
    in_fold = table.groupby(sums[1], sort=False)
    alone = in_fold["trial"].transform("size") == 1
    table["trained_on"] = table["trained_on"].astype("Int64").mask(alone & pd.Series(few))
    return table
