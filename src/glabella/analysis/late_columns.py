"""Refuses a column whose standard name says that it is settled later than the dictionary has it."""

from __future__ import annotations

from collections.abc import Iterator

from glabella.analysis.definition import Analysis
from glabella.data.adam.source import AdamSource
from glabella.data.dictionary import Dictionary
from glabella.data.mapping.sources import TrialSource
from glabella.definitions.reader import Origin, Read
from glabella.domain.standard_names import AFTER_TREATMENT, find_earliest, is_about_staying
from glabella.domain.timing import END, Moment
from glabella.errors import ClockError
from glabella.features.feature_set import FeatureSet


def check_late_columns(
    analysis: Read[Analysis], dictionary: Read[Dictionary], feature_set: Read[FeatureSet]
) -> None:
    """Refuse a column of a late name that a feature uses early, and a choice of who completed."""
    used = {feature.variable for feature in feature_set.value.features}
    for index, source in enumerate(analysis.value.data.trials or ()):
        if isinstance(source, AdamSource):
            _check_choice_by_staying(source, analysis.origin, index)
            named = _list_adam(source, analysis.origin, index, dictionary)
        else:
            named = _list_files(source, analysis.origin, index, dictionary.value)
        for variable, column, known_at, place in named:
            earliest = find_earliest(column)
            if variable in used and earliest is not None and known_at < earliest:
                _check_early(variable, column, known_at, earliest, place)


def _check_early(
    variable: str, column: str, known_at: Moment, earliest: Moment, place: str
) -> None:
    timing = "end" if earliest == END else str(earliest)
    when, remedy = f"at {earliest}", f"`timing: {timing}`"
    if earliest == AFTER_TREATMENT:
        when, remedy = "after treatment began", "`timing: week N`"
    raise ClockError(
        f"the column '{column}' is by its name settled only {when}, and '{variable}' is known at "
        f"{known_at}",
        place=place,
        remedy=f"Leave the feature out, and write {remedy} in the dictionary.",
    )


def _check_choice_by_staying(source: AdamSource, origin: Origin, index: int) -> None:
    """A model of those who completed is of nobody who begins: who will is what nobody knows.

    EFFFL and PPROTFL are warned of when ADSL is read, and not refused: populations of many
    registered analyses, they leave out few, and a sensitivity analysis may want them.
    """
    for key, flag in (("population", source.population), ("analysis_flag", source.analysis_flag)):
        if flag is not None and is_about_staying(flag):
            raise ClockError(
                f"'{flag}' chooses participants by whether they stayed, which is known only later",
                place=origin.name_place("data", "trials", index, key),
                remedy="Take everybody who was randomised or treated, and say what a missing "
                "outcome means with `missing:` of the endpoint.",
            )


def _list_adam(
    source: AdamSource, origin: Origin, index: int, dictionary: Read[Dictionary]
) -> Iterator[tuple[str, str, Moment, str]]:
    for name, variable in dictionary.value.variables.items():
        if variable.known_at is None or name in source.parameters or name in source.events:
            continue
        place = dictionary.origin.name_place("variables", name)
        if name in source.variables:
            place = origin.name_place("data", "trials", index, "variables", name)
        yield name, source.variables.get(name, name.upper()), variable.known_at, place


def _list_files(
    source: TrialSource, origin: Origin, index: int, dictionary: Dictionary
) -> Iterator[tuple[str, str, Moment, str]]:
    at = ("data", "trials", index, "participants", "variables")
    for name in source.participants.variables:
        variable = dictionary.variables.get(name)
        if variable is not None and variable.known_at is not None:
            column = source.participants.find_column(name).column
            yield name, column, variable.known_at, origin.name_place(*at, name)
