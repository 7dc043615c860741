"""Names to derivations: each builder turns collected variables into one feature."""

from __future__ import annotations

from glabella.errors import DefinitionError, describe_choices
from glabella.features.builders.baseline_score import BaselineScore
from glabella.features.builders.change_from_baseline import ChangeFromBaseline
from glabella.features.builders.interface import Builder
from glabella.features.builders.value import Value
from glabella.features.builders.visit_score import VisitScore

BUILDERS: dict[str, Builder] = {
    "value": Value(),
    "baseline_score": BaselineScore(),
    "visit_score": VisitScore(),
    "change_from_baseline": ChangeFromBaseline(),
}


def find_builder(name: str, *, place: str | None = None) -> Builder:
    """Look a builder up by its registered name."""
    try:
        return BUILDERS[name]
    except KeyError:
        raise DefinitionError(
            f"there is no builder '{name}'", place=place, remedy=describe_choices(name, BUILDERS)
        ) from None
