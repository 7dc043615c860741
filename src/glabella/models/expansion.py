"""Curves and products of encoded columns: what a linear model is fitted to beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from glabella.models.encoding import LARGEST, Encoding, check_finite, check_position

Matrix = npt.NDArray[np.float64]

# A curve through fewer values than this would go through each of them.
_LEAST_VALUES = 6
_KNOTS_AT = np.linspace(0.05, 0.95, 5)


@dataclass(frozen=True)
class Curve:
    """What a natural cubic spline of one column adds to its straight line.

    Parameters
    ----------
    column : int
        The column's position in the encoded matrix.
    knots : tuple of float
        Ascending, on the scale of the encoded column.
    low, high : float
        The range of the training rows; values beyond are taken to lie at its end.
    mix : tuple of tuple of float, shape (n_knots, n_parts)
        Weights of constant, line and truncated cubes in each part. The parts have neither mean
        nor slope over the training rows; the more of them bends sharply, the smaller it is.
    """

    column: int
    knots: tuple[float, ...]
    low: float
    high: float
    mix: tuple[tuple[float, ...], ...]

    def transform(self, values: Matrix) -> Matrix:
        """Evaluate the parts.

        Returns
        -------
        array of float, shape (n_rows, n_parts)
            One column a part.
        """
        inside = np.clip(values, self.low, self.high)
        terms = _compute_truncated(inside, np.array(self.knots))
        # Summed term by term: a matrix product rounds by the number of rows.
        parts = np.zeros((len(values), len(self.mix[0])))
        for term, weights in zip(terms.T, self.mix, strict=True):
            parts += term[:, None] * np.array(weights)
        return parts


@dataclass(frozen=True)
class Product:
    """The product of two encoded columns.

    Parameters
    ----------
    left, right : int
        Their positions in the encoded matrix.
    center, scale : float
        Subtracted from the product, which is then divided.
    """

    left: int
    right: int
    center: float
    scale: float


@dataclass(frozen=True)
class Expansion:
    """Learnt curves and products.

    Parameters
    ----------
    curves : tuple of Curve
        First in the matrix.
    products : tuple of Product
        After them.
    """

    curves: tuple[Curve, ...] = ()
    products: tuple[Product, ...] = ()

    def transform(self, matrix: Matrix) -> Matrix:
        """Evaluate curves and products.

        Returns
        -------
        array of float, shape (n_rows, n_columns)
            The parts of each curve, then the products.
        """
        made = [curve.transform(matrix[:, curve.column]) for curve in self.curves]
        made += [
            ((matrix[:, item.left] * matrix[:, item.right] - item.center) / item.scale)[:, None]
            for item in self.products
        ]
        return np.hstack(made) if made else np.zeros((len(matrix), 0))

    def attribute(
        self,
        matrix: Matrix,
        coefficients: Matrix,
        encoding: Encoding,
        features: Sequence[str],
        means: Matrix | None = None,
    ) -> tuple[Matrix, float]:
        """Attribute curves and products to the clinical features that they are made of.

        Returns
        -------
        tuple of array of float, shape (n_rows, n_features), and float
            Shapley values against independent training means: a curve is its feature's, a product
            is shared in halves; and what belongs to no feature.
        """
        shared = np.zeros((len(matrix), len(features)))
        owners = [features.index(column.feature) for column in encoding.columns]
        at = 0
        for curve in self.curves:
            parts = curve.transform(matrix[:, curve.column])
            weights = coefficients[at : at + parts.shape[1]]
            shared[:, owners[curve.column]] += (parts * weights).sum(axis=1)
            at += parts.shape[1]
        constant = 0.0
        for item in self.products:
            slope = coefficients[at] / item.scale
            left, right = matrix[:, item.left], matrix[:, item.right]
            half = 0.5 * slope * left * right
            turn = (
                0.0
                if means is None
                else 0.5 * slope * (left * means[item.right] - right * means[item.left])
            )
            shared[:, owners[item.left]] += half + turn
            shared[:, owners[item.right]] += half - turn
            constant -= slope * item.center
            at += 1
        return shared, float(constant)

    def attribute_pairs(
        self, matrix: Matrix, coefficients: Matrix, encoding: Encoding, features: Sequence[str]
    ) -> Matrix:
        """Attribute products to the pairs of clinical features that they are made of.

        Returns
        -------
        array of float, shape (n_rows, n_features, n_features)
            Symmetric: half of a product on either side of a diagonal of nought.
        """
        pairs = np.zeros((len(matrix), len(features), len(features)))
        owners = [features.index(column.feature) for column in encoding.columns]
        of_products = coefficients[self.count() - len(self.products) :]
        for item, coefficient in zip(self.products, of_products, strict=True):
            half = 0.5 * coefficient / item.scale * matrix[:, item.left] * matrix[:, item.right]
            pairs[:, owners[item.left], owners[item.right]] += half
            pairs[:, owners[item.right], owners[item.left]] += half
        return pairs

    def count(self) -> int:
        """Count the columns that `transform` gives."""
        return sum(len(curve.mix[0]) for curve in self.curves) + len(self.products)

    def export(self) -> dict[str, Any]:
        """Write the expansion as plain values."""
        return asdict(self)

    @staticmethod
    def restore(content: dict[str, Any], n_encoded: int) -> Expansion:
        """Read an exported expansion back."""
        if set(content) != {"curves", "products"}:
            raise ValueError("an expansion has more or fewer entries than it should")
        return Expansion(
            tuple(_restore_curve(row, n_encoded) for row in content["curves"]),
            tuple(_restore_product(row, n_encoded) for row in content["products"]),
        )


def fit_curves(matrix: Matrix, encoding: Encoding) -> tuple[Curve, ...]:
    """Learn a curve for each column of a number or an ordinal scale with values enough.

    Returns
    -------
    tuple of Curve
        With five knots at fixed quantiles, fewer where these coincide; none under three.

    References
    ----------
    .. [1] Harrell FE. Regression Modeling Strategies. 2nd ed. Springer, 2015: restricted cubic
       splines.
    .. [2] Wood SN. Generalized Additive Models. 2nd ed. CRC Press, 2017: the natural basis of a
       penalised smooth.
    """
    curves = []
    for at, column in enumerate(encoding.columns):
        values = matrix[:, at]
        if column.level is not None or len(np.unique(values)) < _LEAST_VALUES:
            continue
        knots = np.unique(np.quantile(values, _KNOTS_AT))
        if len(knots) < 3:
            continue
        terms = _compute_truncated(values, knots)
        line, cubes = terms[:, :2], terms[:, 2:]
        straight, *_ = np.linalg.lstsq(line, cubes, rcond=None)
        bent = cubes - line @ straight
        _, spread, directions = np.linalg.svd(bent, full_matrices=False)
        # A part varies the less over the training rows, the more often it bends: its size under
        # one prior is in that proportion, as the penalty on curvature wants it.
        kept = spread > 1e-6 * max(spread[0], 1e-12)
        if spread[0] <= 1e-9 * np.sqrt(len(values)):
            continue
        turn = directions[kept].T * (np.sqrt(len(values)) / spread[0])
        mix = np.vstack([-straight @ turn, turn])
        curves.append(
            Curve(
                at,
                tuple(map(float, knots)),
                float(values.min()),
                float(values.max()),
                tuple(tuple(map(float, row)) for row in mix),
            )
        )
    return tuple(curves)


def fit_products(matrix: Matrix, encoding: Encoding, arms: Iterable[str]) -> tuple[Product, ...]:
    """Learn the product of each column of a patient's feature with each of an arm.

    Returns
    -------
    tuple of Product
        Of centred columns, so that the columns themselves keep their meaning; a product that is
        the same for all training rows is left out.
    """
    names = set(arms)
    products = []
    for right, arm in enumerate(encoding.columns):
        if arm.feature not in names:
            continue
        for left, column in enumerate(encoding.columns):
            if column.feature in names:
                continue
            product = matrix[:, left] * matrix[:, right]
            if np.ptp(product) > 1e-12:
                # An arm's indicator spans one: the coefficient is of a difference between arms.
                products.append(Product(left, right, float(product.mean()), 1.0))
    return tuple(products)


def _compute_truncated(values: Matrix, knots: Matrix) -> Matrix:
    """Constant, line, and the cubes of a spline that is straight beyond its outer knots."""
    last, before = knots[-1], knots[-2]
    cubes = np.maximum(values[:, None] - knots, 0.0) ** 3 / (last - knots[0]) ** 2
    to_last = (last - knots[:-2]) / (last - before)
    to_before = (before - knots[:-2]) / (last - before)
    bent = cubes[:, :-2] - cubes[:, [-2]] * to_last + cubes[:, [-1]] * to_before
    return np.column_stack([np.ones_like(values), values, bent])


def _restore_curve(row: dict[str, Any], n_encoded: int) -> Curve:
    _check_entries(row, Curve)
    knots = tuple(check_finite(knot) for knot in row["knots"])
    mix = tuple(tuple(check_finite(value) for value in part) for part in row["mix"])
    low, high = check_finite(row["low"]), check_finite(row["high"])
    if len(knots) < 3 or not (np.diff(knots) > 1.0 / LARGEST).all() or low > high:
        raise ValueError("a curve's knots or range do not ascend")
    if len(mix) != len(knots) or len({len(part) for part in mix}) != 1 or not mix[0]:
        raise ValueError("a curve has not one weight for each knot and part")
    return Curve(check_position(row["column"], n_encoded), knots, low, high, mix)


def _restore_product(row: dict[str, Any], n_encoded: int) -> Product:
    _check_entries(row, Product)
    scale = check_finite(row["scale"])
    if scale < 1.0 / LARGEST:
        raise ValueError("a product's scale is not above zero")
    left, right = (check_position(row[side], n_encoded) for side in ("left", "right"))
    return Product(left, right, check_finite(row["center"]), scale)


def _check_entries(row: dict[str, Any], kind: type) -> None:
    if set(row) != {item.name for item in fields(kind)}:
        raise ValueError("a part of an expansion has more or fewer entries than it should")
