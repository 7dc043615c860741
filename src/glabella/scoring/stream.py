"""Scores or explains a table in batches, and writes a complete output or keeps it to resume."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
from threadpoolctl import threadpool_limits

from glabella.atomic import make_folder
from glabella.bundle.applicability.column_checks import ColumnCheck
from glabella.bundle.applicability.drift import Counts, add_counts
from glabella.bundle.forms import TableLayout
from glabella.bundle.ids import read_ids
from glabella.bundle.load import is_bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.predict import RowResults
from glabella.bundle.tables import TableRequest, open_table
from glabella.data.reading.batches import BATCH_ROWS, BatchedTable, ParquetTable
from glabella.errors import DataError
from glabella.scoring.engines import Engine, open_engine
from glabella.scoring.job import Job, describe_files
from glabella.scoring.repeated_participants import RepeatedRows, RepeatFinder
from glabella.scoring.write import WRITABLE, TableWriter

ComputeRows = Callable[..., RowResults]
Progress = Callable[[str, int, int], None]
# Batches are kept in memory while they wait for the one before them.
_MOST_WORKERS = 8
# A smaller table is divided too, so that all workers have a part of it.
_FEWEST_BATCHES = 8
_FEWEST_ROWS = 1024


@dataclass(frozen=True)
class Tally:
    """Counts of the rows of a table.

    Parameters
    ----------
    rows, scored : int
        The number of rows, and of those that were not refused.
    refused_by_reason : dict of int
        The number of refused rows by reason.
    out_of_domain : int
        The number of scored rows outside the applicability domain.
    distributions : dict of array of int
        By feature, the scored rows in each of the reference's bins.
    """

    rows: int = 0
    scored: int = 0
    refused_by_reason: dict[str, int] = field(default_factory=dict)
    out_of_domain: int = 0
    distributions: dict[str, Counts] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        reasons = dict.fromkeys([*self.refused_by_reason, *other.refused_by_reason])
        return Tally(
            self.rows + other.rows,
            self.scored + other.scored,
            {
                reason: self.refused_by_reason.get(reason, 0)
                + other.refused_by_reason.get(reason, 0)
                for reason in reasons
            },
            self.out_of_domain + other.out_of_domain,
            add_counts(self.distributions, other.distributions),
        )

    @classmethod
    def count(cls, found: RowResults) -> Tally:
        """Count the rows of a batch."""
        return cls(
            len(found.ids),
            found.scored,
            found.refused_by_reason,
            found.out_of_domain,
            found.distributions,
        )

    def export(self) -> dict[str, Any]:
        """Export the counts as plain values."""
        counts = {name: values.tolist() for name, values in self.distributions.items()}
        return {**vars(self), "distributions": counts}

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> Tally:
        """Restore the counts from `export`."""
        counts = {name: np.array(values) for name, values in plain["distributions"].items()}
        return cls(**{**plain, "distributions": counts})


def run_batches(
    compute: ComputeRows,
    source: Path,
    target: Path,
    manifest: Manifest,
    *,
    described: dict[str, Any],
    request: TableRequest | None = None,
    resume: bool = False,
    workers: int | None = None,
    engine: Engine = "local",
    address: str | None = None,
    progress: Progress | None = None,
) -> Tally:
    """Run a model over the batches of a table, write the results and count the rows.

    ``compute`` gets a batch and, by keyword, the table's ``layout`` and the batch's ``repeated``
    rows. ``described`` identifies the model and options, and must be the same to resume a job. The
    output depends on neither ``workers`` nor ``engine``.
    """
    check_target(source, target)
    report: Progress = progress or (lambda stage, done, total: None)
    with (
        Job(target, resume=resume) as job,
        job.check_unchanged(source) as check_table,
        _explain_errors(job, source),
    ):
        report("reading", 0, 0)
        table, found = open_table(source, manifest, request or TableRequest(), spool=job.spool)
        layout = found.chosen.layout
        paths = table.paths if isinstance(table, ParquetTable) else (source,)
        rows = min(BATCH_ROWS, max(_FEWEST_ROWS, table.n_rows // _FEWEST_BATCHES))
        job.check_identity(
            {
                **described,
                "table": describe_files(paths),
                "form": layout.form.name,
                "way of reading": found.chosen.options.model_dump(exclude_none=True),
                "batch size": rows,
            }
        )
        check_table()
        repeated = _check_columns_and_ids(table, manifest, layout, job)
        total = Tally()
        most = min(workers or os.cpu_count() or 1, _MOST_WORKERS)
        with (
            TableWriter(job.output) as writer,
            threadpool_limits(1),
            open_engine(engine, address, most) as pool,
        ):
            work = compute_batch if engine == "local" else compute_remote_batch
            results = _compute_batches(
                partial(work, partial(compute, layout=layout)),
                table,
                repeated,
                job,
                rows,
                pool,
                most=most,
            )
            for batch, tally in results:
                writer.add(batch)
                total += tally
                report("scoring", total.rows, table.n_rows)
        if isinstance(table, ParquetTable):
            # Its files are read in each pass; other tables are copied in the first.
            check_table()
        repeated.check_count(total.rows)
        job.publish()
    return total


@contextlib.contextmanager
def _explain_errors(job: Job, source: Path) -> Iterator[None]:
    """Explain errors of reading the table or writing the output, without quoting a cell."""
    try:
        yield
    except DataError as error:
        place = error.place or source.name
        raise DataError(error.finding, place=place, remedy=error.remedy) from None
    except OSError as error:
        raise job.describe_write_error(error) from None
    except pyarrow.ArrowException:
        # The original message may quote a cell.
        raise DataError(
            "a column has different kinds of values in parts of the table",
            place=source.name,
            remedy="Write each column as one kind, text or numbers.",
        ) from None


def check_target(source: Path, target: Path) -> None:
    """Refuse an output that can't be written, before anything is read."""
    if target.suffix.lower() not in WRITABLE:
        raise DataError(
            f"a '{target.suffix}' file can't be written",
            place="--out",
            remedy=f"Scores are written as {' or '.join(WRITABLE)}.",
        )
    if os.path.lexists(target):
        same = source.exists() and target.resolve() == source.resolve()
        finding = "the output is the input" if same else "the output exists already"
        raise DataError(finding, place=str(target), remedy="Name another file with --out.")
    if not target.parent.is_dir():
        raise DataError(
            "the output's folder does not exist", place=str(target.parent), remedy="Make it first."
        )
    if any(is_bundle(folder) for folder in target.absolute().parents):
        raise DataError(
            "the output would be a part of the model's files",
            place=str(target),
            remedy="A bundle with a further file is refused. Name a file in another folder.",
        )
    if source.is_dir() and source.resolve() == target.parent.resolve():
        raise DataError(
            "the output would be a part of the input",
            place=str(target),
            remedy="Name a file in another folder with --out.",
        )


def _check_columns_and_ids(
    table: BatchedTable, manifest: Manifest, layout: TableLayout, job: Job
) -> RepeatedRows:
    """Check all columns before the first row is scored, and find repeated participants."""
    check = ColumnCheck(manifest, layout)
    for frame in table.read(layout.form.read_columns, rows=BATCH_ROWS):
        if check.add(frame):
            break
    check.check_columns()
    columns = layout.form.list_ids(table.names)
    make_folder(job.spool)
    with RepeatFinder(job.spool) as finder:
        for frame in table.read(columns, rows=BATCH_ROWS):
            finder.add(read_ids(frame, columns))
        return finder.find()


def compute_batch(
    compute: ComputeRows, frame: pd.DataFrame, repeated: npt.NDArray[np.bool_]
) -> tuple[pyarrow.Table, Tally]:
    """Compute the results of a batch, and count its rows."""
    found = compute(frame, repeated=repeated)
    return found.to_table(), Tally.count(found)


def compute_remote_batch(
    compute: ComputeRows, frame: pd.DataFrame, repeated: npt.NDArray[np.bool_]
) -> tuple[pyarrow.Table, Tally]:
    """Compute the results of a batch in a process of a cluster, with one thread."""
    with threadpool_limits(1):
        return compute_batch(compute, frame, repeated)


def _compute_batches(
    work: Callable[..., tuple[pyarrow.Table, Tally]],
    table: BatchedTable,
    repeated: RepeatedRows,
    job: Job,
    rows: int,
    pool: Executor,
    *,
    most: int,
) -> Iterator[tuple[pyarrow.Table, Tally]]:
    """Compute the results of the batches in order, after loading those that are finished."""

    def keep(number: int, computed: Future[tuple[pyarrow.Table, Tally]]) -> Any:
        rows_of_batch, tally = computed.result()
        job.keep(number, rows_of_batch, tally.export())
        return rows_of_batch, tally

    waiting: deque[tuple[int, Future[tuple[pyarrow.Table, Tally]]]] = deque()
    start = 0
    try:
        for number, frame in enumerate(table.read(table.names, rows=rows)):
            if number < job.finished:
                kept, plain = job.load(number)
                yield kept, Tally.restore(plain)
            else:
                mine = repeated.select_part(start, len(frame))
                waiting.append((number, pool.submit(work, frame, mine)))
            start += len(frame)
            if len(waiting) > most:
                yield keep(*waiting.popleft())
        while waiting:
            yield keep(*waiting.popleft())
    finally:
        for _, computed in waiting:
            computed.cancel()
