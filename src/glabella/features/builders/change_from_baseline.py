"""The change from baseline to a later visit."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables, find_baselines, find_visit_scores
from glabella.domain.timing import Moment
from glabella.errors import DefinitionError
from glabella.features.builders.scale import check_mixed_points, convert_score, find_unit
from glabella.features.feature_set import FeatureDefinition
from glabella.features.spec import FeatureSpec

__all__ = ["ChangeFromBaseline"]


class ChangeFromBaseline:
    """The builder ``change_from_baseline``: the later score less the baseline.

    Below zero where the score fell, as ADaM's ``CHG``; in percent of the baseline, as its
    ``PCHG``.
    """

    takes_baseline: ClassVar[bool] = True
    takes_visit: ClassVar[bool] = True

    def known_at(self, feature: FeatureDefinition, variable: Variable) -> Moment | None:
        """Say when the change is known.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.

        Returns
        -------
        Moment or None
            The end of the later visit's window; None if the variable is not assessed at visits.
        """
        return Moment(feature.visit_window.high) if variable.timing == "visit" else None

    def describe(self, feature: FeatureDefinition, variable: Variable) -> FeatureSpec:
        """Describe the column by its dictionary entry.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.

        Returns
        -------
        FeatureSpec
            A number, of grades too: what is subtracted is no grade any more.

        Raises
        ------
        DefinitionError
            If a change can't be expressed as the feature asks.
        """
        week = feature.visit_window.target
        return FeatureSpec(
            name=feature.name,
            label=feature.label or f"{variable.label}, change from baseline to week {week:g}",
            kind="number",
            unit=_find_unit_of_change(feature, variable),
        )

    def build(
        self, feature: FeatureDefinition, variable: Variable, tables: PatientTables
    ) -> pd.Series:
        """Subtract the baselines.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.
        tables : PatientTables
            Participants and assessments.

        Returns
        -------
        Series of float, shape (n_participants,)
            NaN where the baseline or the visit is missing, and in percent where the baseline is
            zero or below.

        Raises
        ------
        AnalysisError
            If points of different scales would be mixed.
        """
        base = find_baselines(tables, feature.variable)
        later = find_visit_scores(tables, feature.variable, feature.visit_window)
        if feature.expressed_as == "percent_change":
            return 100.0 * (later - base) / base.where(base > 0)
        if feature.expressed_as == "points":
            check_mixed_points(
                feature,
                variable,
                tables,
                remedy="Write `as: percent_change` or `as: percent_of_range`.",
            )
            return later - base
        before, after = (convert_score(part, feature, variable, tables) for part in (base, later))
        return after - before


def _find_unit_of_change(feature: FeatureDefinition, variable: Variable) -> str | None:
    if feature.expressed_as not in ("points", "percent_change", "percent_of_range"):
        raise DefinitionError(
            f"feature '{feature.name}': a change can't be expressed as '{feature.expressed_as}'",
            remedy="Write `as: points`, `as: percent_change` or `as: percent_of_range`.",
        )
    if feature.expressed_as != "percent_change":
        return find_unit(feature, variable)
    if variable.type == "ordinal":
        raise DefinitionError(
            f"feature '{feature.name}': '{feature.variable}' is of grades, of which a percent "
            "means nothing",
            remedy="Leave `as:` out.",
        )
    return "% of the baseline"
