"""CatBoost's trees: read off one fit, explained, restored, refused."""

import sys

import numpy as np
import pytest

from glabella.errors import AnalysisError
from glabella.models.build import export_model, restore_model
from glabella.models.estimators.ordered_boosting import CatBoostModel


def test_numbers_of_rounds_are_read_off_one_fit(sample):
    table, responded = sample(51)
    new, _ = sample(52)
    model = CatBoostModel(specs=table.specs, random_state=2)
    settings = [{"n_trees": 5, "max_depth": 2}, {"n_trees": 60, "max_depth": 2}, {"n_trees": 9}]
    together = model.predict_settings(settings, table.frame, responded, new.frame)
    for setting, found in zip(settings, together, strict=True):
        alone = CatBoostModel(specs=table.specs, random_state=2, **setting)
        alone.fit(table.frame, responded)
        np.testing.assert_allclose(found, alone.log_odds(new.frame), rtol=0, atol=1e-12)


def test_the_same_seed_grows_the_same_trees_and_no_files(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table, responded = sample(53)
    fits = [
        CatBoostModel(specs=table.specs, random_state=seed).fit(table.frame, responded)
        for seed in (1, 1, 2)
    ]
    states = [fit.export_state() for fit in fits]
    assert states[0] == states[1]
    assert states[0] != states[2]
    assert not list(tmp_path.iterdir())


def test_a_feature_that_no_tree_splits_on_contributes_nothing(sample):
    table, _ = sample(54)
    responded = (table.frame["severity"] > 50).to_numpy(dtype=int)
    model = CatBoostModel(specs=table.specs, random_state=1, n_trees=10, max_depth=1)
    found = model.fit(table.frame, responded).contributions(table.frame)
    assert np.abs(found.values[:, found.features.index("severity")]).min() > 0
    others = [at for at, name in enumerate(found.features) if name != "severity"]
    np.testing.assert_array_equal(found.values[:, others], 0)


def test_without_the_package_a_model_is_refused_with_what_to_install(sample, monkeypatch):
    table, responded = sample(55)
    files = export_model(CatBoostModel(specs=table.specs).fit(table.frame, responded))
    monkeypatch.setitem(sys.modules, "catboost", None)
    with pytest.raises(AnalysisError, match="not installed") as refused:
        restore_model(files, table.specs)
    assert refused.value.remedy == "Install the extra: pip install 'glabella[catboost]'"
