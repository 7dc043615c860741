"""Forms that are nearly alike, baselines in several columns, totals of items, doubtful numbers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.load import load_bundle
from glabella.definitions.locate import find_project
from glabella.errors import DataError

DICTIONARY = """\
kind: dictionary
description: Invented variables
variables:
  age_years: {label: Age, type: number, unit: years, range: [0, 95]}
  item_1: {label: Item 1, type: ordinal, range: [0, 31], timing: visit}
  item_2: {label: Item 2, type: ordinal, range: [0, 32], timing: visit}
  total:
    {label: Total, type: score, scale: bdi, timing: visit,
     total: {items: [item_1, item_2], missing_at_most: 1}}
"""
FEATURES = """\
kind: feature_set
description: Invented
predict_at: baseline
features:
  - {name: severity, builder: baseline_score, of: total, as: points}
  - {name: age_years}
"""
ANALYSIS = """\
kind: analysis
description: Invented trials
dictionary: dictionary_near
seed: 3
data:
  trials:
TRIALS
arms:
  - {name: bont, label: BoNT/A, role: active}
  - {name: placebo, label: Placebo, role: control}
endpoint: {rule: response, of: total, week: 6, window: [5, 7], missing: observed_only}
features: near
models: [severity, ridge]
validation:
  pooled: {folds: 2, repeats: 1}
  inner_folds: 2
explanation: {refits: 0, permutations: 0}
"""
TRIAL = """\
    - name: NAME
      participants: {file: NAME.csv, id: id, arm: arm, variables: {age_years: age}}
      assessments:
ASSESSED
"""


def make_trial(seed: int, n: int = 60) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    total = draw.integers(20, 50, n)
    responds = draw.random(n) < np.where(total > 35, 0.7, 0.3)
    return pd.DataFrame(
        {
            "id": [f"{seed}-{at:03d}" for at in range(n)],
            "arm": np.tile(["bont", "placebo"], n // 2),
            "age": draw.integers(20, 80, n),
            "t0": total,
            "t6": np.where(responds, total // 2, 19),
        }
    )


def wide(*files: str) -> str:
    return "".join(f"        - {{file: NAME.csv, id: id, {text}}}\n" for text in files)


@pytest.fixture
def train(tmp_path, checkout, empty_store) -> Callable[..., SimpleNamespace]:
    def make(**trials: tuple[pd.DataFrame, str]) -> SimpleNamespace:
        project = tmp_path / "project"
        for name in ("features", "models", "pipelines"):
            shutil.copytree(checkout / name, project / name)
        (project / "features" / "dictionary_near.yaml").write_text(DICTIONARY)
        (project / "features" / "near.yaml").write_text(FEATURES)
        texts = []
        for name, (table, assessed) in trials.items():
            table.to_csv(project / f"{name}.csv", index=False)
            text = assessed if "name:" in assessed else TRIAL.replace("ASSESSED\n", assessed)
            texts.append(text.replace("NAME", name))
        (project / "pipelines" / "near.yaml").write_text(
            ANALYSIS.replace("TRIALS\n", "".join(texts))
        )
        (project / "mlruns").mkdir()
        shutil.copy(empty_store, project / "mlruns" / "mlflow.db")
        result = glabella.train("near", project=project, workers=1)
        return SimpleNamespace(project=project, bundle=result.bundle)

    return make


def score(made: SimpleNamespace, table: Path, **more: object) -> pd.DataFrame:
    out = table.with_name(f"{table.stem}-{len(list(table.parent.glob('*-*.out.csv')))}.out.csv")
    return glabella.score(table, out=out, model=made.bundle, reasons=0, **more).frame()


def predict_training(made: SimpleNamespace) -> np.ndarray:
    """Predict the participants of training by the features that training built."""
    loaded = load_analysis("near", find_project(made.project))
    bundle = load_bundle(Path(made.bundle))
    frame = loaded.sample.features.frame.assign(arm="bont")
    frame["arm"] = pd.Categorical(frame["arm"], categories=["bont", "placebo"])
    return bundle.model.predict_proba(frame)[:, 1]


@pytest.mark.parametrize("files", [1, 2])
def test_a_screening_column_stands_in_for_a_blank_baseline_only(train, files):
    table = make_trial(1).assign(ts=lambda t: t["t0"] + 3)
    table["t0"] = table["t0"].astype(object).where(np.arange(len(table)) % 7 > 0, "")
    texts = (
        ["variable: total, weeks: {ts: -1, t0: 0, t6: 6}"]
        if files == 1
        else ["variable: total, weeks: {ts: -1}", "variable: total, weeks: {t0: 0, t6: 6}"]
    )
    made = train(alpha=(table, wide(*texts)))
    scored = score(made, made.project / "alpha.csv")
    assert (scored["status"] == "scored").all()
    assert np.allclose(scored["response_probability"], predict_training(made), atol=1e-12)


def test_a_total_is_added_up_from_its_items_as_in_training(train):
    table = make_trial(1).assign(a0=lambda t: t["t0"] // 2, b0=lambda t: t["t0"] - t["t0"] // 2)
    table = table.assign(a6=table["t6"] // 2, b6=table["t6"] - table["t6"] // 2).astype(object)
    table.loc[::9, "a0"] = ""
    made = train(
        alpha=(
            table.drop(columns=["t0", "t6"]),
            wide(
                "variable: item_1, weeks: {a0: 0, a6: 6}", "variable: item_2, weeks: {b0: 0, b6: 6}"
            ),
        )
    )
    scored = score(made, made.project / "alpha.csv")
    assert (scored["status"] == "scored").all()
    assert np.allclose(scored["response_probability"], predict_training(made), atol=1e-12)


PLAIN = wide("variable: total, weeks: {t0: 0, t6: 6}")


def test_the_trials_own_column_distinguishes_participants_of_one_number(train):
    one, two = make_trial(1), make_trial(2)
    pooled = pd.concat([make_trial(seed).assign(study=f"S{seed}", id=one["id"]) for seed in (3, 4)])
    text = TRIAL.replace("ASSESSED\n", wide("trial: study, variable: total, weeks: {t0: 0, t6: 6}"))
    text = text.replace("id: id, arm: arm,", "trial: study, id: id, arm: arm,")
    made = train(beta=(two, PLAIN), pool=(pooled, text))
    scored = score(made, made.project / "pool.csv")
    assert (scored["status"] == "scored").all()
    assert len(scored) == 120


def test_one_sources_decimal_comma_does_not_settle_anothers_doubt(train, tmp_path):
    stated = TRIAL.replace("ASSESSED\n", PLAIN).replace(
        "    - name: NAME\n", '    - name: NAME\n      read: {NAME.csv: {decimal: ","}}\n'
    )
    made = train(alpha=(make_trial(1), stated), beta=(make_trial(2), PLAIN))
    table = make_trial(5).assign(age=[f"{1 + at % 9},{234 + at}" for at in range(60)])
    table.to_csv(tmp_path / "doubt.tsv", sep="\t", index=False)
    with pytest.raises(DataError, match="may be a decimal sign or thousands"):
        score(made, tmp_path / "doubt.tsv")
    settled = score(made, tmp_path / "doubt.tsv", read={"decimal": ","})
    assert (settled["status"] == "scored").all()


def test_a_decimal_comma_that_training_stated_is_kept(train, tmp_path):
    stated = TRIAL.replace("ASSESSED\n", PLAIN).replace(
        "    - name: NAME\n", '    - name: NAME\n      read: {NAME.csv: {decimal: ","}}\n'
    )
    made = train(alpha=(make_trial(1), stated))
    table = make_trial(5).assign(age=[f"{1 + at % 9}.{234 + at}" for at in range(60)])
    table.to_csv(tmp_path / "points.csv", index=False)
    with pytest.raises(DataError, match="the decimal sign is a comma"):
        score(made, tmp_path / "points.csv")


def test_a_job_that_goes_on_reads_its_table_in_the_same_way(train, tmp_path, monkeypatch):
    from glabella.scoring import stream

    made = train(alpha=(make_trial(1), PLAIN))
    monkeypatch.setattr(stream, "_FEWEST_ROWS", 10)
    book = tmp_path / "two.xlsx"
    with pd.ExcelWriter(book) as writer:
        make_trial(5).to_excel(writer, sheet_name="one", index=False)
        make_trial(6).to_excel(writer, sheet_name="two", index=False)
    asked = {"out": tmp_path / "out.csv", "model": made.bundle, "reasons": 0, "workers": 1}
    keep, kept = stream.Job.keep, []

    def stop(self, number, *rest):
        if len(kept) == 2:
            raise KeyboardInterrupt
        kept.append(number)
        keep(self, number, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(stream.Job, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            glabella.score(book, read={"sheet": "one"}, **asked)
    with pytest.raises(DataError, match="a different way of reading"):
        glabella.score(book, read={"sheet": "two"}, resume=True, **asked)
    done = glabella.score(book, read={"sheet": "one"}, resume=True, **asked)
    assert done.frame()["id"].tolist() == make_trial(5)["id"].tolist()


def test_parts_of_parquet_are_validated_like_a_file(train, tmp_path):
    made = train(alpha=(make_trial(1), PLAIN))
    table = make_trial(5).assign(responded=lambda t: (t["t6"] <= t["t0"] / 2).astype(int))
    parts = tmp_path / "parts"
    parts.mkdir()
    for number in range(2):
        table.iloc[30 * number : 30 * (number + 1)].to_parquet(parts / f"part-{number}.parquet")
    result = glabella.validate(parts, outcome="responded", model=made.bundle, project=made.project)
    assert result.trials[0].performance.events == table["responded"].sum()
    assert len(result.trials[0].trial.table_sha256) == 64


def test_identifiers_of_a_workbook_come_out_as_they_went_in(train, tmp_path):
    made = train(alpha=(make_trial(1), PLAIN))
    make_trial(5).assign(id=lambda t: " " + t["id"] + " ").to_excel(
        tmp_path / "b.xlsx", index=False
    )
    assert score(made, tmp_path / "b.xlsx")["id"][0] == " 5-000 "
