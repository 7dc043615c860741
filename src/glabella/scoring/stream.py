"""A table through a model in batches, in order, whole or to be taken up again."""

from __future__ import annotations

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
from glabella.bundle.predict import AnsweredRows
from glabella.bundle.tables import TableRequest, open_table
from glabella.data.reading.batches import BATCH_ROWS, BatchedTable, ParquetTable
from glabella.errors import DataError
from glabella.scoring.doubles import DoubledRows, DoublesFinder
from glabella.scoring.engines import Engine, open_engine
from glabella.scoring.job import Job, describe_files
from glabella.scoring.write import WRITABLE, TableWriter

Answer = Callable[..., AnsweredRows]
Progress = Callable[[str, int, int], None]
# Batches are held in memory while they wait for the one before them.
_MOST_WORKERS = 8
# A smaller table is divided as well, so that all workers have some of it.
_FEWEST_BATCHES = 8
_FEWEST_ROWS = 1024


@dataclass(frozen=True)
class Tally:
    """What the rows of a table were counted to.

    Parameters
    ----------
    rows, scored : int
        Rows in, and those that were not refused.
    refused_by_reason : dict of int
        Reason to count.
    out_of_domain : int
        Scored rows that are unlike the training participants.
    distributions : dict of array of int
        Feature to the scored rows in each of the reference's bins.
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
    def count(cls, answered: AnsweredRows) -> Tally:
        """Take over what a batch was counted to.

        Parameters
        ----------
        answered : AnsweredRows
            Of the batch.

        Returns
        -------
        Tally
            Of its rows.
        """
        return cls(
            len(answered.ids),
            answered.scored,
            answered.refused_by_reason,
            answered.out_of_domain,
            answered.distributions,
        )

    def export(self) -> dict[str, Any]:
        """Write it as plain values.

        Returns
        -------
        dict
            For JSON.
        """
        counts = {name: values.tolist() for name, values in self.distributions.items()}
        return {**vars(self), "distributions": counts}

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> Tally:
        """Read it back.

        Parameters
        ----------
        plain : dict
            From `export`.

        Returns
        -------
        Tally
            Equal to the exported one.
        """
        counts = {name: np.array(values) for name, values in plain["distributions"].items()}
        return cls(**{**plain, "distributions": counts})


def stream_table(
    answer: Answer,
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
    """Put a table through a model, batch by batch, and write what comes out.

    Parameters
    ----------
    answer : callable
        Given a batch and, by keyword, the table's `layout` and the batch's `doubled` rows, gives
        their answers.
    source, target : Path
        The table and the file to write.
    manifest : Manifest
        What the model needs.
    described : dict
        What makes the job what it is, beside the table: model and options.
    request : TableRequest, optional
        What the user states of the table.
    resume : bool
        Whether to take up the batches that an interrupted job finished.
    workers : int, optional
        Threads, or batches that a cluster has at once; the number of cores unless stated. The
        output does not depend on it.
    engine, address
        Where batches are scored, as in `open_engine`. The output does not depend on it.
    progress : callable, optional
        Called with a stage, the number of rows done and the number in all.

    Returns
    -------
    Tally
        Of all rows.

    Raises
    ------
    DataError
        If the table is refused or the output can't be written.
    """
    check_target(source, target)
    say: Progress = progress or (lambda stage, done, total: None)
    with Job(target, resume=resume) as job, job.watch(source) as refuse_change:
        try:
            say("reading", 0, 0)
            table, found = open_table(source, manifest, request or TableRequest(), spool=job.spool)
            layout = found.chosen.layout
            paths = table.paths if isinstance(table, ParquetTable) else (source,)
            rows = min(BATCH_ROWS, max(_FEWEST_ROWS, table.n_rows // _FEWEST_BATCHES))
            job.start(
                {
                    **described,
                    "table": describe_files(paths),
                    "form": layout.form.name,
                    "way of reading": found.chosen.options.model_dump(exclude_none=True),
                    "batch size": rows,
                }
            )
            refuse_change()
            doubled = _look_through(table, manifest, layout, job)
            total = Tally()
            most = min(workers or os.cpu_count() or 1, _MOST_WORKERS)
            with (
                TableWriter(job.output) as writer,
                threadpool_limits(1),
                open_engine(engine, address, most) as pool,
            ):
                work = answer_batch if engine == "local" else answer_batch_there
                answers = _answer_all(
                    partial(work, partial(answer, layout=layout)),
                    table,
                    doubled,
                    job,
                    rows,
                    pool,
                    most=most,
                )
                for answered, tally in answers:
                    writer.add(answered)
                    total += tally
                    say("scoring", total.rows, table.n_rows)
            if isinstance(table, ParquetTable):
                # Its passes read the files themselves; others are held here from the first on.
                refuse_change()
            doubled.refuse_other_count(total.rows)
            job.publish()
        except DataError as error:
            place = error.place or source.name
            raise DataError(error.finding, place=place, remedy=error.remedy) from None
        except OSError as error:
            raise job.describe_write_error(error) from None
        except pyarrow.ArrowException:
            # Its own message may quote a cell.
            raise DataError(
                "a column is of another kind in some part of the table",
                place=source.name,
                remedy="Write each column as one kind, text or numbers.",
            ) from None
    return total


def check_target(source: Path, target: Path) -> None:
    """Refuse an output that can't be, before anything is read.

    Parameters
    ----------
    source, target : Path
        The table and the file to write.

    Raises
    ------
    DataError
        If its format is unknown, it exists, or its folder does not.
    """
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


def _look_through(
    table: BatchedTable, manifest: Manifest, layout: TableLayout, job: Job
) -> DoubledRows:
    """Stop at columns that look wrong, before the first row is scored, and find doubled rows."""
    check = ColumnCheck(manifest, layout)
    for frame in table.read(layout.form.read_columns, rows=BATCH_ROWS):
        if check.add(frame):
            break
    check.check_columns()
    columns = layout.form.list_ids(table.names)
    make_folder(job.spool)
    with DoublesFinder(job.spool) as finder:
        for frame in table.read(columns, rows=BATCH_ROWS):
            finder.add(read_ids(frame, columns))
        return finder.find()


def answer_batch(
    answer: Answer, frame: pd.DataFrame, doubled: npt.NDArray[np.bool_]
) -> tuple[pyarrow.Table, Tally]:
    """Answer a batch, and count it.

    Parameters
    ----------
    answer : callable
        As for `stream_table`.
    frame : DataFrame
        Rows.
    doubled : array of bool, shape (n_rows,)
        Rows whose participant stands in an earlier row of the table.

    Returns
    -------
    tuple of Table and Tally
        Of pyarrow, and what its rows were counted to.
    """
    found = answer(frame, doubled=doubled)
    return found.table(), Tally.count(found)


def answer_batch_there(
    answer: Answer, frame: pd.DataFrame, doubled: npt.NDArray[np.bool_]
) -> tuple[pyarrow.Table, Tally]:
    """Do the same in a process of a cluster, with one thread.

    Parameters
    ----------
    answer, frame, doubled
        As for `answer_batch`.

    Returns
    -------
    tuple of Table and Tally
        The same.
    """
    with threadpool_limits(1):
        return answer_batch(answer, frame, doubled)


def _answer_all(
    work: Callable[..., tuple[pyarrow.Table, Tally]],
    table: BatchedTable,
    doubled: DoubledRows,
    job: Job,
    rows: int,
    pool: Executor,
    *,
    most: int,
) -> Iterator[tuple[pyarrow.Table, Tally]]:
    """Give the answers to each batch in order: those that are finished, then those computed."""

    def finish(number: int, computed: Future[tuple[pyarrow.Table, Tally]]) -> Any:
        table_of_answers, tally = computed.result()
        job.keep(number, table_of_answers, tally.export())
        return table_of_answers, tally

    waiting: deque[tuple[int, Future[tuple[pyarrow.Table, Tally]]]] = deque()
    start = 0
    try:
        for number, frame in enumerate(table.read(table.names, rows=rows)):
            if number < job.finished:
                kept, plain = job.load(number)
                yield kept, Tally.restore(plain)
            else:
                mine = doubled.take(start, len(frame))
                waiting.append((number, pool.submit(work, frame, mine)))
            start += len(frame)
            if len(waiting) > most:
                yield finish(*waiting.popleft())
        while waiting:
            yield finish(*waiting.popleft())
    finally:
        for _, computed in waiting:
            computed.cancel()
