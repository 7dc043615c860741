"""Penalised fits against mgcv, and their average over penalties on known truth."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from glabella.models.penalised import Block, average_logistic, fit_logistic

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "penalised_reference.json").read_text()
)
DEVIATIONS = tuple(np.geomspace(0.02, 1.5, 10).tolist())


def draw(seed: int, n: int, effects: list[float]) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(n, len(effects)))
    responded = (random.random(n) < expit(matrix @ effects)).astype(int)
    return matrix, responded


@pytest.mark.parametrize("case", range(4))
def test_coefficients_and_marginal_likelihood_equal_those_of_mgcv(case: int) -> None:
    """mgcv 1.8.41 (R 4.2.2), 2026-11-24: penalised_reference.json."""
    matrix, responded = np.array(REFERENCE["x"]), np.array(REFERENCE["y"])
    wanted = REFERENCE["fits"][case]
    fit = fit_logistic(matrix, responded, np.full(3, wanted["precision"] ** -0.5))
    np.testing.assert_allclose(
        [fit.intercept, *fit.coefficients], wanted["coefficients"], atol=1e-9
    )
    # Laplace's approximation integrates over the intercept too; mgcv leaves out its constant.
    constant = 0.5 * np.log(2 * np.pi)
    assert fit.log_likelihood + constant == pytest.approx(-wanted["criterion"], abs=1e-7)


def test_a_fit_from_a_neighbour_ends_where_a_fit_from_nothing_does() -> None:
    matrix, responded = draw(1, 80, [1.0, 0.0, -0.5])
    deviations = np.full(3, 0.5)
    near = fit_logistic(matrix, responded, np.full(3, 0.4))
    np.testing.assert_allclose(
        fit_logistic(matrix, responded, deviations, start=near).coefficients,
        fit_logistic(matrix, responded, deviations).coefficients,
        atol=1e-7,
    )


def test_perfect_separation_and_columns_alike_end_in_finite_coefficients() -> None:
    matrix = np.repeat(np.arange(20.0)[:, None] - 9.5, 2, axis=1)
    fit = average_logistic([Block(matrix, DEVIATIONS)], (matrix[:, 0] > 0).astype(int))
    assert np.isfinite(fit.coefficients).all()
    assert fit.coefficients[0] == pytest.approx(fit.coefficients[1])


def test_more_columns_than_rows_are_fitted() -> None:
    matrix, responded = draw(2, 15, [0.5] * 40)
    responded[:2] = 0, 1
    assert np.isfinite(average_logistic([Block(matrix, DEVIATIONS)], responded).coefficients).all()


def test_the_average_shrinks_noise_and_keeps_effects() -> None:
    shrunk, kept = [], []
    for seed in range(20):
        matrix, responded = draw(seed, 150, [0.0] * 8)
        shrunk.append(average_logistic([Block(matrix, DEVIATIONS)], responded).coefficients)
        matrix, responded = draw(100 + seed, 1500, [1.0, -1.0])
        kept.append(average_logistic([Block(matrix, DEVIATIONS)], responded).coefficients)
    # Maximum likelihood would scatter by 2 / sqrt(150) = 0.16.
    assert np.std(shrunk) < 0.06
    np.testing.assert_allclose(np.mean(kept, axis=0), [1.0, -1.0], atol=0.05)


def test_blocks_are_shrunk_apart() -> None:
    matrix, responded = draw(3, 2000, [1.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    blocks = [Block(matrix[:, :2], DEVIATIONS), Block(matrix[:, 2:], DEVIATIONS)]
    apart = average_logistic(blocks, responded).coefficients
    together = average_logistic([Block(matrix, DEVIATIONS)], responded).coefficients
    assert np.abs(apart[2:]).sum() < 0.5 * np.abs(together[2:]).sum()
    np.testing.assert_allclose(apart[:2], together[:2], rtol=0.05)


def test_many_rows_settle_the_penalty_on_some_of_them_and_use_all() -> None:
    matrix, responded = draw(4, 30_000, [0.3, 0.0, -0.2])
    blocks = [Block(matrix, DEVIATIONS)]
    fit = average_logistic(blocks, responded, seed=1)
    np.testing.assert_array_equal(
        fit.coefficients, average_logistic(blocks, responded, seed=1).coefficients
    )
    # On so many rows the penalty is nothing: what comes out is the fit of all rows.
    free = fit_logistic(matrix, responded, np.full(3, 100.0))
    np.testing.assert_allclose(fit.coefficients, free.coefficients, atol=0.003)
