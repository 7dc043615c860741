"""Characters that a definition's text must not contain, as it reaches terminals and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from glabella.errors import DefinitionError, escape_controls

Keys = tuple[str | int, ...]

# A cell that begins so is run by a spreadsheet as a formula; some also accept the full-width signs.
_FORMULA = re.compile(r"[=@\uff1d\uff20\t\r]|[+\-\uff0b\uff0d](?![+\-]*\Z|[0-9]+([.,][0-9]+)?\Z)")


def check_words(data: Any, place: Callable[..., str]) -> None:
    """Refuse texts that a terminal, a spreadsheet or a reader could be deceived by."""
    for keys, text in list_texts(data):
        shown = escape_controls(text, keep="\n\t")
        if shown != text:
            raise DefinitionError(
                f"'{shown}' contains a character that is invisible or changes how others are shown",
                place=place(*keys),
                remedy="Write the text without it.",
            )
    for keys, label in _list_labels(data):
        if _FORMULA.match(label):
            raise DefinitionError(
                f"the label '{escape_controls(label)}' begins with a sign with which spreadsheets "
                "begin a formula",
                place=place(*keys),
                remedy="Begin it with a letter: labels are written into scores.",
            )


def list_texts(data: Any) -> Iterator[tuple[Keys, str]]:
    """List the texts of plain values, keys among them."""
    waiting: list[tuple[Keys, Any]] = [((), data)]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, str):
            yield keys, value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield (*keys, key), str(key)
                waiting.append(((*keys, key), inner))
        elif isinstance(value, list):
            waiting += [((*keys, at), inner) for at, inner in enumerate(value)]


def _list_labels(data: Any, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Return labels, a dictionary's words for codes, and the names of groups of features."""
    if isinstance(data, list):
        for at, inner in enumerate(data):
            yield from _list_labels(inner, (*keys, at))
    if not isinstance(data, dict):
        return
    for key, inner in data.items():
        here = (*keys, key)
        if key == "label" and isinstance(inner, str):
            yield here, inner
        elif key == "groups" and isinstance(inner, dict):
            yield from (((*here, name), str(name)) for name in inner)
        elif key == "codes" and keys[:1] == ("variables",) and isinstance(inner, dict):
            yield from (((*here, code), word) for code, word in inner.items() if type(word) is str)
        yield from _list_labels(inner, here)
