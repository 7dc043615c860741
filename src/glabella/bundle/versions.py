"""The versions of the packages that shape a model's numbers."""

from __future__ import annotations

from importlib.metadata import version

_PACKAGES = (
    "mlflow", "numpy", "pandas", "scikit-learn", "scipy", "shap", "statsmodels", "xgboost",
)  # fmt: skip


def list_versions() -> dict[str, str]:
    """List the versions of this package and of those that shape its numbers."""
    return {name: version(name) for name in ("glabella", *_PACKAGES)}
