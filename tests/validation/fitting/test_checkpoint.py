"""A finished fit is found again, and nothing else is taken for it."""

import stat

import numpy as np
import pytest

from glabella.errors import DataError
from glabella.models.candidate import Candidate
from glabella.models.estimators.contributions import Contributions
from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.digest import FitKey
from glabella.validation.folds.fold_result import FoldResult, InnerLosses
from glabella.validation.folds.splits import Fold

FOLD = Fold("pooled", 0, 1, None, np.arange(6), np.arange(6, 9))
RIDGE = Candidate(kind="candidate", description="x", estimator="ridge")
SEEDS = (np.random.SeedSequence(4), np.random.SeedSequence(7))
OUTCOMES = np.array([[1, 0, 1, 0, 1, 0]], dtype=np.int8)


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "unfinished", {"numpy": "2"})


@pytest.fixture
def sample(make_sample):
    return make_sample(9)


def key(checkpoint, sample):
    return checkpoint.digester.make_key(
        RIDGE, sample, FOLD, OUTCOMES, inner_folds=3, seeds=SEEDS, is_weighed=False
    )


def result():
    contributions = Contributions(("a", "b"), np.array([[0.1, 0.2]] * 3), np.array([0.3] * 3))
    return FoldResult(
        "ridge", FOLD, np.array([0.1, 1 / 3, 0.9]), contributions, {"C": 0.1}, 1.5,
        inner=InnerLosses((0.61, 2 / 3), (3, 3)),
    )  # fmt: skip


def test_a_kept_fit_is_found_to_the_last_digit(checkpoint, sample):
    kept = key(checkpoint, sample)
    assert checkpoint.find(kept, "ridge", FOLD) is None
    checkpoint.keep(kept, result())
    found = checkpoint.find(kept, "ridge", FOLD)
    assert found.probability.tolist() == result().probability.tolist()
    assert found.contributions.features == ("a", "b")
    assert np.array_equal(found.contributions.values, result().contributions.values)
    assert (found.setting, found.seconds, found.error) == ({"C": 0.1}, 1.5, None)
    assert found.inner == result().inner
    assert checkpoint.count() == 1


def test_a_fit_that_was_not_written_whole_is_not_found(checkpoint, sample):
    kept = key(checkpoint, sample)
    checkpoint.keep(kept, result())
    [path] = checkpoint.folder.glob("*.npz")
    path.write_bytes(path.read_bytes()[:-40])
    assert checkpoint.find(kept, "ridge", FOLD) is None


def test_a_fit_that_failed_is_tried_again(checkpoint, sample):
    failed = FoldResult("ridge", FOLD, None, None, {}, 1.0, "no convergence")
    checkpoint.keep(key(checkpoint, sample), failed)
    assert checkpoint.count() == 0


def test_clearing_leaves_no_folder(checkpoint, sample):
    checkpoint.remove_all()
    checkpoint.keep(key(checkpoint, sample), result())
    checkpoint.remove_all()
    assert not checkpoint.folder.exists()


def test_a_folder_of_fits_that_is_a_link_is_refused_and_not_emptied(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.npz").write_text("precious")
    (tmp_path / "unfinished").symlink_to(tmp_path / "theirs")
    with pytest.raises(DataError, match="it is a link"):
        Checkpoint(tmp_path / "unfinished", {})
    assert (tmp_path / "theirs" / "thesis.npz").exists()


def test_clearing_removes_fits_alone(checkpoint, sample):
    checkpoint.keep(key(checkpoint, sample), result())
    assert stat.S_IMODE(checkpoint.folder.stat().st_mode) == 0o700
    (checkpoint.folder / "thesis.docx").write_text("precious")
    checkpoint.remove_all()
    assert [path.name for path in checkpoint.folder.iterdir()] == ["thesis.docx"]


def test_a_fit_is_not_written_through_a_link(checkpoint, sample, tmp_path):
    name = key(checkpoint, sample)
    checkpoint.folder.mkdir()
    (tmp_path / "theirs").write_text("precious")
    (checkpoint.folder / f"{name.digest}.npz").symlink_to(tmp_path / "theirs")
    checkpoint.keep(name, result())
    assert (tmp_path / "theirs").read_text() == "precious"
    assert checkpoint.find(name, "ridge", FOLD) is not None


def test_any_plain_content_comes_back_as_it_was(checkpoint):
    content = {
        "floats": [1 / 3, float("inf"), -0.0],
        "none": None,
        "nested": {"files": {"model.json": b"\x00\xff{}"}, "array": np.array([[np.nan, 1 / 3]])},
        "empty": [],
    }
    checkpoint.keep_plain(FitKey("a"), content)
    found = checkpoint.find_plain(FitKey("a"))
    assert found["floats"] == content["floats"]
    assert (found["none"], found["empty"]) == (None, [])
    assert found["nested"]["files"] == content["nested"]["files"]
    np.testing.assert_array_equal(found["nested"]["array"], content["nested"]["array"])
    assert checkpoint.find_plain(FitKey("b")) is None
    assert checkpoint.count() == 1


def test_what_was_not_written_whole_is_not_found(checkpoint):
    checkpoint.keep_plain(FitKey("a"), [1.0])
    path = checkpoint.folder / "a.npz"
    path.write_bytes(path.read_bytes()[:-40])
    assert checkpoint.find_plain(FitKey("a")) is None
