"""ADSL: who counts, which arm they took, and what is read of them."""

import numpy as np
import pytest


def test_keys_site_arm_and_the_dictionarys_variables_are_read_and_nothing_else(adam) -> None:
    adsl = adam.adsl(
        SITEID=[" 007 ", "007", ""], HEIGHTBL=[170.0, None, 181.0], EDUCLVL=[8.0, 9.0, 10.0],
        DURDIS=[1.0, 2.0, 3.0], RACE=["WHITE"] * 3, TOTAL=[1.0, 2.0, 3.0],
    )  # fmt: skip
    people = adam.load(adsl=adsl).participants
    assert people.columns.tolist() == [
        "studyid", "usubjid", "siteid", "arm", "age_years", "sex", "height_cm", "educlvl",
    ]  # fmt: skip
    assert people["siteid"].tolist() == ["007", "007", ""]
    assert people["arm"].tolist() == ["Drug", "Placebo", "Drug"]
    assert people["age_years"].tolist() == [44.0, 52.0, 61.0]
    assert people["sex"].tolist() == ["F", "M", "F"]
    np.testing.assert_equal(people["height_cm"].to_numpy(), [170.0, np.nan, 181.0])


def test_names_in_small_letters_and_numbers_as_text_are_the_same(adam) -> None:
    adsl = adam.adsl(AGE=["44", "52", ""])
    people = adam.load(adsl=adsl.rename(columns=str.lower)).participants
    np.testing.assert_equal(people["age_years"].to_numpy(), [44.0, 52.0, np.nan])
    error = adam.refuse(adsl=adsl.assign(age=1))
    assert "two columns differ from 'AGE' in case alone" in str(error)


def test_a_rename_reads_what_is_not_guessed(adam) -> None:
    adsl = adam.adsl(DURDIS=[1.0, 2.0, 3.0])
    people = adam.load("variables: {durdis_months: DURDIS}", adsl=adsl).participants
    assert people["durdis_months"].tolist() == [1.0, 2.0, 3.0]
    error = adam.refuse("variables: {durdis_months: DURDIZ}", adsl=adsl)
    assert "pipelines/own.yaml:5: the table adsl.csv has no column 'DURDIZ'" in str(error)
    assert "Did you mean 'DURDIS'" in str(error)
    error = adam.refuse("variables: {durdis: DURDIS}", adsl=adsl)
    assert "Did you mean 'durdis_months'" in str(error)


def test_an_age_is_converted_by_its_own_unit(adam) -> None:
    adsl = adam.adsl(AGE=[240.0, 40 * 365.25, 61.0], AGEU=["MONTHS", "DAYS", "years"])
    people = adam.load(adsl=adsl).participants
    np.testing.assert_allclose(people["age_years"].to_numpy(dtype=float), [20.0, 40.0, 61.0])
    error = adam.refuse(adsl=adam.adsl(AGEU=["YEARS", "DECADES", ""]))
    assert "adsl.csv, column 'AGEU': 2 ages are in no known unit" in str(error)


def test_an_age_without_a_unit_is_asked_for_and_taken_at_ones_word(adam) -> None:
    adsl = adam.adsl().drop(columns="AGEU")
    assert "AGE without its unit, AGEU" in str(adam.refuse(adsl=adsl))
    people = adam.load("variables: {age_years: AGE}", adsl=adsl).participants
    assert people["age_years"].tolist() == [44.0, 52.0, 61.0]


def test_codes_are_compared_exactly(adam) -> None:
    error = adam.refuse(adsl=adam.adsl(SEX=["F", "m", "Male"]))
    text = "adsl.csv, column 'SEX' (sex): 2 of 3 values: each is not one of the codes F, M"
    assert text in str(error)


def test_a_subject_twice_is_refused_but_an_id_may_collide_between_trials(adam) -> None:
    error = adam.refuse(adsl=adam.adsl(USUBJID=["QQ1", "QQ2", " QQ1"]))
    assert "1 rows repeat a subject of the same study" in str(error)
    tables = adam.load(adsl=adam.adsl(USUBJID=["QQ1", "QQ2", "QQ1"], STUDYID=["S1", "S1", "S2"]))
    assert tables.participants["studyid"].tolist() == ["S1", "S1", "S2"]
    assert set(tables.assessments["studyid"]) == {"S1"}


def test_a_blank_key_is_refused(adam) -> None:
    error = adam.refuse(adsl=adam.adsl(USUBJID=["QQ1", " ", "QQ3"]))
    assert "adsl.csv, column 'USUBJID': 1 rows are blank" in str(error)


@pytest.mark.parametrize("flag", ["FASFL", "RANDFL", "SAFFL"])
def test_the_first_population_flag_there_is_selects(adam, flag: str) -> None:
    adsl = adam.adsl(**{flag: ["Y", "Y", "N"]}).drop(columns="ITTFL")
    tables = adam.load(adsl=adsl)
    assert tables.n == 2
    assert "1 of 3 subjects are not of the population and are excluded" in adam.findings(tables)


def test_who_is_left_aside_has_no_assessments_and_no_say(adam) -> None:
    # The value out of range is of somebody who does not count.
    adsl = adam.adsl(ITTFL=["N", "Y", None], AGE=[400.0, 52.0, 61.0])
    tables = adam.load(adsl=adsl)
    assert tables.participants["usubjid"].tolist() == ["QQ2"]
    assert adam.scores(tables) == {("QQ2", 0.0): 50.0, ("QQ2", 8.0): 45.0}


def test_a_population_is_named_or_everybody_is(adam) -> None:
    adsl = adam.adsl(ITTFL=["N", "Y", "Y"], PPROTFL=["Y", "", ""])
    assert adam.load("population: PPROTFL", adsl=adsl).n == 1
    assert adam.load("population: all", adsl=adsl).n == 3
    error = adam.refuse("population: PPROTOFL", adsl=adsl)
    assert "has no column 'PPROTOFL'" in str(error)
    assert "Did you mean 'PPROTFL'" in str(error)


def test_no_flag_at_all_is_noted_and_nobody_flagged_is_refused(adam) -> None:
    tables = adam.load(adsl=adam.adsl().drop(columns="ITTFL"))
    assert "there is no flag of a population" in adam.findings(tables, "note")[0]
    error = adam.refuse(adsl=adam.adsl(ITTFL=["1", "1", "0"]))
    assert "none of 3 subjects is of the population and has a treatment" in str(error)


def test_who_has_no_treatment_is_left_aside_and_counted(adam) -> None:
    tables = adam.load(adsl=adam.adsl(TRT01P=["Drug", "Placebo", ""]))
    assert tables.n == 2
    expected = "1 subjects of the population have no planned treatment in period 1 and are excluded"
    assert adam.findings(tables) == [expected]
    tables = adam.load("population: all", adsl=adam.adsl(TRT01P=["Drug", "Drug", "Screen Failure"]))
    assert tables.n == 2


def test_planned_or_actual_treatment_and_the_difference_counted(adam) -> None:
    adsl = adam.adsl(TRT01A=["Drug", "Drug", ""])
    planned = adam.load(adsl=adsl)
    assert planned.participants["arm"].tolist() == ["Drug", "Placebo", "Drug"]
    assert adam.findings(planned) == ["1 subjects took another treatment than was planned"]
    actual = adam.load("treatment: actual", adsl=adsl)
    assert actual.participants["arm"].tolist() == ["Drug", "Drug"]


def test_the_site_is_named_and_refused_where_it_is_not_there(adam) -> None:
    adsl = adam.adsl(SITEGR1=["a", "a", "b"])
    tables = adam.load("site: SITEGR1", adsl=adsl)
    assert tables.participants["siteid"].tolist() == ["a", "a", "b"]
    assert "Did you mean 'SITEGR1'" in str(adam.refuse("site: SITEGR2", adsl=adsl))
    assert "siteid" not in adam.load(adsl=adam.adsl().drop(columns="SITEID")).participants


@pytest.mark.parametrize(
    ("flag", "is_warned"),
    [("EFFFL", True), ("PPROTFL", True), ("FASFL", False), ("SAFFL", False), ("ENRLFL", False)],
)
def test_a_population_chosen_by_what_happened_later_is_warned_of(adam, flag, is_warned) -> None:
    tables = adam.load(f"population: {flag}", adsl=adam.adsl(**{flag: ["Y", "Y", "N"]}))
    warned = [text for text in adam.findings(tables, "warn") if "population is chosen" in text]
    assert len(warned) == is_warned
