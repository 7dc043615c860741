"""What a missing outcome means: the named strategies and their settings."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from glabella.definitions.reader import Definition

__all__ = ["MissingDefinition"]

MISSING_STRATEGIES = {
    "observed_only": "participants without a score in the window are left out",
    "non_responder": "participants without a score in the window count as non-responders",
    "last_observation": (
        "the last score before the window stands for a missing one; participants without any "
        "are left out"
    ),
    "multiple_imputation": (
        "missing scores are imputed by trial and arm from the scores of other visits"
    ),
    "delta": (
        "missing scores are imputed by trial and arm from the scores of other visits, and made "
        "worse for those who left"
    ),
}


class MissingDefinition(Definition):
    """A strategy for missing outcomes.

    Parameters
    ----------
    strategy : str
        ``observed_only``, ``non_responder``, ``last_observation``, ``multiple_imputation`` or
        ``delta``.
    imputations : int
        Of the last two: how many times a missing score is drawn.
    points : float, optional
        Of ``delta``: the points added to the imputed scores of those who left; below zero makes
        them better.
    percent_of_range : float, optional
        Of ``delta``: the same in percent of the scale's range, where trials differ in scale.
    """

    strategy: Literal[
        "observed_only", "non_responder", "last_observation", "multiple_imputation", "delta"
    ]
    imputations: int = Field(default=20, ge=2, le=100)
    points: float | None = None
    percent_of_range: float | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> MissingDefinition:
        if self.imputes and self.strategy == "delta":
            if (self.points is None) == (self.percent_of_range is None):
                raise ValueError("`delta` needs the shift, as `points` or as `percent_of_range`")
        elif self.points is not None or self.percent_of_range is not None:
            raise ValueError("a shift in `points` or `percent_of_range` goes with `delta`")
        if not self.imputes and "imputations" in self.model_fields_set:
            raise ValueError(f"`imputations` has no use with `{self.strategy}`")
        return self

    @property
    def imputes(self) -> bool:
        """Whether missing scores are drawn several times."""
        return self.strategy in ("multiple_imputation", "delta")

    @property
    def name(self) -> str:
        """The strategy with its shift, short enough for a table."""
        if self.points is not None:
            return f"delta {self.points:+g} points"
        if self.percent_of_range is not None:
            return f"delta {self.percent_of_range:+g} % of range"
        return self.strategy

    def describe(self) -> str:
        """Say the strategy in words.

        Returns
        -------
        str
            For the report and the manifest.
        """
        words = MISSING_STRATEGIES[self.strategy]
        if self.points is not None:
            words += f" by {self.points:g} points"
        if self.percent_of_range is not None:
            words += f" by {self.percent_of_range:g} % of the scale's range"
        return f"{words} ({self.imputations} imputations)" if self.imputes else words


def read_strategy(given: Any) -> Any:
    """Take a strategy's bare name for the strategy without settings.

    Parameters
    ----------
    given : object
        From a definition.

    Returns
    -------
    object
        What `MissingDefinition` reads.
    """
    return {"strategy": given} if isinstance(given, str) else given
