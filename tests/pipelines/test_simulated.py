"""What the shipped, simulated analysis leaves behind: marked as simulated wherever it goes."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.errors import BundleError, DataError
from glabella.pipelines.training.parts.oracle import explain_other_endpoint
from glabella.tracking.models import find_bundle
from glabella.tracking.registry import _mark_newest, list_versions_of
from glabella.tracking.store import load_mlflow, open_store

PLAN = (
    "validation:\n  pooled: {folds: 3, repeats: 1}\n  across: leave_one_trial_out\n"
    "explanation: {refits: 0, permutations: 0}\n"
)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory, checkout, empty_store):
    """The shipped analysis with a light plan of validation, and 200 new patients."""
    folder = tmp_path_factory.mktemp("study")
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, folder / name)
    (folder / "mlruns").mkdir()
    shutil.copy(empty_store, folder / "mlruns" / "mlflow.db")
    analysis = folder / "pipelines" / "bont_pooled.yaml"
    head, _ = analysis.read_text().split("validation:\n")
    whole = "[prevalence, arm_only, severity, ridge, ensemble]"
    lighter = head.replace(whole, "[severity, ridge]").replace(
        "sensitivity: [", "sensitivity: [] # "
    )
    assert lighter != head
    analysis.write_text(lighter + PLAN)
    done = subprocess.run(
        [sys.executable, "-m", "glabella", "simulate", "bont_pooled", "--out", "simulated"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, glabella.train("bont_pooled", project=folder)


def test_the_model_is_registered_as_one_of_simulated_data_only(rehearsed):
    _, result = rehearsed
    client = load_mlflow().MlflowClient()
    name, version = result.model_uri.removeprefix("models:/").split("/")
    assert client.get_registered_model(name).aliases == {"simulated": int(version)}
    assert client.get_model_version_by_alias(name, "simulated").run_id == result.run_id
    assert client.get_run(result.run_id).data.tags["origin"] == "simulated"


def test_the_finding_and_the_report_say_simulated_first(rehearsed):
    _, result = rehearsed
    assert result.finding.startswith("Simulated data:")
    assert result.finding.split(":")[0] in Path(result.report).read_text(encoding="utf-8")


def test_scoring_needs_the_permission(rehearsed, tmp_path):
    folder, result = rehearsed
    table = folder / "simulated" / "new_patients.csv"
    with pytest.raises(BundleError, match="simulated"):
        glabella.score(table, out=tmp_path / "scores.csv", model=result.bundle)
    assert list(tmp_path.iterdir()) == []


def test_of_200_new_patients_20_are_refused_each_with_its_reason(rehearsed, tmp_path):
    folder, result = rehearsed
    table = folder / "simulated" / "new_patients.csv"
    out = tmp_path / "scores.csv"
    batch = glabella.score(table, out=out, model=result.bundle, allow_simulated=True)
    assert (batch.rows, batch.scored, batch.refused) == (200, 180, 20)
    assert len(batch.refused_by_reason) >= 12
    given, scores = pd.read_csv(table, dtype=str), pd.read_csv(out, dtype=str)
    assert scores["usubjid"].fillna("").tolist() == given["usubjid"].fillna("").tolist()
    refused = scores["status"] == "refused"
    assert refused.sum() == 20
    assert scores.loc[refused, "error"].notna().all()
    assert scores.loc[refused, "response_probability"].isna().all()
    assert scores.loc[~refused, "response_probability"].astype(float).between(0, 1).all()


def test_each_candidate_is_held_against_the_best_that_is_possible(rehearsed):
    _, result = rehearsed
    limits = result.as_json()["limits"]
    assert limits["reason"] == ""
    for design in ("pooled", "across"):
        oracle, known = (limits["rules"][rule][design] for rule in ("oracle", "known"))
        assert 0.5 < known["auc"] < oracle["auc"] < 1
        for name, candidate in result.candidates.items():
            reached = getattr(candidate, design)
            # The same pairs, so the difference is one of rules and not of who was compared.
            assert known["pairs"] == reached.pairs
            behind = known["auc"] - reached.estimates["auc"].value
            assert limits["behind"][name][design] == pytest.approx(behind)
    assert "Distance from the limit" in Path(result.report).read_text(encoding="utf-8")


def test_the_truth_is_in_no_file_of_the_run(rehearsed):
    folder, _ = rehearsed
    truth = pd.read_csv(folder / "simulated" / "truth" / "truth.csv", dtype=str)
    some = truth["probability_active"].iloc[:20].tolist()
    for path in (folder / "mlruns").rglob("*"):
        if path.is_file() and path.suffix in (".json", ".csv", ".html", ".yaml"):
            text = path.read_text(encoding="utf-8")
            assert not any(value in text for value in some), path.name


def test_data_that_were_written_are_compared_with_the_truth_beside_them(rehearsed, tmp_path):
    folder, _ = rehearsed
    glabella.simulate("bont_pooled", out=tmp_path / "tables", seed=20210416, project=folder)
    loaded = load_analysis("bont_pooled", find_project(folder), data=tmp_path / "tables")
    in_memory = load_analysis("bont_pooled", find_project(folder)).truth
    pd.testing.assert_frame_equal(loaded.truth, in_memory, check_exact=False, rtol=1e-12)
    path = tmp_path / "tables" / "truth" / "truth.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-3]) + "\n")
    with pytest.raises(DataError, match="not of the same participants"):
        _ = replace(loaded).truth
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="can't be read as `glabella simulate` writes it"):
        _ = replace(loaded).truth
    path.unlink()
    assert replace(loaded).truth is None


def test_another_endpoint_has_no_limit(rehearsed):
    folder, _ = rehearsed
    loaded = load_analysis("bont_pooled", find_project(folder))
    assert explain_other_endpoint(loaded) == ""
    endpoint = loaded.endpoint.model_copy(update={"fraction": 0.3})
    analysis = loaded.resolved.analysis
    changed = replace(analysis, value=analysis.value.model_copy(update={"endpoint": endpoint}))
    other = replace(loaded, resolved=replace(loaded.resolved, analysis=changed))
    assert "the analysis asks for another endpoint" in explain_other_endpoint(other)


class TestTheEarlierAlias:
    """`rehearsal`, as earlier releases called the alias `simulated`."""

    @pytest.fixture
    def earlier(self, rehearsed):
        """The project as an earlier release left it; today's alias is put back afterwards."""
        folder, result = rehearsed
        name, version = result.model_uri.removeprefix("models:/").split("/")
        client = load_mlflow().MlflowClient()
        client.delete_registered_model_alias(name, "simulated")
        client.set_registered_model_alias(name, "rehearsal", version)
        yield find_project(folder), name, version
        client.delete_registered_model_alias(name, "rehearsal")
        client.set_registered_model_alias(name, "simulated", version)

    @pytest.mark.parametrize("named", ["", "NAME", "NAME@rehearsal", "NAME@simulated"])
    def test_of_an_earlier_registration_is_found_under_both_names(self, earlier, named):
        project, name, version = earlier
        reference = named.replace("NAME", name) or None
        found = find_bundle(reference, project=project, allow_simulated=True)
        assert found.manifest.analysis == name
        [listed] = list_versions_of(open_store(project), name)
        assert (listed.version, listed.aliases) == (version, ("simulated",))

    def test_finds_a_model_of_todays_registration(self, rehearsed):
        folder, result = rehearsed
        name = result.model_uri.removeprefix("models:/").split("/")[0]
        found = find_bundle(f"{name}@rehearsal", project=find_project(folder), allow_simulated=True)
        assert found.manifest.analysis == name

    def test_moves_to_the_newest_model_with_todays(self, earlier):
        _, name, version = earlier
        client = load_mlflow().MlflowClient()
        _mark_newest(client, name, version, "simulated")
        assert client.get_registered_model(name).aliases == {"simulated": int(version)}
