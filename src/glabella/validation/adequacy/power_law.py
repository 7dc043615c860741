"""The inverse power law of a learning curve, fitted to many curves at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# A fixed number of parameters costs 1 / n to estimate, at worst 1 / sqrt(n); tuning can be faster
# over small sizes. A slower rate is not told from noise by few sizes, and would promise much:
# benchmarks/learning_curve.py. At rate 2 a doubling leaves a quarter of the excess.
_RATES = np.linspace(0.5, 2.0, 151)


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """Curves ``floor + excess * (size / largest) ** -rate``.

    Parameters
    ----------
    floor, excess, rate : array of float, shape (n_curves,)
        What is left with participants without end, at least 0; what the largest size is above
        it, at least 0; and how fast that falls, from 0.5 to 2.
    largest : float
        The largest size that was fitted to.
    """

    floor: Floats
    excess: Floats
    rate: Floats
    largest: float

    def compute_at(self, size: float) -> Floats:
        """Evaluate each curve at a size.

        Returns
        -------
        array of float, shape (n_curves,)
            What is expected there.
        """
        return np.asarray(
            self.floor + self.excess * (size / self.largest) ** -self.rate, dtype=float
        )


def fit_power_laws(sizes: npt.ArrayLike, values: npt.ArrayLike) -> PowerLaws:
    """Fit inverse power laws by weighted non-linear least squares.

    The j-th smallest of m sizes has weight j / m: the law holds better for larger sizes. For
    each rate of a grid with steps of 0.01 the other two parameters are found exactly; the rate
    with the least sum of squares is taken, so that no start value decides.

    References
    ----------
    .. [1] Figueroa RL, Zeng-Treitler Q, Kandula S, Ngo LH. Predicting sample size required for
       classification performance. BMC Med Inform Decis Mak 2012;12:8.
    .. [2] Golub GH, Pereyra V. The differentiation of pseudo-inverses and nonlinear least squares
       problems whose variables separate. SIAM J Numer Anal 1973;10:413-432.

    Examples
    --------
    >>> law = fit_power_laws([25, 50, 100, 200], [[0.9, 0.7, 0.6, 0.55]])
    >>> round(float(law.rate[0]), 2), round(float(law.compute_at(400)[0]), 3)
    (1.0, 0.525)
    """
    size = np.asarray(sizes, dtype=float)
    curve = np.atleast_2d(np.asarray(values, dtype=float))
    if len(size) < 4 or not (np.diff(size) > 0).all():
        raise ValueError("a power law of three parameters needs four sizes or more, growing")
    weight = np.arange(1.0, len(size) + 1.0)
    weight /= weight.sum()
    mean = curve @ weight
    # A flat curve is the start, which every rate holds with an excess of 0.
    floor, excess, rate = mean.copy(), np.zeros(len(curve)), np.full(len(curve), 1.0)
    least = (curve - mean[:, None]) ** 2 @ weight
    for tried in _RATES:
        x = (size / size[-1]) ** -tried
        centred = weight * (x - weight @ x)
        slope = np.maximum(curve @ centred / (centred @ x), 0.0)
        level = mean - slope * float(weight @ x)
        # The floor of a loss is at least 0: on that border the line goes through the origin.
        below = level < 0.0
        slope = np.where(below, curve @ (weight * x) / float(weight @ x**2), slope)
        level = np.where(below, 0.0, level)
        squares = (curve - level[:, None] - slope[:, None] * x) ** 2 @ weight
        better = squares < least
        floor, excess = np.where(better, level, floor), np.where(better, slope, excess)
        rate, least = np.where(better, tried, rate), np.where(better, squares, least)
    return PowerLaws(floor, excess, rate, float(size[-1]))
