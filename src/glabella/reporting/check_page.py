"""The check of an analysis as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from glabella.domain.outcome_words import OutcomeWords
from glabella.errors import GlabellaError
from glabella.reporting.render import open_templates

_HEADINGS = {
    "trial": "Trial",
    "arm": "Arm",
    "n": "Analysed",
    "responders": "Responders",
    "left_out": "Left out",
    "week": "Week",
    "participants": "Participants",
    "seen": "Assessed",
    "share": "Share",
    "scheduled": "Scheduled",
    "followed": "Still followed",
    "of": "Of",
    "dropped": "Dropped out",
    "basis": "Basis",
    "design": "Design",
    "group": "Inside or left out",
    "folds": "Folds",
    "training_responders": "Responders in training",
    "training_others": "Others in training",
    "held_out_responders": "Responders held out",
    "held_out_others": "Others held out",
    "candidate": "Candidate",
    "parameters": "Parameters",
    "events_per_parameter": "Events for each",
    "anticipated": "Anticipated concordance",
    "needed": "Needed",
    "analysed": "Analysed",
    "expected_shrinkage": "Expected shrinkage",
    "needed_to_validate": "Needed to validate in others",
    "feature": "",
    "statistic": "",
}
_SHARES = ("share", "dropped")


def render_check(result: Mapping[str, Any]) -> str:
    """Render the page.

    Parameters
    ----------
    result : mapping
        The fields of a `CheckResult`.

    Returns
    -------
    str
        HTML that needs nothing else; every text of the data is escaped.
    """
    shown = {**result, "strategies": tabulate_definitions(result["strategies"])}
    tables = {name: _tabulate(value) for name, value in shown.items() if _is_table(value)}
    plain = {name: value for name, value in result.items() if not _is_table(value)}
    return (
        open_templates()
        .get_template("check.html.jinja")
        .render(tables=tables, words=OutcomeWords(result["event"]), **plain)
    )


def render_stop(analysis: str, error: GlabellaError) -> str:
    """Render what stops an analysis.

    Parameters
    ----------
    analysis : str
        Its name.
    error : GlabellaError
        The finding.

    Returns
    -------
    str
        HTML that needs nothing else.
    """
    template = open_templates().get_template("stop.html.jinja")
    return template.render(
        analysis=analysis, place=error.place, finding=error.finding, remedy=error.remedy
    )


def tabulate_definitions(table: pd.DataFrame) -> pd.DataFrame:
    """Put definitions of the outcome into columns.

    Parameters
    ----------
    table : DataFrame
        ``definition``, ``trial``, ``arm``, ``n`` and ``responders``.

    Returns
    -------
    DataFrame
        A row for each trial and arm, and a column of text for each definition: responders of the
        analysed.
    """
    cells = [
        f"{responders:g} of {n}"
        for responders, n in zip(table["responders"], table["n"], strict=True)
    ]
    rows = ["trial", "arm"]
    wide = table.assign(cell=cells).pivot(index=rows, columns="definition", values="cell")
    columns = list(dict.fromkeys(table["definition"]))
    return table[rows].drop_duplicates().merge(wide[columns].reset_index(), on=rows, how="left")


def _is_table(value: object) -> bool:
    return isinstance(value, pd.DataFrame)


def _tabulate(frame: pd.DataFrame) -> dict[str, Any]:
    shares = [name for name in frame.columns if name in _SHARES or _is_share(frame, name)]
    return {
        "head": [_HEADINGS.get(str(name), str(name)) for name in frame.columns],
        "numeric": [pd.api.types.is_numeric_dtype(frame[name].dtype) for name in frame.columns],
        "rows": [
            [
                _write(value, is_share=name in shares)
                for name, value in zip(frame.columns, row, strict=True)
            ]
            for row in frame.itertuples(index=False)
        ],
    }


def _is_share(frame: pd.DataFrame, name: object) -> bool:
    """Whether it is a column of the table of missing values, which are all shares."""
    return str(name) not in _HEADINGS and frame[name].dtype == float


def _write(value: object, *, is_share: bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if pd.isna(value):
            return "none"
        return (
            f"{100 * value:.0f} %" if is_share else f"{value:.4g}" if value < 1000 else f"{value:g}"
        )
    return str(value)
