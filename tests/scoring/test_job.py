"""A job's folder is a job's alone, and its table is the same from the first pass to the last."""

import os
import shutil
import stat

import pandas as pd
import pytest

import glabella
from glabella.atomic import write_whole
from glabella.bundle import tables
from glabella.errors import DataError
from glabella.scoring import job, stream


@pytest.fixture
def table(many_patients, tmp_path):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


@pytest.fixture
def hidden(tmp_path):
    return tmp_path / ".out.csv.partial"


def _list(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("verb", ["score", "explain"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("is_linked", [False, True])
@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_that_no_job_made_is_left_as_it_is(
    trained, table, tmp_path, verb, ending, is_linked, resume
):
    theirs = tmp_path / ("elsewhere" if is_linked else f".out.{ending}.partial")
    (theirs / "spool").mkdir(parents=True)
    for name in ("thesis.docx", "spool/data.csv", "output.csv", "00000000.arrows"):
        (theirs / name).write_text("precious")
    if is_linked:
        (tmp_path / f".out.{ending}.partial").symlink_to(theirs)
    before = _list(theirs)
    out = tmp_path / f"out.{ending}"
    with pytest.raises(DataError, match="It was left as it is") as caught:
        getattr(glabella, verb)(table, out=out, model=trained[1].bundle, resume=resume)
    assert ("it is a link" if is_linked else "no scoring job wrote") in str(caught.value)
    assert _list(theirs) == before
    assert not out.exists()


@pytest.mark.parametrize("kept", [["job.json", "thesis.docx"], ["00000000.arrows"]])
def test_a_folder_needs_a_jobs_description_and_nothing_else(score_whole, table, hidden, kept):
    hidden.mkdir()
    for name in kept:
        (hidden / name).write_text("{}")
    with pytest.raises(DataError, match=r"wrote|no job\.json"):
        score_whole(table, "out.csv")
    assert _list(hidden) == sorted(kept)


def test_a_link_inside_a_jobs_folder_is_not_followed(score_whole, table, tmp_path, hidden):
    (tmp_path / "theirs").write_text("precious")
    for name in ("job.json", ".lock", "output.csv", "spool", "00000000.arrows"):
        hidden.mkdir()
        if name != "job.json":
            (hidden / "job.json").write_text("{}")
        (hidden / name).symlink_to(tmp_path / "theirs")
        with pytest.raises(DataError, match="no scoring job wrote"):
            score_whole(table, "out.csv")
        shutil.rmtree(hidden)
    assert (tmp_path / "theirs").read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no owner to compare here")
def test_another_users_folder_is_refused(score_whole, table, hidden, monkeypatch):
    hidden.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: hidden.stat().st_uid + 1)
    with pytest.raises(DataError, match="it belongs to another user"):
        score_whole(table, "out.csv")


@pytest.mark.parametrize("left", [[], [".lock"]])
def test_a_job_killed_at_its_first_step_does_not_stop_the_next(score_whole, table, hidden, left):
    hidden.mkdir(mode=0o777)
    for name in left:
        (hidden / name).touch()
    result, _ = score_whole(table, "out.csv")
    assert result.rows == 200
    assert not hidden.exists()


def test_what_a_job_keeps_is_its_owners_alone(
    score_whole, table, hidden, monkeypatch, small_batches
):
    seen = {}
    keep = job.Job.keep

    def look(self, number, *rest):
        keep(self, number, *rest)
        for path in (self.folder, self.spool):
            seen[path.name] = stat.S_IMODE(path.stat().st_mode)

    monkeypatch.setattr(job.Job, "keep", look)
    score_whole(table, "out.csv")
    assert seen == {hidden.name: 0o700, "spool": 0o700}


def test_an_output_that_another_program_made_meanwhile_stays(
    score_whole, table, tmp_path, monkeypatch
):
    given = job.publish

    def come_first(partial, target):
        target.write_text("theirs")
        given(partial, target)

    monkeypatch.setattr(job, "publish", come_first)
    with pytest.raises(DataError, match="the output exists already"):
        score_whole(table, "out.csv")
    assert (tmp_path / "out.csv").read_text() == "theirs"


def test_an_output_that_is_a_link_a_folder_or_in_a_bundle_is_refused(
    trained, table, tmp_path, score_whole
):
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("link.csv", "folder.csv", "new.csv"):
        with pytest.raises(DataError, match="the output"):
            score_whole(table, name)
    assert not (tmp_path / "nowhere.csv").exists()
    bundle = tmp_path / "bundle"
    shutil.copytree(trained[1].bundle, bundle)
    for place in (bundle, bundle / "below"):
        place.mkdir(exist_ok=True)
        with pytest.raises(DataError, match="a part of the model's files"):
            glabella.score(table, out=place / "scores.csv", model=str(bundle))
    assert not list(bundle.glob("*.csv"))


def _replace_between_passes(monkeypatch, replace):
    """Let the table change when the first pass, which looks for repeated rows, has ended."""
    look = stream._check_columns_and_ids

    def look_and_replace(*args):
        found = look(*args)
        replace()
        return found

    monkeypatch.setattr(stream, "_check_columns_and_ids", look_and_replace)


@pytest.mark.parametrize("how", ["replaced", "longer", "shorter", "a part more", "other columns"])
def test_a_parquet_table_that_changes_between_the_passes_is_not_scored(
    many_patients, small_batches, score_whole, tmp_path, monkeypatch, how
):
    folder = tmp_path / "parts"
    folder.mkdir()
    rows = many_patients.assign(usubjid=[f"R-{at}" for at in range(len(many_patients))])
    rows.to_parquet(folder / "part-0.parquet")
    repeated = rows.assign(usubjid=["R-0"] * 2 + rows["usubjid"].tolist()[2:])
    other = {
        "replaced": repeated,
        "longer": pd.concat([rows, rows]),
        "shorter": rows.head(50),
        "a part more": rows,
        "other columns": rows.drop(columns="age"),
    }[how]

    def replace():
        name = "part-1.parquet" if how == "a part more" else "part-0.parquet"
        other.to_parquet(tmp_path / "other.parquet")
        (tmp_path / "other.parquet").replace(folder / name)

    _replace_between_passes(monkeypatch, replace)
    with pytest.raises(DataError, match="replaced or changed while it was read"):
        score_whole(folder, "out.csv")
    assert _list(tmp_path) == sorted({"parts", *(f"parts/{p.name}" for p in folder.iterdir())})


def test_a_text_table_is_copied_in_the_first_pass(
    many_patients, table, small_batches, score_whole, tmp_path, monkeypatch
):
    _, expected = score_whole(table, "before.csv")
    _replace_between_passes(monkeypatch, lambda: many_patients.head(3).to_csv(table, index=False))
    _, found = score_whole(table, "out.csv")
    pd.testing.assert_frame_equal(found, expected)


def test_a_text_table_that_changes_while_it_is_opened_is_refused(
    many_patients, table, score_whole, tmp_path, monkeypatch
):
    opened = tables.open_batches

    def open_and_replace(*args, **kwargs):
        found = opened(*args, **kwargs)
        write_whole(table, many_patients.head(3).to_csv(index=False).encode())
        return found

    monkeypatch.setattr(tables, "open_batches", open_and_replace)
    with pytest.raises(DataError, match="replaced or changed while it was read"):
        score_whole(table, "out.csv")
    assert _list(tmp_path) == ["new.csv"]
