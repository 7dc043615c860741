"""The range over refits: asked for, of the bundle's own, and refused where there are none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import build_scoring_features, score_frame
from glabella.bundle.refits import REFITS_FILE, export_refits
from glabella.errors import BundleError
from glabella.models.build import export_model
from glabella.models.estimators.recalibrated import CalibratedModel


@pytest.fixture
def with_refits(trained):
    bundle = load_bundle(Path(trained[1].bundle))
    files = [export_model(CalibratedModel(bundle.model, 1.0, shift)) for shift in (-0.5, 0.2, 0.9)]
    return replace(bundle, further={**bundle.further, REFITS_FILE: export_refits(files)})


def test_the_range_is_from_the_lowest_to_the_highest_refit(with_refits, new_patients):
    table = new_patients.astype(str)
    table.loc[5, "age"] = "?"
    scored = score_frame(with_refits, table, uncertainty=True)
    kept = build_scoring_features(with_refits, table, arm=None)
    features = kept.features[kept.usable]
    drawn = np.array([model.predict_proba(features)[:, 1] for model in with_refits.refits])
    known = scored["status"] == "scored"
    assert scored.loc[known, "response_low"].tolist() == drawn.min(axis=0).tolist()
    assert scored.loc[known, "response_high"].tolist() == drawn.max(axis=0).tolist()
    assert scored.loc[5, ["response_low", "response_high"]].isna().all()
    plain = score_frame(with_refits, table)
    pd.testing.assert_frame_equal(scored[plain.columns], plain)
    assert list(scored.columns).index("response_low") == (
        list(scored.columns).index("response_probability") + 1
    )


def test_it_is_absent_unless_asked_for(with_refits, new_patients):
    assert "response_low" not in score_frame(with_refits, new_patients)


def test_a_bundle_without_refits_refuses_before_anything_is_read(trained, tmp_path):
    with pytest.raises(BundleError, match="has no refits") as caught:
        glabella.score(
            tmp_path / "none.csv",
            out=tmp_path / "out.csv",
            model=trained[1].bundle,
            uncertainty=True,
        )
    assert "explanation: {refits: 20}" in str(caught.value)
