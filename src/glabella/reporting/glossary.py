"""The terms that a page uses, explained on the page itself, from the glossary of the guides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from markupsafe import Markup, escape

from glabella.definitions.locate import find_shipped

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_TAGS = re.compile(r"<(style|script|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_EMPHASIS = re.compile(r"\*([^*]+)\*")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


@cache
def read_glossary() -> Mapping[str, Markup]:
    """Read the terms and their explanations, in alphabetical order, as HTML."""
    page = (find_shipped() / "docs" / "glossary.md").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(page)
    return {term: _render_text(text) for term, text in zip(parts[::2], parts[1::2], strict=True)}


def find_terms(page: str) -> dict[str, Markup]:
    """Find the terms of the glossary in the text of a page, in the singular or the plural.

    Examples
    --------
    >>> list(find_terms("<p title='fold'>Two <b>candidates</b> were compared.</p>"))
    ['Candidate']
    """
    text = _TAGS.sub(" ", page)
    return {
        term: explained
        for term, explained in read_glossary().items()
        if re.search(rf"\b{re.escape(term)}e?s?\b", text, re.IGNORECASE)
    }


def _render_text(text: str) -> Markup:
    plain = _LINK.sub(r"\1", " ".join(text.split()))
    marked = _CODE.sub(r"<code>\1</code>", str(escape(plain)))
    return Markup(_EMPHASIS.sub(r"<em>\1</em>", marked))
