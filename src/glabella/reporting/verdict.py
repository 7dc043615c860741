"""How a model did in a new trial, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from glabella.domain.outcome_words import RESPONSE_WORDS, OutcomeWords
from glabella.reporting.finding import CHANCE, format_estimate
from glabella.validation.across_trials.case_mix import CaseMix
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.performance import Performance

Promise = Literal["kept", "not shown to be broken", "broken", "none"]
_SMALL = 0.02


@dataclass(frozen=True)
class PredictionInterval:
    """What training said of a new trial.

    Parameters
    ----------
    low, high : float or None
        The prediction interval for the concordance; None where no trial was left out in training.
    method : str
        How it was made.
    """

    low: float | None
    high: float | None
    method: str

    def judge(self, found: Estimate) -> Promise:
        """Hold a new trial's concordance against it.

        Parameters
        ----------
        found : Estimate
            With its interval.

        Returns
        -------
        str
            ``kept`` where the value lies inside; ``broken`` where even its interval lies outside;
            ``not shown to be broken`` between the two; ``none`` without either.
        """
        if self.low is None or self.high is None or found.value is None:
            return "none"
        if self.low <= found.value <= self.high:
            return "kept"
        if found.low is None or found.high is None:
            return "not shown to be broken"
        is_outside = found.high < self.low or found.low > self.high
        return "broken" if is_outside else "not shown to be broken"

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values.

        Returns
        -------
        dict
            ``low``, ``high``, ``method``.
        """
        return {"low": self.low, "high": self.high, "method": self.method}


def write_verdict(
    performance: Performance,
    case_mix: CaseMix,
    promised: PredictionInterval,
    *,
    has_arms: bool,
    words: OutcomeWords = RESPONSE_WORDS,
) -> str:
    """Say how a model did in a new trial.

    Parameters
    ----------
    performance : Performance
        There.
    case_mix : CaseMix
        Where a difference in concordance comes from.
    promised : PredictionInterval
        What training said.
    has_arms : bool
        Whether there is an active and a control arm.
    words : OutcomeWords
        The words for the outcome.

    Returns
    -------
    str
        What failed comes first.
    """
    auc = performance.estimates["auc"]
    return " ".join(
        [
            _describe_discrimination(auc, words, has_arms=has_arms),
            _describe_promise(auc, promised),
            _describe_calibration(performance, words),
            _describe_case_mix(case_mix),
        ]
    ).replace("  ", " ")


def _describe_discrimination(auc: Estimate, words: OutcomeWords, *, has_arms: bool) -> str:
    among = "within the active arm" if has_arms else "among the participants"
    if auc.value is None:
        return (
            f"Whether it distinguishes {words.having} from {words.lacking} {among} is "
            f"{format_estimate(auc)}."
        )
    shown = format_estimate(auc)
    if auc.is_above(CHANCE):
        return (
            f"It distinguishes {words.having} from {words.lacking} {among} with a concordance of "
            f"{shown}."
        )
    if auc.is_below(CHANCE):
        return f"It ranks the participants in the opposite order {among}: concordance {shown}."
    return (
        f"It is not shown to distinguish {words.having} from {words.lacking} {among}: concordance "
        f"{shown}."
    )


def _describe_promise(auc: Estimate, promised: PredictionInterval) -> str:
    verdict = promised.judge(auc)
    if verdict == "none":
        return "Training gave no prediction interval for a new trial."
    span = f"{promised.low:.2f} to {promised.high:.2f}"
    if verdict == "kept":
        return (
            f"That lies within the prediction interval that training gave for a new trial ({span})."
        )
    if verdict == "broken":
        return (
            "That and its whole interval lie outside the prediction interval that training "
            "gave for "
            f"a new trial ({span})."
        )
    return (
        "That lies outside the prediction interval that training gave for a new trial "
        f"({span}), by "
        "no more than chance explains in so few participants."
    )


def _describe_calibration(performance: Performance, words: OutcomeWords) -> str:
    large = performance.estimates["calibration_intercept"]
    slope = performance.estimates["calibration_slope"]
    ratio = performance.estimates["observed_expected"]
    said = []
    if large.low is not None and large.high is not None:
        if large.is_above(0.0) or large.is_below(0.0):
            word = "more" if large.is_above(0.0) else "fewer"
            said.append(
                f"There were {word} {words.having} than predicted (observed to expected "
                f"{format_estimate(ratio)})"
            )
        else:
            said.append(
                f"The number of {words.having} is compatible with the prediction "
                f"(observed to expected {format_estimate(ratio)})"
            )
    if slope.low is not None and slope.high is not None:
        if slope.is_below(1.0):
            said.append(f"predictions are too extreme (slope {format_estimate(slope)})")
        elif slope.is_above(1.0):
            said.append(f"predictions are too timid (slope {format_estimate(slope)})")
        else:
            said.append(f"the slope is compatible with 1 ({format_estimate(slope)})")
    return "; ".join(said) + "." if said else "Calibration could not be estimated."


def _describe_case_mix(mix: CaseMix) -> str:
    if mix.by_case_mix is None or mix.by_model is None or mix.expected is None:
        return ""
    parts = []
    if abs(mix.by_case_mix) >= _SMALL:
        more = "less" if mix.by_case_mix < 0 else "more"
        parts.append(
            f"participants who differ {more} from each other explain {mix.by_case_mix:+.2f}"
        )
    if abs(mix.by_model) >= _SMALL:
        parts.append(f"how well the model fits here explains {mix.by_model:+.2f}")
    if not parts:
        return "Concordance is as it was in training."
    return (
        f"Compared with the {mix.promised:.2f} of validation in training, {' and '.join(parts)}, "
        "chance included."
    )
