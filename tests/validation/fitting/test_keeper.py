"""What a task came to is found by its name within its scope alone."""

from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.keeper import Keeper


def test_a_result_is_packed_to_be_kept_and_unpacked_when_it_is_found(tmp_path):
    checkpoint = Checkpoint(tmp_path / "unfinished", {})
    keeper = Keeper(checkpoint, "scope", lambda result: {"sum": sum(result)}, dict.items)
    keeper.keep((1, 2), "a", 1)
    assert list(keeper.find("a", 1)) == [("sum", 3)]
    assert keeper.find("a", 2) is None
    assert Keeper(checkpoint, "another scope", sum, dict.items).find("a", 1) is None
