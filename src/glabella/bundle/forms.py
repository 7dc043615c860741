"""The forms in which a table for a model may be written: each source's, and the dictionary's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from pydantic import Field

from glabella.data.dictionary import Variable
from glabella.data.mapping.interpret import ReadColumn, read_column
from glabella.data.mapping.sources import VariableColumn
from glabella.data.reading.raw import ReadOptions
from glabella.definitions.reader import Definition
from glabella.errors import DataError, describe_choices

DICTIONARY = "dictionary"


class VisitColumn(VariableColumn):
    """A column with the values of a later visit in a table to be scored.

    Parameters
    ----------
    column, codes, unit
        As in `VariableColumn`.
    variable : str
        A variable that is assessed at visits.
    week : float
        The week that its values are assigned to.
    is_needed : bool
        Whether a table without it is refused. A column that is not needed is read if it is there,
        and its values are used if the nearer visit is missing, as in training.
    """

    variable: str
    week: float
    is_needed: bool


class ItemColumns(Definition):
    """The items of a total at one week at or before baseline.

    Parameters
    ----------
    week : float
        The week at which they were answered.
    columns : dict of VariableColumn
        Column by item.
    is_needed : bool
        Whether a table without them is refused.
    """

    week: float
    columns: dict[str, VariableColumn]
    is_needed: bool


class TableForm(Definition):
    """Names, codes, units and reading options of a table with one row for each participant.

    Parameters
    ----------
    name : str
        The source whose files have this form; ``dictionary`` for the names, codes and units of
        the data dictionary.
    columns : dict of VariableColumn
        Column by variable; for a variable that is assessed at visits, the column of its baseline.
    earlier : tuple of VisitColumn
        Further columns at or before baseline, the last first, whose values are used if the column
        in `columns` is blank, as in training.
    weeks : dict of float
        The week of a baseline column in `columns`, if it is not week 0.
    items : dict of tuple of ItemColumns
        Totals at baseline that are the sum of their items if they are not recorded, as in
        training.
    visits : tuple of VisitColumn
        The columns of later visits; none if no feature uses one.
    ids : tuple of str
        Identifiers, which are kept in the output; the last one identifies the participant.
    scale_column : str, optional
        The column that names the scale of a total.
    scale : str, optional
        The scale of all rows, if no column names it.
    arm_column : str, optional
        The column of the arm, for a table with outcomes.
    outcome : VariableColumn, optional
        The column that the endpoint is read from, if the endpoint is a flag.
    read : ReadOptions
        The reading options of the source's files, as the analysis states them.
    """

    name: str
    columns: dict[str, VariableColumn]
    visits: tuple[VisitColumn, ...]
    ids: tuple[str, ...]
    earlier: tuple[VisitColumn, ...] = ()
    weeks: dict[str, float] = Field(default_factory=dict)
    items: dict[str, tuple[ItemColumns, ...]] = Field(default_factory=dict)
    scale_column: str | None = None
    scale: str | None = None
    arm_column: str | None = None
    outcome: VariableColumn | None = None
    read: ReadOptions = ReadOptions()

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns without which a table is refused: the participant's, then the model's."""
        named = (
            *self.ids[-1:],
            *(given.column for given in self.columns.values()),
            *(given.column for given in self._list_items(needed=True)),
            *(visit.column for visit in self.visits if visit.is_needed),
            *(() if self.scale_column is None else (self.scale_column,)),
        )
        return tuple(dict.fromkeys(named))

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """The columns that are read if a table has them."""
        return (
            *(visit.column for visit in (*self.earlier, *self.visits) if not visit.is_needed),
            *(given.column for given in self._list_items(needed=False)),
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables with a column at baseline."""
        return tuple(dict.fromkeys((*self.columns, *self.items)))

    def _list_items(self, *, needed: bool) -> Iterator[VariableColumn]:
        for sets in self.items.values():
            for items in sets:
                if items.is_needed == needed:
                    yield from items.columns.values()

    @property
    def read_columns(self) -> tuple[str, ...]:
        """All columns that are read, each once; others are ignored."""
        return tuple(dict.fromkeys((*self.ids, *self.needed_columns, *self.optional_columns)))

    def has_same_meaning(self, other: TableForm) -> bool:
        """Return whether forms differ at most in identifiers, arm, outcome and reading options."""
        return (
            (self.columns, self.weeks) == (other.columns, other.weeks)
            and (self.earlier, self.items) == (other.earlier, other.items)
            and self.visits == other.visits
            and (self.scale_column, self.scale) == (other.scale_column, other.scale)
        )

    def list_ids(self, names: Iterable[str]) -> list[str]:
        """List the columns that identify a participant in a table."""
        present = set(names)
        return [column for column in self.ids if column in present]

    def find_missing(self, names: Iterable[str]) -> list[str]:
        """List the needed columns that a table lacks."""
        present = {str(name) for name in names}
        return [column for column in self.needed_columns if column not in present]


@dataclass(frozen=True)
class TableLayout:
    """The form of one table, with the value labels of its file.

    Parameters
    ----------
    form : TableForm
        The form.
    labels : mapping
        By column, the label of each value, as files of SPSS, Stata or SAS have them.
    """

    form: TableForm
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def read(self, raw: pd.Series, given: VariableColumn, variable: Variable) -> ReadColumn:
        """Read a column of the table in the dictionary's codes and unit, as training does."""
        return read_column(raw, given, variable, self.labels.get(given.column, {}))


def find_forms(
    names: Iterable[str], forms: Sequence[TableForm], named: str | None = None
) -> tuple[TableForm, ...]:
    """Find the forms that a table's columns fit."""
    present = [str(name) for name in names]
    if named is not None:
        forms = [find_form(forms, named)]
    fitting = tuple(form for form in forms if not form.find_missing(present))
    if fitting:
        return fitting
    nearest = min(forms, key=lambda form: len(form.find_missing(present)))
    column = nearest.find_missing(present)[0]
    remedy = describe_choices(column, present)
    if len(forms) > 1:
        others = ", ".join(f"'{form.name}'" for form in forms)
        remedy += (
            f" Its columns were compared with the forms {others}; '{nearest.name}' is the nearest."
        )
    raise DataError(f"the table lacks the column '{column}', which the model needs", remedy=remedy)


def find_form(forms: Sequence[TableForm], named: str) -> TableForm:
    """Find a form by its name."""
    for form in forms:
        if form.name == named:
            return form
    raise DataError(
        f"the model has no form '{named}' for tables",
        place="--form",
        remedy=describe_choices(named, [form.name for form in forms]),
    )
