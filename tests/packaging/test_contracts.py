"""The contracts of the layers and rooms bite: a forbidden import makes them fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = {
    "a layer above": (
        "data/tables.py",
        "from glabella.pipelines.training.train import train",
        "Imports point down BROKEN",
    ),
    "another job": (
        "pipelines/promotion/gate.py",
        "from glabella.pipelines.training.train import train",
        "Jobs do not know each other BROKEN",
    ),
    "a room above": (
        "validation/folds/seeds.py",
        "from glabella.validation.adequacy.stability import *",
        "The rooms of validation point down BROKEN",
    ),
    "mlflow": ("scoring/batch.py", "import mlflow", "Only tracking imports mlflow BROKEN"),
}


def lint(checkout: Path, copy: Path) -> subprocess.CompletedProcess[str]:
    command = "import sys; from importlinter.cli import lint_imports_command; "
    command += "sys.argv = ['lint-imports', '--no-cache']; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=copy,
        env={"PYTHONPATH": str(copy / "src"), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def copy(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(checkout / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(checkout / "pyproject.toml", folder / "pyproject.toml")
    return folder


def test_the_code_as_it_is_keeps_them(checkout: Path, copy: Path) -> None:
    done = lint(checkout, copy)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_a_forbidden_import_breaks_its_contract(checkout: Path, copy: Path, kind: str) -> None:
    file, line, told = FORBIDDEN[kind]
    path = copy / "src" / "glabella" / file
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n\n{line}\n", encoding="utf-8")
    try:
        done = lint(checkout, copy)
    finally:
        path.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert told in done.stdout
