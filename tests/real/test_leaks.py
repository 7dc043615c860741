"""Real tables: the analyses as they stand leak nothing, and columns under false names are found."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from glabella.analysis.loaded.load import load_analysis
from glabella.analysis.loaded.outcomes import derive_for
from glabella.analysis.loaded.tables import load_tables
from glabella.analysis.resolve import ResolvedAnalysis, resolve_analysis
from glabella.data.checks import Finding
from glabella.data.endpoints.derive import Outcomes
from glabella.data.examples import write_example
from glabella.data.tables import PatientTables
from glabella.definitions.locate import find_project
from glabella.domain.timing import parse_moment
from glabella.features.assemble import build_features
from glabella.features.leakage.imputed_sources import find_imputed_leaks
from glabella.features.leakage.leaks import find_leaks

STUDY = Path(__file__).parent / "study"


def hold(
    resolved: ResolvedAnalysis, tables: PatientTables, outcomes: Outcomes
) -> dict[str, Finding]:
    """Hold the features of an analysis against what came later, by the feature's name."""
    analysis = resolved.analysis.value
    feature_set, dictionary = resolved.feature_set.value, resolved.dictionary.value
    features = build_features(
        tables,
        feature_set,
        dictionary,
        arms=analysis.arms,
        endpoint_variable=analysis.endpoint.of,
    )
    found = find_leaks(
        features,
        outcomes.frame,
        tables,
        clock=parse_moment(feature_set.predict_at),
        endpoint_variable=analysis.endpoint.of,
    )
    found = (*found, *find_imputed_leaks(tables, feature_set, dictionary))
    return {item.place.split("'")[1]: item for item in found}


def look(name: str, home: Path, data: Path | None) -> dict[str, Finding]:
    """Find the leaks of an analysis that loads."""
    loaded = load_analysis(name, find_project(home), data=data)
    return hold(loaded.resolved, loaded.tables, loaded.outcomes)


def look_at_planted(name: str, home: Path, data: Path) -> dict[str, Finding]:
    """Find the leaks of an analysis step by step, since it need not load."""
    project = find_project(home)
    resolved = resolve_analysis(name, project)
    tables = load_tables(resolved, data, project)
    outcomes = derive_for(resolved, tables, resolved.analysis.value.endpoint)
    return hold(resolved, tables, outcomes)


@pytest.fixture
def project(checkout: Path, tmp_path: Path) -> Path:
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("heart", "heart_disease_4sites"),
        ("dvt", "dvt_ipd"),
        ("actg", "actg175"),
        ("pep", "indomethacin_pep"),
        ("jobs", "jobs2_depression"),
    ],
)
def test_no_feature_of_the_study_is_refused_or_doubted(tables, name, table):
    assert look(name, STUDY, tables / table) == {}


def test_no_feature_of_cdystonia_is_refused_or_doubted(tables, checkout):
    assert look("cdystonia", checkout, tables / "cdystonia_bont") == {}


@pytest.mark.parametrize("name", ["beat_the_blues", "cdisc_pilot", "indomethacin_pep"])
def test_no_feature_of_an_example_is_refused_or_doubted(checkout, tmp_path, name):
    write_example(name, tmp_path)
    assert look(name, checkout, tmp_path) == {}


def test_no_feature_of_the_simulated_trials_is_refused_or_doubted(checkout):
    assert look("bont_pooled", checkout, None) == {}


def add(project: Path, name: str, variable: str, column: str, *, dictionary: str) -> None:
    """Use a column of the participants' file as a feature, said to be known at baseline."""
    path = project / "features" / f"{dictionary}.yaml"
    path.write_text(path.read_text() + f"  planted: {{label: P, {variable}}}\n")
    features = {"cdystonia": "dystonia"}.get(name, name)
    path = project / "features" / f"{features}.yaml"
    path.write_text(path.read_text() + "  - {name: planted}\n")
    path = project / "pipelines" / f"{name}.yaml"
    path.write_text(path.read_text().replace("variables: {", f"variables: {{planted: {column}, "))


def plant(project: Path, folder: Path, table: pd.DataFrame, column: str) -> dict[str, Finding]:
    """Give Beat the Blues a further column."""
    write_example("beat_the_blues", folder)
    path = folder / "participants.csv"
    frame = pd.read_csv(path)
    frame["planted"] = table[column].to_numpy()
    frame.to_csv(path, index=False)
    variable = "type: number, range: [-100, 100]"
    add(project, "beat_the_blues", variable, "planted", dictionary="dictionary_beat_the_blues")
    return look_at_planted("beat_the_blues", project, folder)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("bdi_2m", "it equals 'depression_total' at the endpoint in"),
        ("bdi_last", "it equals 'depression_total' at "),
        ("response_2m", "it decides the outcome of all 97 participants"),
        ("bdi_6m", "it equals 'depression_total' at week 26.1 in"),
    ],
)
def test_a_later_inventory_under_another_name_is_found(tables, project, tmp_path, column, words):
    table = pd.read_csv(tables / "beat_the_blues" / "data.csv")
    found = plant(project, tmp_path / "data", table, column)
    assert set(found) == {"planted"}
    assert found["planted"].severity == "stop"
    assert found["planted"].finding.startswith(words)


def test_the_inventory_before_treatment_under_another_name_passes(tables, project, tmp_path):
    table = pd.read_csv(tables / "beat_the_blues" / "data.csv")
    assert plant(project, tmp_path / "data", table, "bdi_pre") == {}


@pytest.mark.parametrize("by", [1, -1])
def test_a_change_of_the_torticollis_scale_is_found(tables, project, tmp_path, by):
    frame = pd.read_csv(tables / "cdystonia_bont" / "data.csv")
    frame["planted"] = by * (frame["twstrs_w4"] - frame["twstrs_w0"])
    frame.to_csv(tmp_path / "data.csv", index=False)
    variable = "type: number, range: [-100, 100]"
    add(project, "cdystonia", variable, "planted", dictionary="dictionary")
    found = look_at_planted("cdystonia", project, tmp_path)
    assert found["planted"].severity == "stop"
    assert "it equals the change of 'twstrs' at the endpoint in" in found["planted"].finding


def look_at_pilot(
    project: Path, folder: Path, source: Path, column: str, codes: str
) -> dict[str, Finding]:
    """Give the pilot study's ADSL a flag under a name that says nothing, and use it."""
    import pyreadstat

    folder.mkdir()
    frame, _ = pyreadstat.read_xport(str(source / "adsl.xpt"))
    pyreadstat.write_xport(frame.assign(PLANTED=frame[column]), str(folder / "adsl.xpt"))
    shutil.copy(source / "adadas.xpt", folder)
    path = project / "features" / "dictionary_cdisc_pilot.yaml"
    entry = f"  planted: {{label: P, type: category, codes: {codes}}}\n"
    path.write_text(path.read_text() + entry)
    path = project / "features" / "cdisc_pilot.yaml"
    path.write_text(path.read_text() + "  - {name: planted}\n")
    return look_at_planted("cdisc_pilot", project, folder)


@pytest.mark.parametrize("column", ["COMP24FL", "DISCONFL"])
def test_a_flag_of_who_stayed_under_a_name_that_says_nothing_is_warned_of(
    tables, project, tmp_path, column
):
    codes = "{Y: yes, N: no}"
    found = look_at_pilot(project, tmp_path / "pilot", tables / "cdisc_pilot", column, codes)
    assert set(found) == {"planted"}
    # Some who stopped came back for their week 24, so it does not say so of everybody.
    assert found["planted"].severity == "warn"
    assert "it may show who stayed in the trial" in found["planted"].finding


def test_who_had_a_score_at_week_24_under_a_name_that_says_nothing_is_refused(
    tables, project, tmp_path
):
    import pyreadstat

    source, whole = tables / "cdisc_pilot", tmp_path / "whole"
    shutil.copytree(source, whole)
    frame, _ = pyreadstat.read_xport(str(source / "adsl.xpt"))
    scores, _ = pyreadstat.read_xport(str(source / "adadas.xpt"))
    is_seen = (scores["PARAMCD"] == "ACTOT") & (scores["AVISIT"] == "Week 24")
    seen = scores[is_seen & (scores["DTYPE"].fillna("") == "")]["USUBJID"]
    frame["STAYED"] = frame["USUBJID"].isin(seen).map({True: "Y", False: "N"})
    pyreadstat.write_xport(frame, str(whole / "adsl.xpt"))
    codes = "{Y: yes, N: no}"
    found = look_at_pilot(project, tmp_path / "pilot", whole, "STAYED", codes)
    assert found["planted"].severity == "stop"
    assert found["planted"].finding.endswith(
        "who have an observed endpoint, which is known only later"
    )
