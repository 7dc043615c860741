"""The exception family: each message has a place, a finding and a remedy."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator


class GlabellaError(Exception):
    """What a user can mend: the data, a definition or an analysis was refused.

    Parameters
    ----------
    finding : str
        What is wrong, in a sentence, without any value of a participant.
    place : str, optional
        Where: a file with its line, a column, a fold.
    remedy : str, optional
        What to do about it.
    """

    def __init__(self, finding: str, *, place: str | None = None, remedy: str | None = None):
        super().__init__(finding)
        self.finding = finding
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        head = f"{self.place}: {self.finding}" if self.place else self.finding
        return f"{head}\n  {self.remedy}" if self.remedy else head

    def __reduce__(self) -> tuple[object, ...]:
        # A worker process sends its exceptions back pickled; keyword arguments need a hand.
        return (_rebuild, (type(self), self.finding, self.place, self.remedy))


def _rebuild(
    kind: type[GlabellaError], finding: str, place: str | None, remedy: str | None
) -> GlabellaError:
    return kind(finding, place=place, remedy=remedy)


class DefinitionError(GlabellaError):
    """A YAML definition can't be read, or names what does not exist."""


class DataError(GlabellaError):
    """A table can't be read, or breaks what the dictionary says of it."""


class AnalysisError(GlabellaError):
    """Definitions and data are sound, but this analysis of them is not possible."""


class ClockError(AnalysisError):
    """A feature would use what is known only after the moment of prediction."""


class BundleError(GlabellaError):
    """A saved model is missing, changed, foreign or not meant for this use."""


class StoreError(GlabellaError):
    """The store of runs and models can't be reached or lacks what was asked for."""


@contextlib.contextmanager
def place_refusal(place: str) -> Iterator[None]:
    """Say where, of a refusal by what can't know.

    Parameters
    ----------
    place : str
        The part of a definition that led there; a place that the refusal has itself stays.

    Yields
    ------
    None
        Nothing.
    """
    try:
        yield
    except GlabellaError as error:
        error.place = error.place or place
        raise


def describe_choices(name: str, known: Iterable[str]) -> str:
    """Offer the nearest known name, or list what there is.

    Parameters
    ----------
    name : str
        The name that was not found.
    known : iterable of str
        The names that exist.

    Returns
    -------
    str
        A sentence for the remedy of an error.

    Examples
    --------
    >>> describe_choices("rigde", ["ridge", "xgboost"])
    "Did you mean 'ridge'? There are: ridge, xgboost."
    >>> describe_choices("forest", [])
    'There are none.'
    """
    names = sorted(known)
    if not names:
        return "There are none."
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    start = f"Did you mean '{nearest[0]}'? " if nearest else ""
    return f"{start}There are: {listed}."
