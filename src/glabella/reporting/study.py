"""What the validation study found, for the sentences of a page that state it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pandas as pd

from glabella.definitions.locate import find_shipped

# The scenarios without missing outcomes, and among them those of the headline.
_WITH_MISSING = "missing"
_HEADLINES = ("headline_published", "headline_twice", "headline_ten_trials", "boosted_published")
# Of each scenario, the candidate that it is about.
_SHOWN = {"boosted_published": "xgboost", "choice": "procedure"}
_MEASURES = ("auc", "brier", "log_loss")
_TESTS = {
    "any": "permutation test: there is anything",
    "beyond_severity": "permutation test: beyond severity",
}


@dataclass(frozen=True)
class StudyResults:
    """Rates of the validation study, rounded as a sentence states them.

    Parameters
    ----------
    pooled, across : tuple of int
        The lowest and highest coverage, in percent, of the 95 % intervals of concordance, Brier
        score and log loss over the scenarios, in pooled cross-validation and with trials left out.
    log_loss_optimism, brier_optimism : tuple of float
        The lowest and highest amount by which pooled cross-validation is too good, over the
        scenarios of the headline.
    false_positives : dict of str
        By permutation test, how many of 100 trials without a signal it found one in, with the
        Monte Carlo error of one standard error.
    """

    pooled: tuple[int, int]
    across: tuple[int, int]
    log_loss_optimism: tuple[float, float]
    brier_optimism: tuple[float, float]
    false_positives: dict[str, str]


@cache
def read_study() -> StudyResults:
    """Read the study's small tables, which come with the package."""
    folder = find_shipped() / "docs" / "validation_study"
    figures = pd.read_csv(folder / "figures.csv")
    shown = figures["line"].map(lambda line: _SHOWN.get(line, "ridge"))
    figures = figures[(figures["kind"] == "estimate") & (figures["candidate"] == shown)]
    claims = pd.read_csv(folder / "claims.csv").set_index(["line", "claim"])
    return StudyResults(
        pooled=_find_coverage(figures, "pooled"),
        across=_find_coverage(figures, "across"),
        log_loss_optimism=_find_optimism(figures, "log_loss"),
        brier_optimism=_find_optimism(figures, "brier"),
        false_positives={
            name: f"{100 * row['rate']:.1f} ± {100 * row['rate_error']:.1f}"
            for name, claim in _TESTS.items()
            for _, row in claims.loc[[("nothing", claim)]].iterrows()
        },
    )


def _find_coverage(figures: pd.DataFrame, design: str) -> tuple[int, int]:
    mine = figures[
        (figures["design"] == design)
        & figures["measure"].isin(_MEASURES)
        & ~figures["line"].str.startswith(_WITH_MISSING)
    ]
    low, high = _find_range(100 * mine["coverage"])
    return round(low), round(high)


def _find_optimism(figures: pd.DataFrame, measure: str) -> tuple[float, float]:
    mine = figures[
        (figures["design"] == "pooled")
        & (figures["measure"] == measure)
        & figures["line"].isin(_HEADLINES)
    ]
    low, high = _find_range(-mine["bias"])
    return round(low, 3), round(high, 3)


def _find_range(values: Iterable[float]) -> tuple[float, float]:
    known = list(values)
    return min(known), max(known)
