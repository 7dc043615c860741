"""Visits by hand: which one stands for the week, and the change to it."""

import numpy as np
import pandas as pd

from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables
from glabella.definitions.reader import parse_definition
from glabella.features.assemble import build_patient_features
from glabella.features.feature_set import FeatureSet

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  total: {label: Total, type: score, scale: by_trial, timing: visit}
  madrs: {label: MADRS total, type: score, scale: madrs, timing: visit}
  frown: {label: Frown, type: ordinal, range: [0, 3], codes: {"2": some}, timing: visit}
  weight: {label: Weight, type: number, unit: kg, range: [0, 300], timing: visit}
  adas_cog: {label: ADAS-Cog, type: score, scale: adas_cog11, timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value


# Week 2 within 1 to 3. The baseline is 40, or 30 where there is none at week 0 but one before.
VISITS = {
    "exact": ([0, 1, 2, 3], [40, 1, 25, 3], 25),
    "tie": ([0, 1.5, 2.5], [40, 20, 10], 20),
    "tie_in_days": ([0, 13 / 7, 15 / 7], [40, 20, 10], 20),
    "nearer_but_later": ([0, 1, 2.9], [40, 20, 10], 10),
    "ends_included": ([0, 3], [40, 12], 12),
    "just_outside": ([0, 0.99, 3.01], [40, 20, 10], None),
    "no_visit": ([0, 6], [40, 10], None),
    "no_baseline": ([2, 6], [20, 10], 20),
    "screened": ([-1, 2], [30, 33], 33),
    "zero": ([0, 2], [0, 6], 6),
}


BASELINES = dict.fromkeys(VISITS, 40.0) | {"no_baseline": np.nan, "screened": 30, "zero": 0}


def make_set(*rows: str) -> FeatureSet:
    text = "kind: feature_set\ndescription: x\nfeatures:\n" + "".join(f"  - {r}\n" for r in rows)
    return parse_definition(text, FeatureSet, name="f.yaml").value


def make_early(of: str, expressed: str = "") -> FeatureSet:
    tail = f", of: {of}, week: 2, window: [1, 3]{expressed}}}"
    return make_set(
        "{name: early, builder: visit_score" + tail,
        "{name: fall, builder: change_from_baseline" + tail,
    )


EARLY = make_early("madrs")


def make_tables(variable: str = "madrs", scale: str | None = None) -> PatientTables:
    people = pd.DataFrame({"studyid": "t", "usubjid": list(VISITS)})
    if scale is not None:
        people["scale"] = scale
    rows = [
        ("t", name, variable, float(week), float(value))
        for name, (weeks, values, _) in VISITS.items()
        for week, value in zip(weeks, values, strict=True)
    ]
    columns = ["studyid", "usubjid", "paramcd", "week", "aval"]
    return PatientTables(people, pd.DataFrame(rows, columns=columns), "real")


def build(feature_set: FeatureSet, tables: PatientTables) -> pd.DataFrame:
    frame = build_patient_features(tables, feature_set, DICTIONARY)
    return frame.set_axis(pd.Index(tables.participants["usubjid"].astype(str)))


def expect() -> pd.DataFrame:
    later = pd.Series({name: chosen for name, (_, _, chosen) in VISITS.items()}, dtype=float)
    frame = pd.DataFrame({"early": later, "fall": later - pd.Series(BASELINES)})
    return frame.set_axis(pd.Index(pd.Series(list(VISITS), name="usubjid").astype(str)))
