"""The registered model is the bundle behind a pyfunc."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.definitions.locate import find_project
from glabella.tracking.store import load_mlflow, open_store


@pytest.fixture
def mlflow(trained):
    open_store(find_project(trained[0]))
    return load_mlflow()


def test_a_model_of_real_data_is_registered_as_challenger(trained, mlflow):
    model = mlflow.MlflowClient().get_registered_model("small")
    assert model.aliases == {"challenger": 1} or model.aliases == {"challenger": "1"}
    assert trained[1].model_uri == "models:/small/1"


def test_the_pyfunc_gives_the_bundles_scores_to_the_last_digit(trained, mlflow, new_patients):
    loaded = mlflow.pyfunc.load_model(trained[1].model_uri)
    ours = score_frame(load_bundle(Path(trained[1].bundle)), new_patients)
    pd.testing.assert_frame_equal(loaded.predict(new_patients), ours)
    placebo = loaded.predict(new_patients, params={"arm": "placebo"})
    assert (placebo["response_probability"] != ours["response_probability"]).any()


def test_the_pyfunc_refuses_a_faulty_row_in_its_place(trained, mlflow, new_patients):
    table = new_patients.astype(str)
    table.loc[2, "age"] = "forty"
    scored = mlflow.pyfunc.load_model(trained[1].model_uri).predict(table)
    assert scored["error"].iloc[2] == "age is not a number"
    assert np.isfinite(scored["response_probability"].drop(index=2)).all()


def test_the_signature_names_the_source_columns(trained, mlflow):
    signature = mlflow.models.get_model_info(trained[1].model_uri).signature
    assert set(signature.inputs.input_names()) == {
        "usubjid", "scale", "age", "sex", "illness", "ad",
        "depression_total", "frown_max", "frown_rest",
    }  # fmt: skip


def test_the_signature_names_a_later_visits_column(trained_early):
    open_store(find_project(trained_early[0]))
    signature = load_mlflow().models.get_model_info(trained_early[1].model_uri).signature
    assert set(signature.inputs.input_names()) == {
        "usubjid", "scale", "age", "depression_total", "depression_total_week_2",
    }  # fmt: skip


def test_nothing_in_the_logged_model_is_pickled(trained, mlflow):
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=trained[1].model_uri))
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert "serving.py" in names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
