"""A trial that had no part in training, read with its outcomes and predicted by a bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.applicability.column_checks import ColumnCheck
from glabella.bundle.applicability.drift import measure_drift
from glabella.bundle.applicability.judgement import describe_domain
from glabella.bundle.arms import choose_arm
from glabella.bundle.forms import TableLayout
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.predict import build_scoring_features
from glabella.bundle.tables import TableRequest, read_whole_table
from glabella.data.cells import match_codes
from glabella.data.identifiers import write_ids
from glabella.data.mapping.labels import NamedArm, read_arm_labels, read_labelled
from glabella.definitions.locate import Project
from glabella.errors import DataError, add_place, describe_choices
from glabella.features.spec import FeatureTable
from glabella.pipelines.new_trial.outcome_column import OutcomeColumn, check_swapped, read_outcome
from glabella.pipelines.new_trial.overlap import check_overlap, find_overlap
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.evaluation import FEWEST_OF_A_CLASS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NewTrialOptions:
    """What a user states of new trials beside the tables.

    Parameters
    ----------
    outcome : str or None
        The column of response in a table.
    event : str or None
        The value of it that means response.
    arm_column, arm : str or None
        The column of each row's arm, or the arm of all.
    request : TableRequest
        The form of the tables, and how they are read.
    allow_overlap : bool
        Whether participants of training are allowed.
    allow_reversed : bool
        Whether an outcome that fits better when swapped is allowed.
    data : Path or None
        The folder of an analysis's data files.
    """

    outcome: str | None = None
    event: str | None = None
    arm_column: str | None = None
    arm: str | None = None
    request: TableRequest = field(default_factory=TableRequest)
    allow_overlap: bool = False
    allow_reversed: bool = False
    data: Path | None = None


@dataclass(frozen=True)
class NewTrial:
    """Participants with known outcomes and what a model predicts for them.

    Parameters
    ----------
    name : str
        The table's name without its ending.
    sample : Sample
        Those who were predicted and whose outcome is known.
    log_odds : array of float, shape (n,)
        Of the model.
    rows : int
        Of the table.
    refused_by_reason : dict of int
        Rows that the model refused.
    without_outcome : int
        Further rows whose outcome is not known.
    out_of_domain : int
        Participants who are unlike those of training.
    drift : dict of dict
        Feature to ``index``, ``noise`` and ``is_marked``, as `score` tells it.
    overlap : int or None
        Participants who stand among those of training; None where that can't be told, because
        the training's keys are not here.
    table_sha256 : str
        Of the file.
    people : DataFrame, shape (n, 2)
        ``studyid`` and ``usubjid`` of those of the sample; never logged.
    """

    name: str
    sample: Sample
    log_odds: Floats
    rows: int
    refused_by_reason: dict[str, int]
    without_outcome: int
    out_of_domain: int
    drift: dict[str, dict[str, Any]]
    overlap: int | None
    table_sha256: str
    people: pd.DataFrame = field(repr=False)

    @property
    def probability(self) -> Floats:
        """Predicted."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.log_odds)), dtype=float)

    def predict(self) -> pd.DataFrame:
        """Give the predictions as validation tabulates them."""
        return pd.DataFrame(
            {
                "row": np.arange(self.sample.n),
                "design": "new trial",
                "repeat": 0,
                "fold": 0,
                "group": self.name,
                "responded": self.sample.labels,
                "probability": self.probability,
            }
        )


def read_new_trial(
    path: Path, bundle: Bundle, options: NewTrialOptions, *, project: Project
) -> NewTrial:
    """Read a table with outcomes, and predict its participants.

    Returns
    -------
    NewTrial
        Rows that the model refuses or whose outcome is missing are counted and left out.
    """
    manifest = bundle.manifest
    with add_place(path.name):
        before = describe_content(path)
        table, found = read_whole_table(path, manifest, options.request)
        frame, layout = table.frame, found.chosen.layout
        _check_wrong_columns(frame, manifest, layout)
    ids = _read_ids(frame, layout)
    # A table may hold the identifiers of several forms, and one is enough to know somebody again.
    overlaps = [
        find_overlap(
            _read_ids(frame, each),
            manifest,
            project,
            across_trials=True,
        )
        for each in found.alike
    ]
    overlap = max(overlaps, key=lambda each: (each.same or 0, each.alike))
    check_overlap(overlap, path.name, may_overlap=options.allow_overlap)
    arms = _read_arms(frame, manifest, found.alike, options, path.name)
    outcome = read_outcome(
        frame,
        OutcomeColumn(options.outcome, options.event),
        found.alike,
        manifest,
        place=path.name,
    )
    features, usable, refused = _build_sample(frame, bundle, layout, arms)
    kept = usable & ~np.isnan(outcome)
    responded = outcome[kept].astype(np.int8)
    check_few(responded, path.name)
    mine = features[kept].reset_index(drop=True)
    log_odds = bundle.model.log_odds(mine)
    check_swapped(
        log_odds, responded.astype(float), path.name, may_be_reversed=options.allow_reversed
    )
    blank = np.full(len(mine), "", dtype=str)
    told = arms[kept]
    roles = {item.name: item.role for item in manifest.arms}
    _, inside = describe_domain(mine, manifest, bundle.domain)
    return NewTrial(
        name=path.stem,
        sample=Sample(
            features=FeatureTable(mine, manifest.feature_specs),
            outcomes=responded[None],
            trial=np.full(len(mine), path.stem),
            site=blank,
            cohort=blank,
            arm=told,
            active=np.array([roles.get(name, "active") == "active" for name in told], dtype=bool),
        ),
        log_odds=log_odds,
        rows=len(frame),
        refused_by_reason=refused,
        without_outcome=int((usable & np.isnan(outcome)).sum()),
        out_of_domain=int((~inside).sum()),
        drift=describe_drift(mine, manifest),
        overlap=overlap.same,
        table_sha256=before,
        people=pd.DataFrame(
            {
                "studyid": ids[0][kept].to_numpy() if len(ids) > 1 else path.stem,
                "usubjid": ids[-1][kept].to_numpy(),
            }
        ),
    )


def _read_ids(frame: pd.DataFrame, layout: TableLayout) -> list[pd.Series]:
    """Read trial, by the file's labels as training does, and identifier."""
    ids = []
    for name in layout.form.list_ids(frame.columns)[-2:]:
        text, labels = read_labelled(frame[name], layout.labels.get(name, {}))
        ids.append(write_ids(text.replace(labels) if labels else frame[name]))
    return ids


def _check_wrong_columns(frame: pd.DataFrame, manifest: Manifest, layout: TableLayout) -> None:
    check = ColumnCheck(manifest, layout)
    check.add(frame)
    check.check_columns()


def _read_arms(
    frame: pd.DataFrame,
    manifest: Manifest,
    layouts: Sequence[TableLayout],
    options: NewTrialOptions,
    place: str,
) -> npt.NDArray[np.str_]:
    """Read the arm of each row by codes, labels and names, as training reads it."""
    column, arm = options.arm_column, options.arm
    if not manifest.arms:
        if column is not None or arm is not None:
            raise DataError("the model knows no arms", place="--arm", remedy="Leave it out.")
        return np.full(len(frame), "", dtype=str)
    if column is None and arm is None:
        column = _find_arm_column(frame, layouts, place)
    if column is None:
        if arm is None:
            raise DataError(
                "the model's predictions depend on the arm, and nothing says which each row had",
                place=place,
                remedy="Name the column with --arm-column, or the arm of all with --arm.",
            )
        return np.full(len(frame), choose_arm(manifest, arm) or "")
    _check_column(frame, column, place)
    text, labels = read_labelled(frame[column], layouts[0].labels.get(column, {}))
    named = [
        NamedArm(item.codes or (item.name,), (item.name, item.label)) for item in manifest.arms
    ]
    reading = read_arm_labels(labels, named)
    contradicted = int(text.isin(reading.contradicted | reading.unclear).sum())
    if contradicted:
        raise DataError(
            f"{contradicted} values of '{column}' have labels in the file that name another arm, "
            "or none of the model's",
            place=place,
            remedy="Correct the labels, or write the arms in words.",
        )
    text = text.replace(dict(reading.taken)) if reading.taken else text
    by_word = {word: item.name for item in manifest.arms for word in (item.label, item.name)}
    by_code = {code: item.name for item in manifest.arms for code in item.codes or (item.name,)}
    known = by_word | by_code
    read = match_codes(text, known).map(known)
    if read.isna().any():
        raise DataError(
            f"{int(read.isna().sum())} values of '{column}' name no arm of the model",
            place=place,
            remedy=f"Write {', '.join(item.name for item in manifest.arms)}.",
        )
    return read.to_numpy(dtype=str)


def _find_arm_column(frame: pd.DataFrame, layouts: Sequence[TableLayout], place: str) -> str | None:
    """Find the arm's column by the forms that the table has; never one of two."""
    there = [each.form.arm_column for each in layouts if each.form.arm_column in frame]
    names = list(dict.fromkeys(name for name in there if name is not None))
    if len(names) > 1:
        raise DataError(
            "the table has several columns that hold the arm in a form that the model knows: "
            + ", ".join(f"'{name}'" for name in names),
            place=place,
            remedy="Name the one that is meant with --arm-column.",
        )
    return names[0] if names else None


def describe_content(path: Path) -> str:
    """Compute the SHA-256 of a table, or of the parts of one."""
    digest = hashlib.sha256()
    try:
        for part in sorted(path.iterdir()) if path.is_dir() else [path]:
            digest.update(part.read_bytes())
    except OSError:
        return ""
    return digest.hexdigest()


def _check_column(frame: pd.DataFrame, column: str, place: str) -> None:
    if column not in frame:
        raise DataError(
            f"the table has no column '{column}'",
            place=place,
            remedy=describe_choices(column, [str(name) for name in frame.columns]),
        )


def _build_sample(
    frame: pd.DataFrame, bundle: Bundle, layout: TableLayout, arms: npt.NDArray[np.str_]
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], dict[str, int]]:
    """Build the features of each row under its own arm."""
    parts, usable = [], np.zeros(len(frame), dtype=bool)
    refused: dict[str, int] = {}
    for name in dict.fromkeys(arms):
        # The whole table each time: who stands in it twice is seen only there.
        prepared = build_scoring_features(bundle, frame, arm=name or None, layout=layout)
        mine = arms == name
        parts.append(prepared.features[mine])
        usable |= prepared.usable & mine
        for fault in prepared.faults[mine & ~prepared.usable]:
            refused[str(fault)] = refused.get(str(fault), 0) + 1
    return pd.concat(parts).loc[frame.index], usable, refused


def describe_drift(features: pd.DataFrame, manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Hold the distribution of each feature against that of training."""
    found = {}
    for name, known in manifest.reference.items():
        drift = measure_drift(known, known.count(features[name]))
        found[name] = {"index": drift.index, "noise": drift.noise, "is_marked": drift.is_marked}
    return found


def check_few(responded: npt.NDArray[np.int8], place: str) -> None:
    """Refuse a trial that says nothing of a model."""
    rarer = min(int(responded.sum()), int((1 - responded).sum()))
    if not rarer and len(responded) >= FEWEST_OF_A_CLASS:
        what = "response" if responded.all() else "no response"
        raise DataError(
            f"all {len(responded)} known outcomes are read as {what}",
            place=place,
            remedy="Check which value of the outcome means response, or wait for participants of "
            "the other class.",
        )
    if rarer < FEWEST_OF_A_CLASS:
        raise DataError(
            f"{len(responded)} participants are left, {rarer} of the rarer class: under "
            f"{FEWEST_OF_A_CLASS}, nothing can be said of the model",
            place=place,
            remedy="Wait for more participants, or pool tables into one.",
        )
