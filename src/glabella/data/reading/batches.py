"""A table of any size, read as often as need be in batches of rows."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet

from glabella.atomic import make_folder
from glabella.data.cells import to_text
from glabella.data.reading.columnar import (
    WHOLE_NUMBERS,
    check_damage,
    convert_to_words,
    open_parquet,
    to_frame,
)
from glabella.data.reading.decimals import (
    check_grouped_points,
    find_decimal_commas,
    write_points,
)
from glabella.data.reading.delimited import find_layout, read_parts
from glabella.data.reading.files import check_has_rows, check_is_there, read_table
from glabella.data.reading.header import check_header_differs, check_names
from glabella.data.reading.raw import ReadOptions
from glabella.data.reading.statistical.tables import (
    FORMATS,
    describe_statistical,
    read_statistical_parts,
    read_value_labels,
)
from glabella.errors import DataError

BATCH_ROWS = 32_768
_TEXT = (".csv", ".tsv", ".txt")
# Read in pieces: a group of rows may be as large as the file.
_PARQUET_BUFFER = 1 << 20

Choose = Callable[[Sequence[str]], Sequence[str]]


class BatchedTable(ABC):
    """A table that is read in batches.

    Parameters
    ----------
    names : tuple of str
        Its columns.
    n_rows : int
        Its rows.
    """

    names: tuple[str, ...]
    n_rows: int

    @property
    def value_labels(self) -> Mapping[str, Mapping[str, str]]:
        """Column to value to label, as the file carries them."""
        return {}

    @abstractmethod
    def read(self, columns: Sequence[str], *, rows: int) -> Iterator[pd.DataFrame]:
        """Read the table from its start."""


@dataclass(frozen=True)
class ParquetTable(BatchedTable):
    """One or several Parquet files.

    Parameters
    ----------
    paths : tuple of Path
        In order; with the same columns.
    names : tuple of str
        Those columns.
    n_rows : int
        In all.
    exact : tuple of str
        Columns whose whole numbers stay whole and whose other kinds become text, alike in every
        batch.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    n_rows: int
    exact: tuple[str, ...] = ()

    def read(self, columns: Sequence[str], *, rows: int) -> Iterator[pd.DataFrame]:
        """Read the files one after the other, as `BatchedTable.read` says."""
        wanted = [name for name in self.names if name in set(columns)]
        for path in self.paths:
            with check_damage(path), _open_parquet(path) as file:
                schema = pyarrow.parquet.read_schema(path)
                for batch in file.iter_batches(rows, columns=wanted, use_threads=False):
                    # Damage in a part that reading did not need would come to light later.
                    batch.validate(full=True)
                    table = convert_to_words(pyarrow.Table.from_batches([batch]), schema, path)
                    yield self._to_frame(table, path)

    def _to_frame(self, table: pyarrow.Table, path: Path) -> pd.DataFrame:
        kept = [name for name in table.column_names if name in self.exact]
        frame = to_frame(table.drop_columns(kept), path) if kept else to_frame(table, path)
        if len(kept) == table.num_columns:
            frame = pd.DataFrame(index=range(table.num_rows))
        for name in kept:
            frame[name] = _keep_exact(table[name], path)
        return pd.DataFrame(frame[table.column_names])


@dataclass(frozen=True)
class SpooledTable(BatchedTable):
    """A table whose format can't be read twice at small cost, written down as it was read.

    Parameters
    ----------
    parts : tuple of Path
        Arrow files, in order.
    schema : Schema
        Which the parts are brought to.
    n_rows : int
        In all.
    commas : tuple of str
        Columns in which commas between digits are decimal signs.
    labels : mapping
        Column to value to label.
    """

    parts: tuple[Path, ...]
    schema: pyarrow.Schema
    n_rows: int
    commas: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def value_labels(self) -> Mapping[str, Mapping[str, str]]:
        """Column to value to label, as the file carries them."""
        return self.labels

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Its columns."""
        return tuple(self.schema.names)

    def read(self, columns: Sequence[str], *, rows: int) -> Iterator[pd.DataFrame]:
        """Read the parts one after the other, as `BatchedTable.read` says."""
        wanted = [name for name in self.names if name in set(columns)]
        for table in _open_parts(self.parts):
            part = table.cast(self.schema).select(wanted)
            for start in range(0, part.num_rows, rows):
                yield write_points(part.slice(start, rows), self.commas).to_pandas()


@dataclass(frozen=True)
class HeldTable(BatchedTable):
    """A table in memory.

    Parameters
    ----------
    frame : DataFrame
        Its cells.
    """

    frame: pd.DataFrame = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Its columns."""
        return tuple(map(str, self.frame.columns))

    @property
    def n_rows(self) -> int:  # type: ignore[override]
        """Its rows."""
        return len(self.frame)

    def read(self, columns: Sequence[str], *, rows: int) -> Iterator[pd.DataFrame]:
        """Cut the table, as `BatchedTable.read` says."""
        wanted = [name for name in self.frame.columns if name in set(columns)]
        for start in range(0, len(self.frame), rows):
            yield self.frame[wanted].iloc[start : start + rows].reset_index(drop=True)


def _keep_exact(cells: pyarrow.ChunkedArray, path: Path) -> pd.Series:
    kind = cells.type.value_type if pyarrow.types.is_dictionary(cells.type) else cells.type
    is_text = pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)
    if is_text or not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
        kind = pyarrow.large_string()
    try:
        return pd.Series(cells.cast(kind).to_pandas(types_mapper=WHOLE_NUMBERS.get))
    except (pyarrow.ArrowException, NotImplementedError):
        raise DataError(
            "an identifier column holds neither text nor numbers",
            place=path.name,
            remedy="Write identifiers as text.",
        ) from None


def open_batches(
    path: Path,
    *,
    choose: Choose,
    spool: Path,
    exact: Sequence[str] = (),
    options: ReadOptions | None = None,
) -> BatchedTable:
    """Open a table to be read in batches, in memory that does not grow with its rows."""
    if path.is_dir():
        return _open_parquet_files(
            _list_parts(path), path, choose, tuple(exact), options or ReadOptions()
        )
    check_is_there(path)
    options = options or ReadOptions()
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _open_parquet_files([path], path, choose, tuple(exact), options)
    if ending in _TEXT:
        return _write_text_parts(path, options, choose, spool, exact)
    if ending in FORMATS:
        return _write_statistical(path, options, choose, spool, exact)
    frame = read_table(path, options).frame
    frame = frame[list(choose([str(name) for name in frame.columns]))]
    return HeldTable(
        frame.assign(**{name: _keep_text(frame[name]) for name in exact if name in frame})
    )


def _keep_text(cells: pd.Series) -> pd.Series:
    """Write numbers as text, and leave text as it is, blanks around it included."""
    is_text = cells.map(lambda cell: isinstance(cell, str)).to_numpy(dtype=bool)
    return cells.where(is_text, to_text(cells).astype(object))


def _list_parts(folder: Path) -> list[Path]:
    # Programs that write parts leave marks beside them, whose names begin so.
    found = sorted(
        (path for path in folder.iterdir() if path.name[0] not in "._"), key=_number_parts
    )
    parts = [path for path in found if path.suffix.lower() == ".parquet" and path.is_file()]
    if not parts:
        raise DataError(
            "the folder holds no Parquet file",
            place=str(folder),
            remedy="Name a file, or a folder of `.parquet` parts.",
        )
    if len(parts) < len(found):
        other = next(path for path in found if path not in parts)
        raise DataError(
            f"the folder holds '{other.name}', which is no part of the table",
            place=str(folder),
            remedy="Keep the `.parquet` parts of one table in a folder of their own.",
        )
    return parts


def _number_parts(path: Path) -> list[tuple[int, str]]:
    """Part 10 comes after part 2."""
    pieces = re.split(r"(\d+)", path.name)
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces]


def _open_parquet(path: Path) -> pyarrow.parquet.ParquetFile:
    return open_parquet(path, buffer_size=_PARQUET_BUFFER, pre_buffer=False)


def _open_parquet_files(
    paths: list[Path],
    named: Path,
    choose: Choose,
    exact: tuple[str, ...],
    options: ReadOptions,
) -> ParquetTable:
    first: pyarrow.Schema | None = None
    n_rows = 0
    for path in paths:
        with check_damage(path), _open_parquet(path) as file:
            schema = pyarrow.parquet.read_schema(path).remove_metadata()
            count = file.metadata.num_rows
        check_names(schema.names, path)
        if first is None:
            first = schema
        elif not first.equals(schema):
            raise DataError(
                f"{_compare(first, schema)} as in '{paths[0].name}'",
                place=str(path),
                remedy="The parts of one table have the same columns, of the same types.",
            )
        n_rows += count
    check_has_rows(n_rows, named)
    chosen = tuple(choose(first.names if first is not None else []))
    if options.decimal != "." and first is not None:
        texts = [field.name for field in first if _is_text(field.type) and field.name not in exact]
        asked = [name for name in texts if name in chosen]
        beside = [name for name in texts if name not in chosen]
        check_grouped_points(
            _read_digits(paths, asked), named, others=lambda: [_read_digits(paths, beside)]
        )
    return ParquetTable(tuple(paths), chosen, n_rows, exact)


def _is_text(kind: pyarrow.DataType) -> bool:
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))


def _read_digits(paths: list[Path], names: list[str]) -> pyarrow.Table:
    """Take the different cells of text columns that hold a digit; most columns have none."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for path in paths if names else ():
        with check_damage(path), _open_parquet(path) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=list(found), use_threads=False):
                for name in list(found):
                    cells = batch[name]
                    # Words that are repeated are kept once, however long the column would be.
                    words = cells.dictionary if pyarrow.types.is_dictionary(cells.type) else cells
                    cells = pc.unique(pc.cast(words, pyarrow.large_string()))
                    cells = cells.filter(pc.match_substring_regex(cells, r"\d"))
                    found[name].update(cells.drop_null().to_pylist())
    longest = max(map(len, found.values()), default=0)
    return pyarrow.table(
        {
            name: pyarrow.array(
                [*sorted(cells), *[None] * (longest - len(cells))], pyarrow.large_string()
            )
            for name, cells in found.items()
        }
    )


def _compare(first: pyarrow.Schema, other: pyarrow.Schema) -> str:
    lacking = [name for name in first.names if name not in other.names]
    if lacking:
        return f"the part has no column '{lacking[0]}'"
    further = [name for name in other.names if name not in first.names]
    if further:
        return f"the part has a column '{further[0]}', not"
    differ = [n for n in first.names if first.field(n).type != other.field(n).type]
    if differ:
        return f"the part's column '{differ[0]}' is not of the type"
    return "the part's columns are not in the order"


def _write_text_parts(
    path: Path, options: ReadOptions, choose: Choose, spool: Path, exact: Sequence[str]
) -> SpooledTable:
    layout = find_layout(path, options)
    parts = read_parts(layout, keeps_blank=True)
    header = next(parts)
    top = next(parts, header)
    check_has_rows(top.num_rows, path)
    check_header_differs(top.slice(0, 50).to_pandas(), path)
    asked = list(choose(header.column_names))
    written = _write_parts((part.select(asked) for part in chain([top], parts)), spool)
    whole = pyarrow.concat_tables(_open_parts(written))
    numbers = whole.select([name for name in whole.column_names if name not in exact])
    commas = find_decimal_commas(
        numbers,
        options.decimal,
        path,
        delimiter=layout.delimiter,
        # A second pass: only where what is read leaves a point open.
        others=lambda: (part.drop_columns(asked) for part in read_parts(layout)),
    )
    return SpooledTable(tuple(written), whole.schema, whole.num_rows, commas)


def _write_statistical(
    path: Path, options: ReadOptions, choose: Choose, spool: Path, exact: Sequence[str]
) -> SpooledTable:
    described = describe_statistical(path, options)
    asked = choose(list(described.column_names))
    frames = read_statistical_parts(path, options, asked, rows=BATCH_ROWS)
    written = _write_parts((_to_table(frame, exact) for frame in frames), spool)
    opened = list(_open_parts(written))
    count = sum(table.num_rows for table in opened)
    check_has_rows(count, path)
    # A column of whole numbers may have a gap in some part only, and be of another type there.
    schema = pyarrow.unify_schemas([t.schema for t in opened], promote_options="permissive")
    whole = pyarrow.concat_tables(table.cast(schema) for table in opened)
    texts = [
        f.name for f in schema if pyarrow.types.is_large_string(f.type) and f.name not in exact
    ]
    if options.decimal != ".":
        beside = [name for name in described.column_names if name not in asked]
        check_grouped_points(
            whole.select(texts),
            path,
            others=lambda: (
                _to_table(frame, beside)
                for frame in read_statistical_parts(path, options, beside, rows=BATCH_ROWS)
                if beside
            ),
        )
    labels = read_value_labels(described, asked)
    return SpooledTable(tuple(written), schema, count, labels=labels)


def _to_table(frame: pd.DataFrame, exact: Sequence[str]) -> pyarrow.Table:
    columns = {}
    for name in frame.columns:
        is_plain = pd.api.types.is_numeric_dtype(frame[name].dtype) and name not in exact
        # Dates and text of SAS, SPSS and Stata are compared as text alone.
        columns[name] = pyarrow.array(
            frame[name] if is_plain else to_text(frame[name]), from_pandas=True
        )
    return pyarrow.table(columns)


def _write_parts(tables: Iterable[pyarrow.Table], spool: Path) -> list[Path]:
    make_folder(spool)
    written: list[Path] = []
    for table in tables:
        path = spool / f"{len(written):06d}.arrow"
        with (
            pyarrow.OSFile(os.fsencode(path), "wb") as sink,
            pyarrow.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
        written.append(path)
    return written


def _open_parts(parts: Iterable[Path]) -> Iterator[pyarrow.Table]:
    for path in parts:
        yield pyarrow.ipc.open_file(pyarrow.memory_map(os.fsencode(path))).read_all()
