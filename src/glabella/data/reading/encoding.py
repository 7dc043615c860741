"""The encoding of a text file: stated, or marked, or UTF-8, and never a guess."""

from __future__ import annotations

import codecs
import io
from itertools import islice
from pathlib import Path

from glabella.errors import DataError

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_LINES_SAMPLED = 400


def find_encoding(path: Path, stated: str | None) -> str:
    """Find how a file's bytes are to be read as text.

    Returns
    -------
    str
        Of a codec; what the byte order mark says, what was stated, or UTF-8.
    """
    with path.open("rb") as file:
        start = file.read(3)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if stated is not None:
        name = _find_codec(stated, path)
        if marked is not None and not name.startswith(marked):
            raise DataError(
                f"its byte order mark says {marked.upper()}, and `encoding: {stated}` another",
                place=path.name,
                remedy="Leave `encoding:` out.",
            )
        if marked is None:
            return name
    # The codec of this name takes the mark off; the plain one would make it part of a column name.
    return "utf-8-sig" if marked == "utf-8" else marked or "utf-8"


def _find_codec(stated: str, path: Path) -> str:
    try:
        # A codec may be known and yet turn bytes into bytes; this takes only those of text.
        io.TextIOWrapper(io.BytesIO(), encoding=stated).close()
        return codecs.lookup(stated).name
    except (LookupError, ValueError):
        raise DataError(
            f"'{stated}' is no known encoding",
            place=path.name,
            remedy="State one such as `encoding: cp1252` or `encoding: latin-1`.",
        ) from None


def describe_undecodable(path: Path, encoding: str) -> DataError:
    """Make the refusal of a file that is not text of an encoding."""
    name = encoding.removesuffix("-sig")
    likely = _find_likely(path)
    remedy = "Save it as UTF-8"
    if likely is not None and likely != name:
        remedy += f", or state what it is: `encoding: {likely}` seems likely"
    return DataError(
        f"the file is not {name.upper() if name.startswith('utf') else name} text",
        place=path.name,
        remedy=f"{remedy}.",
    )


def _find_likely(path: Path) -> str | None:
    from charset_normalizer import from_bytes

    with path.open("rb") as file:
        # Lines of plain ASCII say nothing of the encoding; bounded, as one line may be the file.
        telling = (line[:4096] for line in file if not line.isascii())
        sample = b"".join(islice(telling, _LINES_SAMPLED))
    best = from_bytes(sample).best()
    if best is None:
        return None
    # Several encodings often read the same text; Western Windows programs write this one.
    return "cp1252" if "cp1252" in best.could_be_from_charset else best.encoding
