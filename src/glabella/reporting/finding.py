"""The sentence at the top: what was found, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from glabella.domain.outcome_words import RESPONSE_WORDS, OutcomeWords
from glabella.validation.across_trials.meta_analysis import PooledMeasure
from glabella.validation.across_trials.pooled_measures import pool_groups
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.comparison.choice import Difference
from glabella.validation.comparison.permutation import PermutationTest
from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate
from glabella.validation.measures.performance import GroupPerformance

Verdict = Literal[
    "not validated",
    "only inside",
    "chance",
    "below chance",
    "not shown to be better",
    "not shown in new trials",
    "better",
]
CHANCE = 0.5
_VERDICTS = {"chance": ", which is compatible with chance", "below": ", which is worse than chance"}
# Fewer trials than these say next to nothing of how much trials differ.
_FEW_TRIALS = 4


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
    missing: str = "",
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
    missing : str
        A sentence on missing outcomes if they are many; else blank.
    words : OutcomeWords
        The words for the outcome.
    labels : mapping of str
        What candidates are called, by name; else by their name.

    Returns
    -------
    str
        A few sentences. What is not shown is said first: the worst of the designs decides.
    """
    start = "Simulated data: this says nothing about real patients. " if is_simulated else ""
    verdict = read_verdict(procedure, differences)
    if verdict == "not validated" or procedure.pooled is None:
        return f"{start}No candidate could be validated."
    named = labels.get(chosen, chosen)
    said = _Sentences(
        # A candidate's own performance is too good once it was chosen for it; the procedure's is
        # not.
        subject=f"the procedure that chose {named}" if has_choice else named,
        procedure=procedure,
        differences=differences,
        has_arms=has_arms,
        across=across,
        anything=anything,
        words=words,
        labels=labels,
    )
    sentences = [said.open(verdict), missing, *said.go_on(verdict)]
    if external is not None:
        sentences.append(f"In the external set it {_rank(external)}{_judge(external)}.")
    return start + " ".join(sentence for sentence in sentences if sentence)


@dataclass(frozen=True, kw_only=True)
class _Sentences:
    """The sentences of a finding."""

    subject: str
    procedure: CandidateResult
    differences: Sequence[Difference]
    has_arms: bool
    across: str | None
    anything: PermutationTest | None
    words: OutcomeWords
    labels: Mapping[str, str]

    @property
    def _auc(self) -> Estimate:
        if self.procedure.pooled is None:
            return make_missing_estimate("it was not validated so")
        return self.procedure.pooled.estimates["auc"]

    def open(self, verdict: Verdict) -> str:
        """What decides, first."""
        match verdict:
            case "only inside":
                return self._open_inside()
            case "chance":
                return f"Not distinguished from chance: {self._rank_pairs(self.subject)}."
            case "below chance":
                return f"Worse than chance: {self._rank_pairs(self.subject)}."
            case "not shown to be better":
                against = self._join_references(is_better=False)
                return f"Not shown to be better than {against}: {self._describe_gains(False)}."
            case "not shown in new trials":
                return (
                    f"Better within these {self.across}s, and not shown to be better in a new "
                    f"{self.across}: {self.subject} predicted better than "
                    f"{self._join_references(is_better=True)} in pooled cross-validation "
                    f"({self._describe_gains(True)}), and with each {self.across} left out "
                    f"{self._describe_gains_across()}."
                )
        if not self.differences:
            return f"{_capitalise(self._rank_pairs(self.subject))}."
        return (
            f"{_capitalise(self.subject)} predicted better than "
            f"{self._join_references(is_better=True)}: {self._describe_gains(True)}."
        )

    def go_on(self, verdict: Verdict) -> list[str]:
        """The other sentences."""
        sentences = []
        is_ranked = verdict in ("chance", "below chance") or not self.differences
        if verdict == "only inside":
            sentences.append(
                f"Over all {self.across}s pooled it {_rank(self._auc)}{self._describe_test()}."
            )
        elif not is_ranked:
            sentences.append(f"{_capitalise(self._rank_pairs('it'))}.")
        if is_ranked or verdict == "only inside":
            sentences += self._compare()
        elif verdict == "not shown to be better" and any(i.is_better for i in self.differences):
            sentences.append(
                f"It predicted better than {self._join_references(is_better=True)}: "
                f"{self._describe_gains(True)}."
            )
        if verdict != "only inside":
            sentences += self._describe_across()
        return sentences

    def _open_inside(self) -> str:
        unit = self.across
        inside, left_out = _pool(self.procedure.inside), _find_left_out(self.procedure)
        return (
            f"Only inside its own {unit}s: of {self._pair} of the {unit} that it learnt from, "
            f"{self.subject} {_rank(inside)}, and of a new {unit} {_give_pairs(left_out)}"
            f"{_judge(left_out)}; this allows no statement about other patients."
        )

    @property
    def _pair(self) -> str:
        alike = " treated alike" if self.has_arms else ""
        return f"{self.words.one_having} and {self.words.one_lacking}{alike}"

    def _rank_pairs(self, subject: str) -> str:
        if self._auc.value is None:
            return f"the concordance of {subject} is {format_estimate(self._auc)}"
        return f"of {self._pair}, {subject} {_rank(self._auc, coin=True)}{self._describe_test()}"

    def _describe_test(self) -> str:
        """Say that the permutation test does not confirm an interval above chance."""
        if (
            self.anything is None
            or self.anything.p_value is None
            or self.anything.rejects
            or _compare_with_chance(self._auc) != "above"
        ):
            return ""
        p_value = format_p_value(self.anything.p_value)
        return f", which a permutation test does not distinguish from chance (p = {p_value})"

    def _join_references(self, *, is_better: bool) -> str:
        return _join([self._name(item) for item in self.differences if item.is_better == is_better])

    def _name(self, item: Difference) -> str:
        return self.labels.get(item.against, item.against)

    def _describe_gains(self, is_better: bool) -> str:
        chosen = [item for item in self.differences if item.is_better == is_better]
        shown = [
            format_estimate(-item.log_loss, 3)
            + (f" over {self._name(item)}" if len(chosen) > 1 else "")
            for item in chosen
        ]
        return f"its gain in log loss is {_join(shown, 'and')}"

    def _compare(self) -> list[str]:
        """Say what is known beside the references, where the first sentence did not."""
        sentences = []
        if any(not item.is_better for item in self.differences):
            sentences.append(
                f"It is not shown to predict better than {self._join_references(is_better=False)}: "
                f"{self._describe_gains(False)}."
            )
        if any(item.is_better for item in self.differences):
            over = " over all arms" if self.has_arms else ""
            sentences.append(
                f"It predicted better than {self._join_references(is_better=True)}{over}: "
                f"{self._describe_gains(True)}."
            )
        return sentences

    def _describe_gains_across(self) -> str:
        shown = [
            f"{format_estimate(pooled.estimate, 3)}"
            + (f" over {self.labels.get(against, against)}" if len(self.differences) > 1 else "")
            for against, pooled in _pool_gains(self.procedure).items()
        ]
        return f"its gain is {_join(shown, 'and')}"

    def _describe_across(self) -> list[str]:
        if self.across is None or self.procedure.across is None:
            return []
        auc = _find_left_out(self.procedure)
        if auc.value is None:
            return [f"With each {self.across} left out in turn: {format_estimate(auc)}."]
        sentence = f"With each {self.across} left out in turn it {_rank(auc)}{_judge(auc)}"
        pooled = pool_groups(self.procedure.groups)
        if pooled["auc"].predictions:
            expected = pooled["auc"].predictions[0]
            low, high = _count_pairs(expected.low), _count_pairs(expected.high)
            sentence += f"; in a new {self.across}, {low} to {high} are to be expected"
        sentences = [f"{sentence}."]
        slope = pooled["calibration_slope"].estimate
        if slope.is_below(1.0):
            sentences.append(
                f"Its predictions there are too extreme: the calibration slope is "
                f"{format_estimate(slope)}."
            )
        trials = len(pooled["auc"].trials)
        if 1 < trials < _FEW_TRIALS:
            count = {2: "Two", 3: "Three"}[trials]
            sentences.append(f"{count} {self.across}s cannot show how much a new one may differ.")
        return sentences


def _rank(auc: Estimate, *, coin: bool = False) -> str:
    if auc.value is None:
        return f"has no concordance ({auc.reason})"
    if auc.low is None or auc.high is None:
        beside = f"no interval: {auc.reason}"
    else:
        beside = f"95 % interval {_count_pairs(auc.low)} to {_count_pairs(auc.high)}"
    beside += "; a coin 50" if coin else ""
    return f"ranked {_count_pairs(auc.value)} of 100 pairs rightly ({beside})"


def _give_pairs(auc: Estimate) -> str:
    if auc.low is None or auc.high is None or auc.value is None:
        return format_estimate(auc)
    low, high = _count_pairs(auc.low), _count_pairs(auc.high)
    return f"{_count_pairs(auc.value)} ({low} to {high})"


def _count_pairs(auc: float) -> str:
    return f"{100 * auc:.0f}"


def _judge(auc: Estimate) -> str:
    return _VERDICTS.get(_compare_with_chance(auc), "")


def _capitalise(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


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
        that mean. ``chance`` or ``below chance``: so in pooled cross-validation. ``not shown to be
        better``: than some reference. ``not shown in new trials``: better in pooled
        cross-validation, and with each trial left out the gain over some reference, in the mean
        over trials, is not above 0. ``better`` otherwise.
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
    if not all(item.is_better for item in differences):
        return "not shown to be better"
    gains = _pool_gains(procedure)
    compared = [gains[item.against] for item in differences if item.against in gains]
    if all(pooled.estimate.is_above(0.0) for pooled in compared):
        return "better"
    return "not shown in new trials"


def _find_left_out(procedure: CandidateResult) -> Estimate:
    """Give the mean concordance over the trials left out, or that over participants of one."""
    if procedure.across is None:
        return make_missing_estimate("it was not validated so")
    pooled = _pool(procedure.groups)
    return procedure.across.estimates["auc"] if pooled.value is None else pooled


def _pool_gains(procedure: CandidateResult) -> dict[str, PooledMeasure]:
    """Give the mean gain over the trials left out, over each reference."""
    gains = procedure.gains.get("across", ())
    return {gain.against: pooled for gain in gains if (pooled := gain.over_trials) is not None}


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


def _join(names: Sequence[str], last: str = "or") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
