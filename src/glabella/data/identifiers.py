"""The one form in which identifiers are compared, whatever file format they come from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute as pc

from glabella.data.cells import to_text

# Programs that keep whole numbers as doubles write 1001 as 1001.0.
_WHOLE = r"^(-?(?:0|[1-9][0-9]*))\.0+$"
_LARGEST = float(2**63)
_GROUPED = re.compile(r"[1-9]\d{0,2}([.,]\d{3})+")
_EXPONENT = re.compile(r"\d+(\.\d+)?e\+?\d{1,2}")


def format_ids(column: pd.Series) -> pyarrow.LargeStringArray:
    """Write identifiers in the form in which they are compared, joined and hashed.

    Returns
    -------
    LargeStringArray, shape (n_rows,)
        Blank where missing; without white space around; a whole number has no decimals, whether
        the file kept it as an integer, a double or text; accents in their composed form. Leading
        zeros and capitals are kept: 007 and 7 are two participants.

    Examples
    --------
    >>> format_ids(pd.Series([1001.0, None])).to_pylist()
    ['1001', '']
    >>> format_ids(pd.Series(["1001.0", " 007"])).to_pylist()
    ['1001', '007']
    """
    text = pc.utf8_trim_whitespace(pc.fill_null(_write_cells(column), ""))
    text = pc.replace_substring_regex(text, _WHOLE, r"\1")
    if not pc.all(pc.string_is_ascii(text), min_count=0).as_py():
        # pyarrow 25's own normalisation leaves combining accents as they are.
        coded = text.dictionary_encode()
        words = [unicodedata.normalize("NFC", word) for word in coded.dictionary.to_pylist()]
        text = pyarrow.array(words, pyarrow.large_string()).take(coded.indices)
    return text


def write_ids(column: pd.Series) -> pd.Series:
    """Give the same as a column of pandas.

    Returns
    -------
    Series of str, shape (n_rows,)
        A categorical where `column` is one: each name is then written once.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = format_ids(pd.Series(column.cat.categories)).to_pandas().to_numpy(dtype=object)
        of_level, written = pd.factorize(np.append(levels, ""))
        codes = of_level[column.cat.codes.to_numpy()]
        return pd.Series(pd.Categorical.from_codes(codes, pd.Index(written)), index=column.index)
    text = format_ids(column).to_pandas().to_numpy(dtype=object)
    return pd.Series(text, index=column.index, dtype=object)


def simplify_ids(ids: Sequence[str]) -> list[str]:
    """Drop what spreadsheets and exports change: leading zeros, capitals, blanks and exponents.

    Returns
    -------
    list of str
        In which identifiers of different participants may agree; for warnings, not for joins.

    Examples
    --------
    >>> simplify_ids(["007", "A 01", "0", "1e+05"])
    ['7', 'a01', '0', '100000']
    """
    return [_simplify_text(text) for text in ids]


def _simplify_text(text: str) -> str:
    # Marks that show nothing, other widths of a digit, and how spreadsheets keep text text.
    seen = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cc"))
    squeezed = "".join(unicodedata.normalize("NFKC", seen).split()).casefold().strip("'\"=+")
    if _GROUPED.fullmatch(squeezed):
        squeezed = re.sub("[.,]", "", squeezed)
    squeezed = re.sub(r"^(\d+)[.,]0*$", r"\1", squeezed)
    if _EXPONENT.fullmatch(squeezed):
        number = float(squeezed)
        if number.is_integer():
            squeezed = str(int(number))
    return squeezed.lstrip("0") or squeezed[:1]


def _write_cells(column: pd.Series) -> pyarrow.LargeStringArray:
    try:
        cells = pyarrow.array(column, from_pandas=True)
        if isinstance(cells, pyarrow.ChunkedArray):
            cells = cells.combine_chunks()
        if pyarrow.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        if pyarrow.types.is_floating(cells.type):
            cells = _write_doubles(cells)
        elif pyarrow.types.is_boolean(cells.type):
            cells = pc.cast(cells, pyarrow.int8())
        return pc.cast(cells, pyarrow.large_string())
    except (pyarrow.ArrowException, NotImplementedError):
        # Cells of several kinds, as a sheet may hold them.
        return pyarrow.array(to_text(column).astype(object), pyarrow.large_string())


def _write_doubles(cells: pyarrow.Array) -> pyarrow.Array:
    """Keep whole numbers whole: as doubles, large ones would be written with an exponent."""
    numbers = pc.cast(cells, pyarrow.float64())
    whole = pc.and_(
        pc.equal(numbers, pc.floor(numbers)), pc.less(pc.abs(numbers), pyarrow.scalar(_LARGEST))
    )
    if pc.all(whole, min_count=0).as_py():
        return pc.cast(numbers, pyarrow.int64())
    texts = to_text(pd.Series(numbers.to_numpy(zero_copy_only=False)))
    return pyarrow.array(texts.astype(object), pyarrow.large_string())
