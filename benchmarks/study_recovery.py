"""The section of the study's page on recovery: how much data would one need?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from study_tables import COMMAND, Study, show_share, tabulate

from glabella.reporting.figures.drawing import COLOURS, render_svg

FIGURE_FILE = "recovery.svg"
ANY = "any, falsely"
# What is followed over sizes: in words, the claim, and of what it is made.
FOLLOWED = (
    ("agitation stands out from noise", "stands out from noise", "agitation"),
    ("agitation is called an effect modifier", "predictor of the effect", "agitation"),
    ("illness is called prognostic", "prognostic", "illness_months"),
    ("a false claim of an effect modifier", "predictor of the effect", ANY),
    ("a false claim of a prognostic feature", "prognostic", ANY),
)


def write_recovery(study: Study, tables: Path) -> str:
    """Write the section, and draw its figure.

    Parameters
    ----------
    study : Study
        The small tables.
    tables : Path
        Their folder, which takes the figure.

    Returns
    -------
    str
        Markdown.
    """
    lines = study.lines[study.lines["line"].str.startswith("recovery")].set_index("line")
    lines = lines.sort_values(["trials", "participants"])
    claims = {
        words: study.claims[(study.claims["claim"] == claim) & (study.claims["of"] == of)]
        .set_index("line")
        .reindex(lines.index)
        for words, claim, of in FOLLOWED
    }
    (tables / FIGURE_FILE).write_bytes(render_svg(_draw(lines, claims)))
    rows = [
        (
            f"{about['participants']:.0f}",
            f"{about['trials']:.0f}",
            f"{about['finished']:.0f}",
            *(
                show_share(each.loc[line, "rate"], each.loc[line, "rate_error"])
                for each in claims.values()
            ),
        )
        for line, about in lines.iterrows()
    ]
    return (
        "## 6. How much data would one need?\n\n"
        "Under `predictive`, agitation modifies the effect (an odds ratio near 2.8 a grade in the "
        "treated), illness is weakly prognostic, and age and resistance are neither. Illness adds "
        "the same to the course of patients in both arms; since the treated differ more among each "
        "other, it predicts their response less well, in odds and in concordance, and the more "
        "participants there are to show it, the more often that is called an effect.\n\n"
        "What is true is what causes response in the simulator. The claim that a feature is "
        "prognostic is about how it ranks patients of the control arm by itself. Agitation is "
        "correlated with severity there (0.2), which is prognostic, and nearly all of what is "
        "falsely called prognostic with 400 participants is agitation.\n\n"
        f"`{COMMAND} {' '.join(lines.index)}`\n\n"
        f"![How often the true predictors are found](validation_study/{FIGURE_FILE})\n\n"
        + tabulate(("participants", "trials", "repeats", *claims), rows)
    )


def _draw(lines: pd.DataFrame, claims: dict[str, pd.DataFrame]) -> Figure:
    """Draw the share of repeats that make each claim over the number of participants."""
    figure = Figure(figsize=(10.0, 4.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, (trials, mine) in zip(axes, lines.groupby("trials"), strict=True):
        for (words, claim), colour in zip(claims.items(), COLOURS, strict=False):
            found = claim.loc[mine.index]
            rate, error = 100 * found["rate"], 200 * found["rate_error"]
            axis.errorbar(
                mine["participants"],
                rate,
                yerr=[np.minimum(error, rate), np.minimum(error, 100 - rate)],
                marker="o",
                linestyle="--" if (found["of"] == ANY).all() else "-",
                color=colour,
                label=words,
            )
        axis.set_xscale("log", base=2)
        axis.set_xticks(mine["participants"], [f"{n:.0f}" for n in mine["participants"]])
        axis.minorticks_off()
        axis.set_title(f"{trials:.0f} trials")
        axis.set_xlabel("participants in all")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("repeats, %")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=8, frameon=False,
                  loc="outside lower center", ncols=3)  # fmt: skip
    figure.suptitle("Simulated. Bars: two Monte Carlo standard errors to each side", fontsize=9)
    return figure
