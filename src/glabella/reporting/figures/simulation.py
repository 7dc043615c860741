"""Figures of simulated trials beside published points, as SVG."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from glabella.data.evidence import Evidence
from glabella.reporting.figures.drawing import COLOURS, Drawn, finish_figure, open_pyplot
from glabella.simulation.scenario.definition import Scenario

_NOTE = "Simulated; bands hold 90 % of the replicates"
_OF_ROLE = {"active": (COLOURS[0], "active"), "control": (COLOURS[1], "control")}
# Wollmer 2014, by inverting its printed means, standard deviations and AUC: responders among the
# treated with item 9 of 0, 1, and 2 or more.
_RECONSTRUCTED = ((0, 1, 5), (1, 3, 5), (2, 5, 5))


def draw_courses(courses: pd.DataFrame, evidence: Evidence) -> Drawn:
    """Draw the mean fall by week, a panel a trial or cohort, with published points."""
    panels = list(courses[["trial", "cohort"]].drop_duplicates().itertuples(index=False, name=None))
    across = min(3, len(panels))
    down = math.ceil(len(panels) / across)
    pyplot = open_pyplot()
    figure, axes = pyplot.subplots(
        down, across, figsize=(3.6 * across, 3.0 * down), squeeze=False, sharey=True
    )
    for axis, (trial, cohort) in zip(axes.flat, panels, strict=False):
        here = courses[(courses["trial"] == trial) & (courses["cohort"] == cohort)]
        for role, (colour, label) in _OF_ROLE.items():
            arm = here[here["role"] == role]
            axis.fill_between(arm["week"], -arm["high"], -arm["low"], color=colour, alpha=0.15)
            axis.plot(arm["week"], -arm["mean"], color=colour, marker=".", label=label)
            for item in evidence.findings:
                if item.of != "fall_percent" or item.trials != (trial,) or item.arm != role:
                    continue
                axis.plot(
                    [item.week],
                    [-item.figure],
                    marker="D",
                    markersize=7,
                    color="black",
                    markerfacecolor="none" if item.confidence == "recalled" else colour,
                    linestyle="none",
                )
        axis.axhline(-50, color="#999999", linewidth=0.8, linestyle=":")
        axis.set_title(f"{trial} {cohort}".strip(), fontsize=10)
        axis.set_xlabel("Week")
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    for row in axes:
        row[0].set_ylabel("Mean change, % of baseline")
    axes[0][0].legend(frameon=False, fontsize=8, loc="lower left")
    return finish_figure(figure, f"{_NOTE}. Diamonds: published; open: recalled. Dotted: half.")


def draw_baselines(baselines: pd.DataFrame, scenario: Scenario) -> Drawn:
    """Draw the distribution of the baseline total, a panel a trial, with the entry threshold."""
    across = min(3, len(scenario.trials))
    down = math.ceil(len(scenario.trials) / across)
    pyplot = open_pyplot()
    figure, axes = pyplot.subplots(down, across, figsize=(3.6 * across, 2.6 * down), squeeze=False)
    for axis, trial in zip(axes.flat, scenario.trials, strict=False):
        here = baselines[baselines["trial"] == trial.id]
        axis.bar(here["total"], 100 * here["share"], width=1.0, color=COLOURS[0], alpha=0.6)
        axis.axvline(trial.severity.low - 0.5, color=COLOURS[1], label="entry")
        axis.set_title(trial.id, fontsize=10)
        axis.set_xlabel(f"{trial.scale} total at baseline")
    for axis in axes.flat[len(scenario.trials) :]:
        axis.axis("off")
    for row in axes:
        row[0].set_ylabel("% of participants")
    axes[0][0].legend(frameon=False, fontsize=8)
    return finish_figure(figure, "Simulated; means and spreads before entry are assumed")


def draw_agitation(agitation: pd.DataFrame) -> Drawn:
    """Draw the rate of response by grade of agitation, with the reconstructed trial."""
    pyplot = open_pyplot()
    figure, axis = pyplot.subplots(figsize=(5.2, 3.8))
    for shift, (role, (colour, label)) in zip((-0.06, 0.06), _OF_ROLE.items(), strict=True):
        arm = agitation[agitation["role"] == role].sort_values("grade")
        means = 100 * arm["mean"]
        errors = np.array([means - 100 * arm["low"], 100 * arm["high"] - means]).clip(min=0)
        axis.errorbar(
            arm["grade"] + shift, means, yerr=errors, color=colour, marker="o", label=label
        )
    grades, responders, n = zip(*_RECONSTRUCTED, strict=True)
    axis.plot(
        grades,
        [100 * k / m for k, m in zip(responders, n, strict=True)],
        marker="D",
        linestyle="none",
        color="black",
        label="Wollmer 2012, treated, 5 of each (2: 2 or more)",
    )
    axis.set_xlabel("Agitation at baseline (HAM-D item 9)")
    axis.set_ylabel("Response, %")
    axis.set_ylim(-4, 104)
    axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, 1.22))
    return finish_figure(figure, f"{_NOTE}, in trials that rate the item")
