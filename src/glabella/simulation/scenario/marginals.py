"""How a variable is distributed before entry: a spread of numbers, or shares of codes."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Discriminator, Field, Tag, model_validator
from scipy.special import ndtr, ndtri

from glabella.definitions.reader import Definition

Floats = npt.NDArray[np.float64]
_MOST_APART = 1e-6


class Spread(Definition):
    """A normal distribution, cut at both ends and rounded to whole numbers.

    Parameters
    ----------
    mean, sd : float
        Before it is cut.
    low, high : float
        The ends.
    log10 : bool
        Whether all four are of the decimal logarithm.
    """

    mean: float
    sd: float = Field(gt=0)
    low: float
    high: float
    log10: bool = False

    @model_validator(mode="after")
    def _holds_its_mean(self) -> Spread:
        if not self.low < self.high:
            raise ValueError("`low` must be below `high`")
        if not self.low <= self.mean <= self.high:
            raise ValueError("the mean must lie between `low` and `high`")
        return self

    def find_values(self, normal: Floats) -> Floats:
        """Give the values that stand where standard normal deviates do.

        Returns
        -------
        array of float, shape (n,)
            Whole numbers.
        """
        low, high = ndtr((np.array([self.low, self.high]) - self.mean) / self.sd)
        inside = self.mean + self.sd * ndtri(low + (high - low) * ndtr(normal))
        inside = np.clip(inside, self.low, self.high)
        return np.asarray(np.round(10**inside if self.log10 else inside), dtype=float)

    def as_numbers(self, values: Floats) -> Floats:
        """Give values as effects weigh them.

        Returns
        -------
        array of float, shape (n,)
            Of a spread of logarithms the logarithm, of 0 that of 1.
        """
        return np.log10(np.maximum(values, 1.0)) if self.log10 else values


class Shares(Definition):
    """Codes and the share of each, from the lowest to the highest.

    Parameters
    ----------
    shares : dict
        Code to share; together 1.
    """

    shares: dict[str, float] = Field(min_length=1)

    @model_validator(mode="after")
    def _add_up(self) -> Shares:
        for code, share in self.shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"the share of '{code}' is outside 0 to 1")
        total = math.fsum(self.shares.values())
        if abs(total - 1) > _MOST_APART:
            raise ValueError(f"the shares add up to {total:g} and not to 1")
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes in their order."""
        return tuple(self.shares)

    @property
    def cuts(self) -> Floats:
        """The standard normal deviates between neighbouring codes."""
        below = np.minimum(np.cumsum(list(self.shares.values()))[:-1], 1.0)
        return np.asarray(ndtri(below), dtype=float)

    def find_values(self, normal: Floats) -> Floats:
        """Give the position of the code that stands where standard normal deviates do.

        Returns
        -------
        array of float, shape (n,)
            Positions in `codes`.
        """
        return np.searchsorted(self.cuts, normal, side="left").astype(float)

    def as_numbers(self, values: Floats) -> Floats:
        """Give values as effects weigh them.

        Returns
        -------
        array of float, shape (n,)
            The code itself where codes are numbers, else its position, 0 for the first.
        """
        if all(code.isdecimal() for code in self.codes):
            numbers = [float(code) for code in self.codes]
            return np.asarray(np.take(numbers, values.astype(int)), dtype=float)
        return values

    def find_number(self, code: str) -> float:
        """Give the number that effects weigh for a code."""
        return float(self.as_numbers(np.array([float(self.codes.index(code))]))[0])

    def find_chances(self, mean: Floats, sd: float) -> Floats:
        """Give each code's chance where the normal deviate is known only in part.

        Returns
        -------
        array of float, shape (n, n_codes)
            Rows add up to 1.
        """
        if sd <= 0:
            certain = np.eye(len(self.codes))
            return np.asarray(certain[self.find_values(mean).astype(int)], dtype=float)
        below = ndtr((self.cuts[None, :] - mean[:, None]) / sd)
        edges = np.column_stack([np.zeros(len(mean)), below, np.ones(len(mean))])
        return np.asarray(np.diff(edges, axis=1), dtype=float)


def _find_kind(given: object) -> str:
    """Tell which of the two is meant, so that a finding is of that one alone."""
    has_shares = "shares" in given if isinstance(given, dict) else isinstance(given, Shares)
    return "shares" if has_shares else "spread"


Distribution = Annotated[
    Annotated[Spread, Tag("spread")] | Annotated[Shares, Tag("shares")], Discriminator(_find_kind)
]
