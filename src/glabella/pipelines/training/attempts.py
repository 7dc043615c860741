"""The parts that a training can do without: one that fails is named, and the run goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from glabella.validation.measures.estimation.attempt import Failure, attempt

Result = TypeVar("Result")
Otherwise = TypeVar("Otherwise")


@dataclass(frozen=True)
class FailedPart:
    """A part of a training that could not be computed.

    Parameters
    ----------
    part : str
        What readers call it.
    failure : Failure
        Why.
    """

    part: str
    failure: Failure

    def describe(self) -> str:
        """Say it in a sentence.

        Returns
        -------
        str
            With the kind of the failure and where it came from, so that a fault of the program
            is not taken for one of the data.
        """
        place = f", at {self.failure.place}" if self.failure.place else ""
        return f"The part '{self.part}' is missing: {self.failure.words}{place}."

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"part": self.part, **asdict(self.failure)}


@dataclass(frozen=True)
class Attempts:
    """Computes parts, and keeps what became of those that failed.

    Parameters
    ----------
    failed : list of FailedPart
        In their order.
    """

    failed: list[FailedPart] = field(default_factory=list)

    def run(
        self,
        part: str,
        compute: Callable[[], Result],
        otherwise: Callable[[Failure], Otherwise],
    ) -> Result | Otherwise:
        """Compute a part."""

        def note_failure(failure: Failure) -> Otherwise:
            self.failed.append(FailedPart(part, failure))
            return otherwise(failure)

        return attempt(compute, note_failure)

    def find_reason(self, part: str) -> str:
        """Find why a part could not be computed."""
        return next((item.failure.words for item in self.failed if item.part == part), "")

    def drop_non_finite(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Put nothing in the place of what is no number.

        Returns
        -------
        dict
            The same, without infinities and NaN: each is noted, with where it was.
        """
        cleaned, places = _drop_non_finite(dict(content), "")
        for place in places:
            self.failed.append(
                FailedPart(place, Failure("ValueError", "its value is no finite number", ""))
            )
        return dict(cleaned)

    def run_optional(self, part: str, compute: Callable[[], Result]) -> Result | None:
        """Compute a part that may be missing."""
        return self.run(part, compute, lambda failure: None)


def _drop_non_finite(value: Any, place: str) -> tuple[Any, list[str]]:
    if isinstance(value, float) and not math.isfinite(value):
        return None, [place]
    if isinstance(value, Mapping):
        items = {
            key: _drop_non_finite(each, f"{place} {key}".strip()) for key, each in value.items()
        }
        found = [where for _, places in items.values() for where in places]
        return ({key: each for key, (each, _) in items.items()}, found) if found else (value, [])
    if isinstance(value, list | tuple):
        parts = [_drop_non_finite(each, place) for each in value]
        found = [where for _, places in parts for where in places]
        return ([each for each, _ in parts], found) if found else (value, [])
    return value, []
