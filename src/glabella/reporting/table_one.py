"""Table 1: the participants' features by arm."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

from glabella.features.spec import FeatureSpec, FeatureTable

OVERALL = "Overall"


def make_table_one(features: FeatureTable, groups: pd.Series) -> pd.DataFrame:
    """Describe the patient features overall and by group.

    Returns
    -------
    DataFrame
        ``feature`` and ``statistic``, then a column of text for each group and one for all:
        mean and standard deviation with the number missing, or a level's number and percent of
        those known. No test is made: chance makes the arms of a randomised trial differ.
    """
    frame = features.frame.reset_index(drop=True)
    labels = groups.reset_index(drop=True)
    parts: list[tuple[Hashable, pd.DataFrame]] = list(frame.groupby(labels, sort=False))
    parts.append((OVERALL, frame))
    rows = [{"feature": "Participants", "statistic": "n"} | {n: str(len(p)) for n, p in parts}]
    for spec in features.specs:
        if spec.part == "patient":
            rows += _describe(spec, parts)
    return pd.DataFrame(rows)


def _describe(
    spec: FeatureSpec, parts: list[tuple[Hashable, pd.DataFrame]]
) -> list[dict[Hashable, str]]:
    named = spec.label if spec.unit is None else f"{spec.label} ({spec.unit})"
    rows: list[dict[Hashable, str]] = []
    if spec.kind == "category" or spec.levels:
        for level, label in spec.levels.items():
            row: dict[Hashable, str] = {"feature": named, "statistic": f"{label}, n (%)"}
            for name, part in parts:
                known = part[spec.name].dropna()
                value = level if spec.kind == "category" else float(level)
                row[name] = _count(int((known == value).sum()), len(known))
            rows.append(row)
    else:
        row = {"feature": named, "statistic": "mean (SD)"}
        for name, part in parts:
            known = part[spec.name].dropna()
            row[name] = f"{known.mean():.1f} ({known.std():.1f})" if len(known) > 1 else "–"
        rows.append(row)
    missing = {name: int(part[spec.name].isna().sum()) for name, part in parts}
    if any(missing.values()):
        counts: dict[Hashable, str] = {name: str(count) for name, count in missing.items()}
        rows.append({"feature": named, "statistic": "missing, n"} | counts)
    return rows


def _count(count: int, known: int) -> str:
    return f"{count} ({100 * count / known:.0f})" if known else "–"
