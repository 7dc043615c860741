"""The alias of the champion, the history of champions, and the way back."""

import json
from types import SimpleNamespace

import pytest

from glabella.definitions.locate import find_project
from glabella.errors import BundleError
from glabella.tracking.promotion import (
    CHAMPIONS_TAG,
    find_previous,
    log_verdict,
    promote_version,
    restore,
)
from glabella.tracking.references import ModelReference
from glabella.tracking.registry import CHAMPION, find_version
from glabella.tracking.store import load_mlflow, open_store


@pytest.fixture
def registry(small_project):
    """A registry with three versions of one model, which need no files here."""
    store = open_store(find_project(small_project))
    client = load_mlflow().MlflowClient()
    client.create_registered_model("small")
    for _ in range(3):
        client.create_model_version("small", "file:///nowhere", run_id="r")

    def find(version):
        return find_version(store, ModelReference("small", version=str(version)), alias=CHAMPION)

    def read_history():
        return json.loads(client.get_registered_model("small").tags[CHAMPIONS_TAG])

    def read_champion():
        return str(client.get_model_version_by_alias("small", CHAMPION).version)

    return SimpleNamespace(
        store=store, client=client, find=find, history=read_history, champion=read_champion
    )


def test_each_champion_is_kept_in_the_order_of_promotion(registry):
    before = [promote_version(registry.store, registry.find(number)) for number in (1, 3, 3, 2)]
    assert before == [None, "1", "3", "3"]
    assert registry.champion() == "2"
    assert registry.history() == ["1", "3", "2"]


def test_the_way_back_goes_step_by_step_and_forgets_what_was_rolled_back(registry):
    for number in (1, 2, 3):
        promote_version(registry.store, registry.find(number))
    for expected in ("2", "1"):
        champion, previous = find_previous(registry.store, "small")
        assert previous.version == expected
        restore(registry.store, champion, previous, "drift")
        assert registry.champion() == expected
    assert registry.history() == ["1"]
    tags = registry.find(3).tags
    assert (tags["rolled_back_to"], tags["rolled_back_because"]) == ("2", "drift")
    assert "restored_at" in registry.find(2).tags
    with pytest.raises(BundleError, match="had no champion before version 1"):
        find_previous(registry.store, "small")


def test_a_champion_whose_alias_was_set_by_hand_can_be_gone_back_to(registry):
    registry.client.set_registered_model_alias("small", CHAMPION, "2")
    promote_version(registry.store, registry.find(3))
    assert find_previous(registry.store, "small")[1].version == "2"


def test_a_deleted_version_is_passed_over_on_the_way_back(registry):
    for number in (1, 2, 3):
        promote_version(registry.store, registry.find(number))
    registry.client.delete_model_version("small", "2")
    champion, previous = find_previous(registry.store, "small")
    assert (champion.version, previous.version) == ("3", "1")
    restore(registry.store, champion, previous, "")
    assert registry.history() == ["1"]
    assert "rolled_back_because" not in registry.find(3).tags


def test_a_verdict_is_kept_with_its_time_and_cut_to_what_a_tag_can_have(registry):
    log_verdict(registry.store, registry.find(1), {"gate": "refused", "gate.why": "x" * 900})
    tags = registry.find(1).tags
    assert tags["gate"] == "refused"
    assert tags["gate.why"] == "x" * 500
    assert tags["gate.at"].endswith("+00:00")


def test_a_history_that_can_not_be_read_is_begun_again(registry):
    registry.client.set_registered_model_tag("small", CHAMPIONS_TAG, "{broken")
    promote_version(registry.store, registry.find(1))
    assert registry.history() == ["1"]
