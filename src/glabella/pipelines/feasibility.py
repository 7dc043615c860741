"""What can be fitted and measured: folds with both classes, events for each parameter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from glabella.data.checks import Finding
from glabella.models.build import count_parameters
from glabella.pipelines.load import LoadedAnalysis
from glabella.pipelines.validate import FoldPlan
from glabella.validation.metrics import FEWEST_OF_A_CLASS


def tabulate_folds(loaded: LoadedAnalysis, plan: FoldPlan) -> pd.DataFrame:
    """Count the classes of the folds of each design, and of each trial or site.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    plan : FoldPlan
        Its folds.

    Returns
    -------
    DataFrame
        ``design``, ``group``, ``folds``, and the fewest over them: ``training_responders``,
        ``training_others``, ``held_out_responders``, ``held_out_others``.
    """
    sample = loaded.sample
    rows = []
    for fold in plan.folds:
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


def note_folds(folds: pd.DataFrame) -> Iterator[Finding]:
    """Name the trials and sites of which, left out, one class is too small for a figure.

    Parameters
    ----------
    folds : DataFrame
        From `tabulate_folds`.

    Yields
    ------
    Finding
        One for each.
    """
    for _, row in folds[folds["design"] == "across"].iterrows():
        fewest = min(row["held_out_responders"], row["held_out_others"])
        if fewest < FEWEST_OF_A_CLASS:
            what = "one class only" if fewest == 0 else f"under {FEWEST_OF_A_CLASS} of a class"
            yield Finding(
                f"left out: {row['group']}", f"holds {what}, so it has no figure", "", "note"
            )


def tabulate_parameters(loaded: LoadedAnalysis) -> pd.DataFrame:
    """Set events against the parameters of each candidate.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.

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
