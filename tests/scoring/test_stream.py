"""A table in batches gives what it gives in one piece, whatever its format and its size."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.errors import DataError
from glabella.scoring import job, stream, write


@pytest.fixture
def expected(trained, many_patients):
    return score_frame(load_bundle(Path(trained[1].bundle)), many_patients)


def _compare(found, expected):
    text = found.select_dtypes(exclude="number").columns
    found = found.assign(**{name: found[name].fillna("").astype(str) for name in text})
    other = expected.assign(
        **{name: expected[name].fillna("").astype(str) for name in text if name in expected}
    )
    pd.testing.assert_frame_equal(
        found, other[found.columns], check_dtype=False, check_exact=True, check_categorical=False
    )


@pytest.mark.parametrize("reasons", [0, 3])
@pytest.mark.parametrize("workers", [1, 3])
def test_batches_give_the_scores_of_one_table_to_the_last_digit(
    many_patients, expected, small_batches, score_whole, tmp_path, workers, reasons
):
    many_patients.to_parquet(tmp_path / "new.parquet")
    result, found = score_whole(tmp_path / "new.parquet", workers=workers, reasons=reasons)
    _compare(found, expected)
    assert (result.rows, result.scored, result.refused) == (200, 194, 6)
    assert sum(result.refused_by_reason.values()) == 6
    assert next(iter(result.refused_by_reason)) in {
        "age is outside 18 to 95 years",
        "sex is not one of the codes F, M",
        "usubjid is in an earlier row too",
    }


def _write_stata(frame, path):
    frame.to_stata(path, write_index=False, version=118)


def _write_spss(frame, path):
    import pyreadstat

    pyreadstat.write_sav(frame, str(path))


def _write_transport(frame, path):
    import pyreadstat

    pyreadstat.write_xport(frame, str(path), file_format_version=8)


def _write_parts(frame, path):
    path.mkdir()
    for number, start in enumerate(range(0, len(frame), 70)):
        frame.iloc[start : start + 70].to_parquet(path / f"part-{number}.parquet")
    (path / "_SUCCESS").touch()


FORMATS = {
    "new.csv": lambda frame, path: frame.to_csv(path, index=False),
    "new.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "decimal.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";", decimal=","),
    "new.xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "new.dta": _write_stata,
    "new.sav": _write_spss,
    "new.xpt": _write_transport,
    "parts": _write_parts,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_scores(
    many_patients, expected, small_batches, score_whole, tmp_path, name
):
    FORMATS[name](many_patients, tmp_path / name)
    _, found = score_whole(tmp_path / name)
    _compare(found, expected)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_job_that_is_resumed_ends_as_one_that_was_never_interrupted(
    many_patients, small_batches, score_whole, tmp_path, monkeypatch, ending
):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    whole, _ = score_whole(tmp_path / "new.csv", f"whole.{ending}")
    kept = job.Job.keep

    def stop(self, number, table, tally):
        if number == 5:
            raise KeyboardInterrupt
        kept(self, number, table, tally)

    monkeypatch.setattr(job.Job, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        score_whole(tmp_path / "new.csv", f"again.{ending}")
    assert not (tmp_path / f"again.{ending}").exists()
    monkeypatch.setattr(job.Job, "keep", kept)
    scored = []
    monkeypatch.setattr(
        stream.Tally, "count", classmethod(_record(scored, stream.Tally.count.__func__))
    )
    again, _ = score_whole(tmp_path / "new.csv", f"again.{ending}", resume=True)
    assert sum(scored) == 200 - 5 * 17
    assert (tmp_path / f"again.{ending}").read_bytes() == (
        tmp_path / f"whole.{ending}"
    ).read_bytes()
    assert {**again.as_json(), "output": ""} == {**whole.as_json(), "output": ""}
    assert not list(tmp_path.glob(".*"))


def _record(seen, function):
    def count(cls, answered):
        seen.append(len(answered.ids))
        return function(cls, answered)

    return count


_KILLED = """
import sys
from glabella.scoring import stream
stream.BATCH_ROWS = 250
import glabella
table, out, model, resume = sys.argv[1:]
glabella.score(table, out=out, model=model, resume=resume == "yes", reasons=0)
"""


def test_a_killed_job_loses_no_row_and_scores_none_twice(trained, many_patients, tmp_path):
    many = pd.concat([many_patients] * 40, ignore_index=True)
    many["usubjid"] = [f"N-{at}" for at in range(len(many))]
    many.to_csv(tmp_path / "new.csv", index=False)

    def start(out, resume):
        command = [sys.executable, "-c", _KILLED, tmp_path / "new.csv", tmp_path / out]
        return subprocess.Popen([*map(str, command), trained[1].bundle, resume])

    assert start("whole.csv", "no").wait() == 0
    partial, kills = tmp_path / ".again.csv.partial", 0
    process = start("again.csv", "no")
    for wanted in (1, 9, 20):
        while process.poll() is None and len(list(partial.glob("*.arrows"))) < wanted:
            time.sleep(0.005)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start("again.csv", "yes")
    assert process.wait() == 0
    assert kills >= 2
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not partial.exists()


def _interrupt(monkeypatch, score_whole, table):
    kept = job.Job.keep

    def stop(self, number, rows, tally):
        if number == 3:
            raise KeyboardInterrupt
        kept(self, number, rows, tally)

    with monkeypatch.context() as patched:
        patched.setattr(job.Job, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            score_whole(table, "out.csv")


def test_another_table_or_option_is_not_resumed(
    many_patients, small_batches, score_whole, tmp_path, monkeypatch
):
    table = tmp_path / "new.csv"
    many_patients.to_csv(table, index=False)
    _interrupt(monkeypatch, score_whole, table)
    with pytest.raises(DataError, match="the interrupted job had a different arm"):
        score_whole(table, "out.csv", resume=True, arm="placebo")
    many_patients.iloc[:-1].to_csv(table, index=False)
    with pytest.raises(DataError, match="the interrupted job had a different table"):
        score_whole(table, "out.csv", resume=True)
    result, _ = score_whole(table, "out.csv")
    assert result.rows == 199


def test_another_model_of_the_same_name_is_not_resumed(
    trained, many_patients, small_batches, score_whole, tmp_path, monkeypatch
):
    table, folder = tmp_path / "new.csv", tmp_path / "edited"
    many_patients.to_csv(table, index=False)
    _interrupt(monkeypatch, score_whole, table)
    shutil.copytree(trained[1].bundle, folder)
    sums = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(reversed(sums)))
    with pytest.raises(DataError, match="the interrupted job had a different model"):
        glabella.score(table, out=tmp_path / "out.csv", model=str(folder), resume=True)


def test_a_damaged_batch_is_scored_again(
    many_patients, small_batches, score_whole, tmp_path, monkeypatch
):
    table = tmp_path / "new.csv"
    many_patients.to_csv(table, index=False)
    _, expected = score_whole(table, "whole.csv")
    _interrupt(monkeypatch, score_whole, table)
    batch = tmp_path / ".out.csv.partial" / "00000001.arrows"
    batch.write_bytes(batch.read_bytes()[:300])
    _, found = score_whole(table, "out.csv", resume=True)
    pd.testing.assert_frame_equal(found, expected)


def test_a_wrong_command_without_resume_keeps_what_was_finished(
    many_patients, small_batches, score_whole, tmp_path, monkeypatch
):
    table = tmp_path / "new.csv"
    many_patients.to_csv(table, index=False)
    _interrupt(monkeypatch, score_whole, table)
    with pytest.raises(DataError, match="no such file"):
        score_whole(tmp_path / "neww.csv", "out.csv")
    assert len(list((tmp_path / ".out.csv.partial").glob("*.arrows"))) == 3


def test_parts_are_read_in_the_order_of_their_numbers(many_patients, score_whole, tmp_path):
    (tmp_path / "parts").mkdir()
    for number in (1, 2, 10):
        rows = many_patients.iloc[15 * number : 15 * number + 5]
        rows.to_parquet(tmp_path / "parts" / f"part-{number}.parquet")
    _, found = score_whole(tmp_path / "parts")
    assert found["usubjid"].tolist() == [
        many_patients["usubjid"][15 * number + at] for number in (1, 2, 10) for at in range(5)
    ]


def test_no_more_reasons_are_given_than_there_are_features(many_patients, score_whole, tmp_path):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    _, found = score_whole(tmp_path / "new.csv", reasons=1_000_000)
    assert sum(name.startswith("reason_") for name in found.columns) == 7


def test_truth_values_and_lists_are_no_numbers_and_no_codes(many_patients, score_whole, tmp_path):
    odd = many_patients.head(9).assign(age=True)
    odd.to_parquet(tmp_path / "new.parquet")
    result, _ = score_whole(tmp_path / "new.parquet")
    assert result.refused_by_reason == {"age is not a number": 9}
    listed = many_patients.head(9).assign(sex=[["F"]] * 9)
    listed.to_parquet(tmp_path / "listed.parquet")
    result, _ = score_whole(tmp_path / "listed.parquet", "other.parquet")
    assert result.refused_by_reason == {"sex is not one of the codes F, M": 9}


def test_two_jobs_do_not_write_one_output(many_patients, score_whole, tmp_path):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    with (
        job.Job(tmp_path / "out.csv", resume=False),
        pytest.raises(DataError, match="another job is writing this output"),
    ):
        score_whole(tmp_path / "new.csv", "out.csv")
    score_whole(tmp_path / "new.csv", "out.csv")


def test_a_full_disk_leaves_no_output_and_the_job_goes_on_after_it(
    many_patients, small_batches, score_whole, tmp_path, monkeypatch
):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    _, expected = score_whole(tmp_path / "new.csv", "whole.csv")
    add = write.TableWriter.add

    def fill(self, table):
        add(self, table)
        if self._path.stat().st_size > 5_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(write.TableWriter, "add", fill)
        with pytest.raises(DataError, match="No space left on device") as caught:
            score_whole(tmp_path / "new.csv", "out.csv")
    assert "--resume" in str(caught.value)
    assert not (tmp_path / "out.csv").exists()
    _, found = score_whole(tmp_path / "new.csv", "out.csv", resume=True)
    pd.testing.assert_frame_equal(found, expected)


def test_a_limit_on_the_size_of_files_is_reported(trained, many_patients, tmp_path):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    arguments = ["--out", str(tmp_path / "out.csv"), "--model", trained[1].bundle]
    done = subprocess.run(
        [sys.executable, "-m", "glabella", "score", str(tmp_path / "new.csv"), *arguments],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the output can't be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv"]


@pytest.mark.parametrize("folder", ["/proc", "file"])
def test_a_folder_that_takes_no_file_is_reported_before_anything_is_scored(
    trained, many_patients, score_whole, tmp_path, folder
):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / "file").touch()
    out = Path(folder) if folder.startswith("/") else tmp_path / folder
    with pytest.raises(DataError, match=r"can't be written|does not exist"):
        glabella.score(tmp_path / "new.csv", out=out / "out.csv", model=trained[1].bundle)


def test_a_whole_column_in_another_unit_stops_the_job_before_the_first_row(
    many_patients, small_batches, score_whole, tmp_path
):
    many_patients.assign(age=many_patients["age"] * 12).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError) as caught:
        score_whole(tmp_path / "new.csv", "out.csv")
    assert "each of the 200 values of the column 'age' is outside 18 to 95 years" in str(
        caught.value
    )
    coded = many_patients.assign(sex=many_patients["sex"].map({"F": 1, "M": 2}))
    coded.to_csv(tmp_path / "coded.csv", index=False)
    with pytest.raises(DataError, match="column 'sex' is not one of the codes F, M"):
        score_whole(tmp_path / "coded.csv", "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coded.csv", "new.csv"]


def test_one_value_that_can_be_right_in_the_last_row_is_found(
    many_patients, small_batches, score_whole, tmp_path
):
    wrong = many_patients.assign(age=many_patients["age"] * 12)
    wrong.loc[198, "age"] = 44
    wrong.to_csv(tmp_path / "new.csv", index=False)
    result, _ = score_whole(tmp_path / "new.csv")
    assert (result.rows, result.scored) == (200, 1)


def test_a_part_with_other_columns_is_refused_by_name(many_patients, score_whole, tmp_path):
    folder = tmp_path / "parts"
    _write_parts(many_patients, folder)
    many_patients.drop(columns="ad").to_parquet(folder / "part-9.parquet")
    with pytest.raises(DataError, match=r"the part has no column 'ad' as in 'part-0\.parquet'"):
        score_whole(folder)
    many_patients.assign(age="x").to_parquet(folder / "part-9.parquet")
    with pytest.raises(DataError, match="the part's column 'age' is not of the type"):
        score_whole(folder)
    (folder / "part-9.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="not a whole Parquet file"):
        score_whole(folder)
    (folder / "part-9.parquet").unlink()
    (folder / "notes.txt").touch()
    with pytest.raises(DataError, match=r"holds 'notes\.txt', which is no part of the table"):
        score_whole(folder)
    with pytest.raises(DataError, match="the output would be a part of the input"):
        score_whole(folder, "parts/out.parquet")


def test_readers_get_plain_text_and_whole_numbers_stay_whole(
    many_patients, small_batches, score_whole, tmp_path
):
    numbered = many_patients.drop(index=[70, 199]).assign(usubjid=lambda rows: rows.index + 2**53)
    numbered.to_parquet(tmp_path / "new.parquet")
    _, found = score_whole(tmp_path / "new.parquet")
    schema = pyarrow.parquet.read_schema(tmp_path / "whole.parquet")
    assert str(schema.field("usubjid").type) == "int64"
    assert {str(schema.field(name).type) for name in ("status", "domain_note", "reason_1")} == {
        "string"
    }
    assert found["usubjid"].tolist() == numbered["usubjid"].tolist()
    assert found["response_probability"].isna().sum() == (found["status"] == "refused").sum()


def test_drift_is_marked_where_a_feature_moved_and_not_elsewhere(
    many_patients, score_whole, tmp_path
):
    older = many_patients.assign(age=np.where(many_patients["age"] < 100, 88, 150))
    older.to_csv(tmp_path / "new.csv", index=False)
    result, _ = score_whole(tmp_path / "new.csv")
    assert result.drift["age_years"].is_marked
    assert result.as_json()["drift"]["age_years"]["marked"] is True
    assert result.drift["age_years"].index > 1


def test_progress_counts_rows_to_the_end(many_patients, small_batches, score_whole, tmp_path):
    many_patients.to_csv(tmp_path / "new.csv", index=False)
    seen = []
    score_whole(tmp_path / "new.csv", progress=lambda *step: seen.append(step))
    assert seen[0] == ("reading", 0, 0)
    assert seen[-1] == ("scoring", 200, 200)
    assert [done for stage, done, _ in seen if stage == "scoring"] == sorted(
        done for stage, done, _ in seen if stage == "scoring"
    )


def test_memory_does_not_grow_with_the_table(trained, many_patients, tmp_path):
    code = (
        "import sys, resource, glabella\n"
        "glabella.score(sys.argv[1], out=sys.argv[2], model=sys.argv[3], reasons=0, workers=1)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for copies in (400, 4000):
        many = pd.concat([many_patients] * copies, ignore_index=True)
        many["usubjid"] = np.arange(len(many))
        many.to_parquet(tmp_path / f"{copies}.parquet")
        out = tmp_path / f"out{copies}.parquet"
        command = [sys.executable, "-c", code, tmp_path / f"{copies}.parquet", out]
        done = subprocess.run(
            [*map(str, command), trained[1].bundle],
            check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.35 * peaks[0]
