"""Which rows of a table belong to the same participant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute as pc

from glabella.data.identifiers import format_ids

_SEPARATOR = "\x1f"
# Fixed: the same table gives the same hashes in every run.
_SEED = 20_260_101
Hashes = npt.NDArray[np.uint64]


def read_ids(table: pd.DataFrame, columns: Sequence[str]) -> pyarrow.LargeStringArray:
    """Read each row's identifier as text.

    Returns
    -------
    LargeStringArray, shape (n_rows,)
        Its parts, each in the form of `format_ids`, joined.
    """
    return join_ids([format_ids(table[column]) for column in columns])


def join_ids(parts: Sequence[pyarrow.LargeStringArray]) -> pyarrow.LargeStringArray:
    """Join the parts of identifiers, so that two differ if any part differs."""
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, pyarrow.scalar(_SEPARATOR, pyarrow.large_string()))


def find_repeated(ids: pyarrow.LargeStringArray) -> npt.NDArray[np.bool_]:
    """Find rows whose identifier is also in an earlier row.

    Returns
    -------
    array of bool, shape (n_rows,)
        False in the first row of each.

    Examples
    --------
    >>> find_repeated(pyarrow.array(["A", "B", "A"], pyarrow.large_string())).tolist()
    [False, False, True]
    """
    return np.asarray(pd.Series(ids.to_pandas()).duplicated(keep="first"), dtype=bool)


def hash_ids(ids: pyarrow.LargeStringArray) -> tuple[Hashes, Hashes]:
    """Hash identifiers twice, independently.

    Returns
    -------
    tuple of array of uint64, shape (n_rows,)
        Together 128 bits: among ten million different identifiers, two agree in both with a
        probability below 1e-20.

    References
    ----------
    .. [1] Carter JL, Wegman MN. Universal classes of hash functions. J Comput Syst Sci
       1979;18:143-154.
    """
    if not len(ids):
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    _, offsets, data = ids.buffers()
    bounds = np.frombuffer(offsets, np.int64)[ids.offset : ids.offset + len(ids) + 1]
    starts, lengths = bounds[:-1] - bounds[0], np.diff(bounds)
    raw = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]] if data is not None else b""
    symbols = np.asarray(raw, dtype=np.uint64) + np.uint64(1)
    place = np.arange(len(symbols)) - np.repeat(starts, lengths)
    filled = lengths > 0
    # Random numbers are drawn symbol by symbol, so that a longer text elsewhere changes no hash.
    first, second = (
        _sum_words(
            symbols
            * np.random.default_rng([_SEED, number]).integers(
                0, 2**64, int(lengths.max()) + 1, dtype=np.uint64
            )[place],
            starts,
            filled,
        )
        for number in range(2)
    )
    return first, second


def _sum_words(
    terms: Hashes, starts: npt.NDArray[np.int64], filled: npt.NDArray[np.bool_]
) -> Hashes:
    sums = np.zeros(len(starts), dtype=np.uint64)
    if filled.any():
        sums[filled] = np.add.reduceat(terms, starts[filled])
    return sums
