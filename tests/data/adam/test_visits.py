"""BDS: which records count, and which is the baseline."""

import time

import numpy as np
import pandas as pd
import pytest

from glabella.data.checks import RowsError

NAMES = "USUBJID AVISIT ADY AVAL ABLFL"
BASELINE = ("QQ1", "Baseline", 1.0, 40.0, "Y")
WEEK_8 = ("QQ1", "Week 8", 57.0, 30.0, "")
PAIR = {("QQ1", 0.0): 40.0, ("QQ1", 8.0): 30.0}


def test_records_of_the_parameter_are_read_with_their_baseline(adam) -> None:
    other = adam.plain.assign(PARAMCD="PULSE", AVAL="fast")
    tables = adam.load(bds=pd.concat([adam.plain, other], ignore_index=True))
    rows = tables.assessments
    assert rows.columns.tolist() == ["studyid", "usubjid", "paramcd", "week", "aval"]
    assert adam.scores(tables) == {
        ("QQ1", 0.0): 40.0, ("QQ1", 8.0): 30.0, ("QQ2", 0.0): 50.0, ("QQ2", 8.0): 45.0,
    }  # fmt: skip
    assert set(rows["paramcd"]) == {"total"}
    assert adam.findings(tables) == []


def test_text_cells_and_small_letters_read_alike(adam) -> None:
    bds = adam.plain.astype(object).where(adam.plain.notna(), "").astype(str)
    same = adam.load(bds=bds.rename(columns=str.lower))
    assert adam.scores(same) == adam.scores(adam.load())


def test_a_parameter_that_is_nowhere_or_twice_is_refused(adam) -> None:
    error = adam.refuse("parameters: {total: TOTL}")
    assert "pipelines/own.yaml:5: no dataset has the parameter 'TOTL'" in str(error)
    assert "Did you mean 'TOT'" in str(error)
    error = adam.refuse(other=adam.plain)
    assert "the parameter 'TOT' stands in bds.csv and other.csv" in str(error)
    elsewhere = adam.plain.assign(PARAMCD="TWO")
    both = adam.load("parameters: {total: TOT, second: TWO}", other=elsewhere)
    assert both.assessments["paramcd"].value_counts().to_dict() == {"total": 4, "second": 4}


def test_records_of_nobody_are_refused_by_their_row(adam) -> None:
    error = adam.refuse(bds=adam.plain.replace({"USUBJID": {"QQ2": "QQ9"}}))
    assert "2 of 4 records belong to no participant in adsl.csv" in str(error)
    assert isinstance(error, RowsError)
    assert error.rows is not None
    assert error.rows["row"].tolist() == [3, 4]


def test_records_of_nobody_at_all_are_one_finding_with_what_they_differ_by(adam) -> None:
    error = adam.refuse(bds=adam.plain.assign(USUBJID=adam.plain["USUBJID"].str.lower()))
    assert str(error) == (
        "bds.csv, column 'USUBJID': 4 of 4 records belong to no participant in adsl.csv\n"
        "  All of these identifiers would be found if capitals did not count: write them alike in "
        "both files. Add these subjects, or leave the records out."
    )


def test_values_out_of_range_are_refused_without_being_shown(adam) -> None:
    error = adam.refuse(bds=adam.bds([BASELINE, ("QQ1", "Week 8", 57.0, 71.0, "")], NAMES))
    text = "bds.csv, column 'AVAL' (total): 1 of 2 values: each is outside 0 to 70"
    assert text in str(error)
    assert "71" not in str(error).replace(text, "")


def test_what_is_no_number_is_refused(adam) -> None:
    bds = adam.bds([BASELINE, ("QQ1", "Week 8", "late", 30.0, "")], NAMES)
    assert "bds.csv, column 'ADY': 1 cells are no number" in str(adam.refuse(bds=bds))


def test_derived_records_are_left_out_and_counted_by_kind(adam) -> None:
    rows = [
        (*BASELINE, ""), (*WEEK_8, ""),
        ("QQ1", "Week 16", 57.0, 30.0, "", "LOCF"), ("QQ1", "Week 24", 1.0, 40.0, "", "LOCF"),
        ("QQ1", "Week 32", 57.0, 40.0, "", "WOCF"),
    ]  # fmt: skip
    bds = adam.bds(rows, f"{NAMES} DTYPE")
    tables = adam.load(bds=bds)
    assert adam.scores(tables) == PAIR
    assert adam.findings(tables) == ["2 LOCF, 1 WOCF of 5 records are derived (DTYPE) and left out"]
    kept = adam.load("imputed: keep", bds=bds)
    # The one carried from the first day stands at week 24, not among screening.
    assert {week for _, week in adam.scores(kept)} == {0.0, 8.0, 16.0, 24.0, 32.0}
    assert "an imputed score will be taken for an observed one" in adam.findings(kept, "warn")[0]


def test_how_a_kept_value_was_derived_goes_with_it(adam) -> None:
    rows = [(*BASELINE, ""), (*WEEK_8, ""), ("QQ1", "Week 16", 57.0, 30.0, "", "locf")]
    bds = adam.bds(rows, f"{NAMES} DTYPE")
    kept = adam.load("imputed: keep", bds=bds).assessments
    assert dict(zip(kept["week"], kept["dtype"], strict=True)) == {0: "", 8: "", 16: "LOCF"}
    assert "dtype" not in adam.load(bds=bds).assessments


@pytest.mark.parametrize(("kind", "is_refused"), [("NOCB", True), ("AVERAGE", False)])
def test_a_variable_of_baseline_is_not_filled_in_from_later(adam, kind, is_refused) -> None:
    bds = adam.bds([(*BASELINE, kind), (*WEEK_8, "")], f"{NAMES} DTYPE")
    if not is_refused:
        loaded = adam.load("parameters: {educlvl: TOT}", bds=bds.assign(AVAL=20.0))
        assert loaded.participants["educlvl"].tolist()[0] == 20.0
        return
    error = adam.refuse("parameters: {educlvl: TOT}", bds=bds.assign(AVAL=20.0))
    assert str(error) == (
        "bds.csv, column 'DTYPE': 1 baselines of PARAMCD 'TOT' may use later records\n"
        "  Flag an observed record with ABLFL, or leave the parameter out."
    )


def test_a_carried_score_never_stands_beside_the_observed_one(adam) -> None:
    rows = [(*BASELINE, ""), (*WEEK_8, ""), ("QQ1", "Week 8", 57.0, 30.0, "", "LOCF")]
    bds = adam.bds(rows, f"{NAMES} DTYPE")
    assert adam.scores(adam.load(bds=bds)) == PAIR
    assert "1 records repeat a subject and week" in str(adam.refuse("imputed: keep", bds=bds))


@pytest.mark.parametrize("kind", ["AVERAGE", "maximum", "MINIMUM"])
@pytest.mark.parametrize("setting", ["", "imputed: keep"])
def test_a_summary_of_observed_records_is_no_imputation(adam, kind, setting) -> None:
    rows = [
        (*BASELINE, ""), (*WEEK_8, ""),
        ("QQ1", "Week 16", 113.0, 25.0, "", kind),
        # Beside a single reading its summary says nothing more.
        ("QQ1", "Week 8", 57.0, 33.0, "", kind),
        ("QQ1", "Post-Baseline Maximum", 57.0, 39.0, "", kind),
    ]  # fmt: skip
    tables = adam.load(setting, bds=adam.bds(rows, f"{NAMES} DTYPE"))
    assert adam.scores(tables) == {**PAIR, ("QQ1", 16.0): 25.0}
    findings = adam.findings(tables)
    assert (
        f"1 {kind} of 4 records sum up observed ones (DTYPE) and stand beside one of them and are "
        "left out"
    ) in findings
    assert f"1 {kind} of 4 records sum up observed ones (DTYPE) and are taken as observed" in (
        findings
    )
    assert not any("imputed" in item for item in findings)
    assert tables.assessments.set_index("week")["dtype"].to_dict()[16.0] == kind.upper()


def test_a_summary_of_a_visits_readings_has_the_day_of_the_visit(adam) -> None:
    rows = [(*BASELINE, ""), (*WEEK_8, ""), ("QQ1", "", 113.0, 25.0, "", "AVERAGE")]
    tables = adam.load("week: ady", bds=adam.bds(rows, f"{NAMES} DTYPE"))
    assert adam.scores(tables)["QQ1", 16.0] == 25.0


def test_a_derived_baseline_is_kept_since_changes_are_counted_from_it(adam) -> None:
    rows = [(*BASELINE, "AVERAGE"), (*WEEK_8, "")]
    tables = adam.load(bds=adam.bds(rows, f"{NAMES} DTYPE"))
    assert adam.scores(tables) == PAIR
    assert "1 baseline records are derived (1 AVERAGE) and kept" in adam.findings(tables)[0]


def test_only_flagged_records_count_and_the_baseline_always_does(adam) -> None:
    rows = [(*BASELINE, ""), (*WEEK_8, "Y"), ("QQ1", "Week 8", 60.0, 31.0, "", "")]
    bds = adam.bds(rows, f"{NAMES} ANL01FL")
    tables = adam.load(bds=bds)
    assert adam.scores(tables) == PAIR
    assert adam.findings(tables) == ["1 of 3 records have no ANL01FL = Y and are excluded"]
    error = adam.refuse("analysis_flag: none", bds=bds)
    assert "1 records repeat a subject and week of PARAMCD 'TOT'" in str(error)
    assert "`analysis_flag:`" in str(error)


def test_an_analysis_flag_is_named(adam) -> None:
    rows = [(*BASELINE, "", ""), (*WEEK_8, "Y", ""), ("QQ1", "Week 8", 60.0, 31.0, "", "", "Y")]
    bds = adam.bds(rows, f"{NAMES} ANL01FL ANL02FL")
    tables = adam.load("analysis_flag: ANL02FL", bds=bds)
    assert adam.scores(tables) == {("QQ1", 0.0): 40.0, ("QQ1", 8.0): 31.0}
    assert "Did you mean 'ANL02FL'" in str(adam.refuse("analysis_flag: ANL03FL", bds=bds))
    blank = bds.assign(ANL01FL="")
    assert "no record of 'TOT' has ANL01FL = Y" in str(adam.refuse(bds=blank))


def test_screening_is_left_aside_for_the_flagged_baseline(adam) -> None:
    rows = [
        ("QQ1", "Screening", -14.0, 44.0, ""), ("QQ1", "Day 1 pre-dose", 1.0, 42.0, ""),
        BASELINE, WEEK_8,
    ]  # fmt: skip
    tables = adam.load(bds=adam.bds(rows, NAMES))
    assert adam.scores(tables) == PAIR
    assert adam.findings(tables) == [
        "2 records from before treatment are not the baseline and are excluded"
    ]
    without_days = adam.bds(rows, NAMES).drop(columns="ADY").drop(index=1)
    assert adam.scores(adam.load(bds=without_days)) == PAIR


def test_two_baselines_are_refused(adam) -> None:
    rows = [BASELINE, ("QQ1", "Screening", -7.0, 41.0, "Y"), WEEK_8]
    error = adam.refuse(bds=adam.bds(rows, NAMES))
    assert "1 records are a second baseline of the same subject (PARAMCD 'TOT')" in str(error)


def test_base_is_the_baseline_where_no_flag_is(adam) -> None:
    bds = adam.plain.drop(columns="ABLFL")
    assert adam.scores(adam.load(bds=bds)) == adam.scores(adam.load())
    only_later = bds[bds["AVISIT"] != "Baseline"]
    assert adam.scores(adam.load(bds=only_later)) == adam.scores(adam.load())


def test_base_stands_in_for_a_missing_baseline_record_and_is_counted(adam) -> None:
    bds = adam.plain.drop(index=2)
    tables = adam.load(bds=bds)
    assert adam.scores(tables) == adam.scores(adam.load())
    assert adam.findings(tables) == [
        "1 subjects have a BASE and no baseline record of 'TOT': BASE is taken"
    ]
    error = adam.refuse(bds=bds.assign(BASE=[40.0, 40.0, 99.0], CHG=None))
    assert "column 'BASE' (total): 1 of 1 values: each is outside 0 to 70" in str(error)


def test_without_flag_and_base_what_stands_by_week_0_is_read_as_it_is(adam) -> None:
    rows = [("QQ1", "Screening", -13.0, 44.0), ("QQ1", "Baseline", 1.0, 40.0),
            ("QQ1", "Week 8", 57.0, 30.0)]  # fmt: skip
    bds = adam.bds(rows, "USUBJID AVISIT ADY AVAL")
    assert adam.scores(adam.load(bds=bds)) == {("QQ1", -13 / 7): 44.0, **PAIR}
    undated = adam.load(bds=bds.drop(columns="ADY"))
    assert adam.scores(undated) == PAIR
    assert "1 records have neither a planned week nor a day" in adam.findings(undated, "warn")[0]


def test_a_baseline_after_treatment_began_is_warned_of(adam) -> None:
    rows = [("QQ1", "Baseline", 5.0, 40.0, "Y"), ("QQ1", "Unscheduled", 3.0, 41.0, ""), WEEK_8]
    tables = adam.load(bds=adam.bds(rows, NAMES))
    # What stands before a late baseline is before it all the same.
    assert adam.scores(tables) == PAIR
    assert adam.findings(tables, "warn") == ["1 baselines were taken after the day treatment began"]


@pytest.mark.parametrize(
    ("row", "column", "value", "finding"),
    [
        (0, "AVAL", 41.0, "1 baseline records have a BASE that is not their AVAL"),
        (1, "CHG", -9.0, "1 records have a CHG that is not AVAL less BASE"),
        (1, "BASE", 40.5, "2 records are of subjects with several BASE"),
    ],
)
def test_sums_that_do_not_come_out_are_refused(adam, row, column, value, finding) -> None:
    bds = adam.plain.copy()
    bds.loc[row, column] = value
    assert finding in str(adam.refuse(bds=bds))
    bds.loc[row, column] = adam.plain.loc[row, column] + 1e-9
    assert adam.load(bds=bds).n == 3


def test_several_base_types_are_told_apart_or_asked_for(adam) -> None:
    twice = pd.concat(
        [adam.plain.assign(BASETYPE="FIRST"), adam.plain.assign(BASETYPE="LAST", AVAL=1, BASE=1,
                                                               CHG=0)],
        ignore_index=True,
    )  # fmt: skip
    tables = adam.load("basetype: FIRST", bds=twice)
    assert adam.scores(tables) == adam.scores(adam.load())
    error = adam.refuse(bds=twice)
    assert "'TOT' has several BASETYPE for 2 subjects" in str(error)
    assert "FIRST, LAST" in str(error)
    assert "Did you mean 'FIRST'" in str(adam.refuse("basetype: FRIST", bds=twice))


def test_records_without_a_value_are_nobodys(adam) -> None:
    bds = adam.bds([BASELINE, WEEK_8, ("QQ1", "Week 16", 113.0, None, "")], NAMES)
    assert adam.scores(adam.load(bds=bds)) == PAIR


def test_a_parameter_known_at_baseline_belongs_to_the_participant(adam) -> None:
    rows = [("QQ1", "E4", 1.0, "Y"), ("QQ2", "E3", 1.0, "Y")]
    bds = adam.bds(rows, "USUBJID AVALC ADY ABLFL", PARAMCD="GENE")
    people = adam.load("parameters: {genotype: GENE}", bds=bds).participants
    assert people["genotype"].fillna("").tolist() == ["E4", "E3", ""]
    wrong = adam.refuse("parameters: {genotype: GENE}", bds=bds.replace({"AVALC": {"E4": "e4"}}))
    assert "each is not one of the codes E3, E4" in str(wrong)
    error = adam.refuse("parameters: {headache: GENE}", bds=bds)
    assert "'headache' is of week 8" in str(error)


def test_a_score_that_each_trial_rates_is_held_to_the_named_scale(adam) -> None:
    tables = adam.load("parameters: {rated: TOT}", "scale: hamd17")
    assert set(tables.participants["scale"]) == {"hamd17"}
    bds = adam.plain.assign(AVAL=60.0, BASE=60.0, CHG=0.0)
    error = adam.refuse("parameters: {rated: TOT}", "scale: hamd17", bds=bds)
    assert "4 of 4 values: each is outside the range of its scale" in str(error)


def test_records_under_another_treatment_than_the_arm_are_warned_of(adam) -> None:
    bds = adam.plain.assign(TRTP=["Drug", "Placebo", "Placebo", "Placebo"])
    assert adam.findings(adam.load(bds=bds), "warn") == [
        "1 of 4 records of 'TOT' are under another treatment than the subject's arm"
    ]


def test_all_that_stops_is_said_at_once(adam) -> None:
    bds = adam.plain.replace({"USUBJID": {"QQ2": "QQ9"}}).assign(AVAL=[40.0, 80.0, 1.0, 1.0])
    error = adam.refuse(bds=bds, adsl=adam.adsl(SEX=["F", "x", "F"]))
    for part in ("belong to no participant in", "(total): 1 of 2 values", "(sex): 1 of 3 values"):
        assert part in str(error)


def test_a_million_records_take_seconds(adam) -> None:
    people, visits = 50_000, 20
    ids = np.char.add("QQ", np.arange(people).astype(str)).astype(object)
    adsl = pd.DataFrame({"STUDYID": "S1", "USUBJID": ids, "TRT01P": "Drug", "ITTFL": "Y"})
    week = np.tile(np.arange(visits), people)
    names = np.array(["Baseline", *(f"Week {number}" for number in range(1, visits))], dtype=object)
    bds = pd.DataFrame(
        {
            "STUDYID": "S1",
            "USUBJID": np.repeat(ids, visits),
            "PARAMCD": "TOT",
            "AVISIT": names[week],
            "ADY": week * 7.0 + 1,
            "AVAL": 40.0 - week,
            "BASE": 40.0,
            "CHG": -1.0 * week,
            "ABLFL": np.where(week == 0, "Y", ""),
            "ANL01FL": "Y",
            "DTYPE": "",
        }
    )
    began = time.process_time()
    tables = adam.load(adsl=adsl, bds=bds)
    assert len(tables.assessments) == 1_000_000
    assert time.process_time() - began < 20  # some 7 s
