"""Columns with few different texts, as positions in a list of the texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow


@dataclass(frozen=True)
class Coded:
    """A column of text, as positions in a list of texts.

    Parameters
    ----------
    words : tuple of str
        The texts; one may occur twice.
    which : array of int, shape (n_rows,)
        Each row's position in `words`.
    """

    words: tuple[str, ...]
    which: npt.NDArray[np.int_]

    def to_arrow(self) -> pyarrow.DictionaryArray:
        """Convert to a dictionary array of pyarrow."""
        # pandas refuses a dictionary in which a text occurs twice.
        distinct = list(dict.fromkeys(self.words))
        place = {word: at for at, word in enumerate(distinct)}
        codes = np.array([place[word] for word in self.words], dtype=np.int32)
        return pyarrow.DictionaryArray.from_arrays(
            pyarrow.array(codes[self.which]), pyarrow.array(distinct, pyarrow.large_string())
        )
