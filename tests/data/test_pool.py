from typing import Literal

import pandas as pd
import pytest

from glabella.data.pool import pool_trials
from glabella.data.tables import PatientTables, hash_tables
from glabella.errors import DataError


def make_trial(
    trial: str, ids: list[str], origin: Literal["real", "simulated"] = "real", **columns: str
) -> PatientTables:
    return PatientTables(
        participants=pd.DataFrame({"studyid": trial, "usubjid": ids, **columns}),
        assessments=pd.DataFrame(
            {"studyid": trial, "usubjid": ids, "paramcd": "t", "week": 0.0, "aval": 1.0}
        ),
        origin=origin,
    )


def test_trials_are_stacked_in_their_order() -> None:
    pooled = pool_trials([make_trial("B", ["1", "2"]), make_trial("A", ["1"])])
    assert pooled.participants["studyid"].tolist() == ["B", "B", "A"]
    assert pooled.participants.index.tolist() == [0, 1, 2]
    assert pooled.n == 3
    assert len(pooled.assessments) == 3
    assert pooled.origin == "real"


def test_what_one_trial_lacks_is_missing_there() -> None:
    pooled = pool_trials([make_trial("A", ["1"], arm="x"), make_trial("B", ["1"])])
    assert pooled.participants["arm"].isna().tolist() == [False, True]


def test_how_values_were_derived_is_missing_where_a_source_has_none_derived() -> None:
    plain, derived = make_trial("A", ["1"]), make_trial("B", ["1"])
    derived.assessments["dtype"] = "LOCF"
    pooled = pool_trials([plain, derived])
    assert pooled.assessments["dtype"].isna().tolist() == [True, False]
    assert hash_tables(pooled) != hash_tables(pool_trials([plain, make_trial("B", ["1"])]))


def test_one_participant_in_two_sources_is_refused_without_the_id() -> None:
    with pytest.raises(DataError) as caught:
        pool_trials(
            [make_trial("A", ["QQ1", "QQ2"]), make_trial("A", ["QQ2", "QQ3"])],
            place="pipelines/a.yaml:4",
        )
    assert str(caught.value) == (
        "pipelines/a.yaml:4: 1 participants stand in two sources of the same trial (A)\n"
        "  Give each trial its own `name`."
    )


def test_real_and_simulated_trials_are_never_pooled() -> None:
    with pytest.raises(DataError, match="real and simulated trials can't be pooled"):
        pool_trials([make_trial("A", ["1"]), make_trial("B", ["1"], "simulated")])
