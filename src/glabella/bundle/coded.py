"""Columns of text of which few cells differ, as positions in a list of words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow


@dataclass(frozen=True)
class Coded:
    """Text by its position in a list of words.

    Parameters
    ----------
    words : tuple of str
        A word may stand twice.
    which : array of int, shape (n_rows,)
        Each row's position in `words`.
    """

    words: tuple[str, ...]
    which: npt.NDArray[np.int_]

    def to_arrow(self) -> pyarrow.DictionaryArray:
        """Give it as pyarrow's dictionary array.

        Returns
        -------
        DictionaryArray, shape (n_rows,)
            Of text.
        """
        # pandas refuses a dictionary in which a word stands twice.
        distinct = list(dict.fromkeys(self.words))
        place = {word: at for at, word in enumerate(distinct)}
        codes = np.array([place[word] for word in self.words], dtype=np.int32)
        return pyarrow.DictionaryArray.from_arrays(
            pyarrow.array(codes[self.which]), pyarrow.array(distinct, pyarrow.large_string())
        )
