"""What can be fitted and measured: folds with both classes, events for each parameter."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.data.checks import Finding
from glabella.models.build import count_parameters
from glabella.validation.adequacy.sample_size import (
    SHRINKAGE,
    compute_development_size,
    compute_expected_shrinkage,
    compute_r2_from_concordance,
    compute_validation_size,
)
from glabella.validation.measures.evaluation import FEWEST_OF_A_CLASS

# What models of antidepressant response reached in other trials, and what few did.
ANTICIPATED = (0.65, 0.75)


def tabulate_folds(loaded: LoadedAnalysis) -> pd.DataFrame:
    """Count the classes of the folds of each design, and of each trial or site.

    Returns
    -------
    DataFrame
        ``design``, ``group``, ``folds``, and the fewest over them: ``training_responders``,
        ``training_others``, ``held_out_responders``, ``held_out_others``.
    """
    sample = loaded.sample
    rows = []
    for fold in loaded.plan.folds:
        training, held_out = (sample.count_events(part) for part in (fold.train, fold.test))
        rows.append(
            {
                "design": fold.design,
                "group": fold.group or "",
                "training_responders": training,
                "training_others": len(fold.train) - training,
                "held_out_responders": held_out,
                "held_out_others": len(fold.test) - held_out,
            }
        )
    grouped = pd.DataFrame(rows).groupby(["design", "group"], sort=False)
    table = grouped.min()
    table.insert(0, "folds", grouped.size())
    return table.reset_index()


def tabulate_trials_by_fold(loaded: LoadedAnalysis) -> pd.DataFrame:
    """Count who is held out in each fold of the first pooled repetition.

    Returns
    -------
    DataFrame
        One row a trial, one column a fold: responders of participants, such as ``3 of 12``.
    """
    sample = loaded.sample
    table = pd.DataFrame({"trial": list(dict.fromkeys(sample.trial.tolist()))})
    for fold in loaded.plan.folds:
        if fold.design != "pooled" or fold.repeat != 0:
            continue
        cells = []
        for trial in table["trial"]:
            held = fold.test[sample.trial[fold.test] == trial]
            cells.append(f"{sample.count_events(held):g} of {len(held)}")
        table[f"fold {fold.number + 1}"] = cells
    return table


def note_folds(folds: pd.DataFrame) -> Iterator[Finding]:
    """Name the trials and sites of which, left out, one class is too small for a figure."""
    for _, row in folds[folds["design"] == "across"].iterrows():
        fewest = min(row["held_out_responders"], row["held_out_others"])
        if fewest < FEWEST_OF_A_CLASS:
            what = "one class only" if fewest == 0 else f"under {FEWEST_OF_A_CLASS} of a class"
            yield Finding(
                f"left out: {row['group']}", f"holds {what}, so it has no figure", "", "note"
            )


def tabulate_parameters(loaded: LoadedAnalysis) -> pd.DataFrame:
    """Set events against the parameters of each candidate.

    Returns
    -------
    DataFrame
        ``candidate``, ``parameters`` besides the intercept and ``events_per_parameter``: of the
        rarer outcome; missing where a candidate has no fixed number, as trees have not.
    """
    sample = loaded.sample
    rarer = min(sample.events, sample.n - sample.events)
    rows = []
    for name, read in loaded.resolved.candidates.items():
        count = count_parameters(read.value, sample.features.frame, sample.features.specs)
        rows.append(
            {
                "candidate": name,
                "parameters": np.nan if count is None else count,
                "events_per_parameter": rarer / count if count else np.nan,
            }
        )
    return pd.DataFrame(rows)


def tabulate_sizes(loaded: LoadedAnalysis) -> pd.DataFrame:
    """Set the participants against those that Riley's criteria ask for.

    Returns
    -------
    DataFrame
        By ``candidate`` that has a fixed number of parameters, and ``anticipated`` concordance
        over all arms: ``needed`` to develop it, the ``analysed``, the ``expected_shrinkage`` at
        that number, and how many would be ``needed_to_validate`` it in others. Empty where
        nobody, or everybody, responded.
    """
    sample = loaded.sample
    prevalence = sample.events / sample.n
    columns = [
        "candidate", "anticipated", "needed", "analysed", "expected_shrinkage",
        "needed_to_validate",
    ]  # fmt: skip
    rows = []
    counted = tabulate_parameters(loaded).dropna(subset=["parameters"])
    for row in counted[counted["parameters"] > 0].to_dict("records"):
        parameters = int(row["parameters"])
        for concordance in ANTICIPATED if 0 < prevalence < 1 else ():
            r2 = compute_r2_from_concordance(concordance, prevalence)
            rows.append(
                (
                    row["candidate"],
                    concordance,
                    compute_development_size(parameters, prevalence, r2=r2).n,
                    sample.n,
                    round(compute_expected_shrinkage(parameters, sample.n, r2=r2), 3),
                    compute_validation_size(prevalence, concordance=concordance).n,
                )
            )
    return pd.DataFrame(rows, columns=columns)


def note_sizes(sizes: pd.DataFrame, references: Collection[str]) -> Iterator[Finding]:
    """Warn where even a good model would need more participants than there are."""
    best = sizes[(sizes["anticipated"] == max(ANTICIPATED)) & ~sizes["candidate"].isin(references)]
    for row in best[best["needed"] > best["analysed"]].to_dict("records"):
        yield Finding(
            f"candidate {row['candidate']}",
            f"{row['needed']} participants are needed for an expected shrinkage of {SHRINKAGE} and "
            f"a precise overall risk, at an anticipated concordance of {row['anticipated']}; with "
            f"{row['analysed']} expect {row['expected_shrinkage']:.2f}",
            "Choose fewer features, or pool more trials; the report shows the slope that resulted.",
            "note",
        )
