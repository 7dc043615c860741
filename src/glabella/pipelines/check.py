"""Checks definitions, data, clock and folds; fits nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glabella.definitions.locate import find_project
from glabella.models.encoding import fit_encoding
from glabella.pipelines.load import LoadedAnalysis, load_analysis
from glabella.pipelines.validate import plan_folds
from glabella.validation.metrics import FEWEST_OF_A_CLASS


@dataclass(frozen=True)
class CheckResult:
    """What a statistician looks at before anything is fitted.

    Parameters
    ----------
    analysis, endpoint, origin : str
        What was checked.
    n, events : int
        Analysed participants and responders.
    participants : DataFrame
        By trial and arm: ``n``, ``responders``, ``left_out``.
    missing : DataFrame
        Share of missing values by trial and feature.
    visits : DataFrame
        By trial: which week served as endpoint for how many.
    left_out : dict
        Reason to count.
    folds : dict
        Design to the number of fits for each candidate.
    parameters : int
        Columns after encoding, the intercept not counted.
    notes : tuple of str
        What deserves a second look.
    """

    analysis: str
    endpoint: str
    origin: str
    n: int
    events: int
    participants: pd.DataFrame
    missing: pd.DataFrame
    visits: pd.DataFrame
    left_out: dict[str, int]
    folds: dict[str, int]
    parameters: int
    notes: tuple[str, ...]

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
        for name in ("participants", "missing", "visits"):
            table = plain[name]
            plain[name] = table.astype(object).where(table.notna(), None).to_dict("records")
        return plain


def check(
    analysis: str, *, project: str | Path | None = None, data: str | Path | None = None
) -> CheckResult:
    """Check an analysis and its data without fitting anything.

    Parameters
    ----------
    analysis : str
        A name in ``pipelines`` or a path.
    project : str or Path, optional
        The project; the nearest one unless stated.
    data : str or Path, optional
        The folder of the data files; the project's unless stated.

    Returns
    -------
    CheckResult
        Counts, folds and notes.

    Raises
    ------
    GlabellaError
        If definitions, data or their combination are refused.
    """
    home = find_project(Path(project) if project is not None else None)
    loaded = load_analysis(analysis, home, data=Path(data) if data is not None else None)
    plan = plan_folds(loaded)
    folds: dict[str, int] = {}
    for fold in plan.folds:
        folds[fold.design] = folds.get(fold.design, 0) + 1
    used = [spec for spec in loaded.sample.features.specs if spec.part != "trial"]
    encoding = fit_encoding(loaded.sample.features.frame, used, fill_and_scale=True)
    participants = _count_participants(loaded)
    return CheckResult(
        analysis=loaded.resolved.name,
        endpoint=loaded.resolved.analysis.value.endpoint.describe(),
        origin=loaded.tables.origin,
        n=loaded.sample.n,
        events=int(loaded.sample.responded.sum()),
        participants=participants,
        missing=_count_missing(loaded),
        visits=_count_visits(loaded),
        left_out=loaded.outcomes.left_out,
        folds=folds,
        parameters=len(encoding.columns),
        notes=(
            *_note_size(loaded, len(encoding.columns)),
            *_note_cells(participants),
            *(
                f"trial {name}: not validated inside: {why}"
                for name, why in plan.infeasible.items()
            ),
        ),
    )


def _count_participants(loaded: LoadedAnalysis) -> pd.DataFrame:
    people = loaded.tables.participants
    responded = loaded.outcomes.frame["responded"]
    table = pd.DataFrame(
        {
            "trial": people["studyid"],
            "arm": people.get("arm", "all"),
            "responded": responded,
        }
    )
    grouped = table.groupby(["trial", "arm"], sort=False)["responded"]
    return grouped.agg(
        n="count", responders="sum", left_out=lambda values: int(values.isna().sum())
    ).reset_index()


def _count_missing(loaded: LoadedAnalysis) -> pd.DataFrame:
    sample = loaded.sample
    patient = [spec.name for spec in sample.features.specs if spec.part == "patient"]
    shares = sample.features.frame[patient].isna().groupby(sample.trial, sort=False).mean()
    return shares.rename_axis("trial").reset_index()


def _count_visits(loaded: LoadedAnalysis) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "trial": loaded.tables.participants["studyid"],
            "week": loaded.outcomes.frame["week"],
        }
    )
    counts = table.groupby(["trial", "week"], sort=False, dropna=False).size()
    return counts.rename("participants").reset_index()


def _note_size(loaded: LoadedAnalysis, parameters: int) -> list[str]:
    events = int(min(loaded.sample.responded.sum(), (1 - loaded.sample.responded).sum()))
    per_parameter = events / max(parameters, 1)
    if per_parameter >= 10:
        return []
    return [
        f"{events} of the rarer outcome for {parameters} parameters ({per_parameter:.1f} each): "
        "expect optimism, and rely on penalised candidates"
    ]


def _note_cells(participants: pd.DataFrame) -> list[str]:
    others = participants["n"] - participants["responders"]
    smallest = np.minimum(participants["responders"], others)
    few = participants[smallest < FEWEST_OF_A_CLASS]
    return [
        f"trial {row['trial']}, arm {row['arm']}: under {FEWEST_OF_A_CLASS} of a class, so it has "
        "no figure of its own"
        for _, row in few.iterrows()
    ]
