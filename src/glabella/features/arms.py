"""The arms of an analysis: names, roles and the codes that stand for them in the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from glabella.data.cells import match_codes, to_text
from glabella.definitions.reader import Definition
from glabella.errors import AnalysisError, describe_choices

__all__ = ["Arm"]


class Arm(Definition):
    """One arm as the models see it.

    Parameters
    ----------
    name : str
        The arm's name.
    role : str
        ``active`` or ``control``.
    label : str, optional
        The words that readers see.
    codes : tuple of str
        The codes of the data that stand for it; its name unless stated.
    """

    name: str
    role: Literal["active", "control"]
    label: str | None = None
    codes: tuple[str, ...] = ()

    @property
    def all_codes(self) -> tuple[str, ...]:
        """The codes of the data that stand for the arm."""
        return self.codes or (self.name,)


def name_arms(
    participants: pd.DataFrame, arms: Sequence[Arm], *, place: str | None = None
) -> pd.Series:
    """Give each participant the analysis's name of their arm.

    Parameters
    ----------
    participants : DataFrame
        With the column ``arm``.
    arms : sequence of Arm
        The arms.
    place : str, optional
        Where they are declared, for messages.

    Returns
    -------
    Series of category, shape (n_participants,)
        Over the arms in their declared order.

    Raises
    ------
    AnalysisError
        If no column is mapped to the arm, a code belongs to no arm, there is one arm only, or
        nobody is in a declared one.
    """
    if "arm" not in participants:
        raise AnalysisError(
            "the analysis declares arms, and no column is mapped to the arm",
            place=place,
            remedy="Name it: `arm:` of the participants' file; or leave `arms:` out.",
        )
    name_of = {code: arm.name for arm in arms for code in arm.all_codes}
    named = match_codes(to_text(participants["arm"]), name_of).map(name_of)
    foreign = int(named.isna().sum())
    if foreign:
        # The codes themselves stay out of the message: the column may be the wrong one.
        raise AnalysisError(
            f"the arm of {foreign} of {len(named)} participants is blank or a code that the "
            "analysis does not declare",
            place=place,
            remedy="Check `arm:` of the participants' file and `codes:` of the arms. "
            + describe_choices("", name_of),
        )
    if named.nunique() < 2:
        raise AnalysisError(
            f"the analysis uses the arm, and all {len(named)} participants are in one",
            place=place,
            remedy="Leave `arms:` out, and the candidates that need them.",
        )
    there = set(named.unique())
    empty = [arm.name for arm in arms if arm.name not in there]
    if empty:
        raise AnalysisError(
            f"no participant is in the arm '{empty[0]}', so no model can learn it or be scored "
            "under it",
            place=place,
            remedy="Check the arm's `codes:`, or leave the arm out.",
        )
    return named.astype(pd.CategoricalDtype([arm.name for arm in arms]))
