"""The versions of the packages that shape a fit or a score, here and on a cluster's workers."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "glabella", "mlflow", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "shap",
    "statsmodels", "xgboost",
)  # fmt: skip
MISSING = "missing"


def list_versions() -> dict[str, str]:
    """List the versions, on this machine, of the packages that shape results."""
    return {name: _find_version(name) for name in PACKAGES}


def list_other_versions(there: dict[str, str]) -> list[str]:
    """List the packages that a worker has in another version than this machine."""
    return [
        f"{name} {there.get(name, MISSING)} instead of {here}"
        for name, here in list_versions().items()
        if there.get(name, MISSING) != here
    ]


def _find_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return MISSING
