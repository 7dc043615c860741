"""Who is analysed, by trial and arm, and what became of those without a score."""

from __future__ import annotations

from typing import Any

import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.domain.small_counts import (
    FEWEST_TOLD,
    list_lines,
    suppress_cells,
    suppress_each,
)

# What becomes of a participant without a score at the endpoint, by the basis of the outcome.
_BECAME = {
    "counted": "counted as {lacking}",
    "carried_forward": "given their last earlier score",
    "to_impute": "given imputed scores",
    "no_score": "left out",
}
# From here on the first sentences say how many outcomes are missing.
_MANY = 0.05
_VERY_MANY = 0.2


def describe_missing(loaded: LoadedAnalysis) -> str:
    """Say how many outcomes are missing and what was done about them, if they are many.

    Returns
    -------
    str
        A sentence, or two if a fifth or more are missing; blank under one in twenty.
    """
    basis = loaded.outcomes.frame["basis"]
    randomised = int((basis != "no_baseline").sum())
    counts = {name: int((basis == name).sum()) for name in _BECAME}
    missing = sum(counts.values())
    if missing < max(FEWEST_TOLD, _MANY * randomised):
        return ""
    words = loaded.analysis.endpoint.outcome_words
    became = [
        text.format(lacking=words.lacking)
        for name, text in _BECAME.items()
        if counts[name] >= max(FEWEST_TOLD, 0.5 * missing)
    ]
    what = f" and were {became[0]}" if became else ""
    sentence = (
        f"{missing} of {randomised} participants ({100 * missing / randomised:.0f} %) had no score "
        f"at the endpoint{what}"
    )
    if missing < _VERY_MANY * randomised:
        return f"{sentence}."
    return (
        f"{sentence}: what is said here holds only if that is right for them, which the data "
        "cannot show."
    )


def tabulate_participants(loaded: LoadedAnalysis) -> list[dict[str, Any]]:
    """Count the participants of each trial and arm; small counts are suppressed.

    Returns
    -------
    list of dict
        ``trial``, ``arm``, ``n`` analysed, ``events``, ``without_score`` (whatever was done about
        them) and ``left_out``.
    """
    table = loaded.tables.participants[["studyid"]].copy()
    table["responded"] = loaded.expected
    table["without"] = loaded.outcomes.frame["basis"].isin(list(_BECAME)).to_numpy()
    arms = loaded.analysis.arms
    names = {code: arm.label or arm.name for arm in arms for code in arm.all_codes}
    table["arm"] = loaded.tables.participants["arm"].map(names) if arms else "all"
    counted = [
        (str(trial), str(arm), group)
        for (trial, arm), group in table.groupby(["studyid", "arm"], sort=False)
    ]
    lines = list_lines([trial for trial, _, _ in counted], [arm for _, arm, _ in counted])
    told = suppress_cells(
        [
            (int(group["responded"].notna().sum()), _count_events(loaded, group["responded"]))
            for *_, group in counted
        ],
        lines,
    )
    left_out = suppress_each([int(group["responded"].isna().sum()) for *_, group in counted], lines)
    without = suppress_each([int(group["without"].sum()) for *_, group in counted], lines)
    return [
        {
            "trial": trial,
            "arm": arm,
            "n": mine.n,
            "events": mine.events,
            "without_score": unscored,
            "left_out": gone,
        }
        for (trial, arm, _), mine, unscored, gone in zip(
            counted, told, without, left_out, strict=True
        )
    ]


def _count_events(loaded: LoadedAnalysis, responded: pd.Series) -> float:
    total = float(responded.sum())
    return int(total) if loaded.outcomes.imputation is None else round(total, 1)
