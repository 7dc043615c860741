"""The words for an outcome: response by default, or the event that an analysis names."""

from __future__ import annotations

from dataclasses import dataclass

RESPONSE = "response"


@dataclass(frozen=True)
class OutcomeWords:
    """The words for an outcome and for participants who have it.

    Parameters
    ----------
    event : str
        A noun phrase, such as ``birth at term``.

    Examples
    --------
    >>> OutcomeWords().having, OutcomeWords("birth at term").having
    ('responders', 'participants with birth at term')
    """

    event: str = RESPONSE

    @property
    def having(self) -> str:
        """Participants who have it."""
        return "responders" if self._is_response else f"participants with {self.event}"

    @property
    def lacking(self) -> str:
        """Participants who do not have it."""
        return "non-responders" if self._is_response else f"participants without {self.event}"

    @property
    def one_having(self) -> str:
        """A participant who has it."""
        return "a responder" if self._is_response else f"a participant with {self.event}"

    @property
    def one_lacking(self) -> str:
        """A participant who does not have it."""
        return "a non-responder" if self._is_response else f"a participant without {self.event}"

    @property
    def to_have(self) -> str:
        """What a patient may do, in the infinitive."""
        return "to respond" if self._is_response else f"to have {self.event}"

    @property
    def heading(self) -> str:
        """The heading of a column that counts participants who have it."""
        return "Responders" if self._is_response else f"With {self.event}"

    @property
    def _is_response(self) -> bool:
        return self.event == RESPONSE


RESPONSE_WORDS = OutcomeWords()
