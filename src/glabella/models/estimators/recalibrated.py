"""Fitted models whose log odds are recalibrated: by a slope, and by an intercept for each arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.arm_steps import ArmSteps, find_arm
from glabella.models.encoding import Features
from glabella.models.estimators.composed import ComposedModel
from glabella.models.estimators.contributions import Contributions, Interactions
from glabella.models.estimators.interface import Floats, ResponderModel
from glabella.models.penalised import find_losses, fit_logistic, fit_shifts

# One-sided 95 %: a slope must improve predictions beyond chance to be kept.
_BEYOND_NOISE = 1.645

Splits = Sequence[tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]]


class CalibratedModel(ComposedModel):
    """A fitted model whose log odds are multiplied by a slope and shifted.

    Parameters
    ----------
    model : ResponderModel
        Fitted, adding up on the log-odds scale.
    slope : float
        Above zero, so that the order of participants stays.
    intercept : float
        Added.

    References
    ----------
    .. [1] Cox DR. Two further applications of a model for binary regression. Biometrika
       1958;45:562-565.
    .. [2] Platt JC. Probabilistic outputs for support vector machines. In: Advances in Large
       Margin Classifiers. MIT Press, 1999:61-74.
    """

    def __init__(
        self, model: ResponderModel | None = None, slope: float = 1.0, intercept: float = 0.0
    ):
        super().__init__(specs=model.specs if model is not None else ())
        self.model = model
        self.slope = slope
        self.intercept = intercept
        if model is not None:
            if not slope > 0 or not np.isfinite([slope, intercept]).all():
                raise ValueError("a calibration's slope is above zero, and its intercept finite")
            self._restore_notes()

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
        raise ValueError("what is calibrated is fitted, not its calibration")

    @property
    def parts(self) -> tuple[ResponderModel, ...]:
        """The model that is calibrated."""
        return () if self.model is None else (self.model,)

    @property
    def factors(self) -> tuple[float, ...]:
        """The slope."""
        return (float(self.slope),)

    @property
    def constant(self) -> float:
        """The intercept."""
        return float(self.intercept)


class ArmRecalibratedModel(ComposedModel):
    """A fitted model with an intercept for each randomised arm added to its log odds.

    Trees and averages shrink the arm like any feature, so that the difference between arms that
    they imply is too small. The intercepts make each arm's mean prediction its rate of response.

    Parameters
    ----------
    model : ResponderModel
        Fitted, adding up on the log-odds scale.
    steps : ArmSteps
        What each arm adds to the log odds.
    """

    frees_arm = True

    def __init__(self, model: ResponderModel | None = None, steps: ArmSteps | None = None):
        super().__init__(specs=model.specs if model is not None else ())
        self.model = model
        self.steps = steps
        if model is not None:
            self.steps_ = ArmSteps({}, 0.0) if steps is None else steps
            self._restore_notes()

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
        raise ValueError("a fitted model is recalibrated, not its recalibration fitted")

    @property
    def parts(self) -> tuple[ResponderModel, ...]:
        """The model that is recalibrated."""
        return () if self.model is None else (self.model,)

    @property
    def factors(self) -> tuple[float, ...]:
        """One."""
        return (1.0,)

    def log_odds(self, X: Features) -> Floats:
        """Add the arm's intercept to the model's log odds.

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
        return super().log_odds(columns) + self.steps_.find_values(columns, self.specs_)

    def contributions(self, X: Features) -> Contributions:
        """Add the arm's intercept to the arm's contribution.

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
        found = super().contributions(columns)
        values = self.steps_.add_to(found.values, columns, self.specs_, found.features)
        return Contributions(found.features, values, found.base + self.steps_.center, found.scale)

    def explain_against(self, background: Features, weight: Floats) -> None:
        """Have contributions computed against stated rows.

        Parameters
        ----------
        background : DataFrame or FeatureColumns, shape (n_background, n_columns)
            Features by name.
        weight : array of float, shape (n_background,)
            Not negative, adding to one.
        """
        super().explain_against(background, weight)
        self.steps_ = self.steps_.with_center(self._read(background), self.specs_, weight)

    def interactions(self, X: Features) -> Interactions:
        """Add the arm's intercept to the arm's own value.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Interactions
            No pair has a part in it.
        """
        columns = self._read(X)
        found = super().interactions(columns)
        count = range(len(found.features))
        own = found.values[:, count, count]
        added = self.steps_.add_to(own, columns, self.specs_, found.features)
        values = found.values.copy()
        values[:, count, count] = added
        return Interactions(found.features, values, found.scale)


def learn_calibration(
    held_out: Floats,
    responded: npt.NDArray[np.int_],
    splits: Splits,
) -> tuple[float, float, Floats] | None:
    """Learn slope and intercept of log odds, where they improve held-out log loss beyond noise.

    Parameters
    ----------
    held_out : array of float, shape (n_rows,)
        Log odds by models that were not fitted to the row.
    responded : array of int, shape (n_rows,)
        1 for responders, 0 for others.
    splits : sequence of tuple of array of int
        The folds of these predictions: training and held-out positions.

    Returns
    -------
    tuple of float, float and array of float, or None
        Slope, intercept, and the held-out log odds recalibrated by what the other folds teach.
        None where the gain, itself judged by calibrating each fold with the others, is within
        1.645 of its standard errors, or the order of participants would turn.
    """
    again = held_out.copy()
    for train, test in splits:
        learnt = _calibrate(held_out[train], responded[train])
        if learnt is None:
            return None
        again[test] = learnt[0] * held_out[test] + learnt[1]
    gain = find_losses(held_out, responded) - find_losses(again, responded)
    error = float(gain.std(ddof=1)) / np.sqrt(len(gain))
    learnt = _calibrate(held_out, responded)
    if learnt is None or not gain.mean() > _BEYOND_NOISE * error:
        return None
    return (*learnt, again)


def _calibrate(log_odds: Floats, responded: npt.NDArray[np.int_]) -> tuple[float, float] | None:
    if len(np.unique(responded)) < 2 or np.ptp(log_odds) < 1e-9:
        return None
    # A wide prior ends separated log odds in a finite slope.
    fitted = fit_logistic(log_odds[:, None], responded, np.array([10.0]))
    slope = float(fitted.coefficients[0])
    return (slope, fitted.intercept) if slope > 0 else None


def learn_arm_steps(
    held_out: Floats,
    responded: npt.NDArray[np.int_],
    columns: FeatureColumns,
    specs: Sequence[FeatureSpec],
    splits: Splits,
) -> tuple[ArmSteps, Floats] | None:
    """Learn an intercept for each arm from predictions of held-out rows.

    Parameters
    ----------
    held_out : array of float, shape (n_rows,)
        Log odds by models that were not fitted to the row.
    responded : array of int, shape (n_rows,)
        1 for responders, 0 for others.
    columns : FeatureColumns
        Of the same rows.
    specs : sequence of FeatureSpec
        The features, the arm among them.
    splits : sequence of tuple of array of int
        The folds of these predictions: training and held-out positions.

    Returns
    -------
    tuple of ArmSteps and array of float, or None
        The intercepts, and the held-out log odds recalibrated by those that the other folds teach.
        None where there are not two arms.

    References
    ----------
    .. [1] Steyerberg EW. Clinical Prediction Models. 2nd ed. Springer, 2019: chapter 20,
       recalibration in the large.
    """
    name = find_arm(specs)
    if name is None:
        return None
    category = columns.get_category(name)
    present = [level for level in category.levels if category.has_level(level).any()]
    if len(present) < 2:
        return None
    arms = np.column_stack([category.has_level(level) == 1.0 for level in present]).astype(float)

    def learn(rows: npt.NDArray[np.int_]) -> Floats:
        shifts = fit_shifts(held_out[rows], responded[rows], arms[rows])
        return np.asarray(shifts[:-1] + shifts[-1])

    again = held_out.copy()
    for train, test in splits:
        again[test] += arms[test] @ learn(train)
    shifts = learn(np.arange(len(responded)))
    center = float((arms @ shifts).mean())
    return ArmSteps(dict(zip(present, shifts.tolist(), strict=True)), center), again
