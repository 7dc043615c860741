"""The bundle behind MLflow's pyfunc, for `mlflow models serve` and `mlflow.pyfunc.load_model`.

MLflow runs this file itself when it loads the model (models from code), so nothing is pickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.tracking.store import load_mlflow

mlflow = load_mlflow()


class BundleModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """Scores a table as `glabella score` does."""

    def load_context(self, context: Any) -> None:
        """Load the bundle after checking its files."""
        self.bundle = load_bundle(Path(context.artifacts["bundle"]))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Score a table."""
        arm = (params or {}).get("arm") or None
        form = self.bundle.manifest.form.name
        return score_frame(self.bundle, model_input, arm=arm, form=form)


mlflow.models.set_model(BundleModel())
