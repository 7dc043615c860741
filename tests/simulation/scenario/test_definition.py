"""A scenario is read as declared, agrees with what is published, and refuses the impossible."""

from pathlib import Path

import numpy as np
import pytest

from glabella.data.evidence import Evidence
from glabella.definitions.locate import Project
from glabella.definitions.reader import parse_definition
from glabella.errors import DefinitionError
from glabella.simulation.scenario.definition import (
    COVARIATES,
    Scenario,
    make_correlation_matrix,
)
from glabella.simulation.scenario.reading import read_scenario

from ..conftest import PROJECT, ROOT, SCENARIOS, read

NAME = "pipelines/scenarios/bont_pooled.yaml"
TEXT = (ROOT / NAME).read_text(encoding="utf-8")


@pytest.fixture
def evidence() -> Evidence:
    return PROJECT.read("features", "evidence", Evidence).value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipelines" / "scenarios").mkdir(parents=True)
    return tmp_path


def refuse(folder: Path, old: str, new: str) -> tuple[DefinitionError, int]:
    """Read the shipped scenario with its first `old` replaced; give the refusal and the line."""
    assert old in TEXT
    line = 1 + TEXT[: TEXT.index(old)].count("\n")
    (folder / NAME).write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        read_scenario(Project(definitions=folder, home=folder), "bont_pooled")
    return caught.value, line


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_shipped_scenario_is_read(name: str) -> None:
    scenario = read(name)
    assert scenario.size == sum(arm.n for trial in scenario.trials for arm in trial.arms)


def test_the_scenarios_that_the_documentation_promises_are_there() -> None:
    assert SCENARIOS == [
        "active_control",
        "bont_pooled",
        "curved",
        "dropout_at_random",
        "dropout_not_at_random",
        "illusory",
        "imperfect_tables",
        "large",
        "no_signal",
        "predictive",
        "prognostic_only",
        "shifted",
        "varied_trials",
    ]


def test_trials_have_their_own_scale_and_visits(bont_pooled: Scenario) -> None:
    assert {trial.id: trial.scale for trial in bont_pooled.trials} == {
        "wollmer2012": "hamd17",
        "finzi2014": "madrs",
        "magid2014": "hamd21",
        "brin2020": "madrs",
        "onadep2024": "madrs",
    }
    weeks = {trial.id: trial.weeks for trial in bont_pooled.trials}
    assert weeks["wollmer2012"] == (0, 2, 4, 6, 8, 12, 16)
    assert weeks["finzi2014"] == (0, 3, 6)
    # The arms cross over at week 12.
    assert weeks["magid2014"] == (0, 3, 6, 12)
    assert weeks["brin2020"] == (0, 3, 6, 9, 12, 15, 18, 21, 24)
    assert weeks["onadep2024"] == (0, 6, 12)


def test_the_counts_of_three_trials_add_to_the_pooled_analysis(evidence: Evidence) -> None:
    # Magid 2015: 32 of 59 against 8 of 75. Remission is an open conflict, 16 and not 18 of 59.
    found = {}
    for of, arm in (("response", "active"), ("response", "control"), ("remission", "active")):
        mine = [
            item
            for item in evidence.findings
            if (item.of, item.arm) == (of, arm) and item.week == 6
        ]
        single = [item for item in mine if len(item.trials) == 1 and item.trials[0] != "onadep2024"]
        [pooled] = [item for item in mine if item.pooled]
        sums = (sum(item.count or 0 for item in single), sum(item.n or 0 for item in single))
        found[of, arm] = (sums, (pooled.count, pooled.n), bool(pooled.conflict))
    assert found == {
        ("response", "active"): ((32, 59), (32, 59), False),
        ("response", "control"): ((8, 75), (8, 75), False),
        ("remission", "active"): ((16, 59), (18, 59), True),
    }


def test_what_is_only_recalled_is_marked(evidence: Evidence) -> None:
    recalled = [item for item in evidence.findings if item.confidence == "recalled"]
    assert [(item.trials, item.arm, item.value) for item in recalled] == [
        (("wollmer2012",), "active", 47.1),
        (("wollmer2012",), "control", 9.2),
    ]


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("count: 9, n: 15", "count: 16, n: 15", "more counted than were there"),
        ("count: 9, n: 15", "count: 9", "`count` and `n` go together"),
        ("value: 47,", "value: 47, count: 3, n: 4,", "either a `value`, or a `count`"),
    ],
)
def test_an_impossible_published_figure_is_refused(old: str, new: str, finding: str) -> None:
    text = (ROOT / "features" / "evidence.yaml").read_text(encoding="utf-8")
    with pytest.raises(DefinitionError, match=finding):
        parse_definition(text.replace(old, new, 1), Evidence, name="features/evidence.yaml")


def test_brin_has_two_cohorts_of_sites_and_women_without_antidepressant(
    bont_pooled: Scenario,
) -> None:
    [brin] = [trial for trial in bont_pooled.trials if trial.id == "brin2020"]
    assert [(arm.cohort, arm.code, arm.n) for arm in brin.arms] == [
        ("30U", "bont", 65),
        ("30U", "placebo", 59),
        ("50U", "bont", 65),
        ("50U", "placebo", 69),
    ]
    assert brin.sites == 35
    assert brin.variables["sex"].shares["F"] == brin.variables["antidepressant"].shares["no"] == 1
    assert brin.arms[0].effect > brin.arms[2].effect


# What stands in the file, what is written instead, and what is said of it, at the line itself.
AT_ITS_LINE = [
    ("sex: {shares: {M: 0.233, F: 0.767}}", "sex: {shares: {M: 0.2, F: 1.2}}", "outside 0 to 1"),
    ("sex: {shares: {M: 0.233, F: 0.767}}", "sex: {shares: {M: 0.2, F: 0.7}}", "add up to 0.9"),
    ("sex: {shares: {M: 0.233, F: 0.767}}", "sex: {shares: {F: 0.8, M: 0.2}}", "M, F, in this"),
    ("mean: 21, sd: 5,", "mean: 21, sd: -5,", "above 0"),
    ("mean: 21, sd: 5,", "mean: 21, sd: 1,", "leaves no true difference"),
    ("low: 14, high: 40", "low: 40, high: 14", "`low` must be below `high`"),
    ("background_sd: 0.22", "background_sd: -0.22", "at least 0"),
    ("between_sites_sd: 0.05", "between_sites_sd: -1", "at least 0"),
    ("rating_error: 0.12", "rating_error: -0.12", "at least 0"),
    ("share: 0.135", "share: 1.35", "below 1"),
    ("[0, 2, 4, 6, 8, 12, 16]", "[-2, 0, 6]", "before baseline"),
    ("[0, 2, 4, 6, 8, 12, 16]", "[2, 4, 6]", "must begin with 0"),
    ("[0, 2, 4, 6, 8, 12, 16]", "[0, 6, 4]", "rise"),
    ("[0, 2, 4, 6, 8, 12, 16]", "[0, 2, 4]", "no visit at the endpoint, week 6"),
    ("scale: hamd17", "scale: hamd_17", "Did you mean 'hamd17'"),
    ("scale: hamd17", "scale: twstrs", "no depression scale"),
    ("agitation: {severity: 0.2}", "agitation: {severity: 1.2}", "inside -1 to 1"),
    ("background: {0: 0, 2: 0.5", "background: {0: 0.5, 2: 0.5", "must be 0 at week 0"),
    ("guess: [0.4, 0.6, 0.75, 0.85]", "guess: [0.4, 0.6, 0.75, 1.85]", "outside 0 to 1"),
    ("relaxation: [0.05, 0.2, 0.45, 0.3]", "relaxation: [0.5, 0.2, 0.45, 0.3]", "add up to 1.45"),
    ("at_40_units: 0.13", "at_40_units: 1.3", "below 1"),
    ("rows: 200", "rows: 0", "at least 1"),
    ("background_sd: 0.22", "background_sd: .inf", "finite"),
    ('episodes: {shares: {"1"', 'episodes: {shares: {"one"', "needs the shares of whole numbers"),
    ('episodes: {shares: {"1"', 'episodes: {shares: {"9"', "must rise"),
    ("sd: 10, low: 18, high: 80}", "sd: 10, low: 18, high: 180}", "outside 18 to 95"),
    ("high: 2.7, log10: true}", "high: 30, log10: true}", "outside 0 to 720"),
    ("mean: 21, sd: 5,", "mean: 21, sd: 1.0e+200,", "at most 100"),
    ("faulty: 20", "faulty: 100", "at most 20 of 200 rows"),
    ("sites: 35 ", "sites: 100000000000 ", "at most 100000"),
    ("background_sd: 0.22", "background_sd: .nan", "finite"),
    ("prognostic: 0.06", "prognostic: 1e308", "at most 5"),
    ("mean: 21, sd: 5, low: 14", "mean: 3, sd: 1, low: 14", "hardly anybody who is screened"),
    ("unit: 10, prognostic: -0.03}", "unit: 10, curves: [{shape: squared}]}", "both weights are 0"),
    ("unit: 10, prognostic: -0.03}", "unit: 10, curves: [{shape: sqared, prognostic: 0.1}]}",
     "Did you mean 'squared'"),
    ("effect_sd: 0.08}", "effect_sd: 0.08, predictive_sd: -0.1}", "at least 0"),
    ("by_week: 6, seen: 0.6,", "by_week: 6, well: {share: 0.3, by_week: 6, fall: 1},", "below 1"),
    ("by_week: 6, seen: 0.6,", "by_week: 6, well: {share: 1, by_week: 6},", "below 1"),
    ("n: 38, effect: 0.41,", "n: 38, dropout: {share: 1, by_week: 6}, effect: 0.41,", "below 1"),
    ("effect: 0.41,", "response_rate: 1.2,", "below 1"),
    ("effect: 0.41,", "effect: 0.41, response_rate: 0.2,", "Remove one of the two"),
    ("between_sites_sd: 0.05", "nominal: {region: {shares: {a: 0.5, b: 0.4}}}",
     "add up to 0.9"),
    ("between_sites_sd: 0.05", "nominal: {region: {shares: {a: 1}}}",
     "two levels or more"),
    ("between_sites_sd: 0.05", "nominal: {region: {shares: {a: 0.5, b: 0.5}, effects: {c: "
     "{prognostic: 1}}}}",
     "there is no level 'c'"),
    ("between_sites_sd: 0.05", "nominal: {region: {shares: {a: 0.5, b: 0.5}, effects: {b: {}}}}",
     "both weights are 0"),
    ("between_sites_sd: 0.05", "nominal: {sex: {shares: {a: 0.5, b: 0.5}}}",
     "'sex' can't be the name of a nominal variable"),
    ("between_sites_sd: 0.05", "nominal: {headache: {shares: {a: 0.5, b: 0.5}}}",
     "is the name of an adverse event too"),
    ("sites: 2 ", "nominal: {region: {shares: {a: 1}}} ", "There are none"),
    ("between_sites_sd: 0.05", "tied_to_site: {sex: 1.5}", "at most 1"),
    ("between_sites_sd: 0.05", "tied_to_site: {sexx: 0.5}", "Did you mean 'sex'"),
    ("between_sites_sd: 0.05", "tied_to_site: {severity: 0.5}", "can't be tied to sites"),
    ("sites: 1 ", "tied_to_site: {sexx: 0.5} ", "Did you mean 'sex'"),
    ("between_sites_sd: 0.05", "measurement_error: {expectancy: -1}", "at least 0"),
    ("between_sites_sd: 0.05", "measurement_error: {sex: 1}", "the dose follows it"),
    ("between_sites_sd: 0.05", "measurement_error: {severity: 1}", "is `rating_error`"),
    ("between_sites_sd: 0.05", "measurement_error: {expectanc: 1}", "Did you mean 'expectancy'"),
    ("sites: 1 ", "measurement_error: {frown_max: 1} ", "follow the true one"),
    ("between_sites_sd: 0.05", "missing: {expectancy: {share: 1}}", "below 1"),
    ("between_sites_sd: 0.05", "missing: {expectancy: {share: 0.1, on: {sex: 11}}}", "at most 10"),
    ("between_sites_sd: 0.05", "missing: {expectancy: {share: 0.1, on: {respons: 1}}}",
     "Did you mean 'response'"),
    ("between_sites_sd: 0.05", "missing: {expectanc: {share: 0.1}}", "Did you mean 'expectancy'"),
    ("between_sites_sd: 0.05", "missing: {frown_max: {share: 0.1}}", "is rated at visits"),
    ("sites: 1 ", "missing: {severity: {share: 0.1}} ", "is rated at visits"),
    ("between_sites_sd: 0.05", "products: [{of: [{variable: sexx}, {variable: age_years}], "
     "prognostic: 1}]", "Did you mean 'sex'"),
    ("between_sites_sd: 0.05", "products: [{of: [{variable: sex, code: W}, {variable: age_years}], "
     "prognostic: 1}]", "'sex' has no code 'W' in wollmer2012. There are: F, M"),
    ("between_sites_sd: 0.05", "products: [{of: [{variable: age_years, code: F}, "
     "{variable: sex}], prognostic: 1}]", "'age_years' has no codes"),
    ("between_sites_sd: 0.05", "products: [{of: [{variable: sex, code: F, centre: 1}, "
     "{variable: age_years}], prognostic: 1}]", "Leave them out"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "finding"), AT_ITS_LINE)
def test_an_impossible_parameter_is_refused_with_its_line(
    folder: Path, old: str, new: str, finding: str
) -> None:
    error, line = refuse(folder, old, new)
    named = int(str(error.place).rpartition(":")[2])
    # A mapping's own finding stands at the key that opens it, one line up at the most.
    assert error.place is not None and error.place.startswith(NAME)
    assert line - 1 <= named <= line
    assert finding in str(error)


# The same where what is wrong is a part of something larger, at whose line it is said.
BONT = "role: active, n: 15, effect: 0.60, units_women: 29, units_men: 39"


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (BONT, BONT.replace("n: 15", "n: 0"), "at least 1"),
        ("code: placebo, role: control, n: 15", "code: bont, role: control, n: 15",
         "two arms are called 'bont'"),
        ("code: placebo, role: control, n: 15", "code: '', role: control, n: 15", "not be blank"),
        (BONT, BONT.replace("n: 15", "n: 99999999999"), "at most 10000000"),
        ("headache: {at_0", "sex: {at_0", "'sex' can't be the name of an adverse event"),
        (BONT, BONT.replace("units_women: 29, ", ""), "'units_women' is missing"),
        (BONT, BONT.replace("units_men: 39", "units_men: -1"), "at least 0"),
        (BONT, BONT.replace("active", "control"), "needs one active and one control arm"),
        ("  resistance: {illness_months: 0.4, episodes: 0.2, severity: 0.1}",
         "  resistance: {illness_months: 0.9, episodes: 0.9, severity: 0.1}", "contradict"),
        ("  resistance: {illness_months: 0.4,", "  resistance: {ilness_months: 0.4,", "illness_mo"),
        ("id: finzi2014", "id: wollmer2012", "two trials are called 'wollmer2012'"),
        ("  age_years: {centre: 49,", "  age_year: {centre: 49,", "Did you mean 'age_years'"),
        ("6: 1, 9: 1.05, 24: 1.05", "6: 0.9, 9: 1.05, 24: 1.05", "must be 1 at the endpoint"),
        ("low: 14, high: 40", "low: 14, high: 60", "past the top of hamd17"),
        ("    background: 0.16\n", "", "there is no `background`"),
        ("expectancy: {mean: 6, sd: 2, low: 0, high: 10}", "expectancy: {shares: {a: 1}}",
         "a spread"),
    ],
)  # fmt: skip
def test_an_impossible_part_is_refused_with_a_line_above_it(
    folder: Path, old: str, new: str, finding: str
) -> None:
    error, line = refuse(folder, old, new)
    assert error.place is not None and error.place.startswith(NAME)
    named = int(str(error.place).rpartition(":")[2])
    assert 1 < named <= line
    assert finding in str(error)


def test_correlations_make_a_matrix_that_some_distribution_has(bont_pooled: Scenario) -> None:
    matrix = make_correlation_matrix(bont_pooled.correlations)
    assert np.linalg.eigvalsh(matrix).min() > 0
    at = COVARIATES.index
    assert matrix[at("resistance"), at("illness_months")] == 0.4
    assert np.array_equal(matrix, matrix.T)


def test_two_values_of_one_correlation_are_refused() -> None:
    with pytest.raises(ValueError, match="have two correlations"):
        make_correlation_matrix({"sex": {"age_years": 0.1}, "age_years": {"sex": 0.2}})


def test_a_misspelt_scenario_is_answered_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="Did you mean 'bont_pooled'"):
        read("bont_poled")


def test_a_scenario_of_another_size_keeps_the_arms_shares(bont_pooled: Scenario) -> None:
    larger = bont_pooled.with_participants(46_100)
    sizes = [arm.n for trial in larger.trials for arm in trial.arms]
    before = [arm.n for trial in bont_pooled.trials for arm in trial.arms]
    assert sizes == [100 * n for n in before]
    for size in (len(sizes), 13, 14, 20):
        smaller = bont_pooled.with_participants(size)
        assert smaller.size == size
        assert min(arm.n for trial in smaller.trials for arm in trial.arms) >= 1
