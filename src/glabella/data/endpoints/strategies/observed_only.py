"""Participants without a score are excluded."""

from __future__ import annotations

from typing import ClassVar

from glabella.data.endpoints.strategies.interface import MissingStrategy


class ObservedOnly(MissingStrategy):
    """The strategy ``observed_only``: adds nothing to what was observed."""

    words: ClassVar[str] = "participants without a score in the window are left out"
