"""The alias `champion` through the gate, against it, and back."""

import json

import pytest
from typer.testing import CliRunner

import glabella
from glabella.cli.main import app
from glabella.definitions.locate import find_project
from glabella.errors import BundleError, StoreError
from glabella.reporting.record import RECORD_FILE
from glabella.tracking.registry import BUNDLE_TAG, RECORD_TAG, find_registered_bundle, hash_file
from glabella.tracking.store import load_mlflow, open_store


def run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def ask(project):
    open_store(find_project(project))
    return load_mlflow().MlflowClient()


def tags_of(project, version):
    return ask(project).get_model_version("small", version).tags


def champion_of(project):
    aliases = ask(project).get_registered_model("small").aliases
    return None if "champion" not in aliases else str(aliases["champion"])


def edit_record(project, result, change, *, is_tagged):
    """Alter the figures of a run; with the tag, as if they had been so at registration."""
    [path] = (project / "mlruns" / "artifacts").rglob(f"{result.run_id}/**/record/{RECORD_FILE}")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    if is_tagged:
        version = result.model_uri.rpartition("/")[2]
        ask(project).set_model_version_tag("small", version, RECORD_TAG, hash_file(path))


def let_pass(record):
    record["procedure"]["pooled"] |= {
        "calibration_slope_all_low": 0.9,
        "calibration_slope_all_high": 1.1,
    }
    record["procedure"]["across"]["auc_low"] = 0.99
    record["promotion"]["net_benefit"]["by_candidate"]["procedure"]["gain"] = 0.1
    record["promotion"]["policy"]["prediction_error"] = None


def test_what_does_not_meet_the_gate_is_refused_with_every_criterion_and_recorded(registry):
    project, _, second = registry
    refused = glabella.promote("small", project=project)
    assert (refused.version, refused.run_id) == ("2", second.run_id)
    assert (refused.promoted, refused.verdict) == (False, "refused")
    assert champion_of(project) is None
    tags = tags_of(project, "2")
    assert tags["gate"] == "refused"
    assert tags["gate.override"] == "none"
    for item in refused.criteria:
        assert tags[f"gate.{item.name}"] == item.describe()
    assert list(refused.frame()["name"]) == [item.name for item in refused.criteria]


def test_what_meets_every_criterion_becomes_champion_and_is_scored_by_default(registry):
    project, first, _ = registry
    edit_record(project, first, let_pass, is_tagged=True)
    result = glabella.promote("small/1", override="not needed", project=project)
    assert (result.promoted, result.verdict, result.override) == (True, "passed", None)
    assert champion_of(project) == "1"
    assert tags_of(project, "1")["gate"] == "passed"
    bundle = find_registered_bundle(None, project=find_project(project), allow_simulated=False)
    assert (bundle / "manifest.json").is_file()


def test_one_criterion_that_is_not_met_is_enough_to_refuse(registry):
    project, first, _ = registry
    edit_record(project, first, let_pass, is_tagged=True)
    edit_record(
        project, first,
        lambda record: record["procedure"]["across"].update(auc_low=0.0), is_tagged=True,
    )  # fmt: skip
    result = glabella.promote("small/1", project=project)
    assert [item.name for item in result.criteria if not item.passed] == ["across_above"]
    assert not result.promoted


def test_an_override_promotes_and_its_reason_is_recorded(registry):
    project, *_ = registry
    result = glabella.promote("small@challenger", override=" a named reason ", project=project)
    assert (result.promoted, result.verdict, result.override) == (
        True, "overridden", "a named reason",
    )  # fmt: skip
    assert champion_of(project) == "2"
    assert tags_of(project, "2")["gate.override"] == "a named reason"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_blank_or_endless_reason_is_refused(registry, reason):
    with pytest.raises(StoreError, match="reason"):
        glabella.promote("small", override=reason, project=registry[0])
    assert champion_of(registry[0]) is None


def test_a_dry_run_writes_nothing(registry):
    project, *_ = registry
    before = tags_of(project, "2")
    assert glabella.promote("small", override="try", dry_run=True, project=project).promoted
    assert tags_of(project, "2") == before
    assert champion_of(project) is None


def test_figures_edited_by_hand_are_refused(registry):
    project, first, _ = registry
    edit_record(project, first, let_pass, is_tagged=False)
    with pytest.raises(BundleError, match="the record in the store is not the one"):
        glabella.promote("small/1", override="whatever", project=project)
    assert champion_of(project) is None


def test_a_bundle_that_is_not_the_registered_one_is_neither_promoted_nor_scored(registry):
    project, *_ = registry
    sums = [
        path
        for path in (project / "mlruns" / "artifacts").rglob("SHA256SUMS")
        if hash_file(path) == tags_of(project, "1")[BUNDLE_TAG]
    ]
    for path in sums:
        path.write_text(path.read_text() + "\n")
    for act in (
        lambda: glabella.promote("small/1", override="x", project=project),
        lambda: find_registered_bundle(
            "small/1", project=find_project(project), allow_simulated=False
        ),
    ):
        with pytest.raises(BundleError, match="the bundle in the store is not the one"):
            act()
    assert find_registered_bundle("small/2", project=find_project(project), allow_simulated=False)


def test_a_version_without_digests_scores_and_is_not_promoted(registry):
    project, *_ = registry
    client = ask(project)
    for tag in (BUNDLE_TAG, RECORD_TAG):
        client.delete_model_version_tag("small", "1", tag)
    with pytest.raises(BundleError, match="registered without digests"):
        glabella.promote("small/1", override="x", project=project)
    assert find_registered_bundle("small/1", project=find_project(project), allow_simulated=False)


def test_simulated_data_are_never_promoted_whatever_the_reason(registry):
    project, *_ = registry
    ask(project).set_model_version_tag("small", "2", "origin", "simulated")
    with pytest.raises(BundleError, match="trained on simulated data is never promoted"):
        glabella.promote("small", override="a reason", project=project)
    client = ask(project)
    client.delete_registered_model_alias("small", "challenger")
    client.set_registered_model_alias("small", "simulated", "2")
    with pytest.raises(BundleError, match="trained on simulated data is never promoted"):
        glabella.promote("small", project=project)


def test_rolling_back_goes_one_champion_back_each_time_and_ends(registry):
    project, *_ = registry
    for version in ("1", "2", "1"):
        glabella.promote(f"small/{version}", override="x", project=project)
    assert champion_of(project) == "1"
    back = glabella.roll_back("small", reason="it drifted", project=project)
    assert (back.champion_before, back.version, champion_of(project)) == ("1", "2", "2")
    assert tags_of(project, "1")["rolled_back_to"] == "2"
    assert tags_of(project, "1")["rolled_back_because"] == "it drifted"
    assert "restored_at" in tags_of(project, "2")
    assert glabella.roll_back("small", project=project).version == "1"
    with pytest.raises(BundleError, match="had no champion before version 1"):
        glabella.roll_back("small", project=project)
    assert champion_of(project) == "1"


def test_promoting_the_champion_again_adds_nothing_to_roll_back_to(registry):
    project, *_ = registry
    for _ in range(2):
        glabella.promote("small/1", override="x", project=project)
    with pytest.raises(BundleError, match="had no champion before"):
        glabella.roll_back("small", project=project)


def test_a_champion_that_was_set_by_hand_is_gone_back_to_as_well(registry):
    project, *_ = registry
    ask(project).set_registered_model_alias("small", "champion", "1")
    assert glabella.promote("small/2", override="x", project=project).champion_before == "1"
    assert glabella.roll_back("small", project=project).version == "1"


def test_rolling_back_without_a_champion_or_to_a_version_is_refused(registry):
    with pytest.raises(BundleError, match="has no alias 'champion'"):
        glabella.roll_back("small", project=registry[0])
    with pytest.raises(StoreError, match="the name of a model alone"):
        glabella.roll_back("small/1", project=registry[0])


def test_the_command_shows_all_criteria_and_exits_with_1_when_refused(registry):
    project, *_ = registry
    refused = run("promote", "small", "--project", project)
    assert refused.exit_code == 1
    for name in ("calibration_slope", "net_benefit", "across_above", "leakage"):
        assert name in refused.stdout
    assert "small/2 is refused" in refused.stdout
    assert max(map(len, refused.stdout.splitlines())) <= 100
    done = run("promote", "small", "--override", "why", "--json", "--project", project)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["verdict"] == "overridden"
    assert run("promote", "small", "--rollback", "--dry-run", "--project", project).exit_code == 2
