"""Cells of a table as text and as numbers, alike whatever program wrote the file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.precision import convert_to_decimals

# What R writes for a missing value, in every kind of column.
_MISSING = "NA"


def to_text(raw: pd.Series) -> pd.Series:
    """Write each cell as text, the same whether a file stored text or numbers.

    Returns
    -------
    Series of str, shape (n_rows,)
        Blank where missing, without white space around; a whole number has no decimal point. A
        categorical where `raw` is one.
    """
    raw = convert_to_decimals(raw)
    if isinstance(raw.dtype, pd.CategoricalDtype):
        # Each level is written once: a long table repeats few of them millions of times.
        levels = to_text(pd.Series(raw.cat.categories)).to_numpy(dtype=object)
        of_level, written = pd.factorize(np.append(levels, ""))
        codes = of_level[raw.cat.codes.to_numpy()]
        return pd.Series(pd.Categorical.from_codes(codes, pd.Index(written)), index=raw.index)
    if pd.api.types.is_bool_dtype(raw.dtype):
        return raw.map({True: "1", False: "0"}).fillna("").astype(str)
    if pd.api.types.is_numeric_dtype(raw.dtype):
        # Few numbers of a long column differ, and writing one costs more than finding it again.
        codes, numbers = pd.factorize(raw)
        texts = np.array([*map(_number_to_text, numbers), ""], dtype=object)
        return pd.Series(texts[codes], index=raw.index).astype(str)
    cells = raw.astype(object).where(raw.notna(), "")
    if raw.dtype == object and pd.api.types.infer_dtype(raw, skipna=True) == "decimal":
        cells = cells.map(lambda cell: _write_decimal(cell) if cell != "" else cell)
    return cells.astype(str).str.strip()


def _write_decimal(value: Decimal) -> str:
    # Databases write 7 as 7.000 where a column has three places.
    return f"{value.normalize():f}" if value else "0"


def _number_to_text(value: float) -> str:
    if pd.isna(value):
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def to_numbers(raw: pd.Series) -> pd.Series:
    """Read each cell as a number: the one place where a file's cells become numbers.

    Returns
    -------
    Series of float, shape (n_rows,)
        Missing where a cell is blank or no number: True is no age. A number of single precision is
        the decimal that it stands for, as `convert_to_decimals` says.

    Examples
    --------
    >>> to_numbers(pd.Series(["16.1", "", "16.1000003814697", "n/a"])).tolist()
    [16.1, nan, 16.1, nan]
    """
    if pd.api.types.is_bool_dtype(raw.dtype):
        return pd.Series(np.nan, index=raw.index, name=raw.name)
    if pd.api.types.is_numeric_dtype(raw.dtype):
        return pd.Series(convert_to_decimals(raw).to_numpy(dtype=float, na_value=np.nan), raw.index)
    text = to_text(raw)
    if isinstance(text.dtype, pd.CategoricalDtype):
        text = text.astype(object)
    numbers = pd.to_numeric(text.where(text != ""), errors="coerce").astype(float)
    return convert_to_decimals(numbers)


def match_codes(text: pd.Series, codes: Iterable[str]) -> pd.Series:
    """Match cells with codes, whether a file wrote them as 1 or as 1.0.

    Returns
    -------
    Series, shape (n_rows,)
        The code of each cell; missing where it is none of them.

    Examples
    --------
    >>> match_codes(pd.Series(["1.0", "0", "01"]), ["0", "1"]).tolist()
    ['1', '0', None]
    """
    codes = list(codes)
    # A column of numbers with gaps is often written with decimals; the code itself goes first.
    by_text = {_drop_zeros(code): code for code in codes} | {code: code for code in codes}
    levels = text.unique()
    found = {level: by_text.get(level, by_text.get(_drop_zeros(level))) for level in levels}
    return text.astype(object).map(found).astype(object).where(lambda code: code.notna(), None)


def _drop_zeros(text: str) -> str:
    return re.sub(r"^(-?(?:0|[1-9]\d*))\.0+$", r"\1", text)


def is_missing(text: pd.Series, codes: Iterable[str] = ()) -> npt.NDArray[np.bool_]:
    """Say which cells of a variable hold no value.

    Returns
    -------
    array of bool, shape (n_rows,)
        True where blank, or ``NA`` and no code.
    """
    return text.isin(["", *({_MISSING} - set(codes))]).to_numpy()
