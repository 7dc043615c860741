"""What each arm adds on average to the predictions of the chosen candidate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.explanation.attributions import Attributions
from glabella.models.estimators.contributions import Scale


@dataclass(frozen=True)
class ArmStep:
    """What an arm adds on average, against the first control.

    Parameters
    ----------
    arm, against : str
        Their words.
    value : float
        The difference of the mean attributions of the arm, each of its own held-out participants.
    scale : str
        Of the attributions.
    """

    arm: str
    against: str
    value: float
    scale: Scale

    @property
    def words(self) -> str:
        """The step as a sentence."""
        verb = "raises" if self.value > 0 else "lowers"
        if self.scale == "probability":
            size = f"by {100 * abs(self.value):.0f} percentage points"
            return f"Against {self.against}, {self.arm} {verb} the chance on average {size}."
        return (
            f"Against {self.against}, {self.arm} {verb} the odds of response on average "
            f"(x {math.exp(self.value):.2f})."
        )


def compare_arms(loaded: LoadedAnalysis, attributions: Attributions) -> tuple[ArmStep, ...]:
    """Say what each arm adds on average against the first control.

    Returns
    -------
    tuple of ArmStep
        In the order of the analysis; empty where there is no control, or the model is not told
        the arm.
    """
    named = [name for name, mine in zip(attributions.features, attributions.is_patient, strict=True)
             if not mine]  # fmt: skip
    arms = loaded.analysis.arms
    means = {
        arm.name: float(
            attributions.values[
                loaded.sample.arm == arm.name, attributions.features.index(name)
            ].mean()
        )
        for name in named
        for arm in arms
        if (loaded.sample.arm == arm.name).any()
    }
    first = next((arm for arm in arms if arm.role == "control" and arm.name in means), None)
    if first is None:
        return ()
    words = {arm.name: arm.label or arm.name for arm in arms}
    return tuple(
        ArmStep(words[name], words[first.name], value - means[first.name], attributions.scale)
        for name, value in means.items()
        if name != first.name
    )
