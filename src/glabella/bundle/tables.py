"""Reads the columns that a model needs from a file, for every verb that takes a table."""

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
    LayoutMatch,
    find_table_layout,
    list_columns,
)
from glabella.data.mapping.labels import format_label
from glabella.data.reading.batches import BATCH_ROWS, BatchedTable, open_batches
from glabella.data.reading.files import read_table
from glabella.data.reading.raw import RawTable, ReadOptions
from glabella.errors import AmbiguousFileError, DataError

# The keys of a source of an analysis; for the table of a verb they are options.
_STATED = re.compile(r"`(encoding|delimiter|decimal|sheet):(?: ([^`]*))?`")


@dataclass(frozen=True)
class TableRequest:
    """The form and reading options that a user states for a table.

    Parameters
    ----------
    form : str, optional
        The source in whose form it is written, or ``dictionary``; found from its columns by
        default.
    read : ReadOptions
        Encoding, delimiter, decimal sign and sheet; by default those of the training's files.
    """

    form: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)


def make_request(
    form: str | None = None, read: ReadOptions | Mapping[str, str | None] | None = None
) -> TableRequest:
    """Make a request from the form and reading options that a user states."""
    if isinstance(read, ReadOptions) or read is None:
        return TableRequest(form, read or ReadOptions())
    stated = dict(read)
    if stated.get("delimiter") in ("tab", "\\t"):
        stated["delimiter"] = "\t"
    try:
        return TableRequest(form, ReadOptions(**stated))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DataError(
            "a table can't be read with these options",
            place="read",
            remedy="State `encoding`, `delimiter` (a comma, semicolon, tab or bar), `decimal` (a "
            "point or a comma) or `sheet`.",
        ) from None


def open_table(
    path: Path, manifest: Manifest, request: TableRequest, *, spool: Path
) -> tuple[BatchedTable, LayoutMatch]:
    """Open a table to be read in batches, and find its form."""

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

    found = _attempt_options(path, manifest, request, attempt)
    return found.chosen.table, found  # type: ignore[return-value]


def read_whole_table(
    path: Path, manifest: Manifest, request: TableRequest
) -> tuple[RawTable, LayoutMatch]:
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

    found = _attempt_options(path, manifest, request, attempt)
    return found.chosen.table, found  # type: ignore[return-value]


def _read_parts(folder: Path) -> RawTable:
    """Read a folder of Parquet parts, which are not copied first."""
    table = open_batches(folder, choose=list, spool=folder)
    return RawTable(pd.concat(table.read(table.names, rows=BATCH_ROWS), ignore_index=True))


Attempt = Callable[[int, ReadOptions, Sequence[TableForm], list[str]], list[Candidate]]


def _attempt_options(
    path: Path, manifest: Manifest, request: TableRequest, attempt: Attempt
) -> LayoutMatch:
    """Attempt to read the file with the options of each form, and find the form that fits."""
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
        found = find_table_layout(candidates, manifest)
        _check_coded_ids(found.chosen.layout, path)
        return found
    if failed is None and names:
        # It can be read, but a column is missing; the error names the nearest form.
        find_forms(names, forms)
    failed = failed or failures[0][1]
    raise DataError(
        failed.finding,
        place=failed.place or path.name,
        remedy=None if failed.remedy is None else name_options(failed.remedy),
    )


def _check_coded_ids(layout: TableLayout, path: Path) -> None:
    """Refuse identifiers that are codes with labels in the file, as training does."""
    column = layout.form.ids[-1]
    labels = layout.labels.get(column, {})
    if any(format_label(label) != format_label(value) for value, label in labels.items()):
        raise DataError(
            f"the identifiers in '{column}' are codes with labels in this file, and another file "
            "may use different codes",
            place=path.name,
            remedy="Write the identifiers themselves into the column, or remove the labels.",
        )


def _choose_failure(
    candidates: Sequence[Candidate],
    names: Sequence[str],
    failures: Sequence[tuple[Sequence[TableForm], DataError]],
) -> DataError | None:
    """Choose the failure to report for a file that could not be read in a form that fits it.

    If a number is ambiguous in one form, another form must not decide it unasked. Any other
    failure is reported only if the file can't be read in any form.
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
    """List the options to attempt: those of the training's files of each form, and UTF-8.

    Delimiter, sheet and encoding may have changed since training, which a failed reading shows. A
    decimal sign that training stated is kept, since 1.234 can be read with either.
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
    """Name the command's options in a remedy that names the keys of an analysis.

    Examples
    --------
    >>> name_options("State it as `decimal: ','`.")
    "State it as `--decimal ','`."
    """
    return _STATED.sub(lambda found: f"`--{' '.join(filter(None, found.groups()))}`", remedy)
