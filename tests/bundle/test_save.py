"""A bundle holds data only, and is saved whole or not at all."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from glabella.bundle.load import ALLOWED_FILES, load_bundle
from glabella.bundle.save import write_bundle
from glabella.errors import BundleError


def test_a_bundle_holds_only_the_allowed_files(trained):
    _, result = trained
    assert {path.name for path in Path(result.bundle).iterdir()} <= ALLOWED_FILES


def test_a_bundle_holds_no_participant(trained):
    project, result = trained
    ids = set(re.findall(r"P-\d{3}", (project / "participants.csv").read_text()))
    text = "".join(path.read_text(errors="replace") for path in Path(result.bundle).iterdir())
    assert ids
    assert not ids & set(re.findall(r"P-\d{3}", text))


def test_an_existing_bundle_is_not_overwritten(trained):
    _, result = trained
    with pytest.raises(BundleError, match="already there"):
        write_bundle(Path(result.bundle), load_bundle(Path(result.bundle)).manifest, {})


def test_no_source_file_pickles(checkout):
    pattern = re.compile(
        r"^\s*(import|from)\s+(pickle|cloudpickle|dill|joblib\.numpy_pickle)\b|joblib\.(dump|load)",
        re.M,
    )
    found = [path for path in (checkout / "src").rglob("*.py") if pattern.search(path.read_text())]
    assert found == []


def test_loading_and_scoring_import_neither_mlflow_nor_shap(trained):
    _, result = trained
    code = (
        "import sys; from pathlib import Path; from glabella.bundle.load import load_bundle;"
        f"load_bundle(Path({result.bundle!r}));"
        "print({'mlflow', 'shap', 'pickle5'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
