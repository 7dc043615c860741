"""Every definition that ships loads, and every analysis that ships resolves."""

from pathlib import Path

import pytest

from glabella.analysis.definition import Analysis
from glabella.data.dictionary import read_dictionary
from glabella.definitions.locate import Project
from glabella.features.clock import check_clock
from glabella.features.feature_set import FeatureSet
from glabella.models.build import check_candidate
from glabella.models.candidate import Candidate

ROOT = Path(__file__).resolve().parents[2]
# Evidence is of another kind, read by modules and tests of its own.
FEATURES = {path.stem for path in (ROOT / "features").glob("*.yaml")} - {"evidence", "predictors"}
DICTIONARIES = sorted(name for name in FEATURES if name.startswith("dictionary"))
FEATURE_SETS = sorted(FEATURES - set(DICTIONARIES))
CANDIDATES = sorted(path.stem for path in (ROOT / "models").glob("*.yaml"))
ANALYSES = sorted(path.stem for path in (ROOT / "pipelines").glob("*.yaml"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(definitions=ROOT, home=tmp_path)


def test_something_of_each_kind_ships() -> None:
    assert FEATURE_SETS
    assert {"prevalence", "arm_only", "severity", "ridge", "xgboost"} <= set(CANDIDATES)
    assert {"bont_pooled", "cdystonia"} <= set(ANALYSES)


def test_the_dictionary_loads(project: Project) -> None:
    assert len(read_dictionary(project).value.variables) > 5


@pytest.mark.parametrize("name", DICTIONARIES)
def test_each_dictionary_loads(project: Project, name: str) -> None:
    assert read_dictionary(project, name).value.variables


def test_every_dictionary_and_feature_set_serves_an_analysis(project: Project) -> None:
    analyses = [project.read_analysis(name, Analysis).value for name in ANALYSES]
    assert {analysis.dictionary for analysis in analyses} == set(DICTIONARIES)
    assert {analysis.features for analysis in analyses} == set(FEATURE_SETS)


@pytest.mark.parametrize("name", ANALYSES)
def test_a_feature_set_keeps_the_clock(project: Project, name: str) -> None:
    analysis = project.read_analysis(name, Analysis).value
    read = project.read("features", analysis.features, FeatureSet)
    check_clock(read.value, read_dictionary(project, analysis.dictionary).value, read.origin)


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_no_feature_set_holds_the_dose(project: Project, name: str) -> None:
    # Women got 29 U and men 39-40 U, and a cohort's dose was its site's: dose is sex, or site.
    read = project.read("features", name, FeatureSet)
    assert "dose_units" not in {feature.variable for feature in read.value.features}


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_loads_and_its_settings_exist(project: Project, name: str) -> None:
    check_candidate(project.read("models", name, Candidate))


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_loads(project: Project, name: str) -> None:
    assert project.read_analysis(name, Analysis).value.models


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_resolves(project: Project, name: str) -> None:
    from glabella.analysis.resolve import resolve_analysis

    resolved = resolve_analysis(name, project)
    assert resolved.name == name
    assert list(resolved.candidates) == list(resolved.analysis.value.models)
    assert f"pipelines/{name}.yaml" in resolved.texts
    assert len(resolved.definitions_hash) == 64


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_has_the_same_hash_by_name_and_by_path(project: Project, name: str) -> None:
    from glabella.analysis.resolve import resolve_analysis

    by_path = resolve_analysis(str(ROOT / "pipelines" / f"{name}.yaml"), project)
    assert by_path.name == name
    assert by_path.definitions_hash == resolve_analysis(name, project).definitions_hash


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        ("features: dystonia", "features: dystnia", "Did you mean 'dystonia'?"),
        ("severity, ridge", "severity, rigde", "Did you mean 'ridge'?"),
        ("  of: twstrs", "  of: twstr", "Did you mean 'twstrs'?"),
        ("  of: twstrs", "  of: age_years", "`timing: visit`"),
    ],
)
def test_a_name_that_an_analysis_misspells_is_answered_with_its_line(
    project: Project, tmp_path: Path, old: str, new: str, remedy: str
) -> None:
    from glabella.analysis.resolve import resolve_analysis
    from glabella.errors import DefinitionError

    text = (ROOT / "pipelines" / "cdystonia.yaml").read_text()
    assert text.count(old) == 1
    path = tmp_path / "own.yaml"
    path.write_text(text.replace(old, new))
    line = 1 + next(i for i, row in enumerate(path.read_text().splitlines()) if new in row)
    with pytest.raises(DefinitionError) as caught:
        resolve_analysis(str(path), project)
    assert caught.value.place == f"{path.as_posix()}:{line}"
    assert remedy in str(caught.value.remedy)
