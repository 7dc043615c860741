"""Numbers kept with fewer digits than a double, read as the decimals that they were written as.

Of 16.1, single precision keeps 16.100000381469727. Taken as a double that is another number: a
fall of exactly 30 % is missed, and a visit leaves its window. The shortest decimal that the kept
value can stand for is the number that was meant.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]

# A double is told apart by so many digits, so no shortest decimal is longer.
_MOST_DIGITS = 17
# Ten to the 22nd is the last power of ten that a double has exactly; 17 digits of what is above
# a hundred-thousandth need no higher one.
_MOST_MAGNITUDE = 5
_ROUNDING = 2.0**-50
# Programs write a double with 15 digits or more; 13 where the last two are zeros.
_MANY_DIGITS = 13
_LAST_DIGITS = 5e-15


def convert_to_decimals(raw: pd.Series) -> pd.Series:
    """Give numbers that were kept in half or single precision as the decimals they stand for.

    Returns
    -------
    Series, shape (n_rows,)
        Doubles where `raw` holds numbers of half or single precision, or has such for categories.
        A double of many digits that is a number of single precision, all but the last digits that
        a program may have cut off in writing, went through such a file: it too is its decimal.
        All else is as in `raw`.

    Examples
    --------
    >>> convert_to_decimals(pd.Series([16.1, 8.7], dtype="float32")).tolist()
    [16.1, 8.7]
    >>> kept = pd.Series([16.100000381469727, 16.1000003814697, 1 / 3, 2**-13])
    >>> convert_to_decimals(kept).tolist()
    [16.1, 16.1, 0.3333333333333333, 0.0001220703125]
    """
    if isinstance(raw.dtype, pd.CategoricalDtype):
        levels = raw.cat.categories.to_series()
        wide = convert_to_decimals(levels)
        return raw if wide is levels else raw.cat.rename_categories(wide.tolist())
    # What pandas allows to be missing, and what Arrow keeps, names the numbers within.
    kind = getattr(raw.dtype, "numpy_dtype", raw.dtype)
    if kind not in (np.float16, np.float32, np.float64):
        return raw
    numbers = raw.to_numpy(dtype=kind, na_value=np.nan)
    if kind != np.float64:
        return pd.Series(_write_out(numbers), index=raw.index, name=raw.name)
    decimals = _read_single(numbers)
    return raw if decimals is numbers else pd.Series(decimals, index=raw.index, name=raw.name)


def _read_single(numbers: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        single = numbers.astype(np.float32)
        is_single = np.abs(numbers - single) <= _LAST_DIGITS * np.abs(numbers)
    at = np.flatnonzero(is_single & (numbers != np.rint(numbers)))
    decimals = _write_out(single[at])
    # A half or an eighth is a number of single precision, and needs no digits to spare.
    at, decimals = at[decimals != numbers[at]], decimals[decimals != numbers[at]]
    long = [i for i, number in enumerate(numbers[at]) if _count_digits(number) >= _MANY_DIGITS]
    if not long:
        return numbers
    found = numbers.copy()
    found[at[long]] = decimals[long]
    return found


def _count_digits(number: float) -> int:
    return len(repr(float(number)).split("e")[0].replace(".", "").strip("-0"))


def _write_out(numbers: npt.NDArray[np.floating]) -> Floats:
    if numbers.dtype == np.float16:
        # There are only 65,536 of them, and Arrow does not write the shortest decimal of one.
        levels, at = np.unique(numbers, return_inverse=True)
        return np.array([float(str(level)) for level in levels])[at].reshape(numbers.shape)
    written = pc.cast(pyarrow.array(numbers), pyarrow.string())
    decimals = pc.cast(written, pyarrow.float64()).to_numpy(zero_copy_only=False)
    # A whole number is itself: 123456792 is not what only comes to the same in single precision.
    exact = numbers.astype(float)
    return np.asarray(np.where(exact == np.rint(exact), exact, decimals), dtype=float)


def convert_from_single(values: pd.Series) -> pd.Series:
    """Read doubles that a file keeps in single precision.

    Examples
    --------
    >>> convert_from_single(pd.Series([16.100000381469727])).tolist()
    [16.1]
    """
    return convert_to_decimals(values.astype(np.float32))


def complete(values: pd.Series, *, bits: int, base: int = 2) -> pd.Series:
    """Read doubles of which a file kept the first bits and cut off the others.

    Returns
    -------
    Series of float
        For each the shortest decimal of which the file would have kept the same; itself where
        several are as short, and where it is whole.

    Examples
    --------
    >>> complete(pd.Series([16.09765625, 2.5, 1234567.0]), bits=12).tolist()
    [16.1, 2.5, 1234567.0]
    """
    codes, levels = pd.factorize(values, use_na_sentinel=True)
    found = _complete(np.asarray(levels, dtype=float), bits, base)
    return pd.Series(np.append(found, np.nan)[codes], index=values.index, name=values.name)


def _complete(levels: Floats, bits: int, base: int) -> Floats:
    size = np.abs(levels)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = np.frexp(size)[1].astype(float)
        first = 4 * np.ceil(exponent / 4) if base == 16 else exponent - 1
        step = np.exp2(first - bits)
        magnitude = np.floor(np.log10(size))
    found = size.copy()
    # A whole number is itself; of what is nearly nothing no decimals are counted.
    is_open = np.isfinite(size) & (size != np.rint(size)) & (magnitude > -_MOST_MAGNITUDE)
    for digits in range(1, _MOST_DIGITS + 1):
        left = np.flatnonzero(is_open)
        if not len(left):
            break
        fitting = _find_decimals(size[left], step[left], digits - 1 - magnitude[left])
        count = (~np.isnan(fitting)).sum(axis=0)
        # Of several of the same length nothing says which was meant: the value stays as kept.
        found[left[count == 1]] = np.nanmin(fitting[:, count == 1], axis=0, initial=np.inf)
        is_open[left[count > 0]] = False
    return np.copysign(found, levels)


def _find_decimals(size: Floats, step: Floats, places: Floats) -> Floats:
    """Find the first two decimals that the values can stand for; NaN where there are none."""
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    scaled = size * up / down
    # The product is rounded, and must not pass over the decimal that it comes to.
    first = np.ceil(scaled * (1 - _ROUNDING))
    decimals = (first + np.arange(3)[:, None]) * down / up
    return np.asarray(np.where((decimals >= size) & (decimals < size + step), decimals, np.nan))
