"""Whether the records before an SPSS file's rows are sound: its reader takes positions on trust.

Layout after GNU PSPP, "System File Format".
"""

from __future__ import annotations

import struct
from pathlib import Path

from glabella.errors import DataError

_STARTS = (b"$FL2", b"$FL3")
_HEADER = 176
_LAYOUT_CODES = (2, 3)
# Of the records before the rows: names, labels and documents of thousands of variables.
_MOST_BYTES = 1 << 28
_VARIABLE, _LABELS, _LABELLED, _DOCUMENT, _EXTENSION, _END = 2, 3, 4, 6, 7, 999


def check_spss_records(path: Path) -> None:
    """Refuse an SPSS file whose records point to variables that are not there."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES)
    try:
        _read_records(content)
    except (struct.error, ValueError):
        raise DataError(
            "this is not a whole SPSS file", place=path.name, remedy="Write or copy it again."
        ) from None


def _read_records(content: bytes) -> None:
    if content[:4] not in _STARTS:
        raise ValueError("the file does not begin as one of SPSS")
    order = next(
        (sign for sign in "<>" if struct.unpack(f"{sign}i", content[64:68])[0] in _LAYOUT_CODES),
        None,
    )
    if order is None:
        raise ValueError("the order of bytes is none")
    widths: list[int] = []
    values: list[bytes] = []
    at = _HEADER
    while True:
        kind, at = _read(content, order, at)
        if kind == _END:
            _check_widths(widths)
            return
        if kind == _VARIABLE:
            at = _check_variable(content, order, at, widths)
        elif kind == _LABELS:
            at, values = _check_labels(content, order, at)
        elif kind == _LABELLED:
            count, at = _read(content, order, at)
            _raise_refusal(not 0 < count <= len(widths))
            for _ in range(count):
                position, at = _read(content, order, at)
                # A long text has further places, of a negative width, that are no variables.
                _raise_refusal(not 1 <= position <= len(widths) or widths[position - 1] < 0)
                # The reader takes it that a labelled text is one.
                _raise_refusal(widths[position - 1] > 0 and not all(map(_is_text, values)))
        elif kind == _DOCUMENT:
            count, at = _read(content, order, at)
            _raise_refusal(count < 0)
            at += 80 * count
        elif kind == _EXTENSION:
            _, at = _read(content, order, at)
            size, at = _read(content, order, at)
            count, at = _read(content, order, at)
            _raise_refusal(size < 0 or count < 0)
            at += size * count
        else:
            raise ValueError("a record is of no kind that there is")
        _raise_refusal(at > len(content))


def _check_variable(content: bytes, order: str, at: int, widths: list[int]) -> int:
    width, at = _read(content, order, at)
    has_label, at = _read(content, order, at)
    missing, at = _read(content, order, at)
    _raise_refusal(not -1 <= width <= 255 or has_label not in (0, 1) or not -3 <= missing <= 3)
    widths.append(width)
    at += 16
    if has_label:
        length, at = _read(content, order, at)
        _raise_refusal(not 0 <= length <= 65_535)
        at += -(-length // 4) * 4
    return at + 8 * abs(missing)


def _check_widths(widths: list[int]) -> None:
    """Check that each text is followed by as many further places as its width needs."""
    needed = 0
    for width in widths:
        _raise_refusal((width < 0) != (needed > 0))
        needed = needed - 1 if needed else -(-max(width, 1) // 8) - 1
    _raise_refusal(needed > 0)


def _check_labels(content: bytes, order: str, at: int) -> tuple[int, list[bytes]]:
    count, at = _read(content, order, at)
    _raise_refusal(count < 0)
    values = []
    for _ in range(count):
        values.append(content[at : at + 8])
        at += 8
        _raise_refusal(at >= len(content))
        # The length is one byte, and both together fill eights.
        at += -(-(content[at] + 1) // 8) * 8
    return at, values


def _is_text(value: bytes) -> bool:
    return all(byte >= 0x20 for byte in value)


def _read(content: bytes, order: str, at: int) -> tuple[int, int]:
    (number,) = struct.unpack_from(f"{order}i", content, at)
    return number, at + 4


def _raise_refusal(is_odd: bool) -> None:
    if is_odd:
        raise ValueError("a record is none that SPSS writes")
