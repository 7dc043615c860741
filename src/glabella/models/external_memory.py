"""Training rows that do not fit into memory, read from Parquet batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from glabella.errors import DataError
from glabella.features.spec import FeatureSpec
from glabella.models.estimators.boosted_trees import Batch


@dataclass(frozen=True)
class ParquetRows:
    """Training rows in Parquet: a column a feature, and one of outcomes.

    Parameters
    ----------
    path : Path
        A file, or a folder of parts with the same columns.
    specs : tuple of FeatureSpec
        The features; categories as the dictionary's codes. Other columns are not read.
    outcome : str
        The column of outcomes: 1 for responders, 0 for others.
    batch_rows : int
        Most rows held at once.
    """

    path: Path
    specs: tuple[FeatureSpec, ...]
    outcome: str
    batch_rows: int = 250_000

    def __iter__(self) -> Iterator[Batch]:
        """Read from the start."""
        names = [*(spec.name for spec in self.specs), self.outcome]
        try:
            parts = ds.dataset(self.path, format="parquet")
            absent = [name for name in names if name not in parts.schema.names]
            if absent:
                raise DataError(
                    f"the table has no column {', '.join(map(repr, absent))}",
                    place=str(self.path),
                    remedy="Write one column a feature, under its name, and one of outcomes.",
                )
            # Two batches at most are read ahead: the default reads as many as fit no memory.
            for batch in parts.to_batches(
                columns=names,
                batch_size=self.batch_rows,
                batch_readahead=1,
                fragment_readahead=1,
                use_threads=False,
            ):
                if batch.num_rows:
                    yield self._take(batch)
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                "the table can't be read as Parquet",
                place=str(self.path),
                remedy="Name a Parquet file, or a folder of parts with the same columns.",
            ) from error

    def _take(self, batch: pa.RecordBatch) -> Batch:
        frame = pd.DataFrame(index=pd.RangeIndex(batch.num_rows))
        for spec in self.specs:
            values = batch.column(spec.name).to_pandas()
            place = f"{self.path}: {spec.name}"
            if spec.kind == "category":
                if not values.dropna().isin(list(spec.levels)).all():
                    raise DataError("a level is not in the dictionary", place=place)
                frame[spec.name] = values.astype(pd.CategoricalDtype(list(spec.levels)))
            elif not pd.api.types.is_numeric_dtype(values):
                raise DataError("the column holds no numbers", place=place)
            else:
                frame[spec.name] = values.astype(float)
        outcomes = batch.column(self.outcome).to_pandas()
        if not outcomes.isin([0, 1]).all():
            raise DataError(
                "an outcome is neither 0 nor 1",
                place=f"{self.path}: {self.outcome}",
                remedy="Leave out rows without an outcome.",
            )
        return frame, outcomes.to_numpy(dtype=int)
