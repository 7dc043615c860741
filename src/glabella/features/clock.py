"""The clock: refuses a feature that would know more than the moment of prediction does."""

from __future__ import annotations

from glabella.data.dictionary import Dictionary
from glabella.definitions.reader import Origin
from glabella.domain.timing import END, Moment, parse_moment
from glabella.errors import ClockError, DefinitionError, Refusals
from glabella.features.builders import BUILDERS, find_builder
from glabella.features.builders.interface import Builder
from glabella.features.feature_set import FeatureDefinition, FeatureSet


def check_clock(feature_set: FeatureSet, dictionary: Dictionary, written: Origin) -> None:
    """Refuse a feature set that uses what is known only later."""
    try:
        clock = parse_moment(feature_set.predict_at)
    except DefinitionError as error:
        raise DefinitionError(
            error.finding, place=written.name_place("predict_at"), remedy=error.remedy
        ) from None
    refusals = Refusals()
    for index, feature in enumerate(feature_set.features):
        with refusals.collect():
            _check_feature(feature, clock, dictionary, written.name_place("features", index))
    refusals.raise_all()


def _check_feature(
    feature: FeatureDefinition, clock: Moment, dictionary: Dictionary, place: str
) -> None:
    variable = dictionary.find(feature.variable, place=place)
    builder = find_builder(feature.builder, place=place)
    _check_week(feature, builder, place)
    try:
        builder.describe(feature, variable)
    except DefinitionError as error:
        raise DefinitionError(error.finding, place=place, remedy=error.remedy) from None
    known = builder.known_at(feature, variable)
    if known is None and variable.timing == "visit":
        raise ClockError(
            f"feature '{feature.name}' uses '{feature.variable}', assessed again at each "
            "visit, without saying which",
            place=place,
            remedy="Take its baseline: `builder: baseline_score`; or a later visit: "
            "`builder: visit_score` with its `week`.",
        )
    if known is None:
        raise DefinitionError(
            f"feature '{feature.name}': '{feature.variable}' is not assessed at visits",
            place=place,
            remedy="Take it as it is: `builder: value`.",
        )
    if known > clock:
        raise _check_late(feature, builder, known, clock, place)


def _check_week(feature: FeatureDefinition, builder: Builder, place: str) -> None:
    if builder.takes_visit and feature.week is None:
        raise DefinitionError(
            f"feature '{feature.name}': the builder '{feature.builder}' takes a later visit, and "
            "no week is named",
            place=place,
            remedy="Name it: `week: 2`, and a `window: [1, 3]` where visits may be early or late.",
        )
    if not builder.takes_visit and feature.week is not None:
        users = ", ".join(f"`{name}`" for name, known in BUILDERS.items() if known.takes_visit)
        raise DefinitionError(
            f"feature '{feature.name}': the builder '{feature.builder}' has no use for a week",
            place=place,
            remedy=f"Leave `week:` out, or take a later visit with {users}.",
        )


def _check_late(
    feature: FeatureDefinition, builder: Builder, known: Moment, clock: Moment, place: str
) -> ClockError:
    way_out = "Remove the feature"
    if not builder.takes_visit:
        finding = f"feature '{feature.name}' uses '{feature.variable}', known only at {known}"
    else:
        week = Moment(feature.visit_window.target)
        finding = (
            f"feature '{feature.name}' is a change score that spans the clock: it is of baseline "
            f"and {week} of '{feature.variable}', known only at {known}"
            if builder.takes_baseline
            else f"feature '{feature.name}' uses '{feature.variable}' of {week}, known only at "
            f"{known}"
        )
        if known > week:
            finding += ", when its window ends"
        if week <= clock:
            way_out = f"End its `window` by {clock}, remove the feature"
    later = "" if known == END else f", or set `predict_at: {known}`"
    return ClockError(
        finding, place=place, remedy=f"This analysis predicts from {clock}. {way_out}{later}."
    )
