"""Whether there is anything to find at all: the whole procedure on permuted participants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import delayed

from glabella.validation.fitting.keeper import Keeper
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner
from glabella.validation.fitting.workers import keep_one_thread
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.measures.estimation.estimate import LEVEL

Rows = npt.NDArray[np.int_]
Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator], Rows]
Evaluate = Callable[[Rows], Mapping[str, float]]

# Besag and Clifford's own advice: with ten the coefficient of variation of p is about a third, and
# p = 0.5 is settled after some twenty permutations.
FEWEST_EXCEEDING = 10
# How near responders' sum of log odds is kept, in standard deviations of free permutation: of what
# the slope varies by, a fiftieth is left, and one draw in five is near enough.
_HELD = 0.25
_MOST_DRAWS = 1000


@dataclass(frozen=True)
class PermutationTest:
    """How a statistic compares with those of participants permuted under the null hypothesis.

    Parameters
    ----------
    hypothesis : str
        The null hypothesis, in words.
    statistic : float or None
        The largest over candidates, on the participants as they are.
    best : str or None
        The candidate that has it.
    exceeding : int
        Permutations whose statistic is at least as large.
    permutations : int
        How many were counted.
    asked : int
        How many were to be done unless the test was decided before.
    p_value : float or None
        Never 0; valid at any number of permutations.
    reason : str or None
        Why there is none.
    """

    hypothesis: str
    statistic: float | None
    best: str | None
    exceeding: int
    permutations: int
    asked: int
    p_value: float | None
    reason: str | None = None

    @property
    def was_stopped(self) -> bool:
        """Whether it was decided before all permutations were done."""
        return self.p_value is not None and self.permutations < self.asked

    @property
    def rejects(self) -> bool:
        """Whether the null hypothesis is rejected at the level of all intervals."""
        return self.p_value is not None and self.p_value <= 1.0 - LEVEL + 1e-12

    def describe(self) -> str:
        """State exactly what was found."""
        if self.p_value is None:
            return f"Not tested that {self.hypothesis}: {self.reason}."
        of = f"{self.exceeding} of {self.permutations} permutations"
        stop = (
            f"; stopped early, with {self.asked} asked for, because the outcome was settled"
            if self.was_stopped
            else ""
        )
        smallest = self.p_value <= 1.0 / (self.asked + 1.0) + 1e-12
        bound = ", the smallest value that so many permutations can give" if smallest else ""
        verdict = (
            f"This speaks against the hypothesis that {self.hypothesis}."
            if self.rejects
            else f"The data are compatible with the hypothesis that {self.hypothesis}; that it is "
            "true does not follow."
        )
        return (
            f"{of} did at least as well as the participants as they are, with the whole procedure "
            f"repeated in each (p = {self.p_value:.3g}{bound}{stop}). {verdict}"
        )


def run_permutation_test(
    evaluate: Evaluate,
    draw: Draw,
    *,
    n: int,
    hypothesis: str,
    permutations: int,
    seed: int,
    runner: Runner = ONE_BY_ONE,
    fewest: int = FEWEST_EXCEEDING,
    keeper: Keeper[Any] | None = None,
) -> PermutationTest:
    """Compare the procedure's best statistic with its distribution under permutation.

    Permutations are drawn and counted in the order of their numbers, each with a seed of its own,
    and counting ends at the one that settles the test. So nothing depends on how many run at once.

    Returns
    -------
    PermutationTest
        p is (1 + exceeding) / (1 + permutations) after all of them, and exceeding / permutations
        where it stopped at the one that settled it; both are valid. Null with a reason where no
        candidate has a statistic.

    References
    ----------
    .. [1] Besag J, Clifford P. Sequential Monte Carlo p-values. Biometrika 1991;78:301-304.
    .. [2] Phipson B, Smyth GK. Permutation p-values should never be zero. Stat Appl Genet Mol Biol
       2010;9:39.
    .. [3] Westfall PH, Young SS. Resampling-Based Multiple Testing. Wiley, 1993: the maximum over
       candidates.
    .. [4] Ojala M, Garriga GC. Permutation tests for studying classifier performance. J Mach Learn
       Res 2010;11:1833-1863.

    Examples
    --------
    >>> outcome, feature = np.repeat([0, 1], 20), np.arange(40)
    >>> def evaluate(order):
    ...     return {"slope": float(np.corrcoef(outcome, feature[order])[0, 1])}
    >>> test = run_permutation_test(evaluate, lambda draw: draw.permutation(40), n=40,
    ...     hypothesis="nothing is related", permutations=99, seed=1)
    >>> test.p_value
    0.01
    """
    if permutations < 1 or fewest < 1:
        raise ValueError("there must be at least one permutation, and one to settle the test")
    whole = None if keeper is None else keeper.find("as they are")
    if whole is None:
        whole = evaluate(np.arange(n))
        if keeper is not None:
            keeper.keep(whole, "as they are")
    found = {name: value for name, value in whole.items() if _is_known(value)}
    if not found:
        reason = "no candidate has the statistic"
        return PermutationTest(hypothesis, None, None, 0, 0, permutations, None, reason)
    best = max(found, key=lambda name: found[name])
    observed = found[best]
    exceeding, done = 0, 0
    at_once = runner.workers.count
    with runner.make_parallel(shared=[evaluate]) as parallel:
        while done < permutations and exceeding < fewest:
            numbers = range(done + 1, min(done + at_once, permutations) + 1)
            kept = {each: None if keeper is None else keeper.find(each) for each in numbers}
            wanted = [each for each in numbers if kept[each] is None]
            computed = parallel(
                delayed(_measure_permuted_sample)(evaluate, draw, seed, each) for each in wanted
            )
            values = {each: value for each, value in kept.items() if value is not None}
            for number, value in zip(wanted, computed, strict=True):
                values[number] = value
                if keeper is not None:
                    keeper.keep(value, number)
            for value in (values[each] for each in numbers):
                done += 1
                # Rounding must not tell a permutation that changes nothing from the original.
                exceeding += value >= observed - 1e-12
                if exceeding == fewest:
                    break
            runner.note_done("permuting", done, permutations)
    settled = exceeding == fewest
    p_value = exceeding / done if settled else (1.0 + exceeding) / (1.0 + permutations)
    return PermutationTest(
        hypothesis, observed, best, int(exceeding), done, permutations, float(p_value)
    )


def permute_within(
    strata: npt.ArrayLike, draw: np.random.Generator, *, people: npt.ArrayLike | None = None
) -> Rows:
    """Permute participants within strata, such as trial and arm.

    Returns
    -------
    array of int, shape (n_participants,)
        Whose features go where.

    Examples
    --------
    >>> permute_within(["a", "b", "a"], np.random.default_rng(1)).tolist()[1]
    1
    """
    cells = pd.factorize(np.asarray(strata))[0]
    who = np.arange(len(cells)) if people is None else pd.factorize(np.asarray(people))[0]
    order = np.arange(len(cells))
    if who.max(initial=-1) + 1 == len(who):
        for cell in range(cells.max(initial=-1) + 1):
            rows = np.flatnonzero(cells == cell)
            order[rows] = draw.permutation(rows)
        return order
    # By person, and each person's rows by cell.
    sorted_rows = np.lexsort((cells, who))
    firsts = np.flatnonzero(np.diff(who[sorted_rows], prepend=-1))
    alike: dict[tuple[int, ...], list[Rows]] = {}
    for mine in np.split(sorted_rows, firsts[1:]):
        alike.setdefault(tuple(cells[mine].tolist()), []).append(mine)
    for members in alike.values():
        stacked = np.stack(members)
        order[stacked] = stacked[draw.permutation(len(stacked))]
    return order


def permute_given(
    strata: npt.ArrayLike,
    responded: npt.ArrayLike,
    log_odds: npt.ArrayLike,
    draw: np.random.Generator,
) -> Rows:
    """Permute participants within strata, and keep how strongly a model tells responders apart.

    Of all assignments of a stratum's responses to its participants, one of those is drawn, each as
    likely as the model makes it, that give responders the same sum of log odds as they have, to
    within a quarter of the standard deviation that free permutation gives it. In a logistic model
    that sum holds all that the outcomes tell of its slope: so the same model, fitted to permuted
    participants, comes out as it did, all other relation is broken, and that its slope is an
    estimate does no harm. Drawn without that bound, as the conditional permutation test of [1]_
    does with a known model, permuted participants follow the estimate where participants as they
    are follow the truth (docs/decisions/0024). Bands of severity would keep its relation only
    between bands, and what is left within them would count as a finding.

    Returns
    -------
    array of int, shape (n_participants,)
        Whose features go where; outcomes stay. Where none of a thousand assignments keeps the
        sum, as with a model that is not of these outcomes, the nearest is taken.

    References
    ----------
    .. [1] Berrett TB, Wang Y, Barber RF, Samworth RJ. The conditional permutation test for
       independence while controlling for confounders. J R Stat Soc B 2020;82:175-197.
    .. [2] Rosenbaum PR. Conditional permutation tests and the propensity score in observational
       studies. J Am Stat Assoc 1984;79:565-574: what is estimated conditioned away.
    .. [3] Chen SX, Liu JS. Statistical applications of the Poisson-binomial and conditional
       Bernoulli distributions. Stat Sinica 1997;7:875-892: how an assignment is drawn.

    Examples
    --------
    >>> severity, responded = np.array([-1, 1, -1, 1]), np.array([True, False, False, True])
    >>> order = permute_given(np.zeros(4), responded, severity, np.random.default_rng(0))
    >>> int(severity[order][responded].sum())
    0
    """
    cells, outcome = pd.factorize(np.asarray(strata))[0], np.asarray(responded, dtype=bool)
    known = np.asarray(log_odds, dtype=float)
    of_cells = [np.flatnonzero(cells == cell) for cell in range(cells.max(initial=-1) + 1)]
    chances = [_tabulate_chances(known[rows], int(outcome[rows].sum())) for rows in of_cells]
    bound = _HELD * math.sqrt(sum(_compute_variance(known[r], outcome[r]) for r in of_cells))
    nearest, drawn = math.inf, outcome
    for _ in range(_MOST_DRAWS):
        tried = np.empty_like(outcome)
        for rows, table in zip(of_cells, chances, strict=True):
            tried[rows] = _draw_responders(table, draw)
        gap = abs(float(known[tried].sum() - known[outcome].sum()))
        if gap < nearest:
            nearest, drawn = gap, tried
        if gap <= bound + 1e-9:
            break
    order = np.arange(len(cells))
    for rows in of_cells:
        # Whose features are drawn to have responded go, in any order, where somebody did.
        order[rows[outcome[rows]]] = draw.permutation(rows[drawn[rows]])
        order[rows[~outcome[rows]]] = draw.permutation(rows[~drawn[rows]])
    return order


def _tabulate_chances(log_odds: Floats, count: int) -> list[list[float]]:
    """Compute each participant's chance to respond, by how many from there on are to respond."""
    n = len(log_odds)
    # ways[i, k]: log of the summed odds products of k responders among the participants from i on.
    ways = np.full((n + 1, count + 1), -np.inf)
    ways[n, 0] = 0.0
    for index in range(n - 1, -1, -1):
        ways[index] = ways[index + 1]
        ways[index, 1:] = np.logaddexp(ways[index, 1:], log_odds[index] + ways[index + 1, :-1])
    chances = np.zeros((n, count + 1))
    possible = np.isfinite(ways[:-1, 1:])
    with_one = log_odds[:, None] + ways[1:, :-1]
    chances[:, 1:][possible] = np.exp((with_one - np.where(possible, ways[:-1, 1:], 0.0))[possible])
    table: list[list[float]] = chances.tolist()
    return table


def _draw_responders(
    chances: Sequence[Sequence[float]], draw: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Draw who responds, given how many, one participant after the other."""
    left = len(chances[0]) - 1
    chosen = np.zeros(len(chances), dtype=bool)
    for index, (chance, level) in enumerate(
        zip(chances, draw.random(len(chances)).tolist(), strict=True)
    ):
        if level < chance[left]:
            chosen[index] = True
            left -= 1
    return chosen


def _compute_variance(known: Floats, outcome: npt.NDArray[np.bool_]) -> float:
    """Compute the variance of responders' sum where all assignments are alike likely."""
    n, count = len(known), int(outcome.sum())
    return count * (n - count) / n * float(known.var(ddof=1)) if n > 1 else 0.0


def _measure_permuted_sample(evaluate: Evaluate, draw: Draw, seed: int, number: int) -> float:
    order = draw(np.random.default_rng(derive_seed(seed, "permute", number)))
    with keep_one_thread():
        known = [value for value in evaluate(order).values() if _is_known(value)]
    return max(known, default=-math.inf)


def _is_known(value: float) -> bool:
    return value is not None and math.isfinite(value)
