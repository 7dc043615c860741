"""The sentence at the top: what was found, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from glabella.domain.outcome_words import RESPONSE_WORDS, OutcomeWords
from glabella.validation.across_trials.pooled_measures import pool_groups
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.comparison.choice import Difference
from glabella.validation.comparison.permutation import PermutationTest
from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate
from glabella.validation.measures.performance import GroupPerformance

Verdict = Literal["not validated", "only inside", "chance", "below chance", "no better", "better"]
CHANCE = 0.5
_VERDICTS = {"chance": ", which is compatible with chance", "below": ", which is below chance"}


def format_estimate(estimate: Estimate, digits: int = 2) -> str:
    """Write an estimate with its interval.

    Parameters
    ----------
    estimate : Estimate
        Value, low, high or a reason.
    digits : int
        Decimals.

    Returns
    -------
    str
        ``0.64 (0.55 to 0.72)``, or why there is none.

    Examples
    --------
    >>> format_estimate(Estimate(0.637, 0.551, 0.716))
    '0.64 (0.55 to 0.72)'
    """
    if estimate.value is None:
        return f"not estimable ({estimate.reason})"
    value = _format_number(estimate.value, digits)
    if estimate.low is None or estimate.high is None:
        return value
    low, high = (_format_number(end, digits) for end in (estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def _format_number(value: float, digits: int) -> str:
    # Adding zero removes the sign of a zero that rounding made.
    return f"{round(value, digits) + 0.0:.{digits}f}"


def format_count(events: float | None) -> str:
    """Write a number of participants, which is a mean where outcomes are imputed.

    Parameters
    ----------
    events : float or None
        The number; None for one that is suppressed.

    Returns
    -------
    str
        Whole, or with one decimal.

    Examples
    --------
    >>> format_count(41), format_count(41.25)
    ('41', '41.2')
    >>> format_count(None)
    'suppressed'
    """
    if events is None:
        return "suppressed"
    return f"{events:.0f}" if float(events).is_integer() else f"{events:.1f}"


def format_p_value(p: float | None) -> str:
    """Write a p-value.

    Parameters
    ----------
    p : float or None
        In [0, 1].

    Returns
    -------
    str
        With three decimals.

    Examples
    --------
    >>> format_p_value(0.0421), format_p_value(0.00001), format_p_value(None)
    ('0.042', '< 0.001', '–')
    """
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def write_finding(
    chosen: str,
    procedure: CandidateResult,
    differences: Sequence[Difference],
    *,
    has_choice: bool,
    is_simulated: bool,
    has_arms: bool,
    across: str | None,
    external: Estimate | None = None,
    anything: PermutationTest | None = None,
    words: OutcomeWords = RESPONSE_WORDS,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Write the finding.

    Parameters
    ----------
    chosen : str
        The candidate that is kept.
    procedure : CandidateResult
        The figures of choosing and fitting together.
    differences : sequence of Difference
        The procedure against each reference that was validated.
    has_choice : bool
        Whether there was more than one candidate to choose from.
    is_simulated : bool
        Whether the data were simulated.
    has_arms : bool
        Whether there is an active and a control arm.
    across : str or None
        ``trial`` or ``site``: what was left out; None where nothing was.
    external : Estimate, optional
        The concordance of the kept candidate in the external set.
    anything : PermutationTest, optional
        Of there being anything to find. An interval of a cross-validated concordance leaves out
        0.5 more often than it should where there is nothing, so the test has the last word.
    words : OutcomeWords
        The words for the outcome.
    labels : mapping of str
        What candidates are called, by name; else by their name.

    Returns
    -------
    str
        One or two sentences. A result no better than a reference is reported as that, first.
    """
    start = "Simulated data: this says nothing about real patients. " if is_simulated else ""
    verdict = read_verdict(procedure, differences)
    if verdict == "not validated" or procedure.pooled is None:
        return f"{start}No candidate could be validated."
    # A candidate's own performance is too good once it was chosen for it; the procedure's is not.
    named = labels.get(chosen, chosen)
    subject = f"the procedure that chose {named}" if has_choice else named
    pair = f"{words.having} from {words.lacking}"
    auc = procedure.pooled.estimates["auc"]
    among = "within the active arm" if has_arms else "among the participants"
    figure = f"distinguished {pair} {among} with a concordance of {format_estimate(auc)}"
    figure += _describe_test(auc, anything)
    where = _describe_across(procedure, across) + _describe_external(external)
    beaten = [labels.get(item.against, item.against) for item in differences if item.is_better]
    unbeaten = [
        labels.get(item.against, item.against) for item in differences if not item.is_better
    ]
    if verdict == "only inside":
        inside, left_out = _pool(procedure.inside), _find_left_out(procedure)
        return (
            f"{start}Only inside its own {across}s: {subject} distinguished {pair} {among} "
            f"of the {across} that it learnt from with a concordance of {format_estimate(inside)}, "
            f"and of a new {across} with {format_estimate(left_out)}"
            f"{_VERDICTS[_compare_with_chance(left_out)]}; this allows no statement about other "
            "patients. "
            f"Over all {across}s pooled, its concordance is {format_estimate(auc)}"
            f"{_describe_test(auc, anything)}{_describe_external(external)}."
        )
    if verdict in ("chance", "below chance"):
        where_to = "At" if _compare_with_chance(auc) == "chance" else "Below"
        head = f"{where_to} chance: {subject} did not distinguish {pair} {among}"
        than = ""
        if unbeaten:
            than = f", and did not predict better than {_join(unbeaten)}"
        elif beaten:
            than = f", although it predicted better than {_join(beaten)} over all arms"
        return f"{start}{head}: its concordance is {format_estimate(auc)}{than}{where}."
    if unbeaten:
        head = f"No better than its reference: {subject} did not predict better than "
        return f"{start}{head}{_join(unbeaten)}; it {figure}{where}."
    than = f", and predicted better than {_join(beaten)}" if beaten else ""
    return f"{start}{subject[0].upper()}{subject[1:]} {figure}{than}{where}."


def read_verdict(procedure: CandidateResult, differences: Sequence[Difference]) -> Verdict:
    """Say in a word what was found, as the first sentence does.

    Parameters
    ----------
    procedure : CandidateResult
        The figures of choosing and fitting together.
    differences : sequence of Difference
        The procedure against each reference that was validated.

    Returns
    -------
    str
        ``only inside``: beyond chance where trained and tested inside a trial, in the mean over
        trials; at chance or below with each trial left out, by an interval that does not reach
        that mean. ``chance`` or ``below chance``: so in pooled cross-validation. ``no better``:
        than some reference. ``better`` otherwise.
    """
    if procedure.pooled is None:
        return "not validated"
    inside, left_out = _pool(procedure.inside), _find_left_out(procedure)
    # An interval that reaches as high as inside trials says only that trials are few.
    is_lower = inside.value is not None and left_out.is_below(inside.value)
    if (
        is_lower
        and _compare_with_chance(inside) == "above"
        and _compare_with_chance(left_out) in ("chance", "below")
    ):
        return "only inside"
    place = _compare_with_chance(procedure.pooled.estimates["auc"])
    if place in ("chance", "below"):
        return "chance" if place == "chance" else "below chance"
    return "better" if all(item.is_better for item in differences) else "no better"


def _find_left_out(procedure: CandidateResult) -> Estimate:
    if procedure.across is None:
        return make_missing_estimate("it was not validated so")
    return procedure.across.estimates["auc"]


def _pool(groups: Sequence[GroupPerformance] | None) -> Estimate:
    """Give the mean concordance over trials."""
    if not groups:
        return make_missing_estimate("it was not validated so")
    return pool_groups(groups)["auc"].estimate


def _compare_with_chance(auc: Estimate) -> str:
    """Compare a concordance with chance: above, chance, below or unknown."""
    if auc.value == CHANCE:
        return "chance"
    if auc.low is None or auc.high is None:
        return "unknown"
    if auc.is_above(CHANCE):
        return "above"
    return "below" if auc.is_below(CHANCE) else "chance"


def _describe_test(auc: Estimate, anything: PermutationTest | None) -> str:
    """Say that the permutation test does not confirm an interval above chance."""
    if (
        anything is None
        or anything.p_value is None
        or anything.rejects
        or _compare_with_chance(auc) != "above"
    ):
        return ""
    p_value = format_p_value(anything.p_value)
    return f", which a permutation test does not distinguish from chance (p = {p_value})"


def _describe_across(procedure: CandidateResult, across: str | None) -> str:
    if across is None or procedure.across is None:
        return ""
    auc = procedure.across.estimates["auc"]
    if auc.value is None:
        return f". With each {across} left out in turn, it is {format_estimate(auc)}"
    verdict = _VERDICTS.get(_compare_with_chance(auc), "")
    return f". With each {across} left out in turn, it is {format_estimate(auc)}{verdict}"


def _describe_external(auc: Estimate | None) -> str:
    if auc is None:
        return ""
    verdict = "" if auc.value is None else _VERDICTS.get(_compare_with_chance(auc), "")
    return f". In the external set, it is {format_estimate(auc)}{verdict}"


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
