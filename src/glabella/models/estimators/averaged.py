"""Several fits of one estimator to differently completed outcomes, averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.models.estimators.interface import Contributions, Floats, ResponderModel


class AveragedModel(ResponderModel):
    """The mean of several models' log odds, one for each imputation of the outcomes.

    Parameters
    ----------
    members : sequence of ResponderModel
        Fitted, of one estimator and the same features.

    References
    ----------
    .. [1] Wood AM, Royston P, White IR. The estimation and use of predictions for the assessment
       of model performance using large samples with multiply imputed data. Biom J 2015;57:614-632.
    """

    def __init__(self, members: Sequence[ResponderModel] = ()):
        super().__init__(specs=members[0].specs if members else ())
        self.members = members
        self.classes_ = np.array([0, 1])

    def _fit(self, X: pd.DataFrame, responded: npt.NDArray[np.int_]) -> None:
        raise ValueError("the members of an average are fitted, not the average")

    def log_odds(self, X: pd.DataFrame) -> Floats:
        """Average the members' log odds.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Higher means likelier.
        """
        # One after the other: a mean over stacked rows rounds by the number of rows.
        total = np.zeros(len(X))
        for member in self.members:
            total += member.log_odds(X)
        return total / len(self.members)

    def contributions(self, X: pd.DataFrame) -> Contributions:
        """Average the members' contributions, which add to the averaged log odds.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        Contributions
            Of the mean.
        """
        every = [member.contributions(X) for member in self.members]
        return Contributions(
            features=every[0].features,
            values=np.mean([each.values for each in every], axis=0),
            base=np.mean([each.base for each in every], axis=0),
        )

    def export_state(self) -> dict[str, Any]:
        """Write the members' states.

        Returns
        -------
        dict
            For JSON.
        """
        return {"members": [member.export_state() for member in self.members]}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Refuse: members are restored one by one, and averaged then.

        Parameters
        ----------
        state : dict
            Not used.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("an average is restored from its members")
