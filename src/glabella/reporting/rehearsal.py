"""What a rehearsal came to: in words, as a figure, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from glabella.reporting.figures.drawing import COLOURS
from glabella.validation.adequacy.simulation_study import LEAST_COVERAGE, MOST_COVERAGE
from glabella.validation.measures.measure import Tier
from glabella.validation.measures.registry import list_measures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[Hashable, Any]

HEADLINE = "auc"
SHOWN = list_measures(Tier.BRIEF)
_KINDS = ("estimate", "mean over trials")
_OVER = "over "
_DESIGNS = {
    "pooled": "in participants of the same trials",
    "across": "in a trial that had no part in it",
    "inside": "trained and tested in the same trial",
}

# Trials differ in size, so the two figures over trials left out have truths of their own.
_WEIGHED = {
    ("across", "estimate"): ", trials weighed by their pairs",
    ("across", "mean over trials"): ", each trial counting alike",
}


def find_headline(figures: pd.DataFrame) -> str:
    """Find whose figures head a rehearsal.

    Returns
    -------
    str
        The procedure where there was a choice, else the only candidate that is no reference.
    """
    names = list(dict.fromkeys(figures.loc[figures["kind"].isin(_KINDS), "candidate"].astype(str)))
    if "procedure" in names:
        return "procedure"
    kinds = figures["kind"].astype(str)
    references = {kind.removeprefix(_OVER) for kind in kinds if kind.startswith(_OVER)}
    return next((name for name in names if name not in references), names[-1])


def describe_rehearsal(figures: pd.DataFrame, claims: pd.DataFrame, *, repeats: int) -> str:
    """Say what is to be expected, were the scenario true.

    Returns
    -------
    str
        A sentence for each design, and one for false claims where some were counted.
    """
    name = find_headline(figures)
    said = [f"Were the scenario true ({repeats} repeats):"]
    for design, where in _DESIGNS.items():
        for kind in _KINDS:
            mine = figures[
                (figures["design"] == design)
                & (figures["candidate"] == name)
                & (figures["kind"] == kind)
                & (figures["measure"] == HEADLINE)
            ]
            how = _WEIGHED.get((design, kind), "")
            said += [_describe_row(name, where + how, kind, row) for row in mine.to_dict("records")]
    for row in claims[claims["of"] == "any, falsely"].to_dict("records"):
        said.append(
            f"The report would say '{row['claim']}' of at least one feature falsely in "
            f"{_format_percent(row['rate'], row['rate_error'])} of repeats."
        )
    return " ".join(said)


def _describe_row(name: str, where: str, kind: str, row: Row) -> str:
    who = "the procedure" if name == "procedure" else name
    if pd.isna(row["truth"]) or pd.isna(row["mean"]):
        return f"The concordance {where} could not be estimated."
    of = ", as the mean over trials," if kind == "mean over trials" else ""
    text = (
        f"{who} would reach a concordance of {row['truth']:.3f} {where}; the report would say"
        f"{of} {row['mean']:.3f} on average"
    )
    if not pd.isna(row["coverage"]):
        text += (
            f", with an interval {row['width']:.2f} wide that holds the truth in "
            f"{_format_percent(row['coverage'], row['coverage_error'])} and lies above chance in "
            f"{_format_percent(row['power'], row['power_error'])} of repeats"
        )
        if row["worse"] > 0:
            text += f", below it in {_format_percent(row['worse'], row['worse_error'])}"
    return text[0].upper() + text[1:] + "."


def _format_percent(share: float, error: float) -> str:
    return f"{100 * share:.1f} % (± {100 * error:.1f})"


def render_rehearsal_text(figures: pd.DataFrame, claims: pd.DataFrame) -> str:
    """Render the main figures for a terminal."""
    is_gain = figures["measure"].str.startswith("gain_")
    shown = figures[figures["measure"].isin(SHOWN) | is_gain]
    head = ("design", "candidate", "of", "measure", "repeats", "truth", "mean", "bias ±", "width",
            "error", "coverage ±", "above chance")  # fmt: skip
    rows = [
        (
            row["design"],
            row["candidate"],
            _name_priors(row["kind"]),
            row["measure"],
            str(row["repeats"]),
            _number(row["truth"], 3),
            _number(row["mean"], 3),
            f"{_number(row['bias'], 4, sign=True)} ± {_number(row['bias_error'], 4)}",
            _number(row["width"], 3),
            _number(row["rmse"], 3),
            _format_proportion(row["coverage"], row["coverage_error"]),
            _format_proportion(row["power"], None),
        )
        for row in shown.to_dict("records")
    ]
    lines = _format_columns([head, *rows], texts=4)
    if len(claims):
        told = [
            (
                row["claim"],
                row["of"],
                {True: "yes", False: "no"}.get(row["true"], "-"),
                _format_proportion(row["rate"], row["rate_error"]),
            )
            for row in claims.to_dict("records")
        ]
        lines += ["", *_format_columns([("claim", "of", "true", "rate ±"), *told], texts=2)]
    return "\n".join(lines)


def _name_priors(kind: str) -> str:
    """Tell two prediction intervals apart by the prior that they are named after."""
    if not kind.startswith("prediction, "):
        return kind
    method = kind.removeprefix("prediction, ")
    prior = next((each for each in ("van Leeuwen", "half t") if each in method), method[:20])
    return f"prediction, {prior}"


def _format_columns(rows: Sequence[tuple[str, ...]], *, texts: int) -> list[str]:
    """Set columns under one another: the first as text, the others as numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at < texts else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _number(value: float | None, digits: int, *, sign: bool = False) -> str:
    if value is None or pd.isna(value):
        return "-"
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def _format_proportion(value: float | None, error: float | None) -> str:
    if value is None or pd.isna(value):
        return "-"
    return f"{100 * value:.1f} %" + ("" if error is None else f" ± {100 * error:.1f}")


def draw_rehearsal(figures: pd.DataFrame) -> Figure:
    """Draw estimates beside the truth, and how often intervals hold it.

    Returns
    -------
    Figure
        Of matplotlib, a panel a measure for the estimates and one for coverage: a row a design
        and candidate. Marks of simulated data.
    """
    from matplotlib.figure import Figure

    shown = figures[figures["measure"].isin(SHOWN) & figures["kind"].isin(_KINDS)]
    labels = list(
        dict.fromkeys(
            _label(row) for row in shown.sort_values("design", kind="stable").to_dict("records")
        )
    )
    figure = Figure(
        figsize=(3.0 * (len(SHOWN) + 1), 0.32 * len(labels) + 1.8), layout="constrained"
    )
    axes = figure.subplots(1, len(SHOWN) + 1, sharey=True, squeeze=False)[0]
    for axis, measure in zip(axes, SHOWN, strict=False):
        _draw_estimates(axis, shown[shown["measure"] == measure], labels)
        axis.set_xlabel(measure.replace("_", " "))
    _draw_coverage(axes[-1], shown, labels)
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].invert_yaxis()
    axes[0].legend(loc="best", fontsize=8, frameon=False)
    figure.suptitle(
        "Simulated. Dots: mean estimate; bars: two standard deviations over repeats to each side; "
        "crosses: truth",
        fontsize=9,
    )
    return figure


def _label(row: Row) -> str:
    kind = "" if row["kind"] == "estimate" else ", mean over trials"
    return f"{row['design']}{kind}: {row['candidate']}"


def _draw_estimates(axis: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    for at, row in enumerate(rows.to_dict("records")):
        place = labels.index(_label(row))
        if not pd.isna(row["mean"]):
            axis.errorbar(
                row["mean"],
                place,
                xerr=None if pd.isna(row["sd"]) else 2 * row["sd"],
                fmt="o",
                color=COLOURS[0],
                label="estimates" if at == 0 else None,
            )
        if not pd.isna(row["truth"]):
            axis.plot(
                row["truth"],
                place,
                marker="x",
                linestyle="none",
                color=COLOURS[1],
                label="truth" if at == 0 else None,
            )
    axis.spines[["top", "right"]].set_visible(False)


def _draw_coverage(axis: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    axis.axvspan(100 * LEAST_COVERAGE, 100 * MOST_COVERAGE, color="#dddddd", linewidth=0)
    for at, measure in enumerate(SHOWN):
        mine = rows[(rows["measure"] == measure) & rows["coverage"].notna()].to_dict("records")
        shares = [100 * row["coverage"] for row in mine]
        errors = [200 * row["coverage_error"] for row in mine]
        axis.errorbar(
            shares,
            [labels.index(_label(row)) + 0.15 * (at - (len(SHOWN) - 1) / 2) for row in mine],
            # No share is outside 0 to 100 %.
            xerr=[
                [min(error, share) for share, error in zip(shares, errors, strict=True)],
                [min(error, 100 - share) for share, error in zip(shares, errors, strict=True)],
            ],
            fmt=".",
            color=COLOURS[at],
            label=measure.replace("_", " "),
        )
    axis.set_xlabel("coverage of 95 % intervals, %\n(grey: 93 to 97)")
    axis.legend(loc="best", fontsize=7, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
