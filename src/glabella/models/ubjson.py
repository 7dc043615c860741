"""A strict reader of the part of UBJSON in which XGBoost writes trees.

XGBoost's own reader trusts lengths and types, and ends the process where they lie. This one reads
each byte once, makes nothing that the file's own size does not allow for, and refuses the rest.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

# As XGBoost nests them: learner, booster, model, trees, tree, its parameters, and one to spare.
_DEEPEST = 10
_SCALARS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4"}
_SIZES = {mark: np.dtype(code) for mark, code in _SCALARS.items()}


def read_ubjson(content: bytes) -> dict[str, Any]:
    """Read an object as XGBoost writes one.

    Returns
    -------
    dict
        Objects as dict, text as str, numbers as int and float, lists of values of one stated type
        as arrays and other lists as list.

    Examples
    --------
    >>> read_ubjson(b"{L" + bytes(7) + b"\\x01ai\\x05}")
    {'a': 5}
    """
    reader = _Reader(content)
    if reader.take(1) != b"{":
        raise ValueError("this is no object in UBJSON")
    found = reader.read_object(0)
    if reader.at != len(content):
        raise ValueError("something follows the object")
    return found


class _Reader:
    """A position in the bytes, which only moves forward."""

    def __init__(self, content: bytes):
        self.content = content
        self.at = 0

    def take(self, count: int) -> bytes:
        """Take the next bytes, all of which must be there."""
        end = self.at + count
        if count < 0 or end > len(self.content):
            raise ValueError("the file is cut off")
        self.at, taken = end, self.content[self.at : end]
        return taken

    def read_length(self) -> int:
        """Read how many bytes or items follow, which XGBoost writes in eight bytes."""
        if self.take(1) != b"L":
            raise ValueError("a length is not written as XGBoost writes it")
        (length,) = struct.unpack(">q", self.take(8))
        if not 0 <= length <= len(self.content) - self.at:
            raise ValueError("a length goes beyond the end of the file")
        return int(length)

    def read_text(self) -> str:
        """Read text after its length."""
        return self.take(self.read_length()).decode("utf-8")

    def read_object(self, depth: int) -> dict[str, Any]:
        """Read keys and values up to the closing brace."""
        found: dict[str, Any] = {}
        while self.content[self.at : self.at + 1] != b"}":
            key = self.read_text()
            if key in found:
                raise ValueError("a key is there twice")
            found[key] = self.read_value(depth + 1)
        self.take(1)
        return found

    def read_value(self, depth: int) -> Any:
        """Read a value after its mark."""
        if depth > _DEEPEST:
            raise ValueError("the file nests too deep")
        mark = self.take(1)
        if mark == b"S":
            return self.read_text()
        if mark == b"{":
            return self.read_object(depth)
        if mark == b"[":
            return self.read_list(depth)
        return self.read_numbers(mark, 1)[0].item()

    def read_list(self, depth: int) -> Any:
        """Read a list, whose length XGBoost always states."""
        mark = self.take(1)
        if mark == b"$":
            kind = self.take(1)
            if self.take(1) != b"#":
                raise ValueError("a list does not state its length")
            return self.read_numbers(kind, self.read_length())
        if mark != b"#":
            raise ValueError("a list does not state its length")
        return [self.read_value(depth + 1) for _ in range(self.read_length())]

    def read_numbers(self, mark: bytes, count: int) -> Any:
        """Read numbers of one type."""
        if mark not in _SIZES:
            raise ValueError("the file holds a type that XGBoost does not write")
        kind = _SIZES[mark]
        return np.frombuffer(self.take(kind.itemsize * count), dtype=kind)
