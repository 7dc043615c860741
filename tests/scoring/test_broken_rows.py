"""Twenty kinds of broken row: each is refused in its place, and the others are scored as ever."""

import pandas as pd
import pytest

AT = 13
SECRET = "91827"

ROWS = {
    "text in a number": ({"age": f"x{SECRET}"}, "age is not a number"),
    "a number above its range": ({"age": SECRET}, "age is outside 18 to 95 years"),
    "a number below its range": ({"illness": f"-{SECRET}"}, "illness is outside 0 to 720 months"),
    "an infinite number": ({"illness": "inf"}, "illness is not a finite number"),
    "two numbers in a cell": ({"age": f"44 {SECRET}"}, "age is not a number"),
    "a number with its unit": ({"age": "44 years"}, "age is not a number"),
    "a number in hexadecimal": ({"age": "0x2C"}, "age is not a number"),
    "a spreadsheet's error": ({"illness": "#N/A"}, "illness is not a number"),
    "a half grade": ({"frown_max": "1.5"}, "frown_max is not a whole number"),
    "a grade that there is not": ({"frown_max": "4"}, "frown_max is outside 0 to 3"),
    "a label in place of a code": ({"sex": "female"}, "sex is not one of the codes F, M"),
    "a code in lower case": ({"sex": "f"}, "sex is not one of the codes F, M"),
    "an unknown level": ({"ad": SECRET}, "ad is not one of the codes no, yes"),
    "no severity": ({"depression_total": ""}, "depression_total is missing"),
    "a severity of nought": (
        {"depression_total": "0"},
        "depression_total is zero, so that a relative fall from it is not defined",
    ),
    "a severity beyond its scale": (
        {"depression_total": "61"},
        "depression_total is outside the range of its scale",
    ),
    "a scale that there is not": ({"scale": SECRET}, "scale names no known scale"),
    "no scale": ({"scale": ""}, "scale names no known scale"),
    "no identifier": ({"usubjid": "  "}, "usubjid is blank"),
    "an identifier that was there before": (
        {"usubjid": " N-0002 "},
        "usubjid is in an earlier row too",
    ),
    "every cell blank": (
        dict.fromkeys(["usubjid", "age", "sex", "illness", "depression_total", "scale"], ""),
        "usubjid is blank",
    ),
}


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_broken_row_is_refused_in_its_place(
    many_patients, small_batches, score_whole, tmp_path, kind, ending
):
    changed, reason = ROWS[kind]
    table = many_patients.head(40).drop(columns="antidepressant", errors="ignore")
    table = table.drop(index=11).reset_index(drop=True).astype(str).replace("nan", "")
    _write(table, tmp_path / f"good.{ending}")
    _, good = score_whole(tmp_path / f"good.{ending}", "good_scores.csv")
    for column, value in changed.items():
        table.loc[AT, column] = value
    _write(table, tmp_path / f"new.{ending}")
    result, found = score_whole(tmp_path / f"new.{ending}", "scores.csv")
    assert (result.rows, result.refused, result.refused_by_reason) == (39, 1, {reason: 1})
    assert found.loc[AT, ["status", "error"]].tolist() == ["refused", reason]
    assert found.loc[AT, "response_probability":"reason_3"].isna().all()
    pd.testing.assert_frame_equal(found.drop(index=AT), good.drop(index=AT), check_dtype=False)
    assert SECRET not in found.drop(columns="usubjid").to_csv()


def _write(table, path):
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
