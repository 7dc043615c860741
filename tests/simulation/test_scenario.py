"""A scenario is read as declared, agrees with what is published, and refuses the impossible."""

from pathlib import Path

import pytest

from glabella.data.evidence import Evidence
from glabella.definitions.locate import Project
from glabella.definitions.reader import parse_definition
from glabella.errors import DefinitionError
from glabella.simulation.scenario import Scenario, read_scenario

ROOT = Path(__file__).resolve().parents[2]
NAME = "pipelines/scenarios/bont_pooled.yaml"
TEXT = (ROOT / NAME).read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(definitions=ROOT, home=tmp_path)


@pytest.fixture
def scenario(project: Project) -> Scenario:
    return read_scenario(project, "bont_pooled").value


@pytest.fixture
def evidence(project: Project) -> Evidence:
    return project.read("features", "evidence", Evidence).value


def refuse(old: str, new: str) -> tuple[DefinitionError, int]:
    """Read the shipped scenario with its first `old` replaced; give the refusal and the line."""
    assert old in TEXT
    line = 1 + TEXT[: TEXT.index(old)].count("\n")
    with pytest.raises(DefinitionError) as caught:
        parse_definition(TEXT.replace(old, new, 1), Scenario, name=NAME)
    return caught.value, line


def test_trials_have_their_own_scale_and_visits(scenario: Scenario) -> None:
    assert {trial.id: trial.scale for trial in scenario.trials} == {
        "wollmer2012": "hamd17",
        "finzi2014": "madrs",
        "magid2014": "hamd21",
        "brin2020": "madrs",
        "onadep2024": "madrs",
    }
    weeks = {trial.id: trial.weeks for trial in scenario.trials}
    assert weeks["wollmer2012"] == (0, 2, 4, 6, 8, 12, 16)
    assert weeks["finzi2014"] == (0, 3, 6)
    assert weeks["brin2020"] == (0, 3, 6, 9, 12, 15, 18, 21, 24)
    assert weeks["onadep2024"] == (0, 6, 12)


def test_magid_ends_where_its_arms_cross_over(scenario: Scenario) -> None:
    (magid,) = [trial for trial in scenario.trials if trial.id == "magid2014"]
    assert magid.weeks == (0, 3, 6, 12)


def test_a_declared_rate_is_the_published_one(scenario: Scenario, evidence: Evidence) -> None:
    declared = {
        (trial.id, arm.code): arm.response
        for trial in scenario.trials
        for arm in trial.arms
        if not arm.cohort
    }
    assert set(declared) == {(item.trial, item.arm) for item in evidence.response_week6}
    for item in evidence.response_week6:
        k, n = item.responders, item.analysed
        # None of 19 does not make response impossible: half a participant more.
        published = k / n if k else (k + 0.5) / (n + 1)
        assert declared[item.trial, item.arm] == pytest.approx(published, abs=5e-4)


def test_nothing_is_calibrated_to_what_is_only_recalled(evidence: Evidence) -> None:
    assert {item.confidence for item in evidence.response_week6} == {"read"}


def test_the_counts_add_to_the_pooled_analysis(evidence: Evidence) -> None:
    # Magid 2015, individual patients of the first three trials: 32 of 59 against 8 of 75.
    sums = {"bont": [0, 0], "placebo": [0, 0]}
    for item in evidence.response_week6:
        if item.trial != "onadep2024":
            sums[item.arm][0] += item.responders
            sums[item.arm][1] += item.analysed
    assert sums == {"bont": [32, 59], "placebo": [8, 75]}


def test_more_responders_than_participants_are_refused() -> None:
    text = (ROOT / "features" / "evidence.yaml").read_text(encoding="utf-8")
    wrong = text.replace("responders: 9", "responders: 16", 1)
    with pytest.raises(DefinitionError, match="more responders than analysed"):
        parse_definition(wrong, Evidence, name="features/evidence.yaml")


def test_brin_has_two_cohorts_and_no_antidepressant(scenario: Scenario) -> None:
    (brin,) = [trial for trial in scenario.trials if trial.id == "brin2020"]
    assert [(arm.cohort, arm.code, arm.n) for arm in brin.arms] == [
        ("30U", "bont", 65),
        ("30U", "placebo", 59),
        ("50U", "bont", 65),
        ("50U", "placebo", 69),
    ]
    assert (brin.antidepressant, brin.women, brin.sites) == (0, 1, 35)
    rates = {(arm.cohort, arm.code): arm.response for arm in brin.arms}
    assert rates["30U", "bont"] > rates["30U", "placebo"]
    assert rates["50U", "bont"] <= rates["50U", "placebo"]


def test_every_trial_has_a_source_or_says_assumed() -> None:
    lines = TEXT.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("trials:"))
    bare = [
        index + 1
        for index, line in enumerate(lines[start:], start)
        if line.startswith("    ") and any(c.isdigit() for c in line.split("#")[0])
        and "#" not in line and "- {code" not in line
        and not line.strip().startswith("- id")
    ]  # fmt: skip
    assert bare == []


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("women: 0.767", "women: 1.2", "less than or equal to 1"),
        ("women: 0.932", "women: -0.1", "greater than or equal to 0"),
        ("antidepressant: 0.9 ", "antidepressant: 1.9 ", "less than or equal to 1"),
        ("n: 15, response: 0.6,", "n: 15, response: 1.6,", "less than 1"),
        ("n: 15, response: 0.6,", "n: 0, response: 0.6,", "greater than or equal to 1"),
        ("sd: 4,", "sd: -4,", "greater than 0"),
        ("signal: 0.5 ", "signal: 1 ", "less than 1"),
        ("signal: 0.5 ", "signal: -1.5 ", "greater than or equal to 0"),
        ("visit_noise: 8", "visit_noise: -8", "greater than or equal to 0"),
        ("share: 0.129", "share: 1.0", "less than 1"),
        ("mean: 22, sd: 4, low: 14", "mean: 12, sd: 4, low: 14", "mean must lie between"),
        ("low: 14, high: 40", "low: 40, high: 14", "`low` must be below `high`"),
        ("rows: 200", "rows: 0", "greater than or equal to 1"),
        ("faulty: 20", "faulty: -1", "greater than or equal to 0"),
    ],
)
def test_an_impossible_number_is_refused_with_its_line(old: str, new: str, finding: str) -> None:
    error, line = refuse(old, new)
    assert error.place == f"{NAME}:{line}"
    assert finding in error.finding


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("[0, 2, 4, 6, 8, 12, 16]", "[-2, 0, 6]", "before baseline"),
        ("[0, 2, 4, 6, 8, 12, 16]", "[2, 4, 6]", "need 0, the baseline"),
        ("[0, 2, 4, 6, 8, 12, 16]", "[0, 2, 4]", "6, the endpoint"),
        ("[0, 2, 4, 6, 8, 12, 16]", "[0, 6, 4]", "must rise"),
        ("scale: hamd17", "scale: hamd_17", "Did you mean 'hamd17'"),
        ("scale: hamd17", "scale: twstrs", "no depression scale"),
        ("low: 14, high: 40", "low: 14, high: 60", "past the top of hamd17"),
    ],
)
def test_an_impossible_trial_is_refused_with_the_trial_s_line(
    old: str, new: str, finding: str
) -> None:
    error, _ = refuse(old, new)
    line = 1 + TEXT[: TEXT.index("- id: wollmer2012")].count("\n")
    assert error.place == f"{NAME}:{line}"
    assert finding in str(error)


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("id: finzi2014", "id: wollmer2012", "two trials have the same id"),
        ("illness_months: -1.0", "ilness_months: -1.0", "Did you mean 'illness_months'"),
        ("course: {0: 0,", "course: {0: 0.5,", "must be 0 at week 0"),
        (" 6: 1,", " 6: 0.9,", "1 at week 6"),
    ],
)
def test_an_inconsistent_scenario_is_refused_with_its_file(
    old: str, new: str, finding: str
) -> None:
    error, _ = refuse(old, new)
    assert str(error.place).startswith(NAME)
    assert finding in str(error)


def test_a_misspelt_key_is_answered_with_the_nearest() -> None:
    error, line = refuse("least_frown: 2", "least_frwn: 2")
    assert error.place == f"{NAME}:{line}"
    assert "Did you mean 'least_frown'?" in str(error.remedy)


def test_a_misspelt_scenario_is_answered_with_the_nearest(project: Project) -> None:
    with pytest.raises(DefinitionError, match="Did you mean 'bont_pooled'"):
        read_scenario(project, "bont_poled")
