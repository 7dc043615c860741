"""Curves and products: what they are, what they add, and whom it belongs to."""

import itertools
import math

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import expit

from glabella.models.encoding import fit_encoding
from glabella.models.estimators.linear import SplineModel, TreatmentInteractionModel
from glabella.models.expansion import Expansion, fit_curves, fit_products


def encode(sample, seed=1):
    table, responded = sample(seed)
    specs = [spec for spec in table.specs if spec.part != "trial"]
    encoding = fit_encoding(table.frame, specs, fill_and_scale=True)
    return encoding, encoding.transform(table.frame), table, responded


def test_numbers_with_values_enough_get_a_curve(sample):
    encoding, matrix, _, _ = encode(sample)
    names = [encoding.columns[curve.column].feature for curve in fit_curves(matrix, encoding)]
    # A grade from 0 to 3 has four values, its median one of them.
    assert names == ["severity", "age_years"]


def test_a_curve_is_a_natural_cubic_spline_without_mean_and_slope(sample):
    encoding, matrix, _, _ = encode(sample)
    for curve in fit_curves(matrix, encoding):
        values = matrix[:, curve.column]
        parts = curve.transform(values)
        np.testing.assert_allclose(parts.mean(axis=0), 0, atol=1e-10)
        np.testing.assert_allclose(values @ parts, 0, atol=1e-8)
        within = np.linspace(curve.knots[0], curve.knots[-1], 50)
        knots = np.array(curve.knots)
        # scipy's natural spline through the values at the knots is the same function.
        natural = CubicSpline(knots, curve.transform(knots), bc_type="natural")
        np.testing.assert_allclose(natural(within), curve.transform(within), atol=1e-9)


def test_the_more_a_part_bends_the_smaller_it_is(sample):
    encoding, matrix, _, _ = encode(sample)
    for curve in fit_curves(matrix, encoding):
        spread = curve.transform(matrix[:, curve.column]).std(axis=0)
        assert spread[0] == pytest.approx(1.0)
        assert (np.diff(spread) < 0).all()


def test_beyond_the_training_range_a_curve_stays_where_it_ended(sample):
    encoding, matrix, _, _ = encode(sample)
    curve = fit_curves(matrix, encoding)[0]
    np.testing.assert_array_equal(
        curve.transform(np.array([curve.high, curve.high + 5.0]))[0],
        curve.transform(np.array([curve.high + 50.0]))[0],
    )


def test_products_are_of_each_column_with_the_arm(sample):
    encoding, matrix, _, _ = encode(sample)
    products = fit_products(matrix, encoding, ["arm"])
    names = [encoding.columns[item.left].feature for item in products]
    assert names == ["severity", "age_years", "grade", "sex", "drug", "drug", "drug"]
    made = Expansion((), products).transform(matrix)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-12)


def test_an_expansion_comes_back_from_plain_values(sample):
    encoding, matrix, _, _ = encode(sample)
    made = Expansion(fit_curves(matrix, encoding), fit_products(matrix, encoding, ["arm"]))
    assert Expansion.restore(made.export(), len(encoding.columns)) == made


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("curves"),
        lambda c: c.update(more=[]),
        lambda c: c["curves"][0].update(column=99),
        lambda c: c["curves"][0].update(column=True),
        lambda c: c["curves"][0].update(knots=[1.0, 0.0, 2.0]),
        lambda c: c["curves"][0].update(mix=c["curves"][0]["mix"][1:]),
        lambda c: c["curves"][0].update(low=float("nan")),
        lambda c: c["products"][0].update(left=-1),
        lambda c: c["products"][0].update(scale=0.0),
    ],
)
def test_an_altered_expansion_is_refused(sample, change):
    encoding, matrix, _, _ = encode(sample)
    made = Expansion(fit_curves(matrix, encoding), fit_products(matrix, encoding, ["arm"]))
    content = made.export()
    content = {name: list(content[name]) for name in content}
    change(content)
    with pytest.raises(ValueError, match=r"expansion|curve|product|finite"):
        Expansion.restore(content, len(encoding.columns))


def shapley(function, row, background):
    """Shapley values against one background row, from their definition."""
    features = len(row)
    values = np.zeros(features)
    for chosen in range(features):
        others = [index for index in range(features) if index != chosen]
        for size in range(features):
            weight = 1.0 / (features * math.comb(features - 1, size))
            for known in itertools.combinations(others, size):
                without = background.copy()
                without[list(known)] = row[list(known)]
                within = without.copy()
                within[chosen] = row[chosen]
                values[chosen] += weight * (function(within) - function(without))
    return values


def test_halves_of_products_are_shapley_values_against_the_mean(sample):
    encoding, matrix, _, _ = encode(sample)
    # Numbers and the arm alone: one column a feature, so that features can be switched one by one.
    chosen = [0, 1, 2, len(encoding.columns) - 1]
    columns = tuple(encoding.columns[at] for at in chosen)
    small = type(encoding)(columns)
    design = matrix[:, chosen]
    products = fit_products(design, small, ["arm"])
    coefficients = np.array([0.7, -0.4, 0.2])
    expansion = Expansion((), products)
    names = [column.feature for column in columns]
    shared, constant = expansion.attribute(design, coefficients, small, names)

    def predict(row):
        return float((expansion.transform(row[None, :]) @ coefficients)[0])

    for at in range(5):
        expected = shapley(predict, design[at], np.zeros(4))
        np.testing.assert_allclose(shared[at], expected, atol=1e-12)
        assert shared[at].sum() + constant == pytest.approx(predict(design[at]))


def test_a_curve_is_found_where_there_is_one_and_not_where_there_is_none(sample):
    bent, straight = [], []
    for seed in range(5):
        table, _ = sample(seed, n=600)
        random = np.random.default_rng(seed)
        age = (table.frame["age_years"].fillna(54.0) - 54.0) / 20.0
        truth = 1.5 * age**2 - 1.0
        responded = (random.random(600) < expit(truth)).astype(int)
        model = SplineModel(table.specs).fit(table.frame, responded)
        bent.append(np.corrcoef(model.log_odds(table.frame), truth)[0, 1])
        responded = (random.random(600) < expit(age)).astype(int)
        model = SplineModel(table.specs).fit(table.frame, responded)
        parts = model.coefficients_[len(model.encoding_.columns) :]
        straight.append(np.abs(parts).max())
    assert min(bent) > 0.85
    assert np.mean(straight) < 0.15


def test_an_interaction_is_found_where_there_is_one_and_not_where_there_is_none(sample):
    found, absent = [], []
    for seed in range(5):
        table, _ = sample(seed, n=600)
        random = np.random.default_rng(seed)
        severity = (table.frame["severity"].fillna(50.0) - 50.0) / 10.0
        active = (table.frame["arm"] == "bont").astype(float)
        for effect, kept in ((1.5, found), (0.0, absent)):
            truth = 0.3 * severity + effect * severity * (active - 0.5)
            responded = (random.random(600) < expit(truth)).astype(int)
            model = TreatmentInteractionModel(table.specs).fit(table.frame, responded)
            kept.append(abs(model.coefficients_[len(model.encoding_.columns)]))
    assert min(found) > 0.6
    assert max(absent) < 0.25
