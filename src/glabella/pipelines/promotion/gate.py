"""The gate before the alias `champion`: each criterion of the policy, with its figure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from glabella.analysis.policy import PromotionDefinition
from glabella.reporting.finding import format_estimate
from glabella.reporting.record import RunRecord
from glabella.validation.comparison.procedure import PROCEDURE
from glabella.validation.measures.estimation.estimate import Estimate

__all__ = ["Criterion"]


@dataclass(frozen=True)
class Criterion:
    """One thing that the policy asks for.

    Parameters
    ----------
    name : str
        The key of the policy.
    figure : str
        What the run recorded, in words; why there is nothing, where there is not.
    bound : str
        What the policy asks for, in words.
    passed : bool
        Whether it is met; what could not be measured is not.
    remedy : str or None
        What to do where it could not be measured.
    """

    name: str
    figure: str
    bound: str
    passed: bool
    remedy: str | None = None

    def describe(self) -> str:
        """Say it in a line.

        Returns
        -------
        str
            Verdict, figure and bound.
        """
        return f"{'passed' if self.passed else 'failed'}: {self.figure}; asked: {self.bound}"

    def as_json(self) -> dict[str, Any]:
        """Give plain values.

        Returns
        -------
        dict
            By field.
        """
        return asdict(self)


def judge(record: RunRecord) -> tuple[Criterion, ...]:
    """Hold a run's record against the policy that it was trained under.

    Parameters
    ----------
    record : RunRecord
        The record, whose `promotion` is there.

    Returns
    -------
    tuple of Criterion
        In the order of the policy, without what it switches off.

    Raises
    ------
    ValueError
        If the record has no `promotion`.
    """
    if record.promotion is None:
        raise ValueError("the record has nothing to judge")
    policy = PromotionDefinition.model_validate_json(json.dumps(record.promotion["policy"]))
    return tuple(_list_criteria(policy, record, record.promotion))


def _list_criteria(
    policy: PromotionDefinition, record: RunRecord, figures: Mapping[str, Any]
) -> Iterator[Criterion]:
    if policy.calibration_slope is not None:
        yield _judge_slope(policy.calibration_slope, record)
    if policy.net_benefit is not None:
        yield _judge_net_benefit(policy.net_benefit, figures["net_benefit"])
    if policy.across_above is not None:
        yield _judge_across(policy.across_above, record)
    if policy.leakage is not None:
        yield _judge_leakage(policy.leakage, figures["leakage"])
    stability = record.parts.get("stability")
    for key, name, most in (
        ("prediction_error", "mean_absolute_error", policy.prediction_error),
        ("flips", "flips", policy.flips),
    ):
        if most is not None:
            value = None if stability is None else stability[name]
            yield _judge_stability(key, value, f"at most {most:g}", value is None or value <= most)
    if policy.agreement is not None:
        value = None if stability is None else stability["agreement"]
        is_met = value is None or value >= policy.agreement
        yield _judge_stability("agreement", value, f"at least {policy.agreement:g}", is_met)


def _judge_slope(bounds: tuple[float, float], record: RunRecord) -> Criterion:
    name, bound = "calibration_slope", f"the whole interval inside {bounds[0]:g} to {bounds[1]:g}"
    pooled = record.procedure["pooled"]
    # Over all arms if there are several: within one, an interval is wider than what is asked.
    found = _read_estimate(pooled, "calibration_slope_all")
    if found.value is None:
        found = _read_estimate(pooled, "calibration_slope")
    if found.low is None or found.high is None:
        return _describe_lack(name, found, bound, "More participants of each class are needed")
    is_met = bounds[0] <= found.low and found.high <= bounds[1]
    return Criterion(name, format_estimate(found), bound, is_met)


def _judge_net_benefit(least: float, figures: Mapping[str, Any]) -> Criterion:
    name, threshold = "net_benefit", figures["threshold"]
    bound = (
        f"above {least:g} more than the better of treating all and none, where one treats from "
        f"{threshold:g} on"
    )
    found = _read_estimate(figures["by_candidate"].get(PROCEDURE), "gain")
    if found.value is None:
        return _describe_lack(name, found, bound, "More participants of each class are needed")
    return Criterion(name, format_estimate(found, 3), bound, found.value > least)


def _judge_across(reference: str, record: RunRecord) -> Criterion:
    name, unit = "across_above", record.left_out_unit
    bound = f"lower bound above the concordance of {reference} with each {unit} left out"
    against = record.candidates.get(reference)
    if against is None:
        return Criterion(
            name,
            f"not measured: {reference} was no candidate",
            bound,
            False,
            _describe_remedy(name, f"List {reference} in `models:`"),
        )
    if record.procedure["across"] is None:
        remedy = _describe_remedy(name, "Ask for `validation: {across: leave_one_trial_out}`")
        figure = f"not measured: no {unit} was left out"
        return Criterion(name, figure, bound, False, remedy)
    found, other = (
        _read_estimate(record.procedure["across"], "auc"),
        _read_estimate(against["across"], "auc"),
    )
    if found.low is None or other.value is None:
        lacking = found if found.low is None else other
        return _describe_lack(name, lacking, bound, "More trials, or larger ones, are needed")
    figure = f"{format_estimate(found)} against {format_estimate(other)} of {reference}"
    return Criterion(name, figure, bound, found.low > other.value)


def _judge_leakage(asked: str, figures: Mapping[str, Any]) -> Criterion:
    stops, doubted = figures["stops"], figures["doubted"]
    figure = f"{stops} stops, {len(doubted)} warnings"
    if doubted:
        figure += f" ({', '.join(doubted[:3])}{', ...' if len(doubted) > 3 else ''})"
    is_met = stops == 0 and (asked == "stop" or not doubted)
    return Criterion("leakage", figure, "no stop" if asked == "stop" else "no warning", is_met)


def _judge_stability(name: str, value: float | None, bound: str, is_met: bool) -> Criterion:
    if value is None:
        remedy = _describe_remedy(name, "Ask for `validation: {stability: {refits: 100}}`")
        figure = "not measured: there were no refits to bootstrap samples, or none succeeded"
        return Criterion(name, figure, bound, False, remedy)
    return Criterion(name, f"{value:.3f}", bound, is_met)


def _describe_lack(name: str, found: Estimate, bound: str, what_helps: str) -> Criterion:
    reason = found.reason or "there is no interval"
    return Criterion(
        name, f"not measured: {reason}", bound, False, _describe_remedy(name, what_helps)
    )


def _describe_remedy(name: str, what_helps: str) -> str:
    return f"{what_helps}, or switch it off with `promotion: {{{name}: null}}`; then train again."


def _read_estimate(figures: Mapping[str, Any] | None, measure: str) -> Estimate:
    if figures is None:
        return Estimate(reason="it was not recorded")
    return Estimate.read_columns(figures, measure)
