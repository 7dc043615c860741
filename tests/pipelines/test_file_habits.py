"""The same trial gives the same responders, whichever program wrote its file."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

import glabella
from glabella.errors import DefinitionError

ANALYSIS = """\
kind: analysis
description: One small invented trial
seed: 1
data:
  trials:
    - name: alpha
      scale: hamd17
      participants:
        file: FILE
        id: id
        site: site
        arm: arm
        variables: {age_years: age, sex: sex, illness_months: months}
      assessments: [ASSESSMENTS]
arms:
  - {name: bont, label: BoNT/A, role: active, codes: [bont]}
  - {name: placebo, label: Placebo, role: control, codes: [placebo]}
endpoint:
  of: depression_total
  week: 6
  window: [5, 7]
  missing: observed_only
  rule: response
  fraction: 0.3
features: mini
models: [arm_only, severity]
"""
FEATURES = """\
kind: feature_set
description: A few
predict_at: baseline
features:
  - {name: severity, label: Baseline, builder: baseline_score, of: depression_total,
     as: percent_of_range}
  - {name: age_years}
  - {name: sex}
  - {name: illness_months}
"""
WIDE = "{file: FILE, id: id, variable: depression_total, weeks: {hamd0: 0, hamd6: 6}}"
# A fall of exactly 30 %, a larger and a smaller one.
LATER = np.tile([16.1, 10.0, 20.0], 20)


@pytest.fixture
def people() -> pd.DataFrame:
    """Sixty participants: 10 of each fall in each arm."""
    draw = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "id": [f"P{at:03d}" for at in range(60)],
            "site": np.tile(["1", "2"], 30),
            "arm": np.repeat(["bont", "placebo"], 30),
            "age": draw.integers(20, 66, 60),
            "sex": draw.choice(["F", "M"], 60),
            "months": draw.integers(2, 120, 60),
            "hamd0": 23.0,
            "hamd6": LATER,
        }
    )


@pytest.fixture
def project(small_project: Path) -> Path:
    (small_project / "features" / "mini.yaml").write_text(FEATURES, encoding="utf-8")
    return small_project


def count(
    project: Path, file: str, *, assessments: str = WIDE, **replaced: str
) -> tuple[int, list[int]]:
    """Count participants, and responders by arm."""
    text = ANALYSIS.replace("ASSESSMENTS", assessments).replace("FILE", file)
    for old, new in replaced.items():
        text = text.replace(old, new)
    (project / "pipelines" / "case.yaml").write_text(text, encoding="utf-8")
    result = glabella.check("case", project=project)
    return result.n, result.participants["responders"].tolist()


def write_single(people: pd.DataFrame, path: Path) -> None:
    numbers = dict.fromkeys(("hamd0", "hamd6"), "float32")
    if path.suffix == ".dta":
        people.astype(numbers).to_stata(path, write_index=False)
    elif "half" in path.stem:
        table = pyarrow.Table.from_pandas(people.astype(dict.fromkeys(numbers, "float16")))
        pyarrow.parquet.write_table(table, path)
    else:
        people.astype(numbers).to_parquet(path)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "t.csv": lambda people, path: people.to_csv(path, index=False),
    "single.dta": write_single,
    "single.parquet": write_single,
    "half.parquet": write_single,
    "was_single.csv": lambda people, path: (
        people.astype({"hamd6": "float32"}).astype({"hamd6": float}).to_csv(path, index=False)
    ),
    "was_single.xlsx": lambda people, path: (
        people.astype({"hamd6": "float32"}).astype({"hamd6": float}).to_excel(path, index=False)
    ),
}


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize("rule", ["a fall of 30 %", "at most 16.1", "a fall of 6.9 points"])
def test_single_precision_flips_no_exact_response(
    project: Path, people: pd.DataFrame, file: str, rule: str
) -> None:
    WRITERS[file](people, project / file)
    stated = {
        "a fall of 30 %": "rule: response\n  fraction: 0.3",
        "at most 16.1": "rule: threshold\n  at_most: 16.1",
        "a fall of 6.9 points": "rule: response\n  points: 6.9",
    }[rule]
    found = count(project, file, **{"rule: response\n  fraction: 0.3": stated})
    assert found == (60, [20, 20])


@pytest.mark.parametrize("ending", ["csv", "dta", "parquet"])
def test_a_week_of_single_precision_stays_in_its_window(
    project: Path, people: pd.DataFrame, ending: str
) -> None:
    visits = pd.concat(
        people[["id"]].assign(week=week, score=people[column])
        for week, column in ((0.0, "hamd0"), (8.7, "hamd6"))
    ).reset_index(drop=True)
    people.to_csv(project / "t.csv", index=False)
    path = project / f"visits.{ending}"
    single = visits.astype({"week": "float32", "score": "float32"})
    if ending == "csv":
        visits.to_csv(path, index=False)
    elif ending == "dta":
        single.to_stata(path, write_index=False)
    else:
        single.to_parquet(path)
    found = count(
        project,
        "t.csv",
        assessments=f"{{file: {path.name}, id: id, variable: depression_total, week: week, "
        "value: score}",
        **{"week: 6": "week: 8.7", "[5, 7]": "[8.7, 10]"},
    )
    assert found == (60, [20, 20])


HBA1C = """\
  hba1c: {label: LABEL, type: number, unit: mmol/mol, range: [15, 150], timing: baseline}
"""


@pytest.mark.parametrize("label", ["HbA1c", "Long-term blood sugar"])
def test_hba1c_in_per_cent_is_converted_by_its_line_or_refused(
    project: Path, people: pd.DataFrame, label: str
) -> None:
    dictionary = project / "features" / "dictionary.yaml"
    text = dictionary.read_text(encoding="utf-8").rstrip("\n")
    dictionary.write_text(f"{text}\n{HBA1C.replace('LABEL', label)}", encoding="utf-8")
    features = project / "features" / "mini.yaml"
    features.write_text(FEATURES + "  - {name: hba1c}\n", encoding="utf-8")
    people.assign(sugar=np.tile([6.5, 7.5], 30)).to_csv(project / "t.csv", index=False)
    mapped = {
        "illness_months: months}": "illness_months: months, hba1c: {column: sugar, unit: '%'}}"
    }
    if label != "HbA1c":
        with pytest.raises(DefinitionError, match="'%' and 'mmol/mol' measure different things"):
            count(project, "t.csv", **mapped)
        return
    count(project, "t.csv", **mapped)
    table_one = glabella.check("case", project=project).table_one
    row = table_one[table_one.iloc[:, 0].str.startswith("HbA1c")].iloc[0].astype(str)
    assert row.str.contains("53.0").any()


def test_habits_of_excel_and_r_change_nothing(project: Path, people: pd.DataFrame) -> None:
    people.to_csv(project / "t.csv", index=False)
    wanted = count(project, "t.csv")
    plain = (project / "t.csv").read_text(encoding="utf-8")
    commas = "," * (people.shape[1] - 1) + "\n"
    (project / "blank.csv").write_text(f"\ufeff{plain}{commas * 3}", encoding="utf-8")
    (project / "sep.csv").write_text(f"sep=,\n{plain}", encoding="utf-8")
    people.index += 1
    people.to_csv(project / "r.csv", quoting=csv.QUOTE_NONNUMERIC)
    people.to_excel(project / "index.xlsx")
    for file in ("blank.csv", "sep.csv", "r.csv", "index.xlsx"):
        assert count(project, file) == wanted


def test_what_r_writes_for_a_missing_value_is_missing(project: Path, people: pd.DataFrame) -> None:
    gaps = people.astype(object)
    gaps.loc[3, ["months", "sex", "hamd6"]] = None
    gaps.to_csv(project / "blank.csv", index=False)
    gaps.to_csv(project / "r.csv", na_rep="NA")
    wanted = count(project, "blank.csv")
    assert wanted[0] == 59
    assert count(project, "r.csv") == wanted
