"""How much agreement is needed before a feature is refused for it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from glabella.data.checks import Finding

# A thousand features in each of a thousand analyses would bring one refusal by chance. Two classes
# of twelve, or five of one in fifty-one, are just enough.
CERTAIN = float(np.log(1e-6))
_DOUBTED = float(np.log(1e-2))
# Fewer who differ from the rest may agree with anything, whatever the total.
FEWEST = 5
# Published models of response, of many features each, seldom pass an AUC of 0.85; a single one
# that is far above is more often recorded late than right.
NEARLY_SEPARATES = 0.95
_REMEDY = (
    "Leave it out, or map the column that was recorded by then. What is known only later says so "
    "by its `timing:` in the dictionary."
)


def judge_agreement(
    log_chance: float, comparisons: int, uncommon: int
) -> Literal["stop", "warn"] | None:
    """Grade an agreement by how likely chance would bring it.

    Returns
    -------
    str or None
        ``stop`` below one in a million; ``warn`` below one in a hundred, or where few differ;
        else None.

    Examples
    --------
    >>> judge_agreement(np.log(1e-9), 100, 20), judge_agreement(np.log(1e-9), 100, 3)
    ('stop', 'warn')
    >>> judge_agreement(np.log(1e-3), 100, 20) is None
    True
    """
    corrected = log_chance + np.log(max(comparisons, 1))
    if corrected < CERTAIN and uncommon >= FEWEST:
        return "stop"
    return "warn" if corrected < _DOUBTED else None


def make_finding(name: str, severity: Literal["stop", "warn"], words: str) -> Finding:
    """Say what a feature was found to be."""
    return Finding(f"feature '{name}'", words, _REMEDY, severity)
