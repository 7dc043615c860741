"""The wheel holds what git holds of package and definitions, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    code = (
        "from hatchling.builders.wheel import WheelBuilder;"
        f"print(next(WheelBuilder({str(checkout)!r}).build(directory={str(folder)!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip().splitlines()[-1])


def _tracked(checkout: Path) -> list[str]:
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "src",
         "docs/glossary.md", "docs/validation_study/claims.csv",
         "docs/validation_study/figures.csv", "features", "models", "pipelines"],
        cwd=checkout, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip("this is no git checkout, so there is no list to compare with")
    return [name for name in done.stdout.splitlines() if (checkout / name).is_file()]


def test_the_wheel_holds_package_and_definitions_once(wheel, checkout):
    expected = {
        name.removeprefix("src/") if name.startswith("src/") else f"glabella/shipped/{name}"
        for name in _tracked(checkout)
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_no_table_is_in_the_wheel(wheel):
    endings = {
        Path(name).suffix
        for name in zipfile.ZipFile(wheel).namelist()
        if "/validation_study/" not in name
    }
    assert not endings & {".csv", ".parquet", ".xpt", ".db", ".pkl"}


def test_the_wheel_finds_its_definitions_when_installed(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "from glabella.definitions.locate import find_project, find_shipped;"
        "print(find_shipped()); print(find_project().list_names('pipelines'))"
    )
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True, capture_output=True, text=True, cwd=tmp_path / "elsewhere",
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": ""},
    )  # fmt: skip
    shipped, names = done.stdout.splitlines()
    assert shipped == str(tmp_path / "site" / "glabella" / "shipped")
    assert "'bont_pooled'" in names


def test_the_lock_names_no_host_and_hashes_everything(checkout):
    text = (checkout / "requirements.lock").read_text()
    assert "://" not in text
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#", "-"))]
    assert len(entries) > 50
    assert all(line.rstrip().endswith("\\") for line in entries)


def test_the_wheel_says_that_it_is_typed(wheel):
    assert "glabella/py.typed" in zipfile.ZipFile(wheel).namelist()
