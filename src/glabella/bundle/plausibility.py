"""Whether whole columns of a table look as if they were in another unit or coding."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from glabella.bundle.manifest import Manifest
from glabella.bundle.rows import prepare_columns
from glabella.errors import DataError

# Of fewer values, each is refused in its row: they may be one mistake.
_FEWEST = 10


@dataclass
class _Column:
    filled: int = 0
    wrong: int = 0
    kind: str = ""


class ColumnCheck:
    """Looks through batches of a table until every column has a value that can be right.

    Parameters
    ----------
    manifest : Manifest
        What the model needs.
    """

    def __init__(self, manifest: Manifest):
        self._manifest = manifest
        self._found: dict[str, _Column] = {}

    def add(self, frame: pd.DataFrame) -> bool:
        """Look through the next rows.

        Parameters
        ----------
        frame : DataFrame
            With the columns that the model reads.

        Returns
        -------
        bool
            Whether every column has a value that can be right, so that no further row matters.
        """
        for column, values, wrong, kind in prepare_columns(frame, self._manifest):
            found = self._found.setdefault(column, _Column())
            found.filled += values
            found.wrong += wrong
            found.kind = found.kind or kind
        return all(item.wrong < item.filled for item in self._found.values())

    def refuse_wrong_columns(self) -> None:
        """Refuse the table if all values of some column are wrong.

        Raises
        ------
        DataError
            With the column and what is wrong with its values, none of which is shown.
        """
        for column, item in self._found.items():
            if item.filled >= _FEWEST and item.wrong == item.filled:
                raise DataError(
                    f"each of the {item.filled} values of the column '{column}' {item.kind}: its "
                    "unit or coding looks wrong",
                    remedy="Bring the column to what the model was trained on. Nothing was scored.",
                )
