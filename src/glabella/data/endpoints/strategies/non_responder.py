"""Participants without a score count as non-responders."""

from __future__ import annotations

from typing import ClassVar

from glabella.data.endpoints.strategies.interface import MissingStrategy


class NonResponder(MissingStrategy):
    """The strategy ``non_responder``: a missing score counts as no response."""

    words: ClassVar[str] = "participants without a score in the window count as non-responders"
    unknown_response: ClassVar[float] = 0.0
    unknown_basis: ClassVar[str] = "counted"
    exclusion: ClassVar[str | None] = None
