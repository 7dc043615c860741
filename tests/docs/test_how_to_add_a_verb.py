"""The steps of the page, done on a copy of the package: the command runs, and is in the help."""

import os
import re
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def package(checkout, tmp_path_factory):
    text = (checkout / "docs" / "how_to_add_a_verb.md").read_text("utf-8")
    blocks = re.findall(r"   ```python\n(.*?)   ```", text, flags=re.DOTALL)
    command, entry = (re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in blocks)
    root = tmp_path_factory.mktemp("package")
    for folder in ("docs", "features", "models", "pipelines"):
        shutil.copytree(checkout / folder, root / folder)
    shutil.copytree(checkout / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "src" / "glabella" / "cli" / "verbs" / "features.py").write_text(command)
    main = root / "src" / "glabella" / "cli" / "main.py"
    head, rest = main.read_text().split("VERBS = {\n", 1)
    main.write_text(f"{head}VERBS = {{\n{entry}{rest}")
    return root


def _run(package, *words):
    return subprocess.run(
        [sys.executable, "-m", "glabella", *words],
        capture_output=True, text=True, cwd=package,
        env={**os.environ, "PYTHONPATH": str(package / "src")},
    )  # fmt: skip


def test_the_command_of_the_page_runs(package):
    done = _run(package, "features", "clinical")
    assert done.returncode == 0, done.stderr
    assert "age_years" in done.stdout.split()


def test_it_is_listed_and_has_its_own_help(package):
    assert "List the features of a set." in _run(package, "--help").stdout
    assert "glabella features clinical" in _run(package, "features", "--help").stdout


def test_a_wrong_argument_is_refused_like_that_of_any_command(package):
    done = _run(package, "features", "clinicle")
    assert done.returncode == 1
    assert "clinical" in done.stderr
    assert "Traceback" not in done.stderr
