"""Runs side by side, and the champion against its challengers on the same participants."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import glabella
from glabella.cli.main import app
from glabella.definitions.locate import find_project
from glabella.errors import DataError, StoreError
from glabella.tracking.store import load_mlflow, open_store


def ask(project):
    open_store(find_project(project))
    return load_mlflow().MlflowClient()


def promote_version(project, version):
    ask(project).set_registered_model_alias("small", "champion", version)


def predictions_of(project, result):
    [path] = (project / "mlruns" / "artifacts").rglob(f"{result.run_id}/**/predictions.parquet")
    keys = pd.read_csv(project / "mlruns" / "keys" / f"{result.run_id}.csv")
    return path, pd.read_parquet(path).merge(keys[["key", "studyid", "usubjid", "arm"]], on="key")


def test_each_run_is_what_train_printed_with_version_and_aliases(registry):
    project, first, second = registry
    promote_version(project, "1")
    plain = json.loads(json.dumps(glabella.compare("small", project=project).as_json()))
    assert [run["run_id"] for run in plain["runs"]] == [second.run_id, first.run_id]
    for shown, trained in zip(plain["runs"], (second, first), strict=True):
        printed = json.loads(json.dumps(trained.as_json()))
        for part in ("bundle", "report"):
            place = printed.pop(part).rpartition(trained.run_id)[2]
            assert shown[part].endswith(trained.run_id + place)
        for explanation in (shown["explanation"], printed["explanation"]):
            # The record says it in the words of the report.
            assert explanation.pop("method")
        assert {name: shown[name] for name in printed} == printed
    assert [run["versions"] for run in plain["runs"]] == [
        [{"model": "small", "version": "2", "aliases": ["challenger"]}],
        [{"model": "small", "version": "1", "aliases": ["champion"]}],
    ]


def test_the_challenger_less_the_champion_is_the_difference_over_participants(registry):
    project, first, second = registry
    promote_version(project, "1")
    pooled, across = glabella.compare("small", project=project).differences
    assert (pooled.run, pooled.against, pooled.role) == (second.run_id, first.run_id, "champion")
    assert (pooled.design, across.design) == ("pooled", "across")

    def lose(result):
        table = predictions_of(project, result)[1].query("candidate == 'procedure'")
        table = table[table["design"] == "pooled"]
        right = np.where(table["responded"] == 1, table["probability"], 1 - table["probability"])
        return table.assign(loss=-np.log(right)).groupby("row")["loss"].mean()

    each = lose(second) - lose(first)
    found = pooled.measured.log_loss
    assert found.value == pytest.approx(each.mean(), abs=1e-9)
    half = 1.959964 * each.std(ddof=1) / np.sqrt(len(each))
    assert found.high - found.value == pytest.approx(half, abs=1e-7)
    # Without the planted predictor it is worse.
    assert found.value > 0
    auc = [
        item.figures.procedure.validated.pooled.estimates["auc"].value for item in (second, first)
    ]
    assert pooled.measured.auc.value == pytest.approx(auc[0] - auc[1], abs=1e-9)
    loss = [
        item.figures.procedure.validated.across.estimates["log_loss"].value
        for item in (second, first)
    ]
    assert across.measured.log_loss.value == pytest.approx(loss[0] - loss[1], abs=1e-9)


def test_without_a_champion_the_challenger_stands_in_for_it(registry):
    project, first, second = registry
    found = glabella.compare(project=project).differences
    assert {(item.run, item.against, item.role) for item in found} == {
        (first.run_id, second.run_id, "challenger")
    }


def test_named_runs_are_held_against_the_first(registry):
    project, first, second = registry
    named = (first.run_id[:8], second.run_id)
    result = glabella.compare(runs=named, project=project)
    assert [run.run_id for run in result.runs] == [first.run_id, second.run_id]
    assert {item.against for item in result.differences} == {first.run_id}
    with pytest.raises(StoreError, match="names no finished run"):
        glabella.compare(runs=["ffffffff"], project=project)
    with pytest.raises(StoreError, match="the id 'a' names"):
        glabella.compare(runs=["a"], project=project)
    with pytest.raises(StoreError, match="no finished run of 'smal'") as caught:
        glabella.compare("smal", project=project)
    assert "Did you mean 'small'?" in str(caught.value)


def test_the_champion_is_shown_beyond_the_limit(registry):
    project, first, second = registry
    promote_version(project, "1")
    result = glabella.compare(limit=1, project=project)
    assert [run.run_id for run in result.runs] == [second.run_id, first.run_id]


def test_a_missing_key_file_is_said_and_nothing_is_made_up(registry):
    project, first, _ = registry
    (project / "mlruns" / "keys" / f"{first.run_id}.csv").unlink()
    [difference] = glabella.compare(project=project).differences
    plain = difference.as_json()
    assert plain["reason"].startswith(f"the key file of run {first.run_id[:8]} is not in ")
    assert [plain[name] for name in ("log_loss", "auc", "p", "n")] == [None] * 4


@pytest.mark.parametrize(
    ("tag", "words"), [("data_sha256", "other data"), ("outcome_sha256", "another outcome")]
)
def test_runs_on_other_data_or_another_outcome_are_not_compared(registry, tag, words):
    project, first, _ = registry
    ask(project).set_tag(first.run_id, tag, "0" * 64)
    [difference] = glabella.compare(project=project).differences
    assert difference.measured is None
    assert f"not compared: the two runs are of {words}" in difference.describe()


def test_participants_are_paired_by_who_they_are_and_not_by_order(registry):
    project, first, _ = registry
    before = glabella.compare(project=project).differences
    path = project / "mlruns" / "keys" / f"{first.run_id}.csv"
    keys = pd.read_csv(path, keep_default_na=False)
    keys.sample(frac=1, random_state=0).to_csv(path, index=False)
    after = glabella.compare(project=project).differences
    assert [item.as_json() for item in after] == [item.as_json() for item in before]
    exchanged = keys.assign(usubjid=keys["usubjid"].to_numpy()[::-1])
    exchanged.to_csv(path, index=False)
    [pooled, *_] = glabella.compare(project=project).differences
    assert pooled.reason == "the two hold different outcomes of the same participants" or (
        "no participant in common" in pooled.reason
    )


def test_who_is_in_one_run_alone_is_left_out_and_counted(registry):
    project, first, _ = registry
    path, table = predictions_of(project, first)
    kept = table[~table["usubjid"].isin(["P-001", "P-100"])]
    kept.drop(columns=["studyid", "usubjid", "arm"]).to_parquet(path, index=False)
    pooled, _ = glabella.compare(project=project).differences
    assert (pooled.measured.n, pooled.left_out) == (118, 2)


def test_a_run_whose_record_is_gone_is_listed_with_the_reason(registry):
    project, first, _ = registry
    for path in (project / "mlruns" / "artifacts").rglob(f"{first.run_id}/**/record.json"):
        path.unlink()
    plain = glabella.compare(project=project).as_json()
    assert plain["runs"][1]["candidates"] == {}
    assert "the run's record is missing" in plain["runs"][1]["reasons"]["candidates"]


def test_the_frame_has_a_row_a_run_candidate_and_design(registry):
    table = glabella.compare(project=registry[0]).frame()
    assert len(table) == 2 * 2 * 2
    assert {"run", "candidate", "design", "auc", "auc_low", "log_loss"} <= set(table)


def test_the_command_prints_a_table_of_100_columns_json_and_a_page(registry, tmp_path):
    project, first, second = registry
    promote_version(project, "1")
    page = tmp_path / "compare.html"
    shown = CliRunner().invoke(app, ["compare", "--project", str(project), "--out", str(page)])
    assert shown.exit_code == 0, shown.output
    lines = [line for line in shown.stdout.splitlines() if not line.startswith("page")]
    assert max(map(len, lines)) <= 100
    assert "@champion" in shown.stdout
    assert f"Run {second.run_id[:8]} against champion {first.run_id[:8]}" in shown.stdout
    printed = CliRunner().invoke(app, ["compare", "--project", str(project), "--json"])
    assert set(json.loads(printed.stdout)) == {"runs", "differences"}
    html = page.read_text()
    assert re.findall(r'(?:src|href)="(?!#)([^"]*)"', html) == []
    assert "champion" in html
    ids = set(pd.read_csv(project / "participants.csv")["usubjid"])
    keys = set(pd.read_csv(project / "mlruns" / "keys" / f"{first.run_id}.csv")["key"])
    for text in (html, shown.stdout, printed.stdout):
        assert not [name for name in ids | keys if name in text]


def test_a_page_that_cannot_be_written_is_refused(registry, tmp_path):
    with pytest.raises(DataError, match="the comparison can't be written"):
        glabella.compare(out=tmp_path / "none" / "page.html", project=registry[0])
