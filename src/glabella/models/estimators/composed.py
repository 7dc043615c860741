"""Models made of fitted models: weighted averages of their log odds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, minimize
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Features
from glabella.models.estimators.contributions import Contributions, Interactions
from glabella.models.estimators.interface import Floats, ResponderModel
from glabella.models.estimators.linear import RidgeModel, SplineModel
from glabella.models.penalised import find_losses

__all__ = ["EnsembleModel"]


class ComposedModel(ResponderModel):
    """The sum of fitted members' log odds, each times a factor, and a constant.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the folds, where a fit draws some.
    """

    @property
    @abstractmethod
    def parts(self) -> tuple[ResponderModel, ...]:
        """The fitted members."""

    @property
    @abstractmethod
    def factors(self) -> tuple[float, ...]:
        """What the log odds of each are multiplied by."""

    @property
    def constant(self) -> float:
        """What is added."""
        return 0.0

    @property
    def fills_missing(self) -> bool:
        """Whether a member does."""
        return any(part.fills_missing for part in self.parts)

    def log_odds(self, X: Features) -> Floats:
        """Add up the members' log odds.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Higher means likelier.
        """
        columns = self._read(X)
        # One after the other: a sum over stacked rows rounds by the number of rows.
        total = np.full(len(columns), self.constant)
        for part, factor in zip(self.parts, self.factors, strict=True):
            total += factor * part.log_odds(columns)
        return total

    def contributions(self, X: Features) -> Contributions:
        """Add up the members' contributions, which add to the log odds.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            SHAP values are linear in the models that they explain.
        """
        columns = self._read(X)
        every = [part.contributions(columns) for part in self.parts]
        values, base = np.zeros_like(every[0].values), np.full(len(columns), self.constant)
        for each, factor in zip(every, self.factors, strict=True):
            values += factor * each.values
            base += factor * each.base
        return Contributions(every[0].features, values, base, every[0].scale)

    def explain_against(self, background: Features, weight: Floats) -> None:
        """Have every member's contributions computed against the same rows.

        Parameters
        ----------
        background : DataFrame or FeatureColumns, shape (n_background, n_columns)
            Features by name.
        weight : array of float, shape (n_background,)
            Not negative, adding to one.
        """
        for part in self.parts:
            part.explain_against(background, weight)

    def interactions(self, X: Features) -> Interactions:
        """Add up the members' interaction values.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Interactions
            Linear in the models, as contributions are.
        """
        columns = self._read(X)
        every = [part.interactions(columns) for part in self.parts]
        values = np.zeros_like(every[0].values)
        for each, factor in zip(every, self.factors, strict=True):
            values += factor * each.values
        return Interactions(every[0].features, values, every[0].scale)

    def export_state(self) -> dict[str, Any]:
        """Refuse: the members are exported one by one.

        Returns
        -------
        dict
            Never.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("a composed model is exported by its members")

    def restore_state(self, state: dict[str, Any]) -> None:
        """Refuse: members are restored one by one, and put together then.

        Parameters
        ----------
        state : dict
            Not used.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("a composed model is restored from its members")


class EnsembleModel(ComposedModel):
    """A weighted average of several models' log odds.

    Weights are not negative and add to one. They are learnt from predictions of rows that the
    members were not fitted to, by log loss with a normal prior around equal weights, which few
    participants leave nearly as they are.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the folds.
    members : sequence of ResponderModel
        Unfitted, each adding up on the log-odds scale; ridge and spline unless stated.
    folds : int
        Folds of the out-of-fold predictions; fewer where a class is rarer.
    deviation : float
        Standard deviation of the prior of each weight.

    References
    ----------
    .. [1] Breiman L. Stacked regressions. Mach Learn 1996;24:49-64.
    .. [2] van der Laan MJ, Polley EC, Hubbard AE. Super learner. Stat Appl Genet Mol Biol
       2007;6:25.
    """

    attribution_method: ClassVar[str] = (
        "the weighted sum of the members' SHAP values, each computed exactly"
    )

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        members: Sequence[ResponderModel] = (),
        folds: int = 5,
        deviation: float = 0.2,
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.members = members
        self.folds = folds
        self.deviation = deviation

    def fit(self, X: Features, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Fit the members and learn their weights.

        Parameters
        ----------
        X : DataFrame or FeatureColumns, shape (n_rows, n_columns)
            Features by name.
        y : array of int, shape (n_rows,)
            1 for responders, 0 for others.
        groups : array, shape (n_rows,), optional
            Whose rows stay together in the folds.

        Returns
        -------
        EnsembleModel
            Itself, fitted.

        Raises
        ------
        ValueError
            If `y` holds one class only, or a member does not add up on the log-odds scale.
        """
        columns, responded = self._check_fit(X, y)
        members = list(self.members) or [
            RidgeModel(random_state=self.random_state),
            SplineModel(random_state=self.random_state),
        ]
        members = [clone(member).set_params(specs=self.specs_) for member in members]
        for member in members:
            if not member.is_additive:
                raise ValueError("a member does not add up on the log-odds scale")
        folds = min(self.folds, *np.bincount(responded).tolist())
        weights = np.full(len(members), 1.0 / len(members))
        if folds >= 2:
            splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
            splits = splitter(folds, shuffle=True, random_state=self.random_state or 0).split(
                np.zeros(len(columns)), responded, groups
            )
            held_out = np.zeros((len(members), len(columns)))
            for train, test in splits:
                for at, member in enumerate(members):
                    fitted = clone(member).fit(columns.take(train), responded[train])
                    held_out[at, test] = fitted.log_odds(columns.take(test))
            weights = learn_weights(held_out, responded, deviation=self.deviation)
        self.fitted_ = [member.fit(columns, responded) for member in members]
        self.weights_ = weights
        return self

    @classmethod
    def join(cls, fitted: Sequence[ResponderModel], weights: Floats) -> Self:
        """Put fitted members together.

        Parameters
        ----------
        fitted : sequence of ResponderModel
            Of the same features.
        weights : array of float, shape (n_members,)
            Not negative, adding to one.

        Returns
        -------
        EnsembleModel
            Fitted.

        Raises
        ------
        ValueError
            If the weights are no such weights.
        """
        if len(fitted) != len(weights) or not fitted:
            raise ValueError("there is not one weight for each member")
        if min(weights) < 0 or abs(float(np.sum(weights)) - 1.0) > 1e-9:
            raise ValueError("the weights of an average are not negative and add to one")
        model = cls(specs=fitted[0].specs)
        model._restore_notes()
        model.fitted_, model.weights_ = list(fitted), np.asarray(weights, dtype=float)
        return model

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
        raise NotImplementedError

    @property
    def parts(self) -> tuple[ResponderModel, ...]:
        """The fitted members."""
        return tuple(self.fitted_)

    @property
    def factors(self) -> tuple[float, ...]:
        """The weights."""
        return tuple(map(float, self.weights_))


class AveragedModel(ComposedModel):
    """The mean of several models' log odds, one for each imputation of the outcomes.

    Models that add up on the probability scale alone are averaged there.

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
        if members:
            self._restore_notes()
            self.is_additive = all(member.is_additive for member in members)
            self.frees_arm = all(member.frees_arm for member in members)

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
        raise ValueError("the members of an average are fitted, not the average")

    def log_odds(self, X: Features) -> Floats:
        """Average the members' log odds, or their probabilities where these add up alone.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Higher means likelier.
        """
        if self.is_additive:
            return super().log_odds(X)
        total = np.zeros(len(X))
        for member in self.members:
            total += member.predict_proba(X)[:, 1]
        return np.asarray(logit(total / len(self.members)), dtype=float)

    @property
    def parts(self) -> tuple[ResponderModel, ...]:
        """The members."""
        return tuple(self.members)

    @property
    def factors(self) -> tuple[float, ...]:
        """Equal shares."""
        return (1.0 / len(self.members),) * len(self.members)


def learn_weights(held_out: Floats, responded: npt.NDArray[np.int_], *, deviation: float) -> Floats:
    """Learn weights of an average from predictions of held-out rows.

    Parameters
    ----------
    held_out : array of float, shape (n_members, n_rows)
        Log odds by models that were not fitted to the row.
    responded : array of int, shape (n_rows,)
        1 for responders, 0 for others.
    deviation : float
        Standard deviation of the normal prior of each weight, around equal ones.

    Returns
    -------
    array of float, shape (n_members,)
        Not negative, adding to one.
    """
    members = len(held_out)
    equal: Floats = np.full(members, 1.0 / members)
    if members == 1:
        return equal
    precision = deviation**-2.0

    def compute_loss(weights: Floats) -> tuple[float, Floats]:
        log_odds = weights @ held_out
        loss = float(find_losses(log_odds, responded).sum())
        gradient = held_out @ (expit(log_odds) - responded) + precision * (weights - equal)
        return loss + 0.5 * precision * float(((weights - equal) ** 2).sum()), gradient

    found = minimize(  # type: ignore[call-overload]  # the stubs lack `Bounds`
        lambda weights: compute_loss(weights)[0],
        equal,
        jac=lambda weights: compute_loss(weights)[1],
        method="SLSQP",
        bounds=Bounds(0.0, 1.0),
        constraints=LinearConstraint(np.ones((1, members)), 1.0, 1.0),
    )
    weights = np.clip(found.x, 0.0, 1.0)
    return np.asarray(weights / weights.sum())
