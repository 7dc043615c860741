"""A table of new patients has the faults that it is meant to have, and no others."""

import numpy as np
import pandas as pd
import pytest

from glabella.domain.scales import SCALES
from glabella.errors import GlabellaError
from glabella.simulation.frames import Simulated, simulate_trials
from glabella.simulation.scenario.definition import Scenario


@pytest.fixture(scope="module")
def many(bont_pooled: Scenario) -> list[Simulated]:
    return [simulate_trials(bont_pooled, seed=seed) for seed in range(10)]


def find_faults(table: pd.DataFrame) -> pd.Series:
    """Say which rows break a rule, by rules written here anew; sound rows are False."""
    highest = table["scale"].map({name: scale.maximum for name, scale in SCALES.items()})
    total = pd.to_numeric(table["depression_total"], errors="coerce")
    sound = total.between(1, highest) & table["scale"].isin(["hamd17", "madrs", "hamd21"])
    for column, low, high in (("age_years", 18, 95), ("illness_months", 0, 720)):
        sound &= pd.to_numeric(table[column], errors="coerce").between(low, high)
    for column in ("frown_max", "frown_rest"):
        sound &= table[column].isin(["0", "1", "2", "3"])
    sound &= table["sex"].isin(["F", "M"]) & table["antidepressant"].isin(["yes", "no"])
    return ~(sound & (table["usubjid"] != "") & ~table["usubjid"].duplicated(keep="first"))


def test_twenty_of_two_hundred_new_patients_are_faulty(many: list[Simulated]) -> None:
    for item in many[:10]:
        table = item.new_patients
        assert table.shape == (200, 12)
        assert table.map(lambda cell: isinstance(cell, str)).all(axis=None)
        assert find_faults(table).sum() == 20


def test_faults_are_all_different_and_spread_over_the_table(many: list[Simulated]) -> None:
    places = []
    for item in many[:3]:
        faulty = find_faults(item.new_patients)
        places.append(tuple(np.flatnonzero(faulty)))
        assert places[-1][0] < 70
        assert places[-1][-1] > 130
        rows = item.new_patients[faulty]
        for column, texts in {
            "age_years": {"forty", "-41", "140"},
            "sex": {"X", "female"},
            "depression_total": {"", "99", "-4", "severe", "0"},
            "scale": {"hamd", ""},
            "frown_max": {"7", "1.5"},
            "illness_months": {"-1", "inf"},
        }.items():
            assert rows[column].isin(texts).sum() == len(texts)
    assert len(set(places)) == 3


def test_more_faulty_rows_than_kinds_are_refused(bont_pooled: Scenario) -> None:
    wanted = bont_pooled.new_patients.model_copy(update={"faulty": 21})
    with pytest.raises(GlabellaError, match="21 faulty rows were asked for; there are 20 kinds"):
        simulate_trials(bont_pooled.model_copy(update={"new_patients": wanted}), seed=1)
