"""Each rule of ADaM on hand-made records, and the CDISC pilot study as it is."""

from pathlib import Path

import pandas as pd
import pytest

from glabella.data.checks import RowsError
from glabella.data.dictionary import Dictionary
from glabella.data.ingest.adam.read import map_adam, read_adam
from glabella.data.ingest.adam.source import AdamSource
from glabella.data.ingest.raw import RawTable
from glabella.data.tables import PatientTables
from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import DefinitionError

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 100]}
  sex: {label: Sex, type: category, codes: {F: female, M: male}}
  educlvl: {label: Education, type: number, unit: years, range: [0, 30]}
  durdis_months: {label: Duration, type: number, unit: months, range: [0, 600]}
  headache: {label: Headache, type: category, codes: {"0": "no", "1": "yes"}, timing: week 1}
  total: {label: Total, type: score, scale: madrs, timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value


class Holder(Definition):
    kind: str
    source: AdamSource


def subjects(**columns) -> pd.DataFrame:
    base = {
        "STUDYID": ["S1"] * 4,
        "USUBJID": ["QQ1", "QQ2", "QQ3", "QQ4"],
        "SITEID": ["01"] * 4,
        "TRT01P": ["drug", "placebo", "drug", "placebo"],
        "TRT01A": ["drug", "placebo", "drug", "placebo"],
        "ITTFL": ["Y"] * 4,
        "AGE": [40.0, 50.0, 60.0, 70.0],
        "AGEU": ["YEARS"] * 4,
        "SEX": ["F", "M", "F", "M"],
        "EDUCLVL": [10.0, 12.0, None, 9.0],
    }
    return pd.DataFrame({**base, **columns})


def record(subject: str, visit: str, aval: float | None, **more) -> dict:
    base = 30.0
    return {
        "STUDYID": "S1",
        "USUBJID": subject,
        "PARAMCD": "MTOT",
        "AVISIT": visit,
        "AVAL": aval,
        "BASE": base,
        "CHG": None if visit == "Baseline" or aval is None else aval - base,
        "ABLFL": "Y" if visit == "Baseline" else "",
        "ANL01FL": "Y",
        "DTYPE": "",
        **more,
    }


def records(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


PLAIN = [
    record("QQ1", "Baseline", 30.0),
    record("QQ1", "Week 6", 12.0),
    record("QQ2", "Baseline", 30.0),
    record("QQ2", "Week 6", 25.0),
]


def load(
    bds: pd.DataFrame | None = None,
    adsl: pd.DataFrame | None = None,
    more: str = "",
    **tables: pd.DataFrame,
) -> PatientTables:
    text = (
        "kind: holder\nsource:\n  name: pilot\n"
        f"  adam: {{adsl: adsl.xpt, bds: [bds.xpt]{', adae: adae.xpt' if tables else ''}}}\n"
        f"  parameters: {{total: MTOT}}\n{more}"
    )
    read = parse_definition(text, Holder, name="pipelines/a.yaml")
    raw = {
        "adsl.xpt": RawTable(subjects() if adsl is None else adsl),
        "bds.xpt": RawTable(records(*PLAIN) if bds is None else bds),
        **{f"{name}.xpt": RawTable(table) for name, table in tables.items()},
    }
    return map_adam(
        read.value.source, raw, DICTIONARY, origin="real", written=read.origin, keys=("source",)
    )


def visits_of(tables: PatientTables, subject: str) -> dict[float, float]:
    rows = tables.assessments[tables.assessments["usubjid"] == subject]
    return dict(zip(rows["week"], rows["aval"], strict=True))


def findings_of(tables: PatientTables) -> list[str]:
    return [item.finding for item in tables.findings]


def test_subjects_and_records_need_no_mapping_but_the_parameter() -> None:
    tables = load()
    people = tables.participants
    assert people["studyid"].unique().tolist() == ["S1"]
    assert people["arm"].tolist() == ["drug", "placebo", "drug", "placebo"]
    assert people["siteid"].tolist() == ["01"] * 4
    assert people["age_years"].tolist() == [40, 50, 60, 70]
    assert people["sex"].tolist() == ["F", "M", "F", "M"]
    assert people["educlvl"].isna().tolist() == [False, False, True, False]
    assert visits_of(tables, "QQ1") == {0.0: 30.0, 6.0: 12.0}
    assert findings_of(tables) == []


def test_an_id_may_collide_between_studies() -> None:
    adsl = subjects(STUDYID=["S1", "S2", "S1", "S1"], USUBJID=["QQ1", "QQ1", "QQ2", "QQ3"])
    bds = records(*PLAIN, record("QQ1", "Week 6", 20.0, STUDYID="S2"))
    tables = load(bds, adsl)
    rows = tables.assessments.set_index(["studyid", "usubjid", "week"])["aval"].to_dict()
    assert rows["S1", "QQ1", 6.0] == 12.0
    assert rows["S2", "QQ1", 6.0] == 20.0


def test_a_doubled_subject_is_refused() -> None:
    with pytest.raises(RowsError, match="1 rows repeat a subject of the same study"):
        load(adsl=subjects(USUBJID=["QQ1", "QQ2", "QQ3", "QQ3"]))


def test_records_of_nobody_are_refused() -> None:
    with pytest.raises(RowsError, match=r"1 of 5 records are of nobody in ADSL"):
        load(records(*PLAIN, record("QQ9", "Week 6", 20.0)))


@pytest.mark.parametrize(
    ("unit", "age"), [("MONTHS", 480.0), ("WEEKS", 2087.142857), ("DAYS", 14610.0)]
)
def test_age_is_in_years_whatever_its_unit(unit: str, age: float) -> None:
    tables = load(adsl=subjects(AGE=[age] * 4, AGEU=[unit] * 4))
    assert tables.participants["age_years"].tolist() == pytest.approx([40] * 4, rel=1e-6)


def test_an_age_in_no_known_unit_is_refused() -> None:
    with pytest.raises(RowsError, match="1 ages are in no known unit"):
        load(adsl=subjects(AGEU=["YEARS", "EONS", "YEARS", "YEARS"]))


def test_a_name_that_the_standard_does_not_lead_to_can_be_stated() -> None:
    adsl = subjects(DURDIS=[1.0, 2.0, 3.0, 4.0])
    assert "durdis_months" not in load(adsl=adsl).participants
    tables = load(adsl=adsl, more="  variables: {durdis_months: DURDIS}\n")
    assert tables.participants["durdis_months"].tolist() == [1, 2, 3, 4]


def test_planned_treatment_counts_unless_actual_is_asked_for() -> None:
    adsl = subjects(TRT01A=["placebo", "placebo", "drug", "placebo"])
    planned, actual = load(adsl=adsl), load(adsl=adsl, more="  treatment: actual\n")
    assert planned.participants["arm"][0] == "drug"
    assert actual.participants["arm"][0] == "placebo"
    assert findings_of(planned) == ["1 subjects took another treatment than was planned"]


def test_only_the_population_counts_and_the_others_are_counted() -> None:
    adsl = subjects(ITTFL=["Y", "N", "Y", "Y"], SAFFL=["Y"] * 4)
    tables = load(adsl=adsl)
    assert tables.participants["usubjid"].tolist() == ["QQ1", "QQ3", "QQ4"]
    assert visits_of(tables, "QQ2") == {}
    assert findings_of(tables) == ["1 subjects are not of the population ITTFL and are left aside"]
    assert len(load(adsl=adsl, more="  population: SAFFL\n").participants) == 4
    assert len(load(adsl=adsl, more="  population: all\n").participants) == 4


def test_a_population_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match=r"has no column 'ITFL'\n.*Did you mean 'ITTFL'"):
        load(more="  population: ITFL\n")


def test_a_subject_without_treatment_is_left_aside() -> None:
    tables = load(adsl=subjects(TRT01P=["drug", "placebo", "drug", ""], TRT01A=[""] * 4))
    assert len(tables.participants) == 3
    assert findings_of(tables) == ["1 subjects have no treatment in ADSL and are left aside"]


def test_a_parameter_that_no_dataset_has_is_answered_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="no dataset has the parameter 'MTOT'"):
        load(records(*PLAIN).assign(PARAMCD="MTOTL"))


def test_imputed_records_are_left_out_and_counted() -> None:
    bds = records(*PLAIN, record("QQ2", "Week 8", 25.0, DTYPE="LOCF"))
    tables = load(bds)
    assert visits_of(tables, "QQ2") == {0.0: 30.0, 6.0: 25.0}
    assert findings_of(tables) == [
        "1 of 5 records were imputed by the sponsor (1 by LOCF) and are left out"
    ]
    kept = load(bds, more="  imputed: keep\n")
    assert visits_of(kept, "QQ2") == {0.0: 30.0, 6.0: 25.0, 8.0: 25.0}
    assert kept.findings[0].severity == "warn"


def test_records_that_are_not_for_analysis_are_left_aside() -> None:
    bds = records(*PLAIN, record("QQ1", "Week 6", 14.0, ANL01FL=""))
    tables = load(bds)
    assert visits_of(tables, "QQ1") == {0.0: 30.0, 6.0: 12.0}
    assert findings_of(tables) == ["1 records lack ANL01FL and are left aside"]
    with pytest.raises(RowsError, match="1 records repeat a subject and week"):
        load(bds, more="  analysis_flag: none\n")


def test_a_baseline_record_counts_whatever_its_analysis_flag() -> None:
    bds = records(record("QQ1", "Baseline", 30.0, ANL01FL=""), *PLAIN[1:])
    assert visits_of(load(bds), "QQ1") == {0.0: 30.0, 6.0: 12.0}


def test_the_flagged_record_is_the_baseline_and_other_early_ones_are_screening() -> None:
    bds = records(*PLAIN, record("QQ1", "Screening", 35.0, ADY=-14.0))
    tables = load(bds)
    assert visits_of(tables, "QQ1") == {0.0: 30.0, 6.0: 12.0}
    assert findings_of(tables) == [
        "1 records have a week by their day (ADY) alone",
        "1 records before treatment are not the baseline and are left aside",
    ]


def test_two_baselines_are_refused() -> None:
    with pytest.raises(RowsError, match="1 records repeat a subject and week"):
        load(records(*PLAIN, record("QQ1", "Baseline", 30.0)))


def test_without_the_flag_base_is_the_baseline() -> None:
    bds = records(*PLAIN[1::2]).drop(columns="ABLFL")
    tables = load(bds)
    assert visits_of(tables, "QQ1") == {0.0: 30.0, 6.0: 12.0}


def test_a_subject_without_a_baseline_record_has_its_base() -> None:
    tables = load(records(*PLAIN[:3], record("QQ3", "Week 6", 10.0)))
    assert visits_of(tables, "QQ3") == {0.0: 30.0, 6.0: 10.0}
    assert findings_of(tables) == ["1 subjects have a BASE and no baseline record; it is used"]


def test_without_flag_and_base_the_weeks_say_what_is_early() -> None:
    bds = pd.DataFrame(
        {
            "STUDYID": "S1",
            "USUBJID": ["QQ1", "QQ1"],
            "PARAMCD": "MTOT",
            "ADY": [1.0, 43.0],
            "AVAL": [30.0, 12.0],
        }
    )
    assert visits_of(load(bds), "QQ1") == {0.0: 30.0, 6.0: 12.0}


def test_a_baseline_after_the_first_day_is_warned_of() -> None:
    bds = records(record("QQ1", "Baseline", 30.0, ADY=5.0), record("QQ1", "Week 6", 12.0, ADY=43.0))
    assert findings_of(load(bds)) == ["1 baselines were taken after the first day"]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("BASE", 31.0, "1 baseline records differ from their own BASE"),
        ("CHG", -17.0, "1 records have a CHG that is not AVAL less BASE"),
    ],
)
def test_what_the_sponsor_computed_must_follow(column: str, value: float, message: str) -> None:
    bds = records(*PLAIN)
    bds.loc[0 if column == "BASE" else 1, column] = value
    with pytest.raises(RowsError, match=message):
        load(bds)


@pytest.mark.parametrize(
    ("more", "columns", "week"),
    [
        ("", {"AWTARGET": 56.0, "AWU": "DAYS", "ADY": 60.0}, 8),
        ("", {"AWTARGET": 8.0, "AWU": "WEEKS"}, 8),
        ("", {"AVISIT": "WEEK 8"}, 8),
        ("", {"AVISIT": "Visit 5", "ADY": 57.0}, 8),
        ("  week: ady\n", {"AVISIT": "Week 6", "ADY": 57.0}, 8),
        ("  week: avisitn\n", {"AVISITN": 8.0}, 8),
        ("  week: avisit\n", {"AVISIT": "Week 8", "AWTARGET": 56.0}, 8),
    ],
)
def test_a_records_week_by_each_rule(more: str, columns: dict, week: float) -> None:
    bds = records(record("QQ1", "Baseline", 30.0), record("QQ1", "Visit", 12.0, **columns))
    assert visits_of(load(bds, more=more), "QQ1") == {0.0: 30.0, week: 12.0}


def test_a_dataset_that_gives_no_week_is_refused_at_its_line() -> None:
    bds = records(record("QQ1", "Baseline", 30.0), record("QQ1", "Later", 12.0))
    with pytest.raises(DefinitionError, match="has no AWTARGET or AVISIT or ADY that gives a week"):
        load(bds)


def test_a_visit_without_a_week_is_left_aside_and_counted() -> None:
    tables = load(records(*PLAIN, record("QQ1", "End of treatment", 15.0)))
    assert visits_of(tables, "QQ1") == {0.0: 30.0, 6.0: 12.0}
    assert findings_of(tables) == ["1 records have no week and are left aside"]


def test_two_names_of_one_visit_that_differ_are_warned_of() -> None:
    bds = records(*PLAIN[:1], record("QQ1", "Week 6", 12.0, AWTARGET=56.0, AWU="DAYS"))
    assert any("differ by over half a week" in text for text in findings_of(load(bds)))


CROSSOVER = [
    record("QQ1", "Baseline", 30.0, APERIOD=1),
    record("QQ1", "Week 6", 12.0, APERIOD=1),
    record("QQ1", "Baseline", 30.0, APERIOD=2),
    record("QQ1", "Week 6", 28.0, APERIOD=2),
]


def test_a_crossover_contributes_its_first_period_unless_stated() -> None:
    adsl = subjects(TRT02P=["placebo", "drug", "placebo", ""])
    tables = load(records(*CROSSOVER), adsl)
    assert len(tables.participants) == 4
    assert visits_of(tables, "QQ1") == {0.0: 30.0, 6.0: 12.0}
    assert findings_of(tables) == ["2 records are of a later period and left aside"]


def test_all_periods_give_a_row_each_with_the_arm_of_each() -> None:
    adsl = subjects(TRT02P=["placebo", "drug", "placebo", ""])
    tables = load(records(*CROSSOVER), adsl, more="  periods: all\n")
    people = tables.participants
    assert len(people) == 7
    mine = people[people["person"] == "QQ1"]
    assert mine["usubjid"].tolist() == ["QQ1/1", "QQ1/2"]
    assert mine["arm"].tolist() == ["drug", "placebo"]
    assert visits_of(tables, "QQ1/1")[6.0] == 12.0
    assert visits_of(tables, "QQ1/2")[6.0] == 28.0


EVENTS = "  events: {headache: {AEDECOD: [Headache]}}\n"


def adverse(*rows: tuple[str, str, str]) -> pd.DataFrame:
    columns = ["USUBJID", "AEDECOD", "TRTEMFL"]
    return pd.DataFrame(list(rows), columns=columns).assign(STUDYID="S1")


def test_an_event_under_treatment_makes_the_flag() -> None:
    adae = adverse(("QQ1", "HEADACHE", "Y"), ("QQ2", "HEADACHE", ""), ("QQ3", "NAUSEA", "Y"))
    tables = load(more=EVENTS, adae=adae)
    assert tables.participants["headache"].tolist() == ["1", "0", "0", "0"]


def test_an_event_of_nobody_is_refused() -> None:
    with pytest.raises(RowsError, match="1 of 1 records are of nobody in ADSL"):
        load(more=EVENTS, adae=adverse(("QQ9", "HEADACHE", "Y")))


def test_values_are_checked_against_the_dictionary_and_shown_nowhere() -> None:
    with pytest.raises(RowsError) as caught:
        load(records(PLAIN[0], record("QQ1", "Week 6", 77.0)))
    assert "bds.xpt, column 'AVAL' (total): 1 of 2 values: each is outside 0 to 60" in str(
        caught.value
    )
    for secret in ("77", "QQ1"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("  population: [ITTFL]\n", "valid string"),
        ("  weeks: ady\n", "unknown key 'weeks'"),
        ("  events: {headache: {AEDECOD: [x]}}\n", "`events` are of the dataset that `adae`"),
        ("  scale: mards\n", "there is no scale 'mards'"),
        ("  read: {x.xpt: {encoding: latin1}}\n", "`read` names a file that the source has not"),
    ],
)
def test_a_wrong_source_is_refused(more: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        load(more=more)


PILOT = AdamSource.model_validate(
    {
        "name": "pilot",
        "adam": {"adsl": "adsl.xpt", "bds": ("adadas.xpt", "adcibc.xpt")},
        "parameters": {"total": "ACTOT"},
        "imputed": "keep",
    }
)


def test_the_pilot_study_is_the_table_that_was_derived_from_it(tables: Path) -> None:
    folder = tables / "cdisc_pilot"
    dictionary = parse_definition(
        "kind: dictionary\ndescription: x\nvariables:\n"
        "  total: {label: ADAS-Cog, type: score, scale: adas_cog11, timing: visit}\n"
        "  age_years: {label: Age, type: number, unit: years, range: [18, 100]}\n",
        Dictionary,
        name="features/dictionary.yaml",
    ).value
    read = parse_definition(
        "kind: x\n", type("K", (Definition,), {"__annotations__": {"kind": str}}), name="a"
    )
    pilot = read_adam(PILOT, folder, dictionary, written=read.origin, keys=())
    expected = pd.read_csv(folder / "data.csv", dtype={"USUBJID": str}).set_index("USUBJID")
    assert len(pilot.participants) == 254
    assert pilot.participants["arm"].value_counts().to_dict() == {
        "Placebo": 86, "Xanomeline High Dose": 84, "Xanomeline Low Dose": 84,
    }  # fmt: skip
    scores = pilot.assessments.pivot(index="usubjid", columns="week", values="aval")
    assert sorted(scores.columns) == [0.0, 8.0, 16.0, 24.0]
    for week, column in ((0.0, "ACTOT_BASE"), (8.0, "ACTOT_W8"), (24.0, "ACTOT_W24")):
        mine = scores[week].reindex(expected.index)
        pd.testing.assert_series_equal(mine, expected[column], check_names=False)
    assert any("by LOCF" in item.finding for item in pilot.findings)
    observed = read_adam(
        PILOT.model_copy(update={"imputed": "leave_out"}),
        folder, dictionary, written=read.origin, keys=(),
    )  # fmt: skip
    at_24 = observed.assessments[observed.assessments["week"] == 24]
    assert len(at_24) == 254 - int((expected["W24_DTYPE"] == "LOCF").sum()) == 155
