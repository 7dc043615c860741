"""What tests of batch scoring share."""

import pandas as pd
import pytest

import glabella
from glabella.scoring import stream


@pytest.fixture
def many_patients(new_patients):
    """Two hundred patients, of whom a few rows are faulty."""
    rows = pd.concat([new_patients] * 7, ignore_index=True).head(200)
    rows["usubjid"] = [f"N-{at:04d}" for at in range(len(rows))]
    rows["age"] = rows["age"].astype(float) + rows.index % 5
    rows.loc[[11, 140], "age"] = 150
    rows.loc[[60, 61], "sex"] = "X"
    rows.loc[[70, 199], "usubjid"] = rows.loc[3, "usubjid"]
    rows.loc[90, "frown_max"] = None
    return rows


@pytest.fixture
def small_batches(monkeypatch):
    """Batches of seventeen rows, so that a small table has many."""
    monkeypatch.setattr(stream, "BATCH_ROWS", 17)


@pytest.fixture
def score_whole(trained, tmp_path):
    """Score a file with the small project's model into a fresh one and read it back."""

    def score(table, name="whole.parquet", **options):
        out = tmp_path / name
        result = glabella.score(table, out=out, model=trained[1].bundle, **options)
        return result, result.frame()

    return score
