"""The typed policy by which a model may be promoted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from glabella.definitions.reader import Definition

__all__ = ["PromotionDefinition"]


class PromotionDefinition(Definition):
    """What a trained model must show before it may become champion.

    A criterion that is null is not asked. Another that could not be measured is not met.

    Parameters
    ----------
    calibration_slope : tuple of float, optional
        The whole 95 % interval of the procedure's calibration slope, pooled design, lies between
        these two.
    net_benefit : float, optional
        The procedure's net benefit within the active arm, less the better of treating all and
        none, is above this, in responders per participant; the estimate counts, not its interval.
    net_benefit_threshold : float, optional
        The probability from which one would treat; `threshold` of the validation unless stated.
    across_above : str, optional
        With each trial or site left out, the lower bound of the procedure's concordance is above
        the concordance of this reference.
    leakage : str, optional
        ``stop``: no feature's values hold what is known only later, which training refuses too.
        ``warn``: none comes close to it either.
    prediction_error : float, optional
        Refitted to bootstrap samples, the predictions of the kept candidate are off its own by
        at most this on average.
    flips : float, optional
        The most of those predictions, as a share, on the other side of the threshold.
    agreement : float, optional
        The least share of the kept candidate's leading features that its refits have among
        theirs.
    """

    calibration_slope: tuple[float, float] | None = (0.5, 1.5)
    net_benefit: float | None = Field(default=0.0, gt=-1, lt=1)
    net_benefit_threshold: float | None = Field(default=None, gt=0, lt=1)
    across_above: str | None = "severity"
    leakage: Literal["stop", "warn"] | None = "stop"
    prediction_error: float | None = Field(default=0.1, gt=0, lt=1)
    flips: float | None = Field(default=None, gt=0, le=1)
    agreement: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _is_possible(self) -> PromotionDefinition:
        if self.calibration_slope is not None and not (
            self.calibration_slope[0] < 1.0 < self.calibration_slope[1]
        ):
            raise ValueError("`calibration_slope` goes from below 1, which is perfect, to above it")
        return self
