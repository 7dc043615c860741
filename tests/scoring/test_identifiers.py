"""Identifiers come out as they went in, whatever they look like and wherever batches end."""

import csv

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from glabella.errors import DataError


def _rows(many_patients, ids):
    return many_patients.drop(index=[11, 60, 61]).head(len(ids)).reset_index(drop=True)


def _write(many_patients, ids, path):
    """Write Parquet with an identifier column of just that type."""
    rows = _rows(many_patients, ids).drop(columns="usubjid")
    table = pyarrow.Table.from_pandas(rows, preserve_index=False)
    pyarrow.parquet.write_table(table.append_column("usubjid", ids), path)


@pytest.mark.parametrize("gap", [0, 25, 39])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_large_whole_numbers_stay_exact_where_one_is_missing(
    many_patients, small_batches, score_whole, tmp_path, gap, ending
):
    numbers = [2**53 + at for at in range(40)]
    numbers[gap] = None
    _write(many_patients, pyarrow.array(numbers, pyarrow.int64()), tmp_path / "new.parquet")
    result, _ = score_whole(tmp_path / "new.parquet", f"out.{ending}")
    assert result.refused_by_reason == {"usubjid is blank": 1}
    if ending == "parquet":
        written = pyarrow.parquet.read_table(tmp_path / "out.parquet")["usubjid"]
        assert written.type == pyarrow.int64()
        assert written.to_pylist() == numbers
    else:
        with (tmp_path / "out.csv").open(newline="") as lines:
            found = [row["usubjid"] for row in csv.DictReader(lines)]
        assert found == ["" if number is None else str(number) for number in numbers]


KINDS = {
    "dates": pyarrow.array(range(40), pyarrow.date32()),
    "decimals": pyarrow.array([str(at) for at in range(40)]).cast(pyarrow.decimal128(9, 0)),
    "dictionary": pyarrow.array([f"P{at}" for at in range(40)]).dictionary_encode(),
    "binary": pyarrow.array([b"P%d" % at for at in range(40)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_other_kinds_of_identifier_become_text(
    many_patients, small_batches, score_whole, tmp_path, kind
):
    _write(many_patients, KINDS[kind], tmp_path / "new.parquet")
    result, found = score_whole(tmp_path / "new.parquet")
    assert result.refused == 0
    assert found["usubjid"].nunique() == 40


def test_identifiers_that_are_lists_are_refused(many_patients, score_whole, tmp_path):
    _write(many_patients, pyarrow.array([["SECRET"]] * 40), tmp_path / "new.parquet")
    with pytest.raises(DataError, match="neither text nor numbers") as caught:
        score_whole(tmp_path / "new.parquet")
    assert "SECRET" not in str(caught.value)


def test_a_sheet_of_numbers_and_text_is_scored(many_patients, small_batches, score_whole, tmp_path):
    rows = _rows(many_patients, range(40))
    ids = [1, 2.5, *range(3, 38), "SECRET", "007", None]
    rows.assign(usubjid=ids).to_excel(tmp_path / "new.xlsx", index=False)
    result, found = score_whole(tmp_path / "new.xlsx", "out.csv")
    assert result.refused_by_reason == {"usubjid is blank": 1}
    assert found["usubjid"].tolist() == ["1", "2.5", *map(str, range(3, 38)), "SECRET", "007", ""]


ODD = ["a\rb", "c\r\nd", "e\nf", "=1+1", 'g"h', "x,y", "007", "1e5", "NA", "None", " z", "1,5", "é"]


def test_odd_identifiers_read_back_as_they_were(
    many_patients, small_batches, score_whole, tmp_path
):
    rows = _rows(many_patients, ODD).assign(usubjid=ODD)
    rows.to_csv(tmp_path / "new.csv", index=False, quoting=csv.QUOTE_ALL)
    _, found = score_whole(tmp_path / "new.csv", "out.csv")
    assert found["usubjid"].tolist() == ODD
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as lines:
        assert [row["usubjid"] for row in csv.DictReader(lines)] == ODD


def test_identifiers_say_nothing_of_the_decimal_sign(many_patients, score_whole, tmp_path):
    rows = _rows(many_patients, range(12)).assign(
        usubjid=[f"{at}.101" for at in range(12)], age=lambda frame: frame["age"] + 0.5
    )
    rows.to_csv(tmp_path / "new.csv", index=False, sep=";", decimal=",")
    result, found = score_whole(tmp_path / "new.csv", "out.csv")
    assert result.refused == 0
    assert found["usubjid"].tolist() == rows["usubjid"].tolist()


def test_numbers_of_spss_are_written_as_in_a_text_file(many_patients, score_whole, tmp_path):
    import pyreadstat

    rows = _rows(many_patients, range(12)).assign(usubjid=[*map(float, range(11)), None])
    pyreadstat.write_sav(rows, str(tmp_path / "new.sav"))
    _, found = score_whole(tmp_path / "new.sav", "out.csv")
    assert found["usubjid"].tolist() == [*map(str, range(11)), ""]
    assert isinstance(found, pd.DataFrame)
