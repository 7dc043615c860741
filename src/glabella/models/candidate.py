"""The typed definition of a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from glabella.definitions.reader import Definition
from glabella.models.space import Space

__all__ = ["Candidate"]

Effort = Literal["quick", "standard", "thorough"]
_SHARE_OF_DRAWS: dict[Effort, float] = {"quick": 0.5, "standard": 1.0, "thorough": 3.0}


class Candidate(Definition):
    """A model to be fitted, tuned and validated.

    Parameters
    ----------
    kind : str
        ``candidate``.
    description : str
        What it is.
    label : str, optional
        What the report's sentences call it; its name by default.
    estimator : str
        A registered estimator.
    role : str
        ``candidate``, or ``reference``: validated like any other, and never chosen while there is
        a candidate, because it is what a choice must beat.
    settings : dict
        Fixed settings of the estimator.
    search : dict of Space
        Settings to tune.
    draws : int
        How many settings are tried under `effort: standard`; half as many under ``quick``, three
        times as many under ``thorough``.
    members : tuple of str
        Of an ensemble: the candidates that it averages.
    calibration : str
        ``logistic``: slope and intercept of the log odds are learnt out-of-fold where they gain
        beyond noise; or ``none``. What is not additive on the log-odds scale, and references, are
        left as they are.
    """

    kind: Literal["candidate"]
    description: str
    # Left out of every dump: a label does not make another model.
    label: str | None = Field(default=None, exclude=True, min_length=1, max_length=60)
    estimator: str
    role: Literal["candidate", "reference"] = "candidate"
    settings: dict[str, Any] = Field(default_factory=dict)
    search: dict[str, Space] = Field(default_factory=dict)
    draws: int = Field(default=8, ge=1, le=1000)
    members: tuple[str, ...] = ()
    calibration: Literal["logistic", "none"] = "logistic"

    def with_effort(self, effort: Effort) -> Candidate:
        """Give the same candidate with as many settings to try as an effort allows.

        Parameters
        ----------
        effort : str
            ``quick``, ``standard`` or ``thorough``.

        Returns
        -------
        Candidate
            Likewise its members, where they are known.
        """
        return self.model_copy(
            update={"draws": max(1, round(self.draws * _SHARE_OF_DRAWS[effort]))}
        )


class EnsembleCandidate(Candidate):
    """An ensemble together with the definitions of its members.

    Parameters
    ----------
    resolved : dict of Candidate
        By name, in the order of `members`.
    """

    resolved: dict[str, Candidate]

    def with_effort(self, effort: Effort) -> EnsembleCandidate:
        """Give the same ensemble with as many settings to try as an effort allows.

        Parameters
        ----------
        effort : str
            ``quick``, ``standard`` or ``thorough``.

        Returns
        -------
        EnsembleCandidate
            Its members spend likewise.
        """
        members = {name: member.with_effort(effort) for name, member in self.resolved.items()}
        return self.model_copy(update={"resolved": members})


def join_members(candidate: Candidate, members: Mapping[str, Candidate]) -> Candidate:
    """Give an ensemble the definitions of its members.

    Parameters
    ----------
    candidate : Candidate
        The definition.
    members : mapping of Candidate
        At least its members, by name.

    Returns
    -------
    Candidate
        Itself where it is no ensemble.
    """
    if not candidate.members:
        return candidate
    resolved = {name: members[name] for name in candidate.members}
    return EnsembleCandidate(**dict(candidate), resolved=resolved)
