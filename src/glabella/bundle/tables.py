"""One way from a file to the columns that a model needs, for every verb that takes a table."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from glabella.atomic import make_folder
from glabella.bundle.forms import TableForm, TableLayout, find_form, find_forms
from glabella.bundle.manifest import Manifest
from glabella.bundle.recognition import (
    Candidate,
    Recognised,
    list_columns,
    recognise_layout,
)
from glabella.data.mapping.labels import simplify_label
from glabella.data.reading.batches import BATCH_ROWS, BatchedTable, open_batches
from glabella.data.reading.files import read_table
from glabella.data.reading.raw import RawTable, ReadOptions
from glabella.errors import AmbiguousFileError, DataError

# As a source of an analysis states it; a table of a verb is told by an option.
_STATED = re.compile(r"`(encoding|delimiter|decimal|sheet):(?: ([^`]*))?`")


@dataclass(frozen=True)
class TableRequest:
    """What a user states of a table beside its path.

    Parameters
    ----------
    form : str, optional
        The source in whose form it is written, or ``dictionary``; recognised by default.
    read : ReadOptions
        What the file does not say of itself; what training stated of its own files by default.
    """

    form: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)


def make_request(
    form: str | None = None, read: ReadOptions | Mapping[str, str | None] | None = None
) -> TableRequest:
    """Take up what a user states of a table."""
    if isinstance(read, ReadOptions) or read is None:
        return TableRequest(form, read or ReadOptions())
    stated = dict(read)
    if stated.get("delimiter") in ("tab", "\\t"):
        stated["delimiter"] = "\t"
    try:
        return TableRequest(form, ReadOptions(**stated))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DataError(
            "a table can't be read so",
            place="read",
            remedy="State `encoding`, `delimiter` (a comma, semicolon, tab or bar), `decimal` (a "
            "point or a comma) or `sheet`.",
        ) from None


def open_table(
    path: Path, manifest: Manifest, request: TableRequest, *, spool: Path
) -> tuple[BatchedTable, Recognised]:
    """Open a table to be read in batches, and find the form in which it is written."""

    def attempt(
        number: int, options: ReadOptions, forms: Sequence[TableForm], names: list[str]
    ) -> list[Candidate]:
        def choose(present: Sequence[str]) -> list[str]:
            names[:] = present
            wanted = set(list_columns(find_forms(present, forms)))
            return [name for name in present if name in wanted]

        make_folder(spool)
        folder = spool / f"table-{number}"
        ids = list(dict.fromkeys(name for form in forms for name in form.ids))
        try:
            table = open_batches(path, choose=choose, spool=folder, exact=ids, options=options)
        except DataError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

        def read(columns: Sequence[str]) -> Iterator[pd.DataFrame]:
            return table.read(columns, rows=BATCH_ROWS)

        return [
            Candidate(TableLayout(form, table.value_labels), read, table.names, table, options)
            for form in find_forms(table.names, forms)
        ]

    found = _try_options(path, manifest, request, attempt)
    return found.chosen.table, found  # type: ignore[return-value]


def read_whole_table(
    path: Path, manifest: Manifest, request: TableRequest
) -> tuple[RawTable, Recognised]:
    """Read a table into memory with all of its columns, and find its form."""

    def attempt(
        number: int, options: ReadOptions, forms: Sequence[TableForm], names: list[str]
    ) -> list[Candidate]:
        raw = _read_parts(path) if path.is_dir() else read_table(path, options)
        table = RawTable(raw.frame.reset_index(drop=True), raw.labels, raw.value_labels)
        names[:] = [str(name) for name in table.frame.columns]
        return [
            Candidate(
                TableLayout(form, table.value_labels),
                lambda _: iter([table.frame]),
                tuple(names),
                table,
                options,
            )
            for form in find_forms(names, forms)
        ]

    found = _try_options(path, manifest, request, attempt)
    return found.chosen.table, found  # type: ignore[return-value]


def _read_parts(folder: Path) -> RawTable:
    """Read a folder of Parquet parts, which need no spool."""
    table = open_batches(folder, choose=list, spool=folder)
    return RawTable(pd.concat(table.read(table.names, rows=BATCH_ROWS), ignore_index=True))


Attempt = Callable[[int, ReadOptions, Sequence[TableForm], list[str]], list[Candidate]]


def _try_options(
    path: Path, manifest: Manifest, request: TableRequest, attempt: Attempt
) -> Recognised:
    """Read the file as training read that of each form, and choose the form that fits."""
    forms = manifest.forms if request.form is None else (find_form(manifest.forms, request.form),)
    candidates: list[Candidate] = []
    names: list[str] = []
    failures: list[tuple[Sequence[TableForm], DataError]] = []
    for number, (stated, alike) in enumerate(_list_attempts(forms, request.read)):
        if any(form.name == found.form.name for form in alike for found in candidates):
            continue
        try:
            candidates += attempt(number, stated, alike, names)
        except DataError as error:
            failures.append((alike, error))
    failed = _choose_failure(candidates, names, failures)
    if failed is None and candidates:
        found = recognise_layout(candidates, manifest)
        _refuse_coded_ids(found.chosen.layout, path)
        return found
    if failed is None and names:
        # It can be read, and lacks a column: of all forms the nearest is named.
        find_forms(names, forms)
    failed = failed or failures[0][1]
    raise DataError(
        failed.finding,
        place=failed.place or path.name,
        remedy=None if failed.remedy is None else name_options(failed.remedy),
    )


def _refuse_coded_ids(layout: TableLayout, path: Path) -> None:
    """Refuse identifiers that are codes of what the file's labels say, as training does."""
    column = layout.form.ids[-1]
    labels = layout.labels.get(column, {})
    if any(simplify_label(label) != simplify_label(value) for value, label in labels.items()):
        raise DataError(
            f"the identifiers in '{column}' are codes that the file's labels stand for, and "
            "another file may number them otherwise",
            place=path.name,
            remedy="Write the identifiers themselves into the column, or take the labels off.",
        )


def _choose_failure(
    candidates: Sequence[Candidate],
    names: Sequence[str],
    failures: Sequence[tuple[Sequence[TableForm], DataError]],
) -> DataError | None:
    """Choose what to tell of a file that could not be read for a form that its columns fit.

    Where one form's habits leave a number in doubt, another's must not settle it unasked. Any other
    failure matters only if there is no way to read the file.
    """
    read = {found.form.name for found in candidates}
    fitting = [
        error
        for alike, error in failures
        if any(not form.find_missing(names) and form.name not in read for form in alike)
    ]
    doubts = [error for error in fitting if isinstance(error, AmbiguousFileError)]
    if doubts:
        return doubts[0]
    return None if candidates else next(iter(fitting), None)


def _list_attempts(
    forms: Sequence[TableForm], stated: ReadOptions
) -> list[tuple[ReadOptions, Sequence[TableForm]]]:
    """List how a file may be read: as training's of each form, which may now be in UTF-8.

    Delimiter, sheet and encoding may have changed since, which reading shows. A decimal sign that
    training stated is kept: 1.234 may be read under either.
    """
    groups: dict[str, list[TableForm]] = {}
    for form in forms:
        groups.setdefault(form.read.model_dump_json(), []).append(form)
    user = stated.model_dump(exclude_none=True)
    attempts: list[tuple[ReadOptions, Sequence[TableForm]]] = []
    for alike in groups.values():
        before = alike[0].read.model_dump(exclude_none=True)
        for dropped in (
            ("encoding",), (), ("encoding", "delimiter", "sheet"), ("delimiter", "sheet"),
        ):  # fmt: skip
            known = {name: value for name, value in before.items() if name not in dropped}
            options = ReadOptions(**{**known, **user})
            if (options, alike) not in attempts:
                attempts.append((options, alike))
    return attempts


def name_options(remedy: str) -> str:
    """Say with an option what an analysis states under ``read:``.

    Examples
    --------
    >>> name_options("State it as `decimal: ','`.")
    "State it as `--decimal ','`."
    """
    return _STATED.sub(lambda found: f"`--{' '.join(filter(None, found.groups()))}`", remedy)
