"""Search spaces: what a candidate may be tuned over, and which settings are tried."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import model_validator

from glabella.definitions.reader import Definition

__all__ = ["Space"]


class Space(Definition):
    """The values one setting may take: exactly one of the five forms.

    Parameters
    ----------
    log : tuple of float, optional
        Low and high, both above zero; spaced evenly on the log scale.
    uniform : tuple of float, optional
        Low and high.
    integer : tuple of int, optional
        Low and high, both included.
    choice : tuple, optional
        The values themselves.
    each : tuple, optional
        Values that are all tried with every draw of the other settings: what a model reads off
        one fit, as the number of boosting rounds.
    """

    log: tuple[float, float] | None = None
    uniform: tuple[float, float] | None = None
    integer: tuple[int, int] | None = None
    choice: tuple[float | int | str, ...] | None = None
    each: tuple[float | int, ...] | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Space:
        forms = (self.log, self.uniform, self.integer, self.choice, self.each)
        given = [form for form in forms if form]
        if len(given) != 1:
            raise ValueError("give exactly one of log, uniform, integer, choice, each")
        if self.choice is None and self.each is None and given[0][0] >= given[0][1]:  # type: ignore[operator]
            raise ValueError("the bounds must go from low to high")
        if self.log is not None and self.log[0] <= 0:
            raise ValueError("a log range must be above zero")
        return self

    def find_value(self, quantile: float) -> float | int | str:
        """Find the value at a place within the space.

        Parameters
        ----------
        quantile : float
            From 0, the low end, to 1, the high end.

        Returns
        -------
        float, int or str
            The value.

        Examples
        --------
        >>> Space(log=(0.01, 1.0)).find_value(0.5)
        0.1
        >>> Space(integer=(1, 3)).find_value(1.0)
        3
        """
        if self.log is not None:
            low, high = np.log(self.log)
            value = np.round(np.exp(low + quantile * (high - low)), 12)
            return float(np.clip(value, *self.log))
        if self.uniform is not None:
            return float(self.uniform[0] + quantile * (self.uniform[1] - self.uniform[0]))
        values: tuple[Any, ...] = (
            tuple(range(self.integer[0], self.integer[1] + 1))
            if self.integer
            else self.choice or self.each
        ) or ()
        return values[min(int(quantile * len(values)), len(values) - 1)]  # type: ignore[no-any-return]


def list_settings(
    search: Mapping[str, Space], draws: int, seed: np.random.SeedSequence
) -> list[dict[str, Any]]:
    """List the settings to try.

    Parameters
    ----------
    search : mapping of Space
        By setting; empty for a candidate that is not tuned.
    draws : int
        How many to try, apart from values that go with each of them.
    seed : SeedSequence
        For random draws over several settings; a single setting is spread evenly instead.

    Returns
    -------
    list of dict
        Distinct settings; one empty dict where there is nothing to search.
    """
    names = sorted(name for name, space in search.items() if space.each is None)
    paths = {name: space.each for name, space in search.items() if space.each is not None}
    drawn = _draw_settings({name: search[name] for name in names}, names, draws, seed)
    return [
        {**setting, **dict(zip(paths, values, strict=True))}
        for setting in drawn
        for values in itertools.product(*paths.values())
    ]


def _draw_settings(
    search: Mapping[str, Space], names: list[str], draws: int, seed: np.random.SeedSequence
) -> list[dict[str, Any]]:
    if not names:
        return [{}]
    if len(names) == 1:
        quantiles = np.linspace(0.0, 1.0, draws) if draws > 1 else np.array([0.5])
        tried = [{names[0]: search[names[0]].find_value(float(quantile))} for quantile in quantiles]
    else:
        # A shuffled grid a setting (Latin hypercube): few draws still cover each range.
        generator = np.random.default_rng(seed)
        columns = [(generator.permutation(draws) + generator.random(draws)) / draws for _ in names]
        tried = [
            {
                name: search[name].find_value(float(value))
                for name, value in zip(names, row, strict=True)
            }
            for row in zip(*columns, strict=True)
        ]
    distinct = {tuple(sorted(setting.items())): setting for setting in tried}
    return list(itertools.islice(distinct.values(), draws))
