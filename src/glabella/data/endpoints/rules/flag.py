"""Flag: a code of a variable that is recorded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.endpoints.rules.interface import RecordRule, RuleSettings
from glabella.domain.timing import BASELINE, Moment
from glabella.errors import DefinitionError, describe_choices


class Flag(RecordRule):
    """The rule ``flag``: a diagnosis, an adverse event."""

    settings: ClassVar[tuple[str, ...]] = ("code",)

    def check(self, stated: RuleSettings) -> None:
        """Refuse a flag without its code."""
        if stated.code is None:
            raise ValueError("a flag needs the `code` that counts")

    def check_variable(
        self, stated: RuleSettings, variable: Variable, find_place: Callable[[str], str]
    ) -> None:
        """Refuse a variable without this code."""
        if variable.type != "category":
            raise DefinitionError(
                f"'{stated.of}' is no category, so no code of it can be the outcome",
                place=find_place("of"),
                remedy="Declare `type: category` and its `codes:`, or take `rule: threshold`.",
            )
        if stated.code not in variable.codes:
            raise DefinitionError(
                f"'{stated.code}' is no code of '{stated.of}'",
                place=find_place("code"),
                remedy=describe_choices(str(stated.code), variable.codes),
            )

    def describe(self, stated: RuleSettings) -> str:
        """Say the variable and its code."""
        return f"'{stated.of}' is '{stated.code}'"

    def judge(self, stated: RuleSettings, values: pd.Series) -> pd.Series:
        """Give 1 for the code, 0 for every other."""
        return (values == stated.code).astype(float).where(values.notna())

    def find_moment(self, variable: Variable) -> Moment:
        """Find when the variable is known; at baseline by default."""
        return variable.known_at or BASELINE
