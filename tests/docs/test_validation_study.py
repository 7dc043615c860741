"""The page of the validation study is made of the small tables, and its lines can be run."""

import shutil
import sys

import pytest

from glabella.analysis.resolve import resolve_analysis
from glabella.definitions.locate import Project
from glabella.simulation.scenario.reading import read_scenario


@pytest.fixture
def benchmarks(checkout, monkeypatch):
    monkeypatch.syspath_prepend(str(checkout / "benchmarks"))
    yield checkout / "benchmarks"
    for name in (
        "study_tables",
        "study_coverage",
        "study_recovery",
        "study_page",
        "validation_study",
    ):
        sys.modules.pop(name, None)


def test_the_page_is_what_the_tables_make_of_it(benchmarks, checkout, tmp_path, capsys):
    from study_page import write_page

    tables = tmp_path / "validation_study"
    shutil.copytree(checkout / "docs" / "validation_study", tables)
    (tables / "recovery.svg").unlink()
    write_page(tables, tmp_path / "page.md")
    committed = (checkout / "docs" / "validation_study.md").read_text()
    assert (tmp_path / "page.md").read_text() == committed
    assert "<svg" in (tables / "recovery.svg").read_text()
    # No aim is widened silently: what was not met is listed at the top.
    assert ("BROKEN" in capsys.readouterr().out) == ("Aims that were not met" in committed)
    for number in range(1, 8):
        assert f"## {number}. " in committed


def test_every_line_can_be_run(benchmarks, checkout):
    from validation_study import ANALYSES, list_lines

    project = Project(definitions=checkout, home=checkout)
    lines = list_lines()
    assert {line.analysis for line in lines.values()} == {
        path.stem for path in ANALYSES.glob("*.yaml")
    }
    for line in lines.values():
        resolved = resolve_analysis(str(ANALYSES / f"{line.analysis}.yaml"), project)
        assert resolved.analysis.value.effort == "quick"
        assert read_scenario(project, line.scenario).value.size > 0
