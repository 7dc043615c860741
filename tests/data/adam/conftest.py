"""Small ADaM datasets made by hand, and how a test reads them."""

from __future__ import annotations

import pandas as pd
import pytest

from glabella.data.adam.read import map_adam
from glabella.data.adam.source import AdamSource
from glabella.data.dictionary import Dictionary
from glabella.data.reading.raw import RawTable
from glabella.data.tables import PatientTables
from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import GlabellaError

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 95]}
  sex: {label: Sex, type: category, codes: {F: female, M: male}}
  height_cm: {label: Height, type: number, unit: cm, range: [100, 220]}
  educlvl: {label: Education, type: number, unit: years, range: [0, 30]}
  durdis_months: {label: Duration, type: number, unit: months, range: [0, 720]}
  genotype: {label: Genotype, type: category, codes: {E3: e3, E4: e4}}
  headache: {label: Headache, type: category, codes: {"1": had, "0": none}, timing: week 8}
  ever: {label: Ever, type: category, codes: {"1": had, "0": none}, timing: end}
  early_flag: {label: At baseline, type: category, codes: {"1": had, "0": none}}
  total: {label: Total, type: number, range: [0, 70], timing: visit}
  second: {label: Second, type: number, range: [0, 70], timing: visit}
  rated: {label: Rated, type: score, scale: by_trial, timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value


class Holder(Definition):
    kind: str
    source: AdamSource


def make_adsl(**columns: list[object]) -> pd.DataFrame:
    """Three subjects of two arms; a column replaces or joins the others."""
    base: dict[str, list[object]] = {
        "STUDYID": ["S1", "S1", "S1"],
        "USUBJID": ["QQ1", "QQ2", "QQ3"],
        "SITEID": ["007", "007", "010"],
        "TRT01P": ["Drug", "Placebo", "Drug"],
        "ITTFL": ["Y", "Y", "Y"],
        "AGE": [44.0, 52.0, 61.0],
        "AGEU": ["YEARS", "YEARS", "YEARS"],
        "SEX": ["F", "M", "F"],
    }
    return pd.DataFrame({**base, **columns})


def make_bds(rows: list[tuple[object, ...]], names: str, **constant: object) -> pd.DataFrame:
    """Rows of the named columns, of study S1 and parameter TOT unless they say otherwise."""
    frame = pd.DataFrame(rows, columns=names.split())
    for name, value in {"STUDYID": "S1", "PARAMCD": "TOT", **constant}.items():
        if name not in frame:
            frame[name] = value
    return frame


# Two subjects, baseline and week 8 each: what a simple trial looks like.
PLAIN = make_bds(
    [
        ("QQ1", "Baseline", 1.0, 40.0, 40.0, None, "Y"),
        ("QQ1", "Week 8", 57.0, 30.0, 40.0, -10.0, ""),
        ("QQ2", "Baseline", 1.0, 50.0, 50.0, None, "Y"),
        ("QQ2", "Week 8", 60.0, 45.0, 50.0, -5.0, ""),
    ],
    "USUBJID AVISIT ADY AVAL BASE CHG ABLFL",
)


class Adam:
    """Reads small datasets with settings of the source."""

    adsl = staticmethod(make_adsl)
    bds = staticmethod(make_bds)
    plain = PLAIN

    def load(
        self,
        *settings: str,
        adsl: pd.DataFrame | None = None,
        bds: pd.DataFrame | None = PLAIN,
        other: pd.DataFrame | None = None,
        adae: pd.DataFrame | None = None,
    ) -> PatientTables:
        tables = {"adsl.csv": make_adsl() if adsl is None else adsl}
        names = {"adsl": "adsl.csv"}
        if bds is not None:
            listed = "bds.csv" if other is None else "bds.csv, other.csv"
            names["bds"] = f"[{listed}]"
            tables["bds.csv"] = bds
        if other is not None:
            tables["other.csv"] = other
        if adae is not None:
            names["adae"] = "adae.csv"
            tables["adae.csv"] = adae
        lines = list(settings)
        if bds is not None and not any(line.startswith("parameters") for line in lines):
            lines.append("parameters: {total: TOT}")
        files = ", ".join(f"{key}: {value}" for key, value in names.items())
        text = "\n  ".join(["kind: x\nsource:", "name: own", f"adam: {{{files}}}", *lines])
        read = parse_definition(text, Holder, name="pipelines/own.yaml")
        raw = {name: RawTable(table) for name, table in tables.items()}
        return map_adam(
            read.value.source,
            raw,
            DICTIONARY,
            origin="real",
            written=read.origin,
            keys=("source",),
        )

    def refuse(self, *settings: str, **tables: pd.DataFrame | None) -> GlabellaError:
        with pytest.raises(GlabellaError) as caught:
            self.load(*settings, **tables)
        # No message may hold an id.
        assert "QQ" not in str(caught.value)
        return caught.value

    def scores(self, tables: PatientTables) -> dict[tuple[str, float], float]:
        rows = tables.assessments
        keys = zip(rows["usubjid"], rows["week"], strict=True)
        found = dict(zip(keys, rows["aval"], strict=True))
        assert len(found) == len(rows)
        return found

    def findings(self, tables: PatientTables, severity: str | None = None) -> list[str]:
        shown = [item for item in tables.findings if severity in (None, item.severity)]
        assert "QQ" not in " ".join(f"{item.place}{item.finding}{item.remedy}" for item in shown)
        return [item.finding for item in shown]


@pytest.fixture
def adam() -> Adam:
    """Small datasets and how to read them."""
    return Adam()
