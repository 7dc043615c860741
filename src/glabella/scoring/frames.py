"""Scores a Dask or a Spark DataFrame on the workers that have its rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow

from glabella.bundle.applicability.column_checks import ColumnCheck
from glabella.bundle.arms import choose_scored_arm
from glabella.bundle.forms import TableLayout, find_forms
from glabella.bundle.ids import read_ids
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.predict import check_refits, score_rows
from glabella.bundle.reasons import REASONS
from glabella.cluster.cluster import Cluster
from glabella.cluster.spark import compare_spark_versions
from glabella.cluster.versions import list_versions
from glabella.data.reading.batches import BATCH_ROWS
from glabella.definitions.locate import find_project
from glabella.errors import DataError
from glabella.old_names import apply_old_names
from glabella.scoring.repeated_participants import RepeatedRows, RepeatFinder
from glabella.tracking.models import find_bundle

__all__ = ["score_distributed"]

Bools = npt.NDArray[np.bool_]
ScoreRows = Callable[[pd.DataFrame, Bools], pd.DataFrame]


@apply_old_names
def score_distributed(
    frame: Any,
    *,
    model: str | None = None,
    arm: str | None = None,
    allow_simulated: bool = False,
    reasons: int = REASONS,
    uncertainty: bool = False,
    form: str | None = None,
    project: str | Path | None = None,
) -> Any:
    """Score a Dask or a Spark DataFrame on the workers that have its rows.

    Identifiers are read at once to find repeated participants; everything else is lazy. The frame
    is read twice, so a Spark frame whose rows may differ the second time (for example a sample
    without a seed) must be cached before.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame or pyspark.sql.DataFrame
        One row for each participant, in one of the model's forms.
    model, arm, allow_simulated, reasons, uncertainty, project
        As for `score`.
    form : str, optional
        As for `score`; required if the columns fit several forms, since values are lazy.

    Returns
    -------
    DataFrame
        Of the same kind and with the same partitions: the columns that `score` writes, one row
        for each row of the input, in the same order within each partition. Of a repeated
        participant all rows but the first, in the order of the partitions, are refused.

    Raises
    ------
    BundleError
        As for `score`.
    DataError
        If a column is missing or all its values are wrong, or the frame is of another kind.
    ClusterError
        If workers have other versions.
    """
    home = find_project(Path(project) if project is not None else None)
    bundle = find_bundle(model, project=home, allow_simulated=allow_simulated)
    if uncertainty:
        check_refits(bundle)
    choose_scored_arm(bundle.manifest, arm)
    layout = _find_layout([str(name) for name in frame.columns], bundle.manifest, form)
    score_part = partial(_score_partition, bundle, layout, arm, reasons, uncertainty)
    kind = type(frame).__module__.split(".")[0]
    if kind == "dask":
        return _score_dask(frame, bundle, layout, score_part)
    if kind == "pyspark":
        return _score_spark(frame, bundle, layout, score_part)
    raise DataError(
        "it is neither a Dask nor a Spark DataFrame",
        place="frame",
        remedy="A table of pandas is scored by glabella.score, from a file.",
    )


def _find_layout(names: list[str], manifest: Manifest, form: str | None) -> TableLayout:
    forms = find_forms(names, manifest.forms, form)
    if not all(each.has_same_meaning(forms[0]) for each in forms):
        listed = ", ".join(f"'{each.name}'" for each in forms)
        raise DataError(
            f"the frame's columns fit several forms: {listed}",
            place="frame",
            remedy="State the form with `form=`.",
        )
    return TableLayout(forms[0])


def _score_partition(
    bundle: Bundle,
    layout: TableLayout,
    arm: str | None,
    reasons: int,
    uncertainty: bool,
    frame: pd.DataFrame,
    repeated: Bools,
) -> pd.DataFrame:
    """Score a partition in batches, so that memory does not grow with its size."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        parts = [
            score_rows(
                bundle,
                frame.iloc[start : start + BATCH_ROWS],
                layout=layout,
                arm=arm,
                reasons=reasons,
                uncertainty=uncertainty,
                repeated=repeated[start : start + BATCH_ROWS],
            ).to_frame()
            for start in range(0, max(len(frame), 1), BATCH_ROWS)
        ]
    return pd.concat(parts, ignore_index=True)


def _check_columns(parts: Iterable[pd.DataFrame], manifest: Manifest, layout: TableLayout) -> None:
    """Check the columns, for which the first part is usually enough."""
    check = ColumnCheck(manifest, layout)
    for part in parts:
        if check.add(part):
            break
    check.check_columns()


def _find_repeated(parts: Iterable[pyarrow.Array]) -> RepeatedRows:
    with tempfile.TemporaryDirectory() as folder, RepeatFinder(Path(folder)) as finder:
        for ids in parts:
            finder.add(ids)
        return finder.find()


def _score_dask(frame: Any, bundle: Bundle, layout: TableLayout, score_part: ScoreRows) -> Any:
    import dask.dataframe as dd
    from dask.base import compute
    from dask.delayed import delayed

    manifest = bundle.manifest
    _compare_dask_versions()
    names = [str(name) for name in frame.columns]
    read = [name for name in layout.form.read_columns if name in names]
    ids = layout.form.list_ids(names)
    _check_columns((part.compute() for part in frame[read].partitions), manifest, layout)
    found = [
        part.map_partitions(_collect_ids, ids, meta=(None, object))
        for part in frame[ids].partitions
    ]
    computed = compute(*found)  # type: ignore[no-untyped-call]
    arrays = [_restore_ids(each) for part in computed for each in part]
    repeated = _find_repeated(arrays)
    starts = np.cumsum([0, *(len(each) for each in arrays)])
    meta = score_part(frame[read]._meta, np.zeros(0, dtype=bool))
    # The model is one task that the others use, so it is sent to each worker once.
    shared = delayed(score_part, pure=False)
    parts = [
        delayed(_score_checked)(shared, part, repeated.select_part(int(start), len(mine)))
        for part, start, mine in zip(frame[read].to_delayed(), starts, arrays, strict=False)
    ]
    return dd.from_delayed(parts, meta=meta, verify_meta=False)


def _score_checked(score_part: ScoreRows, frame: pd.DataFrame, repeated: Bools) -> pd.DataFrame:
    _check_rows(len(frame) == len(repeated))
    return score_part(frame, repeated)


def _collect_ids(frame: pd.DataFrame, names: list[str]) -> pd.Series:
    return pd.Series([_export_ids(frame, names)], dtype=object)


def _export_ids(frame: pd.DataFrame, names: list[str]) -> bytes:
    """Export identifiers as Arrow, which both kinds of cluster transfer as bytes."""
    table = pyarrow.table({"ids": read_ids(frame, names)})
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _restore_ids(content: bytes) -> pyarrow.Array:
    return pyarrow.ipc.open_stream(content).read_all()["ids"].combine_chunks()


def _compare_dask_versions() -> None:
    try:
        from distributed import get_client

        client = get_client()  # type: ignore[no-untyped-call]
    except (ImportError, ValueError):
        # There is no cluster, but threads or processes of this machine.
        return
    cluster = Cluster("Dask", "the Dask cluster")
    cluster.compare_versions(lambda: client.run(list_versions).values())


def _score_spark(frame: Any, bundle: Bundle, layout: TableLayout, score_part: ScoreRows) -> Any:
    from pyspark.sql import functions

    manifest, session = bundle.manifest, frame.sparkSession
    context = session.sparkContext
    compare_spark_versions(Cluster("Spark", "the Spark cluster"), context)
    ids = layout.form.list_ids(frame.columns)
    read = [name for name in layout.form.read_columns if name in frame.columns]
    kinds = {field.name: field.dataType for field in frame.schema.fields}
    # Pandas converts whole numbers if one is missing; as text an identifier is not changed.
    selected = frame.select(
        *(
            functions.col(name).cast("string") if name in ids else functions.col(name)
            for name in read
        )
    )
    _check_columns(_read_heads(selected), manifest, layout)
    ids_of_parts = selected.select(*ids).mapInPandas(
        partial(_collect_spark_ids, ids), "part int, ids binary, at int"
    )
    rows = sorted(ids_of_parts.collect(), key=lambda row: (row["part"], row["at"]))
    arrays = [_restore_ids(bytes(row["ids"])) for row in rows]
    repeated = _find_repeated(arrays)
    bounds: dict[int, tuple[int, int]] = {}
    stop = 0
    for row, mine in zip(rows, arrays, strict=True):
        start, _ = bounds.get(int(row["part"]), (stop, stop))
        stop += len(mine)
        bounds[int(row["part"])] = (start, stop)
    meta = score_part(pd.DataFrame({name: pd.Series(dtype=object) for name in read}),
                  np.zeros(0, dtype=bool))  # fmt: skip
    shared = context.broadcast((score_part, repeated, bounds))
    scored = selected.mapInPandas(partial(_score_spark_part, shared), _describe_schema(meta))
    return scored.select(
        *(
            functions.col(name).cast(kinds[name]) if name in ids else functions.col(name)
            for name in meta.columns
        )
    )


def _read_heads(frame: Any) -> Iterator[pd.DataFrame]:
    yield frame.limit(BATCH_ROWS).toPandas()
    # Needed only if a column has no valid value in the first rows.
    yield frame.toPandas()


def _collect_spark_ids(names: list[str], parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    from pyspark import TaskContext

    context = TaskContext.get()
    for at, part in enumerate(parts):
        number = 0 if context is None else context.partitionId()
        exported = _export_ids(part, names)
        yield pd.DataFrame({"part": [number], "ids": [exported], "at": [at]})


def _score_spark_part(shared: Any, parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    from pyspark import TaskContext

    score_part, repeated, bounds = shared.value
    context = TaskContext.get()
    start, stop = bounds.get(0 if context is None else context.partitionId(), (0, 0))
    for part in parts:
        _check_rows(start + len(part) <= stop)
        yield score_part(part, repeated.select_part(start, len(part)))
        start += len(part)
    _check_rows(start == stop)


def _check_rows(is_same: bool) -> None:
    if not is_same:
        raise DataError(
            "a partition had different rows when it was read again, so nothing was scored",
            place="frame",
            remedy="Cache the frame before it is scored, and do not change its files meanwhile.",
        )


_KINDS: Mapping[str, str] = {"f": "double", "b": "boolean", "i": "bigint"}


def _describe_schema(meta: pd.DataFrame) -> str:
    """Describe the columns of scores to Spark; those of no other kind are text."""
    kinds = {name: "boolean" if name == "in_domain" else _KINDS.get(meta[name].dtype.kind, "string")
             for name in meta.columns}  # fmt: skip
    return ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
