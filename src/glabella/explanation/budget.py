"""How much an explanation may cost: no more than the validation of the model that it explains."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_REFITS = 20
FEWEST_PERMUTATIONS = 19
# Counted costs are rough, so a twentieth of the validation's is kept in reserve.
_SPENT = 0.95
# Ten seconds of one core are never saved: what takes no longer is done as asked.
_FREE = 10_000.0


@dataclass(frozen=True)
class ExplanationRequest:
    """The numbers of refits and permutations that an analysis asks for.

    Parameters
    ----------
    refits, permutations : int
        The numbers.
    refits_stated, permutations_stated : bool
        Whether the analysis states the number; a default may be reduced, a stated number is not.
    """

    refits: int
    permutations: int
    refits_stated: bool
    permutations_stated: bool


@dataclass(frozen=True)
class ExplanationCosts:
    """The costs of the parts of an explanation, in the unit of `count_cost`.

    Parameters
    ----------
    validation : float
        Cost of the validation.
    refit : float
        Cost of a refit, including tuning and its attributions in the participants left out.
    permuted : float
        Cost of a permutation, including tuning.
    permuted_again : float
        Cost of a permutation that uses the settings tuned in another.
    folds : int
        The number of folds that permutations are fitted to in turn.
    for_bundle : float
        Cost of the further refits that are saved in a bundle if there are any refits.
    """

    validation: float
    refit: float
    permuted: float
    permuted_again: float
    folds: int
    for_bundle: float

    def sum_costs(self, refits: int, permutations: int) -> float:
        """Sum the costs of an explanation with both steps of the permutations, its upper bound."""
        further = self.for_bundle if refits else 0.0
        tuned = min(permutations, self.folds)
        step = tuned * self.permuted + (permutations - tuned) * self.permuted_again
        return refits * self.refit + further + 2 * step


@dataclass(frozen=True)
class Budget:
    """The numbers of refits and permutations of an explanation.

    Parameters
    ----------
    refits, permutations : int
        The numbers.
    reason : str
        Why there are fewer than by default; blank if there are not.
    """

    refits: int
    permutations: int
    reason: str = ""


def plan_explanation(request: ExplanationRequest, costs: ExplanationCosts) -> Budget:
    """Plan as many refits and permutations as cost no more than the validation.

    Returns
    -------
    Budget
        Both are reduced to the fewest that are informative before one is left out: first the
        refits, without which there are no intervals, and last the permutations, without which
        nothing can be claimed. The plan depends on counts alone, so it is the same on every
        machine.
    """
    bound = max(_SPENT * costs.validation, _FREE)
    for refits, permutations in _list_plans(request):
        if costs.sum_costs(refits, permutations) <= bound:
            return Budget(refits, permutations, _explain(request, refits, permutations))
    refits, permutations = _list_plans(request)[-1]
    return Budget(refits, permutations, _explain(request, refits, permutations))


def _list_plans(request: ExplanationRequest) -> list[tuple[int, int]]:
    """List the possible plans, the best first; stated numbers are the same in all."""
    refits = [request.refits]
    if not request.refits_stated:
        refits = list(range(request.refits, FEWEST_REFITS - 1, -1)) or refits
    permutations = [request.permutations]
    if not request.permutations_stated:
        permutations = list(dict.fromkeys([request.permutations, FEWEST_PERMUTATIONS]))
    plans = [(refits[0], permutations[0])]
    plans += [(refit, permutations[-1]) for refit in refits]
    if not request.refits_stated:
        plans.append((0, permutations[-1]))
    if not request.permutations_stated:
        plans.append((plans[-1][0], 0))
    return plans


def _explain(request: ExplanationRequest, refits: int, permutations: int) -> str:
    if (refits, permutations) == (request.refits, request.permutations):
        return ""
    return (
        f"{refits} of {request.refits} refits and {permutations} of {request.permutations} "
        "permutations were made, so that the explanation costs no more than the validation. "
        "Numbers stated under `explanation:` are not reduced"
    )
