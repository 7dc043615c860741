"""How much an explanation may cost: no more than the validation that it explains."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_REFITS = 20
FEWEST_PERMUTATIONS = 19
# Counted prices are rough, so a twentieth of the validation's is kept back.
_SPENT = 0.95
# Ten seconds of one core are never saved: what takes no longer is done as asked.
_FREE = 10_000.0


@dataclass(frozen=True)
class Wishes:
    """What an analysis asks for, and what of it is stated there.

    Parameters
    ----------
    refits, permutations : int
        How many.
    refits_stated, permutations_stated : bool
        Whether the analysis says so itself; what it does not say may be fewer.
    """

    refits: int
    permutations: int
    refits_stated: bool
    permutations_stated: bool


@dataclass(frozen=True)
class Prices:
    """What the parts of an explanation cost, in the unit of `count_cost`.

    Parameters
    ----------
    validation : float
        Of the validation that is explained.
    refit : float
        Of a refit, tuning included, that is seen through the participants that it left out.
    permuted : float
        Of a permutation, tuning included.
    permuted_again : float
        Of one that takes over what another tuned.
    folds : int
        Folds that permutations are seen through.
    for_bundle : float
        Of the further refits that a bundle takes along where there are any.
    """

    validation: float
    refit: float
    permuted: float
    permuted_again: float
    folds: int
    for_bundle: float

    def sum_up(self, refits: int, permutations: int) -> float:
        """Sum up what an explanation costs at most."""
        further = self.for_bundle if refits else 0.0
        tuned = min(permutations, self.folds)
        step = tuned * self.permuted + (permutations - tuned) * self.permuted_again
        return refits * self.refit + further + 2 * step


@dataclass(frozen=True)
class Budget:
    """What is done of an explanation.

    Parameters
    ----------
    refits, permutations : int
        How many.
    reason : str
        Why there are fewer than an analysis has by default; blank where there are not.
    """

    refits: int
    permutations: int
    reason: str = ""


def plan_explanation(wishes: Wishes, prices: Prices) -> Budget:
    """Take as many refits and permutations as the validation pays for.

    Returns
    -------
    Budget
        Of either as few as say something, before one is left out: first the refits, without which
        there are no intervals, and last the permutations, without which nothing can be claimed.
        It depends on counts alone, so it is the same whatever the machine and its load.
    """
    bound = max(_SPENT * prices.validation, _FREE)
    for refits, permutations in _list_plans(wishes):
        if prices.sum_up(refits, permutations) <= bound:
            return Budget(refits, permutations, _explain(wishes, refits, permutations))
    refits, permutations = _list_plans(wishes)[-1]
    return Budget(refits, permutations, _explain(wishes, refits, permutations))


def _list_plans(wishes: Wishes) -> list[tuple[int, int]]:
    """List what may be done, the best first, down to what is stated."""
    refits = [wishes.refits]
    if not wishes.refits_stated:
        refits = list(range(wishes.refits, FEWEST_REFITS - 1, -1)) or refits
    permutations = [wishes.permutations]
    if not wishes.permutations_stated:
        permutations = list(dict.fromkeys([wishes.permutations, FEWEST_PERMUTATIONS]))
    plans = [(refits[0], permutations[0])]
    plans += [(refit, permutations[-1]) for refit in refits]
    if not wishes.refits_stated:
        plans.append((0, permutations[-1]))
    if not wishes.permutations_stated:
        plans.append((plans[-1][0], 0))
    return plans


def _explain(wishes: Wishes, refits: int, permutations: int) -> str:
    if (refits, permutations) == (wishes.refits, wishes.permutations):
        return ""
    return (
        f"{refits} refits and {permutations} permutations are what the validation pays for, of "
        f"{wishes.refits} and {wishes.permutations}: an explanation costs no more than the "
        "validation that it explains. Numbers stated under `explanation:` are not cut"
    )
