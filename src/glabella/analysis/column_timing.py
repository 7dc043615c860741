"""Refuses a column that the sources declare to be known at two different times."""

from __future__ import annotations

from collections.abc import Iterator

from glabella.analysis.definition import Analysis
from glabella.data.dictionary import Dictionary
from glabella.data.mapping.sources import TrialSource
from glabella.definitions.reader import Keys, Origin
from glabella.domain.timing import BASELINE, Moment
from glabella.errors import ClockError


def check_column_times(analysis: Analysis, dictionary: Dictionary, origin: Origin) -> None:
    """Refuse a column that stands for what is known early and for what is known later.

    The clock goes by the dictionary; a column of week 4 that is mapped to a variable known at
    baseline would pass it under a false name.
    """
    for index, source in enumerate(analysis.data.trials or ()):
        if not isinstance(source, TrialSource):
            continue
        first: dict[tuple[str, str], tuple[Moment, str, Keys]] = {}
        for file, column, known_at, what, keys in _list_columns(source, dictionary):
            earlier = first.setdefault((file, column), (known_at, what, keys))
            if earlier[0] != known_at:
                early, late = sorted((earlier, (known_at, what, keys)), key=lambda item: item[0])
                raise ClockError(
                    f"the column '{column}' of {file} is {early[1]}, known at {early[0]}, and "
                    f"{late[1]}, known only at {late[0]}",
                    place=origin.name_place("data", "trials", index, *early[2]),
                    remedy="A column has one meaning: name the right one in each place.",
                )


def _list_columns(
    source: TrialSource, dictionary: Dictionary
) -> Iterator[tuple[str, str, Moment, str, Keys]]:
    for name in source.participants.variables:
        variable = dictionary.variables.get(name)
        if variable is not None and variable.known_at is not None:
            column = source.participants.find_column(name).column
            keys: Keys = ("participants", "variables", name)
            yield source.participants.file, column, variable.known_at, f"'{name}'", keys
    for number, item in enumerate(source.assessments):
        for column, week in (item.weeks or {}).items():
            known_at = BASELINE if week <= 0 else Moment(week)
            keys = ("assessments", number, "weeks", column)
            yield item.file, column, known_at, f"'{item.variable}' of week {week:g}", keys
