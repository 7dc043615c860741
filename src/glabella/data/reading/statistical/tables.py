"""Tables of SAS, SPSS and Stata with the labels that they carry."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from glabella.data.cells import to_text
from glabella.data.precision import complete, convert_from_single
from glabella.data.reading.bounds import check_repetition
from glabella.data.reading.header import check_names, describe_empty
from glabella.data.reading.raw import RawTable, ReadOptions
from glabella.data.reading.statistical.spss import check_spss_records
from glabella.data.reading.statistical.stata import check_stata_is_whole
from glabella.data.reading.statistical.transport import check_rows, read_layout
from glabella.errors import DataError

if TYPE_CHECKING:
    from pyreadstat import metadata_container

FORMATS = {
    ".xpt": "SAS transport",
    ".sas7bdat": "SAS",
    ".sav": "SPSS",
    ".zsav": "SPSS",
    ".dta": "Stata",
}
# Where a sas7bdat file names its encoding by a number, 0 for none.
_SAS_ENCODING = 70
# Bytes of a whole number of SAS, and those of its bits that a shorter one has before the fraction;
# transport files keep numbers as mainframes did, with a base of 16.
_SAS_BYTES = 8
_BEFORE_FRACTION = {".sas7bdat": (12, 2), ".xpt": (8, 16)}


def read_statistical(
    path: Path, options: ReadOptions, columns: Sequence[str] | None = None
) -> RawTable:
    """Read a table of SAS, SPSS or Stata as a raw table.

    Returns
    -------
    RawTable
        Values and not what a format shows of them; dates as dates, text blank where empty, and
        missing where the file says that a value means missing.
    """
    described = describe_statistical(path, options)
    asked = _choose(described, columns)
    # One more than it states: whether there are more is all that is asked of those.
    _, frame = _parse(path, options, columns=asked, limit=_check_allowed(described.number_rows))
    _check_rows(path, described, len(frame))
    return RawTable(
        frame,
        labels=_read_labels_of(described),
        value_labels=read_value_labels(described, asked),
    )


def describe_statistical(path: Path, options: ReadOptions) -> metadata_container:
    """Read what a file says of itself, without its rows."""
    if path.stat().st_size == 0:
        raise describe_empty(path)
    if path.suffix.lower() == ".dta":
        check_stata_is_whole(path)
    if path.suffix.lower() == ".xpt":
        read_layout(path)
    if path.suffix.lower() in (".sav", ".zsav"):
        check_spss_records(path)
    described, _ = _parse(path, options, metadata_only=True)
    # A damaged file may lack the name of a column.
    names = [name or "" for name in described.column_names]
    check_names(names, path)
    if path.suffix.lower() != ".xpt":
        # That format alone leaves it open, and does not compress.
        check_repetition(_read_count(path, described.number_rows), len(names), path)
    return described


def read_statistical_parts(
    path: Path, options: ReadOptions, columns: Sequence[str], *, rows: int
) -> Iterator[pd.DataFrame]:
    """Read a table of SAS, SPSS or Stata part by part."""
    described = describe_statistical(path, options)
    asked, done = _choose(described, columns), 0
    while True:
        _, frame = _parse(path, options, columns=asked, offset=done, limit=rows)
        done += len(frame)
        if len(frame):
            yield frame
        if len(frame) < rows:
            break
    _check_rows(path, described, done)


def _choose(described: metadata_container, columns: Sequence[str] | None) -> list[str]:
    names = list(described.column_names)
    return names if columns is None else [name for name in names if name in set(columns)]


def _check_rows(path: Path, described: metadata_container, count: int) -> None:
    if path.suffix.lower() == ".xpt":
        check_rows(path, read_layout(path), count)
    else:
        _check_count(path, described.number_rows, count)


def _parse(
    path: Path,
    options: ReadOptions,
    *,
    metadata_only: bool = False,
    columns: Sequence[str] | None = None,
    offset: int = 0,
    limit: int = 0,
) -> tuple[metadata_container, pd.DataFrame]:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        ".xpt": pyreadstat.read_xport,
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".dta": pyreadstat.read_dta,
    }
    try:
        with warnings.catch_warnings(record=True) as noticed:
            warnings.simplefilter("always")
            frame, described = readers[path.suffix.lower()](
                str(path),
                metadataonly=metadata_only,
                encoding=options.encoding or _find_default(path),
                usecols=list(columns) if columns else None,
                row_offset=offset,
                row_limit=limit,
            )
    except UnicodeDecodeError:
        raise _describe_wrong_encoding(path, options) from None
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        if "character set" in str(error) or "encoding" in str(error):
            raise _describe_wrong_encoding(path, options) from None
        raise _describe_broken(path) from None
    except (AttributeError, IndexError, TypeError):
        # pyreadstat takes it that every column has a name and every file a column.
        raise _describe_broken(path) from None
    except OverflowError:
        # A date is a count of days or seconds; a damaged one may lie beyond every calendar.
        raise DataError(
            "a date lies outside the years 1 to 9999", place=path.name, remedy="Mend it."
        ) from None
    _check_repeated([str(notice.message) for notice in noticed], path)
    return described, _read_as_written(frame, described, path.suffix.lower())


def _read_as_written(
    frame: pd.DataFrame, described: metadata_container, ending: str
) -> pd.DataFrame:
    """Give numbers that the file keeps short as the decimals that they were written as."""
    read: dict[str, pd.Series] = {}
    for name in frame.columns:
        # Dates are no decimals, however they are kept.
        if not pd.api.types.is_float_dtype(frame[name].dtype):
            continue
        width = described.variable_storage_width.get(name, _SAS_BYTES)
        if described.readstat_variable_types.get(name) == "float":
            read[name] = convert_from_single(frame[name])
        elif ending in _BEFORE_FRACTION and width < _SAS_BYTES:
            before, base = _BEFORE_FRACTION[ending]
            read[name] = complete(frame[name], bits=8 * width - before, base=base)
    return frame.assign(**read) if read else frame


def _find_default(path: Path) -> str | None:
    """Read text of no named encoding as UTF-8, as in text files; ReadStat would guess Windows."""
    if path.suffix.lower() == ".sas7bdat":
        with path.open("rb") as file:
            start = file.read(_SAS_ENCODING + 1)
        return "UTF-8" if start[_SAS_ENCODING:] == b"\0" else None
    return "UTF-8" if path.suffix.lower() == ".dta" else None


def _describe_broken(path: Path) -> DataError:
    return DataError(
        f"this is not a whole {FORMATS[path.suffix.lower()]} file",
        place=path.name,
        remedy="Write or copy it again.",
    )


def _describe_wrong_encoding(path: Path, options: ReadOptions) -> DataError:
    stated = "UTF-8" if options.encoding is None else f"`encoding: {options.encoding}`"
    return DataError(
        f"its text can't be read as {stated}",
        place=path.name,
        remedy="State the encoding of the session that wrote it, such as `encoding: cp1252`.",
    )


def _check_repeated(notices: Sequence[str], path: Path) -> None:
    """Refuse a repeated column; the library renames it and only warns."""
    found = [re.match(r"column '(.*)' is duplicated", notice) for notice in notices]
    check_names([match[1] for match in found if match for _ in range(2)], path)


def _read_count(path: Path, stated: int | None) -> int:
    if stated is None or stated < 0:
        raise DataError(
            "the file does not say how many rows it has, so a part of it might be missing",
            place=path.name,
            remedy="Save it again with the program that it belongs to.",
        )
    return stated


def _check_count(path: Path, stated: int | None, read: int) -> None:
    if stated != read:
        raise DataError(
            f"the file says that it has {stated} rows, and it has {read}",
            place=path.name,
            remedy="It may have been cut off: write or copy it again.",
        )


def _read_labels_of(described: metadata_container) -> dict[str, str]:
    return {name: label for name, label in described.column_names_to_labels.items() if label}


def read_value_labels(
    described: metadata_container, columns: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Take the labels that a file gives to values."""
    by_column: Mapping[str, Mapping[float | int, str]] = described.variable_value_labels
    return {
        name: dict(zip(_write_values(list(labels)), labels.values(), strict=True))
        for name, labels in by_column.items()
        if labels and name in set(columns)
    }


def _write_values(values: Sequence[float | int | str]) -> list[str]:
    if all(type(value) is float for value in values):
        return list(map(str, to_text(pd.Series(values))))
    return [str(to_text(pd.Series([value])).iloc[0]) for value in values]


def _check_allowed(stated: int | None) -> int:
    return 0 if stated is None else stated + 1
