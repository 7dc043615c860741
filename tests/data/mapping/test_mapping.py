"""A trial's own files, wide or long, become the same checked tables; no message holds a value."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glabella.data.checks import RowsError
from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import derive_outcomes
from glabella.data.mapping.mapping import AssessmentsFile, TrialSource, read_trial
from glabella.data.mapping.unmatched import explain_unmatched
from glabella.data.tables import PatientTables, hash_tables
from glabella.definitions.reader import Definition, parse_definition
from glabella.domain.scales import SCALES
from glabella.errors import DataError, DefinitionError, GlabellaError

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 95]}
  sex: {label: Sex, type: category, codes: {F: female, M: male}}
  twstrs: {label: Torticollis, type: score, scale: twstrs, timing: visit}
  total: {label: Depression total, type: score, scale: by_trial, timing: visit}
  frown_max: {label: Frown, type: ordinal, range: [0, 3], timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value

LONG = """
kind: holder
source:
  name: alpha
  participants:
    file: people.csv
    id: pid
    site: centre
    arm: treat
    variables:
      age_years: age
      sex: gender
  assessments:
    - file: visits.csv
      id: pid
      variable: twstrs
      week: wk
      value: score
"""
WIDE = """
kind: holder
source:
  name: alpha
  participants: {file: people.csv, id: pid, site: centre, arm: treat}
  assessments:
    - file: people.csv
      id: pid
      variable: twstrs
      weeks: {tw_w0: 0, tw_w4: 4}
"""
POOLED = """
kind: holder
source:
  name: pooled
  participants: {file: people.csv, id: pid, trial: study, scale: rated_on}
  assessments:
    - {file: visits.csv, id: pid, trial: study, parameter: param, week: wk, value: score}
"""

PEOPLE = "pid,centre,treat,age,gender\nQQ01,007,NO,44,F\nQQ02,010,on,,M\n"
VISITS = "pid,wk,score\nQQ01,0,40\nQQ01,4,30\nQQ02,0,50\nQQ02,4,\n"


class Holder(Definition):
    kind: str
    source: TrialSource


def load(text: str, folder: Path, **files: str) -> PatientTables:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    read = parse_definition(text, Holder, name="pipelines/own.yaml")
    return read_trial(
        read.value.source,
        folder,
        DICTIONARY,
        origin="real",
        written=read.origin,
        keys=("source",),
    )


def refuse(text: str, folder: Path, **files: str) -> GlabellaError:
    with pytest.raises((DataError, DefinitionError)) as caught:
        load(text, folder, **files)
    return caught.value


def test_a_long_source_is_mapped(tmp_path: Path) -> None:
    tables = load(LONG, tmp_path, people=PEOPLE, visits=VISITS)
    assert tables.origin == "real"
    assert tables.n == 2
    people = tables.participants
    assert people.columns.tolist() == ["studyid", "usubjid", "siteid", "arm", "age_years", "sex"]
    assert people["studyid"].tolist() == ["alpha", "alpha"]
    assert people["usubjid"].tolist() == ["QQ01", "QQ02"]
    assert people["siteid"].tolist() == ["007", "010"]
    assert people["arm"].tolist() == ["NO", "on"]
    np.testing.assert_equal(people["age_years"].to_numpy(), [44.0, np.nan])
    assert people["sex"].tolist() == ["F", "M"]
    rows = tables.assessments
    assert rows.columns.tolist() == ["studyid", "usubjid", "paramcd", "week", "aval"]
    assert rows["usubjid"].tolist() == ["QQ01", "QQ01", "QQ02"]
    assert rows["week"].tolist() == [0.0, 4.0, 0.0]
    assert rows["aval"].tolist() == [40.0, 30.0, 50.0]
    assert set(rows["paramcd"]) == {"twstrs"}


def test_a_wide_source_is_mapped(tmp_path: Path) -> None:
    people = "pid,centre,treat,tw_w0,tw_w4\n1,a,x,40,30\n2,a,y,50,\n"
    rows = load(WIDE, tmp_path, people=people).assessments.sort_values(["usubjid", "week"])
    assert rows["usubjid"].tolist() == ["1", "1", "2"]
    assert rows["aval"].tolist() == [40.0, 30.0, 50.0]


def test_several_variables_of_one_file_are_told_apart_and_unknown_ones_not_read(
    tmp_path: Path,
) -> None:
    tables = load(
        POOLED,
        tmp_path,
        people="study,pid,rated_on\nA,1,madrs\nB,1,hamd17\n",
        visits=(
            "study,pid,param,wk,score\nA,1,total,0,58\nA,1,frown_max,0,2\nA,1,PULSE,0,fast\n"
            "B,1,total,0,30\n"
        ),
    )
    # The same id in two trials is two participants.
    assert tables.participants["studyid"].tolist() == ["A", "B"]
    found = tables.assessments.set_index(["studyid", "paramcd"])["aval"]
    assert found.to_dict() == {("A", "total"): 58, ("A", "frown_max"): 2, ("B", "total"): 30}


def test_a_score_is_checked_against_the_scale_of_its_own_trial(tmp_path: Path) -> None:
    error = refuse(
        POOLED,
        tmp_path,
        people="study,pid,rated_on\nA,1,madrs\nB,1,hamd17\n",
        visits="study,pid,param,wk,score\nA,1,total,0,58\nB,1,total,0,58\n",
    )
    assert "1 of 2 values: each is outside the range of its scale" in str(error)


def test_the_wide_and_the_long_file_of_a_real_trial_are_the_same_trial(
    tables: Path, checkout: Path
) -> None:
    shipped = (checkout / "pipelines" / "cdystonia.yaml").read_text()
    wide_text = "kind: holder\nsource:\n  name: cdystonia\n" + "\n".join(
        line[4:] for line in shipped.split("- name: cdystonia\n")[1].split("arms:")[0].splitlines()
    )
    wide = load(wide_text, tables / "cdystonia_bont")
    head, _ = wide_text.split("    - file: data.csv")
    long_text = head + (
        "    - {file: visits.csv, id: subject, variable: twstrs, week: week, value: twstrs}\n"
    )
    long = load(long_text, tables / "cdystonia_bont")
    pd.testing.assert_frame_equal(wide.participants, long.participants, check_exact=True)
    by = ["usubjid", "paramcd", "week"]
    assert len(wide.assessments) == 631
    pd.testing.assert_frame_equal(
        wide.assessments.sort_values(by, ignore_index=True),
        long.assessments.sort_values(by, ignore_index=True),
        check_exact=True,
    )
    endpoint = EndpointDefinition(
        rule="response",
        of="twstrs",
        fraction=0.2,
        week=8,
        window=(4, 12),
        missing="non_responder",
    )
    pd.testing.assert_frame_equal(
        derive_outcomes(wide, endpoint, DICTIONARY).frame,
        derive_outcomes(long, endpoint, DICTIONARY).frame,
        check_exact=True,
    )


def test_a_long_file_may_name_its_participants_in_any_order(tmp_path: Path) -> None:
    lines = VISITS.splitlines()
    mixed = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    one = load(LONG, tmp_path, people=PEOPLE, visits=VISITS)
    two = load(LONG, tmp_path, people=PEOPLE, visits=mixed)
    by = ["usubjid", "week"]
    pd.testing.assert_frame_equal(
        one.assessments.sort_values(by, ignore_index=True),
        two.assessments.sort_values(by, ignore_index=True),
    )


@pytest.mark.parametrize("centres", ["1,2", "1,"], ids=["whole", "one_missing"])
def test_a_parquet_file_gives_the_tables_of_the_csv_file_it_was_made_from(
    tmp_path: Path, centres: str
) -> None:
    first, second = centres.split(",")
    people = f"pid,centre,treat,age,gender\n101,{first},x,44,F\n102,{second},y,,M\n"
    visits = "pid,wk,score\n101,0,40\n101,4,30\n102,0,50\n102,4,\n"
    from_csv = load(LONG, tmp_path, people=people, visits=visits)
    for name in ("people", "visits"):
        pd.read_csv(tmp_path / f"{name}.csv").to_parquet(tmp_path / f"{name}.parquet")
    from_parquet = load(LONG.replace(".csv", ".parquet"), tmp_path)
    pd.testing.assert_frame_equal(from_csv.participants, from_parquet.participants)
    pd.testing.assert_frame_equal(from_csv.assessments, from_parquet.assessments)
    assert hash_tables(from_csv) == hash_tables(from_parquet)


def test_ids_stored_as_numbers_in_one_file_and_as_text_in_the_other_meet(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text(VISITS.replace("QQ01", "101").replace("QQ02", "102"))
    people = pd.DataFrame(
        {"pid": [101.0, 102.0], "centre": "a", "treat": "x", "age": 40, "gender": "F"}
    )
    people.to_parquet(tmp_path / "people.parquet")
    tables = load(LONG.replace("people.csv", "people.parquet"), tmp_path)
    assert tables.participants["usubjid"].tolist() == ["101", "102"]


@pytest.mark.parametrize(
    ("text", "old", "new", "place", "finding", "nearest"),
    [
        (
            LONG,
            "id: pid\n    site",
            "id: pidd\n    site",
            7,
            "people.csv has no column 'pidd'",
            "pid",
        ),
        (LONG, "centre", "center", 8, "people.csv has no column 'center'", "centre"),
        (LONG, "arm: treat", "arm: traet", 9, "people.csv has no column 'traet'", "treat"),
        (LONG, "sex: gender", "sex: gendre", 12, "people.csv has no column 'gendre'", "gender"),
        (LONG, "sex: gender", "sexx: gender", 12, "the dictionary has no variable 'sexx'", "sex"),
        (LONG, "score", "scroe", 18, "visits.csv has no column 'scroe'", "score"),
        (LONG, "week: wk", "week: wkk", 17, "visits.csv has no column 'wkk'", "wk"),
        (
            LONG,
            "variable: twstrs",
            "variable: twstsr",
            16,
            "the dictionary has no variable 'twstsr'",
            "twstrs",
        ),
        (WIDE, "tw_w4: 4", "tw_w44: 4", 10, "people.csv has no column 'tw_w44'", "tw_w4"),
    ],
)
def test_a_misspelt_column_or_variable_is_answered_with_the_nearest_one(
    tmp_path: Path, text: str, old: str, new: str, place: int, finding: str, nearest: str
) -> None:
    assert text.count(old) == 1
    people = "pid,centre,treat,age,gender,tw_w0,tw_w4\n1,a,x,44,F,40,30\n2,a,y,,M,50,\n"
    visits = VISITS.replace("QQ01", "1").replace("QQ02", "2")
    error = refuse(text.replace(old, new), tmp_path, people=people, visits=visits)
    assert isinstance(error, DefinitionError)
    assert error.place == f"pipelines/own.yaml:{place}"
    assert error.finding.endswith(finding)
    assert str(error.remedy).startswith(f"Did you mean '{nearest}'?")


SECRET = ("QQ", "ZZ", "31415", "27182")


@pytest.mark.parametrize(
    ("people", "visits", "finding"),
    [
        (
            "QQ01,a,x,44,ZZF\nQQ02,a,y,50,M\n",
            None,
            "people.csv, column 'gender' (sex): 1 of 2 values: each is not one of the codes F, M\n"
            "  Mend them, or the entry of 'sex' in the dictionary.",
        ),
        (
            "QQ01,a,x,ZZ44,F\nQQ02,a,y,50,M\n",
            None,
            "people.csv, column 'age' (age_years): 1 of 2 values: each is not a number\n"
            "  Mend them, or the entry of 'age_years' in the dictionary.",
        ),
        (
            "QQ01,a,x,31415,F\nQQ02,a,y,-27182,M\n",
            None,
            "people.csv, column 'age' (age_years): 2 of 2 values: each is outside 18 to 95 years\n"
            "  Mend them, or the entry of 'age_years' in the dictionary.",
        ),
        (
            "QQ01,a,x,44,F\nQQ02,a,y,50,M\nQQ01,ZZ,x,45,F\n",
            None,
            "people.csv, column 'pid': 1 rows repeat a participant of the same trial\n"
            "  Keep one row a participant.",
        ),
        (
            "QQ01,a,x,44,F\n",
            None,
            "visits.csv, column 'pid': 2 of 4 rows belong to no participant in people.csv\n"
            "  Add these participants, or leave the rows out.",
        ),
        (
            None,
            "QQ01,0,40\nQQ01,4,31\nQQ01,4,31\nQQ01,4.0,32\n",
            "visits.csv: 2 rows repeat a participant, variable and week\n  Keep one value a visit.",
        ),
        (
            " ,a,x,44,F\nQQ01,a,x,44,F\nQQ02,a,y,50,M\n",
            None,
            "people.csv, column 'pid': 1 rows have no id\n  Fill them in.",
        ),
        (
            None,
            "QQ01,0,40\nQQ01,ZZ,31\n",
            "visits.csv, column 'wk': 1 of 2 values: each is not a number\n"
            "  Give the week since treatment began; baseline is 0.",
        ),
        (
            None,
            "QQ01,0,40\nQQ01,-inf,31\n",
            "visits.csv, column 'wk': 1 of 2 values: each is not a number\n"
            "  Give the week since treatment began; baseline is 0.",
        ),
        (
            None,
            "QQ01,0,40\nQQ01,4,ZZ\n",
            "visits.csv, column 'score' (twstrs): 1 of 2 values: each is not a number\n"
            "  Mend them, or the entry of 'twstrs' in the dictionary.",
        ),
        (
            None,
            "QQ01,0,40\nQQ01,4,31415\n",
            "visits.csv, column 'score' (twstrs): 1 of 2 values: each is outside 0 to 85, the "
            "range of twstrs\n  Mend them, or the entry of 'twstrs' in the dictionary.",
        ),
    ],
    ids=[
        "unknown_code",
        "no_number",
        "out_of_range",
        "doubled_participant",
        "assessments_of_nobody",
        "two_values_at_one_visit",
        "blank_id",
        "week_no_number",
        "week_not_finite",
        "score_no_number",
        "score_out_of_range",
    ],
)
def test_a_fault_of_the_data_is_placed_counted_and_shows_no_value(
    tmp_path: Path, people: str | None, visits: str | None, finding: str
) -> None:
    error = refuse(
        LONG,
        tmp_path,
        people=PEOPLE if people is None else "pid,centre,treat,age,gender\n" + people,
        visits=VISITS if visits is None else "pid,wk,score\n" + visits,
    )
    assert isinstance(error, DataError)
    assert not [secret for secret in SECRET if secret in str(error)]
    assert str(error) == finding


def test_a_fault_in_a_wide_file_names_the_column_that_holds_it(tmp_path: Path) -> None:
    people = "pid,centre,treat,tw_w0,tw_w4\nQQ1,a,x,40,ZZ\nQQ2,a,y,50,30\n"
    error = refuse(WIDE, tmp_path, people=people)
    assert error.place == "people.csv, column 'tw_w4' (twstrs)"
    assert not [secret for secret in SECRET if secret in str(error)]


def test_an_unknown_scale_is_refused_without_showing_it(tmp_path: Path) -> None:
    error = refuse(
        POOLED,
        tmp_path,
        people="study,pid,rated_on\nA,QQ1,madrs\nB,QQ1,ZZ18\n",
        visits="study,pid,param,wk,score\nA,QQ1,total,0,30\n",
    )
    assert str(error) == (
        "people.csv, column 'rated_on': 1 of 2 rows name no known scale\n"
        f"  There are: {', '.join(SCALES)}."
    )


def test_a_blank_trial_is_refused(tmp_path: Path) -> None:
    error = refuse(
        POOLED,
        tmp_path,
        people="study,pid,rated_on\nA,1,madrs\n,2,madrs\n",
        visits="study,pid,param,wk,score\nA,1,total,0,30\n",
    )
    assert error.place == "people.csv, column 'study'"


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    error = refuse(
        LONG,
        tmp_path,
        people="pid,centre,treat,age,gender\nQQ01,a,x,ZZ,ZZ\nQQ01,a,x,31415,F\n",
        visits="pid,wk,score\nQQ01,ZZ,ZZ\nQQ09,0,27182\n",
    )
    lines = str(error).splitlines()
    # Code, number, range and doubled participant; stranger, week, score and range of the score.
    assert lines[0] == "8 findings in the data"
    assert len(lines) == 9
    assert not [secret for secret in SECRET if secret in str(error)]


def test_the_same_id_in_two_rows_of_different_trials_is_no_double(tmp_path: Path) -> None:
    tables = load(
        POOLED,
        tmp_path,
        people="study,pid,rated_on\nA,1,madrs\nB,1,madrs\n",
        visits="study,pid,param,wk,score\nA,1,total,4,30\nB,1,total,4,20\n",
    )
    assert tables.n == 2
    assert len(tables.assessments) == 2


def test_a_file_without_any_known_variable_is_refused(tmp_path: Path) -> None:
    error = refuse(
        POOLED,
        tmp_path,
        people="study,pid,rated_on\nA,QQ1,madrs\n",
        visits="study,pid,param,wk,score\nA,QQ1,ZZ,0,30\n",
    )
    assert str(error) == (
        "visits.csv: no row is of a variable that the dictionary knows\n"
        "  There are: age_years, frown_max, sex, total, twstrs."
    )


def test_a_visit_at_which_nothing_was_recorded_is_no_visit(tmp_path: Path) -> None:
    tables = load(WIDE, tmp_path, people="pid,centre,treat,tw_w0,tw_w4\n1,a,x,40,\n2,a,y,50,\n")
    assert tables.assessments["week"].tolist() == [0.0, 0.0]


def test_a_missing_file_is_refused_before_anything_is_mapped(tmp_path: Path) -> None:
    error = refuse(LONG, tmp_path, people=PEOPLE)
    assert error.finding == "there is no such file"
    assert "has people.csv." in str(error)


@pytest.mark.parametrize(
    ("rest", "finding"),
    [
        ("variable: twstrs", "name either `weeks` (wide) or both `week` and `value` (long)"),
        (
            "variable: twstrs, week: w",
            "name either `weeks` (wide) or both `week` and `value` (long)",
        ),
        (
            "variable: twstrs, weeks: {a: 0}, week: w, value: v",
            "name either `weeks` (wide) or both `week` and `value` (long)",
        ),
        ("week: w, value: v", "name either `variable` or `parameter`"),
        (
            "variable: twstrs, parameter: p, week: w, value: v",
            "name either `variable` or `parameter`",
        ),
        ("parameter: p, weeks: {a: 0}", "a wide file needs its `variable`"),
    ],
)
def test_an_assessments_file_is_either_wide_or_long(rest: str, finding: str) -> None:
    text = f"{{file: x.csv, id: i, {rest}}}\n"
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, AssessmentsFile, name="x.yaml")
    assert finding.lower() in str(caught.value).lower()


def test_a_wide_file_without_any_visit_is_refused(tmp_path: Path) -> None:
    text = WIDE.replace("weeks: {tw_w0: 0, tw_w4: 4}", "weeks: {}")
    refuse(text, tmp_path, people="pid,centre,treat,tw_w0,tw_w4\n1,a,x,40,30\n")


@pytest.mark.parametrize(("text", "columns"), [(WIDE, ["tw_w0"]), (LONG, [])], ids=["wide", "long"])
def test_the_columns_of_a_baseline_are_named(text: str, columns: list[str]) -> None:
    source = parse_definition(text, Holder, name="x").value.source
    found = source.list_baseline_columns("twstrs")
    assert [given.column for _, given in found] == columns
    assert source.list_baseline_columns("total") == []
    assert source.files[0] == "people.csv"
    assert len(source.files) == len(set(source.files))


def list_people(n: int) -> tuple[str, str]:
    people = "".join(f"QQ{k},S{k % 3},{'xy'[k % 2]},{20 + k},F\n" for k in range(n))
    visits = "".join(f"QQ{k},0,{k}\nQQ{k},4,{k}\n" for k in range(n))
    return "pid,centre,treat,age,gender\n" + people, "pid,wk,score\n" + visits


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            LONG.replace("id: pid", "id: pid\n    trial: pid", 1).replace(
                "file: visits.csv\n      id: pid",
                "file: visits.csv\n      id: pid\n      trial: pid",
            ),
            "people.csv, column 'pid': 40 participants are in 40 trials",
        ),
        (
            LONG.replace("site: centre", "site: pid"),
            "people.csv, column 'pid': 40 participants are in 40 sites",
        ),
    ],
)
def test_groups_of_one_participant_each_are_refused_without_naming_them(
    tmp_path: Path, text: str, finding: str
) -> None:
    people, visits = list_people(40)
    error = refuse(text, tmp_path, people=people, visits=visits)
    assert str(error) == (
        f"{finding}\n  Name the column of these, and not one in which everybody differs."
    )


def test_all_columns_and_variables_that_there_are_not_are_named_at_once(tmp_path: Path) -> None:
    text = (
        LONG.replace("id: pid\n    site", "id: pidd\n    site")
        .replace("sex: gender", "sexe: gender")
        .replace("week: wk", "week: weeks")
    )
    error = refuse(text, tmp_path, people=PEOPLE, visits=VISITS)
    assert str(error) == (
        "3 findings\n"
        "  pipelines/own.yaml:7: the table people.csv has no column 'pidd'. Did you mean 'pid'? "
        "There are: age, centre, gender, pid, treat.\n"
        "  pipelines/own.yaml:12: the dictionary has no variable 'sexe'. Did you mean 'sex'? "
        "There are: age_years, frown_max, sex, total, twstrs.\n"
        "  pipelines/own.yaml:17: the table visits.csv has no column 'weeks'. There are: pid, "
        "score, wk."
    )


def test_all_files_that_can_not_be_read_are_named_at_once(tmp_path: Path) -> None:
    error = refuse(LONG, tmp_path, people="pid,pid\n1,2\n", visits="")
    assert error.finding == (
        "2 findings\n"
        "  people.csv: the column 'pid' appears twice. Keep one, or rename the other.\n"
        "  visits.csv: the file is empty. Write a header and rows into it."
    )


def test_a_table_that_is_turned_round_lists_no_participant(tmp_path: Path) -> None:
    head = ",".join(["what", *(f"QQ{k}" for k in range(40))])
    row = ",".join(["age", *(str(20 + k) for k in range(40))])
    error = refuse(LONG, tmp_path, people=f"{head}\n{row}\n", visits=VISITS)
    assert "the table people.csv has no column 'pid'" in error.finding
    assert "QQ" not in str(error)
    assert "Most of its 41 columns are numbered, and it has only 1 rows" in str(error)


def test_doubled_visits_are_listed_by_file_row_and_column(tmp_path: Path) -> None:
    text = LONG + (
        "    - {file: people.csv, id: pid, variable: twstrs, weeks: {tw_w0: 0, tw_w8: 8}}\n"
    )
    people = "pid,centre,treat,age,gender,tw_w0,tw_w8\nQQ01,a,x,44,F,,3\nQQ02,b,y,50,M,7,\n"
    visits = "pid,wk,score\nQQ01,0,40\nQQ01,4,31\nQQ01,4.0,31\nQQ02,0,7\n"
    error = refuse(text, tmp_path, people=people, visits=visits)
    assert isinstance(error, RowsError)
    assert error.finding == "2 rows repeat a participant, variable and week"
    assert error.rows is not None
    assert error.rows.values.tolist() == [
        ["visits.csv", 3, "score", "rows repeat a participant, variable and week"],
        ["people.csv", 2, "tw_w0", "rows repeat a participant, variable and week"],
    ]


def test_identifiers_that_match_nobody_are_one_finding_with_what_they_differ_by(
    tmp_path: Path,
) -> None:
    text = LONG.replace("name: alpha", "name: alpha\n  scale: hamd17").replace("twstrs", "total")
    people = "pid,centre,treat,age,gender\n7,a,x,44,F\n8,b,y,45,M\n"
    error = refuse(text, tmp_path, people=people, visits="pid,wk,score\n007,0,30\n008,0,31\n")
    assert str(error) == (
        "visits.csv, column 'pid': 2 of 2 rows belong to no participant in people.csv\n"
        "  All of these identifiers would be found if leading zeros did not count: write them "
        "alike in both files. Add these participants, or leave the rows out."
    )


@pytest.mark.parametrize(
    ("people", "visits", "hint"),
    [
        (["QQ-01", "QQ-02"], ["qq-01", "qq-02"], "All of these identifiers would be found if cap"),
        (["QQ 01", "QQ 02"], ["QQ-01", "QQ_02"], "if blanks and signs between did not count"),
        (["S1-7", "S1-8"], ["S1-007", "S1-008"], "if leading zeros did not count"),
        (["7.0", "8.0"], ["7", "8"], "if decimals of whole numbers did not count"),
        (["QQ 7", "QQ 8"], ["qq007", "qq008"], "if capitals, leading zeros, blanks and signs"),
        (["QQ1", "QQ2", "QQ3"], ["qq1", "qq2", "ZZ9"], "Most of these identifiers"),
    ],
)
def test_what_identifiers_differ_by_is_said_without_showing_one(
    people: list[str], visits: list[str], hint: str
) -> None:
    there = pd.DataFrame({"studyid": "A", "usubjid": people})
    rows = pd.DataFrame({"studyid": "A", "usubjid": visits}).astype("category")
    found = explain_unmatched(rows, there, np.ones(len(rows), dtype=bool))
    assert hint in found
    assert not any(name in found for name in (*people, *visits) if len(name) > 2)


def test_identifiers_under_another_trial_or_of_others_are_told_from_misspelt_ones() -> None:
    there = pd.DataFrame({"studyid": "A", "usubjid": ["1", "2"]})
    rows = pd.DataFrame({"studyid": "a", "usubjid": ["1", "2"]})
    everyone = np.ones(2, dtype=bool)
    assert "under the name of another trial" in explain_unmatched(rows, there, everyone)
    rows = pd.DataFrame({"studyid": "A", "usubjid": ["QQ9", "QQ8"]})
    assert explain_unmatched(rows, there, everyone) == ""


def test_rows_without_an_id_are_no_repeated_participant(tmp_path: Path) -> None:
    people = "pid,centre,treat,age,gender\nQQ01,a,x,44,F\n,b,y,45,M\n,c,y,46,M\n"
    error = refuse(LONG, tmp_path, people=people, visits="pid,wk,score\nQQ01,0,40\n")
    assert error.finding == "2 rows have no id"


def test_an_unknown_scale_is_no_second_finding_of_its_scores(tmp_path: Path) -> None:
    error = refuse(
        POOLED,
        tmp_path,
        people="study,pid,rated_on\nA,QQ1,madrs\nB,QQ1,ZZ18\n",
        visits="study,pid,param,wk,score\nA,QQ1,total,0,30\nB,QQ1,total,0,30\nB,QQ1,total,1,x\n",
    )
    assert "1 of 2 rows name no known scale" in str(error)
    assert "has no known scale" not in str(error)
    assert "1 of 3 values: each is not a number" in str(error)
