"""Trees on a table that is read in batches."""

import numpy as np
import pandas as pd
import pytest

from glabella.errors import AnalysisError, DataError
from glabella.models.build import export_model, restore_model
from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.external_memory import ParquetRows


@pytest.fixture
def parts(sample, tmp_path):
    table, responded = sample(61, n=900)
    # Few distinct values, so that bins do not depend on the order in which rows are summarised.
    frame = table.frame.assign(severity=table.frame["severity"].round(-1))
    frame["age_years"] = frame["age_years"].round(-1)
    folder = tmp_path / "parts"
    folder.mkdir()
    whole = frame.assign(responded=responded, other="x")
    for number, start in enumerate(range(0, 900, 300)):
        part = whole.iloc[start : start + 300]
        part.to_parquet(folder / f"part-{number}.parquet")
    return folder, table.specs, frame, responded


def make(specs, **settings):
    return XGBoostModel(specs=specs, random_state=1, n_trees=20, subsample=1.0, **settings)


def test_trees_from_batches_are_those_from_memory(parts, tmp_path):
    folder, specs, frame, responded = parts
    cache = tmp_path / "cache"
    cache.mkdir()
    rows = ParquetRows(folder, specs, "responded", batch_rows=70)
    assert len(list(rows)) >= 12
    found = make(specs).fit_batches(rows, cache=cache)
    wanted = make(specs).fit(frame, responded)
    assert found.encoding_.export() == wanted.encoding_.export()
    np.testing.assert_allclose(found.log_odds(frame), wanted.log_odds(frame), rtol=0, atol=1e-5)
    assert not list(cache.iterdir())
    restored = restore_model(export_model(found), specs)
    np.testing.assert_array_equal(restored.log_odds(frame), found.log_odds(frame))


def test_a_level_that_no_row_has_makes_no_column(parts):
    _, specs, frame, responded = parts
    kept = (frame["drug"] != "d").to_numpy()
    less = [(frame[kept], responded[kept])]
    model = make(specs).fit_batches(less)
    (column,) = [each for each in model.encoding_.columns if each.feature == "drug"]
    assert column.levels == ("a", "b", "c")


def test_centring_and_one_class_are_refused(parts):
    _, specs, frame, responded = parts
    with pytest.raises(AnalysisError, match="can't be centred"):
        make(specs, centring="trial").fit_batches([(frame, responded)])
    with pytest.raises(ValueError, match="one class only"):
        make(specs).fit_batches([(frame, responded * 0)])
    with pytest.raises(ValueError, match="severity holds infinite values"):
        make(specs).fit_batches([(frame.assign(severity=np.inf), responded)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="sex"), "no column 'sex'"),
        (lambda f: f.assign(sex="unknown"), "a level is not in the dictionary"),
        (lambda f: f.assign(severity="high"), "holds no numbers"),
        (lambda f: f.assign(responded=np.nan), "neither 0 nor 1"),
        (lambda f: f.assign(responded=2), "neither 0 nor 1"),
    ],
)
def test_a_wrong_table_is_refused_by_column(parts, tmp_path, change, message):
    folder, specs, _, _ = parts
    file = tmp_path / "wrong.parquet"
    change(pd.read_parquet(folder / "part-0.parquet")).to_parquet(file)
    with pytest.raises(DataError, match=message):
        list(ParquetRows(file, specs, "responded"))


@pytest.mark.parametrize("content", [b"no parquet", None])
def test_what_is_no_parquet_is_refused(parts, tmp_path, content):
    file = tmp_path / "wrong.parquet"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match="can't be read as Parquet"):
        list(ParquetRows(file, parts[1], "responded"))
