"""Batch scoring beside bare loops that read, predict and write, as ratios within one run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import glabella

NUMBERS = tuple(f"number_{at:02d}" for at in range(1, 13))
GRADES = tuple(f"grade_{at}" for at in range(1, 5))
CODES = tuple(f"code_{at}" for at in range(1, 4))
SEVERITY = "depression_total"
FEATURES = (*NUMBERS, *GRADES, *CODES, SEVERITY)

_DICTIONARY = """\
kind: dictionary
description: Twenty invented variables
variables:
  {severity}: {{label: Depression total, type: score, scale: hamd17, timing: visit}}
"""
_ANALYSIS = """\
kind: analysis
description: A model of twenty features
seed: 1
data:
  trials:
    - name: pooled
      participants:
        file: participants.csv
        id: usubjid
        trial: studyid
        arm: arm
        variables: {{{mapped}}}
      assessments:
        - {{file: assessments.csv, id: usubjid, trial: studyid, parameter: paramcd, week: week,
            value: aval}}
arms:
  - {{name: bont, label: BoNT/A, role: active}}
  - {{name: placebo, label: Placebo, role: control}}
endpoint: {{rule: response, of: {severity}, fraction: 0.5, week: 6, window: [4, 8],
  missing: non_responder}}
features: twenty
models: [trees]
validation: {{pooled: {{folds: 3, repeats: 1}}, inner_folds: 2}}
explanation: {{refits: 0, permutations: 0}}
"""
_CANDIDATE = """\
kind: candidate
description: A hundred boosted trees
estimator: xgboost
settings: {n_trees: 100, max_depth: 4, learning_rate: 0.1}
"""


def draw_patients(n: int, *, seed: int, first: int = 0) -> pd.DataFrame:
    """Draw patients with twenty features.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of the draw.
    first : int
        The number of the first one.

    Returns
    -------
    DataFrame
        An identifier and a column a feature; one in fifty numbers is missing.
    """
    draw = np.random.default_rng([seed, first])
    columns: dict[str, object] = {
        "usubjid": pd.Series(np.arange(first, first + n), dtype="int64[pyarrow]").astype(
            "string[pyarrow]"
        )
    }
    for name in NUMBERS:
        values = np.clip(draw.normal(50.0, 12.0, n), 1.0, 99.0)
        values[draw.random(n) < 0.02] = np.nan
        columns[name] = values
    for name in GRADES:
        columns[name] = draw.integers(0, 4, n).astype(float)
    for name in CODES:
        columns[name] = draw.integers(0, 2, n)
    columns[SEVERITY] = draw.integers(15, 35, n).astype(float)
    return pd.DataFrame(columns)


def make_bundle(project: Path) -> Path:
    """Train a model of twenty features in two invented trials.

    Parameters
    ----------
    project : Path
        An empty folder.

    Returns
    -------
    Path
        The bundle.
    """
    for name in ("features", "models", "pipelines"):
        (project / name).mkdir(parents=True)
    codes = "{'0': none, '1': some}"
    variables = [
        *(
            f"  {n}: {{label: {n}, type: number, range: [0, 100], timing: baseline}}"
            for n in NUMBERS
        ),
        *(f"  {n}: {{label: {n}, type: ordinal, range: [0, 3], timing: baseline}}" for n in GRADES),
        *(
            f"  {n}: {{label: {n}, type: category, codes: {codes}, timing: baseline}}"
            for n in CODES
        ),
    ]
    (project / "features" / "dictionary.yaml").write_text(
        _DICTIONARY.format(severity=SEVERITY) + "\n".join(variables) + "\n", encoding="utf-8"
    )
    names = [f"  - {{name: {name}}}" for name in FEATURES if name != SEVERITY]
    (project / "features" / "twenty.yaml").write_text(
        "kind: feature_set\ndescription: Twenty features\npredict_at: baseline\nfeatures:\n"
        f"  - {{name: severity, builder: baseline_score, of: {SEVERITY}}}\n"
        + "\n".join(names)
        + "\n",
        encoding="utf-8",
    )
    (project / "models" / "trees.yaml").write_text(_CANDIDATE, encoding="utf-8")
    mapped = ", ".join(f"{name}: {name}" for name in FEATURES if name != SEVERITY)
    (project / "pipelines" / "twenty.yaml").write_text(
        _ANALYSIS.format(severity=SEVERITY, mapped=mapped), encoding="utf-8"
    )
    people = draw_patients(3000, seed=1)
    people["studyid"] = np.where(np.arange(len(people)) % 2, "beta", "alpha")
    people["arm"] = np.where(np.arange(len(people)) % 4 < 2, "bont", "placebo")
    pull = (people[NUMBERS[0]].fillna(50) + people[NUMBERS[1]].fillna(50) - 100) / 20
    pull += people[GRADES[0]] * 0.4 - 0.8 + (people["arm"] == "bont")
    responded = np.random.default_rng(2).random(len(people)) < 1 / (1 + np.exp(-pull))
    later = np.where(responded, people[SEVERITY] // 3, people[SEVERITY] - 2)
    visits = [
        people[["studyid", "usubjid"]].assign(paramcd=SEVERITY, week=week, aval=values)
        for week, values in ((0, people[SEVERITY]), (6, later))
    ]
    pd.concat(visits).to_csv(project / "assessments.csv", index=False)
    people.drop(columns=SEVERITY).to_csv(project / "participants.csv", index=False)
    return Path(glabella.train("twenty", project=project).bundle)
