"""A column whose standard name says that it is settled later is no baseline variable."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import glabella
from glabella.analysis.resolve import resolve_analysis
from glabella.definitions.locate import find_project
from glabella.errors import ClockError

CODES = "type: category, codes: {Y: stayed, N: left}"
DICTIONARY = """\
kind: dictionary
description: x
variables:
  adas_cog: {label: Total, type: score, scale: adas_cog11, timing: visit}
"""
FEATURES = """\
kind: feature_set
description: x
predict_at: PREDICT
features:
  - {name: severity, builder: baseline_score, of: adas_cog}
"""


@pytest.fixture
def project(checkout: Path, tmp_path: Path) -> Path:
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, tmp_path / name)
    return tmp_path


def declare(project: Path, variable: str, mapped: str = "", predict_at: str = "baseline") -> None:
    """Add a variable to the pilot study's analysis, and use it as a feature."""
    name = variable.split(":")[0].strip()
    entry = f"  {variable}\n"
    (project / "features" / "dictionary_cdisc_pilot.yaml").write_text(DICTIONARY + entry)
    features = FEATURES.replace("PREDICT", predict_at) + f"  - {{name: {name}}}\n"
    (project / "features" / "cdisc_pilot.yaml").write_text(features)
    path = project / "pipelines" / "cdisc_pilot.yaml"
    path.write_text(path.read_text().replace("      site: SITEGR1\n", mapped))


def resolve(project: Path) -> tuple[str, ...]:
    """Resolve the analysis and name its features."""
    resolved = resolve_analysis("cdisc_pilot", find_project(project))
    return tuple(feature.name for feature in resolved.feature_set.value.features)


def refuse(project: Path) -> str:
    with pytest.raises(ClockError) as caught:
        resolve(project)
    return str(caught.value)


def test_a_completers_flag_mapped_to_a_baseline_variable_is_refused_with_its_line(
    project: Path,
) -> None:
    declare(project, f"stayed: {{label: S, {CODES}}}", "      variables: {stayed: COMP24FL}\n")
    assert refuse(project) == (
        "pipelines/cdisc_pilot.yaml:10: the column 'COMP24FL' is by its name settled only at week "
        "24, and 'stayed' is known at baseline\n"
        "  Leave the feature out, and write `timing: week 24` in the dictionary."
    )


def test_a_variable_whose_own_name_leads_to_such_a_column_is_refused_in_the_dictionary(
    project: Path,
) -> None:
    declare(project, f"disconfl: {{label: D, {CODES}}}")
    assert refuse(project) == (
        "features/dictionary_cdisc_pilot.yaml:5: the column 'DISCONFL' is by its name settled only "
        "at the end of follow-up, and 'disconfl' is known at baseline\n"
        "  Leave the feature out, and write `timing: end` in the dictionary."
    )


@pytest.mark.parametrize("column", ["TRTDURD", "chg", "PCHG", "AVAL", "CUMDOSE", "EFFFL"])
def test_what_is_measured_after_treatment_began_is_refused(project: Path, column: str) -> None:
    variable = "much: {label: M, type: number, range: [0, 9]}"
    declare(project, variable, f"      variables: {{much: {column}}}\n")
    assert f"the column '{column}' is by its name settled only" in refuse(project)


def test_a_column_of_plain_files_is_held_to_its_name_as_well(small_project: Path) -> None:
    path = small_project / "pipelines" / "small.yaml"
    path.write_text(path.read_text().replace("illness_months: illness", "illness_months: TRTDURD"))
    with pytest.raises(ClockError) as caught:
        glabella.check("small", project=small_project)
    assert str(caught.value).startswith(
        "pipelines/small.yaml:14: the column 'TRTDURD' is by its name settled only at the end of "
        "follow-up, and 'illness_months' is known at baseline"
    )


def test_a_completers_flag_of_week_8_predicts_from_week_8(project: Path) -> None:
    variable = f"stayed: {{label: S, {CODES}, timing: week 8}}"
    declare(project, variable, "      variables: {stayed: COMP8FL}\n", "week 8")
    assert "stayed" in resolve(project)


def test_a_completers_flag_of_week_16_is_not_known_at_week_8(project: Path) -> None:
    variable = f"stayed: {{label: S, {CODES}, timing: week 8}}"
    declare(project, variable, "      variables: {stayed: COMP16FL}\n", "week 8")
    assert "settled only at week 16, and 'stayed' is known at week 8" in refuse(project)


def test_a_change_known_at_its_week_passes(project: Path) -> None:
    variable = "early: {label: E, type: number, range: [-9, 9], timing: week 8}"
    declare(project, variable, "      variables: {early: CHG}\n", "week 8")
    assert "early" in resolve(project)


def test_a_declared_end_is_refused_by_the_clock(project: Path) -> None:
    declare(project, f"eosstt: {{label: S, {CODES}, timing: end}}")
    assert "uses 'eosstt', known only at the end of follow-up" in refuse(project)


def test_a_late_column_that_no_feature_uses_passes(project: Path) -> None:
    declare(project, f"stayed: {{label: S, {CODES}}}", "      variables: {stayed: COMP24FL}\n")
    features = project / "features" / "cdisc_pilot.yaml"
    features.write_text(features.read_text().replace("  - {name: stayed}\n", ""))
    assert "stayed" not in resolve(project)


@pytest.mark.parametrize("setting", ["population: COMP24FL", "analysis_flag: COMPLFL"])
def test_choosing_those_who_stayed_is_refused(project: Path, setting: str) -> None:
    declare(project, "age_years: {label: A, type: number, range: [0, 99]}", f"      {setting}\n")
    flag = setting.split(": ")[1]
    assert refuse(project) == (
        f"pipelines/cdisc_pilot.yaml:10: '{flag}' chooses participants by whether they stayed, "
        "which is known only later\n"
        "  Take everybody who was randomised or treated, and say what a missing outcome means with "
        "`missing:` of the endpoint."
    )


@pytest.mark.parametrize("flag", ["ITTFL", "FASFL", "EFFFL", "PPROTFL", "all"])
def test_other_populations_are_not_refused(project: Path, flag: str) -> None:
    variable = "age_years: {label: A, type: number, range: [0, 99]}"
    declare(project, variable, f"      population: {flag}\n")
    assert "age_years" in resolve(project)
