"""A model in new trials as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from glabella.bundle.manifest import Manifest
from glabella.domain.outcome_words import RESPONSE_WORDS, OutcomeWords
from glabella.reporting.figures.drawing import COLOURS, Drawn, finish_figure
from glabella.reporting.figures.training import draw_calibration
from glabella.reporting.render import open_templates, render_drawn
from glabella.reporting.verdict import PredictionInterval
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.performance import fit_curve
from glabella.validation.measures.registry import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_trial(
    predictions: pd.DataFrame,
    sample: Sample,
    *,
    title: str,
    note: str,
    words: OutcomeWords = RESPONSE_WORDS,
) -> Drawn:
    """Draw the calibration of a model in a new trial.

    Parameters
    ----------
    predictions : DataFrame
        One row a participant, as `collect_predictions` tabulates.
    sample : Sample
        The participants.
    title : str
        The trial.
    note : str
        The mark of simulated data; may be empty.
    words : OutcomeWords
        The words for the outcome.

    Returns
    -------
    Drawn
        Image and data.
    """
    curve = fit_curve(predictions, sample)
    return draw_calibration(
        predictions,
        sample,
        curve,
        title=f"Calibration in {title}",
        note=note.strip(" ()"),
        words=words,
    )


def draw_over_time(table: pd.DataFrame, promised: PredictionInterval) -> Figure:
    """Draw the concordance in each trial beside the prediction interval of training.

    Parameters
    ----------
    table : DataFrame
        A row a trial in order: ``trial``, ``n``, ``auc``, ``auc_low``, ``auc_high``, ``promise``.
    promised : PredictionInterval
        The prediction interval.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(4.0, 1.2 * len(table) + 2.0), 3.6))
    axis = figure.subplots()
    if promised.low is not None and promised.high is not None:
        axis.axhspan(
            promised.low, promised.high, color="#dddddd", linewidth=0, label="promised at training"
        )
    axis.axhline(0.5, color="#999999", linewidth=0.8)
    for at, row in enumerate(table.to_dict("records")):
        if row["auc"] is None or pd.isna(row["auc"]):
            continue
        is_broken = row["promise"] == "broken"
        bounds = None
        if row["auc_low"] is not None and not pd.isna(row["auc_low"]):
            bounds = [[row["auc"] - row["auc_low"]], [row["auc_high"] - row["auc"]]]
        axis.errorbar(
            at,
            row["auc"],
            yerr=bounds,
            fmt="X" if is_broken else "o",
            color=COLOURS[1] if is_broken else COLOURS[0],
            label="outside the prediction" if is_broken else None,
        )
    axis.set_xticks(range(len(table)), [f"{row.trial}\nn = {row.n}" for row in table.itertuples()])
    axis.set_ylabel("Concordance, 95 % interval")
    axis.legend(frameon=False, fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def render_new_trials(
    result: Mapping[str, Any],
    manifest: Manifest,
    figures: Mapping[str, Drawn],
    over_time: Figure | None,
) -> str:
    """Render the page.

    Parameters
    ----------
    result : mapping
        As `glabella validate --json` prints it.
    manifest : Manifest
        The model's.
    figures : mapping of Drawn
        By trial.
    over_time : Figure, optional
        Of several trials.

    Returns
    -------
    str
        HTML that needs nothing else; every text of the data is escaped.
    """
    template = open_templates().get_template("new_trials.html.jinja")
    labels = {item.name: item.label for item in manifest.specs if item.part == "patient"}
    return template.render(
        result=result,
        manifest=manifest,
        labels=labels,
        described=MEASURES,
        words=OutcomeWords(manifest.event),
        figures={
            name: render_drawn(
                f"calibration_{at}.svg",
                drawn,
                f"Observed against predicted {manifest.event} in {name}.",
                manifest.analysis,
            )
            for at, (name, drawn) in enumerate(figures.items(), start=1)
        },
        over_time=None
        if over_time is None
        else render_drawn(
            "over_time.svg",
            finish_figure(over_time, ""),
            "Concordance in each trial, in the order in which they came; grey is the "
            "prediction interval of training for a new trial.",
            manifest.analysis,
        ),
    )
