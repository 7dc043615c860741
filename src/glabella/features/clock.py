"""The clock: refuses a feature that would know more than the moment of prediction does."""

from __future__ import annotations

from glabella.data.dictionary import Dictionary
from glabella.definitions.reader import Origin
from glabella.domain.timing import parse_moment
from glabella.errors import ClockError, DefinitionError
from glabella.features.builders import find_builder
from glabella.features.feature_set import FeatureSet


def check_clock(feature_set: FeatureSet, dictionary: Dictionary, written: Origin) -> None:
    """Refuse a feature set that uses what is known only later.

    Parameters
    ----------
    feature_set : FeatureSet
        The features and `predict_at`.
    dictionary : Dictionary
        When each variable is known.
    written : Origin
        The feature set's file, for messages.

    Raises
    ------
    ClockError
        If a feature is known only after `predict_at`.
    DefinitionError
        If a variable or builder does not exist, or the builder does not suit the variable.
    """
    try:
        clock = parse_moment(feature_set.predict_at)
    except DefinitionError as error:
        raise DefinitionError(
            error.finding, place=written.place("predict_at"), remedy=error.remedy
        ) from None
    for index, feature in enumerate(feature_set.features):
        place = written.place("features", index)
        variable = dictionary.find(feature.variable, place=place)
        builder = find_builder(feature.builder, place=place)
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
                remedy="Take its baseline: `builder: baseline_score`.",
            )
        if known is None:
            raise DefinitionError(
                f"feature '{feature.name}': '{feature.variable}' is not assessed at visits",
                place=place,
                remedy="Take it as it is: `builder: value`.",
            )
        if known > clock:
            raise ClockError(
                f"feature '{feature.name}' uses '{feature.variable}', known only at {known}",
                place=place,
                remedy=f"This analysis predicts from {clock}. Remove the feature, or set "
                f"`predict_at: {known}`.",
            )
