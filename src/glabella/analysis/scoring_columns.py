"""The forms in which a table, one row a participant, may hold what the model needs."""

from __future__ import annotations

from collections.abc import Iterator

from glabella.analysis.resolve import ResolvedAnalysis
from glabella.bundle.forms import DICTIONARY, ItemColumns, TableForm, VisitColumn
from glabella.data.dictionary import BY_TRIAL, Variable
from glabella.data.mapping.sources import TrialSource, VariableColumn, name_missing
from glabella.data.reading.raw import ReadOptions
from glabella.features.builders import find_builder
from glabella.features.feature_set import FeatureDefinition


def list_table_forms(resolved: ResolvedAnalysis) -> tuple[TableForm, ...]:
    """List the form of each source of the analysis, and that of the dictionary.

    Returns
    -------
    tuple of TableForm
        At least one, each different. A single source whose values are read as they are comes
        first, otherwise the dictionary. A table of ADaM's is written in the dictionary's form.
    """
    plain = _make_dictionary_form(resolved)
    sources = [source for source in resolved.sources if isinstance(source, TrialSource)]
    of_sources = [form for source in sources if (form := _make_form(resolved, source)) is not None]
    is_own = len(resolved.sources) == 1 and all(
        not source.is_recoded and source.scale is None for source in sources
    )
    ordered = [*of_sources, plain] if is_own else [plain, *of_sources]
    return tuple(_drop_repeated(ordered))


def list_required(resolved: ResolvedAnalysis) -> tuple[str, ...]:
    """List the variables without which a row is refused.

    Returns
    -------
    tuple of str
        If the endpoint is a fall from baseline, there is nothing to predict without a baseline.
    """
    endpoint = resolved.analysis.value.endpoint.of
    is_taken = any(
        item.variable == endpoint and find_builder(item.builder).takes_baseline
        for item in resolved.feature_set.value.features
    )
    return (endpoint,) if is_taken else ()


def has_scale_of_trial(resolved: ResolvedAnalysis) -> bool:
    """Say whether a feature means something only on the scale of its trial."""
    dictionary = resolved.dictionary.value
    features = resolved.feature_set.value.features
    return any(dictionary.find(item.variable).scale == BY_TRIAL for item in features)


def _list_early(resolved: ResolvedAnalysis) -> dict[str, Variable]:
    """The variables that are needed at baseline: a later visit alone needs none."""
    dictionary = resolved.dictionary.value
    return {
        item.variable: dictionary.find(item.variable)
        for item in resolved.feature_set.value.features
        if find_builder(item.builder).takes_baseline
        or dictionary.find(item.variable).timing != "visit"
    }


def _find_flag(resolved: ResolvedAnalysis) -> str | None:
    endpoint = resolved.analysis.value.endpoint
    return None if endpoint.is_of_visits else endpoint.of


def _make_dictionary_form(resolved: ResolvedAnalysis) -> TableForm:
    flag = _find_flag(resolved)
    return TableForm(
        name=DICTIONARY,
        columns={name: VariableColumn(column=name) for name in _list_early(resolved)},
        visits=_name_visits(resolved.feature_set.value.features, None),
        ids=("studyid", "usubjid"),
        scale_column="scale" if has_scale_of_trial(resolved) else None,
        arm_column="arm" if resolved.analysis.value.arms else None,
        outcome=None if flag is None else VariableColumn(column=flag),
    )


def _make_form(resolved: ResolvedAnalysis, source: TrialSource) -> TableForm | None:
    """Describe a source's tables; one that lacks a variable can't be scored as it is."""
    people, flag = source.participants, _find_flag(resolved)
    columns: dict[str, VariableColumn] = {}
    earlier: list[VisitColumn] = []
    weeks: dict[str, float] = {}
    items: dict[str, tuple[ItemColumns, ...]] = {}
    for name, variable in _list_early(resolved).items():
        if variable.timing != "visit":
            if name not in people.variables:
                return None
            columns[name] = people.find_column(name)
            continue
        early = source.list_baseline_columns(name)
        of_items = _find_items(source, variable, are_needed=not early)
        if of_items:
            items[name] = of_items
        if early:
            columns[name] = early[0][1]
            weeks |= {name: early[0][0]} if early[0][0] else {}
        elif not of_items:
            columns[name] = _name_long_column(source, name, name)
        earlier += [
            VisitColumn(**dict(given), variable=name, week=week, is_needed=False)
            for week, given in early[1:]
        ]
    scaled = has_scale_of_trial(resolved)
    return TableForm(
        name=source.name,
        columns=columns,
        visits=_name_visits(resolved.feature_set.value.features, source),
        ids=tuple(name for name in (people.trial, people.id) if name is not None),
        earlier=tuple(earlier),
        weeks=weeks,
        items=items,
        scale_column=people.scale if scaled else None,
        scale=source.scale if scaled else None,
        arm_column=people.arm,
        outcome=people.find_column(flag) if flag in people.variables else None,
        read=source.read.get(people.file, ReadOptions()),
    )


def _find_items(
    source: TrialSource, variable: Variable, *, are_needed: bool
) -> tuple[ItemColumns, ...]:
    """Find the columns of a total's items at each week up to baseline, the last week first."""
    by_week: dict[float, dict[str, VariableColumn]] = {}
    for name in variable.total.items if variable.total is not None else ():
        for week, given in source.list_baseline_columns(name):
            by_week.setdefault(week, {})[name] = given
    return tuple(
        ItemColumns(week=week, columns=by_week[week], is_needed=are_needed and at == 0)
        for at, week in enumerate(sorted(by_week, reverse=True))
    )


def _name_long_column(source: TrialSource, variable: str, column: str) -> VariableColumn:
    """Describe the column of a long file's values in a table with one row a participant.

    The file has one column for all visits; in such a table it bears the dictionary's name, and its
    values are in the source's unit, with what the source writes for a missing value.
    """
    for item in source.assessments:
        if item.weeks is None and item.variable in (variable, None):
            codes = item.codes if name_missing(item.codes) else {}
            unit = item.unit if item.variable == variable else None
            return VariableColumn(column=column, codes=codes, unit=unit)
    return VariableColumn(column=column)


def _drop_repeated(forms: list[TableForm]) -> Iterator[TableForm]:
    """Keep one form of those that are alike but for their names, and make names differ."""
    seen: list[TableForm] = []
    names: set[str] = set()
    for form in forms:
        content = form.model_copy(update={"name": ""})
        if content in seen:
            continue
        seen.append(content)
        name, number = form.name, 1
        while name in names:
            number += 1
            name = f"{form.name} {number}"
        names.add(name)
        yield form.model_copy(update={"name": name})


def _name_visits(
    features: tuple[FeatureDefinition, ...], source: TrialSource | None
) -> tuple[VisitColumn, ...]:
    named: dict[tuple[str, str], VisitColumn] = {}
    for feature in features:
        if find_builder(feature.builder).takes_visit:
            for visit in _find_visits(feature, source):
                earlier = named.get((visit.variable, visit.column))
                if earlier is None or not earlier.is_needed:
                    named[visit.variable, visit.column] = visit
    return tuple(named.values())


def _find_visits(feature: FeatureDefinition, source: TrialSource | None) -> Iterator[VisitColumn]:
    """List a wide source's columns in the feature's window; the nearest to its week is needed."""
    window, variable = feature.visit_window, feature.variable
    own = [
        (week, item.find_column(column))
        for item in (source.assessments if source is not None else ())
        for column, week in (item.weeks or {}).items()
        if item.variable == variable and window.low <= week <= window.high
    ]
    nearest = window.choose([week for week, _ in own])
    for position, (week, given) in enumerate(own):
        yield VisitColumn(
            **dict(given), variable=variable, week=week, is_needed=position == nearest
        )
    if not own:
        column = f"{variable}_week_{window.target:g}"
        given = (
            VariableColumn(column=column)
            if source is None
            else _name_long_column(source, variable, column)
        )
        yield VisitColumn(**dict(given), variable=variable, week=window.target, is_needed=True)
