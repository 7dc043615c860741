"""Whether whole columns of a table look as if they were in another unit or coding."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from glabella.bundle.forms import TableLayout
from glabella.bundle.manifest import Manifest
from glabella.bundle.rows import count_faults_by_column
from glabella.errors import DataError

# Fewer values may be wrong by one mistake, so each is refused in its row.
_FEWEST = 10


@dataclass
class _Column:
    filled: int = 0
    wrong: int = 0
    kind: str = ""
    label_faults: int = 0
    label_kind: str = ""

    @property
    def is_all_wrong(self) -> bool:
        return self.filled > 0 and self.wrong == self.filled


class ColumnCheck:
    """Checks batches of a table until every column has a value that can be right.

    Parameters
    ----------
    manifest : Manifest
        The manifest of the model.
    layout : TableLayout
        The form of the table.
    """

    def __init__(self, manifest: Manifest, layout: TableLayout):
        self._manifest = manifest
        self._layout = layout
        self._found: dict[str, _Column] = {}

    def add(self, frame: pd.DataFrame) -> bool:
        """Check the next rows, and return whether no further row can change the result."""
        for counts in count_faults_by_column(frame, self._manifest, self._layout):
            found = self._found.setdefault(counts.column, _Column())
            found.filled += counts.filled
            found.wrong += counts.wrong
            found.kind = found.kind or counts.kind
            found.label_faults += counts.label_faults
            found.label_kind = found.label_kind or counts.label_kind
        # A label may contradict its value in the last row.
        return not self._has_labels and all(
            item.wrong < item.filled for item in self._found.values()
        )

    @property
    def is_wrong(self) -> bool:
        """Whether some column has no value that can be right, or labels that contradict it."""
        return any(item.is_all_wrong or item.label_faults for item in self._found.values())

    @property
    def _has_labels(self) -> bool:
        return any(self._layout.labels.get(name) for name in self._layout.form.read_columns)

    def check_columns(self) -> None:
        """Refuse a table if all values of a column are wrong, or its labels contradict them."""
        for column, item in self._found.items():
            if item.label_faults:
                raise DataError(
                    f"{item.label_faults} values of the column '{column}': {item.label_kind}",
                    remedy="Correct the labels or the values in the file. Nothing was scored.",
                )
            if item.filled >= _FEWEST and item.wrong == item.filled:
                raise DataError(
                    f"each of the {item.filled} values of the column '{column}' {item.kind}: its "
                    "unit or coding looks wrong",
                    remedy="Convert the column to the unit and codes that the model was trained "
                    "on. Nothing was scored.",
                )
