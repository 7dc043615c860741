"""Scores a file, one row out per row in, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from glabella.bundle.load import Bundle, is_bundle, load_bundle
from glabella.bundle.predict import REASONS, choose_arm, explain_frame, score_frame
from glabella.data.ingest.files import read_table
from glabella.definitions.locate import Project, find_project
from glabella.errors import BundleError, DataError

WRITABLE = (".csv", ".parquet")


@dataclass(frozen=True)
class ScoringResult:
    """What a batch came to.

    Parameters
    ----------
    rows, scored, refused : int
        Rows in, and of these scored and refused.
    refused_by_reason : dict
        Reason to count.
    out_of_domain : int
        Scored rows that are unlike the training participants.
    output : str
        The file written.
    model : str
        The model's name.
    arm : str or None
        The arm under which response was predicted.
    """

    rows: int
    scored: int
    refused: int
    refused_by_reason: dict[str, int]
    out_of_domain: int
    output: str
    model: str
    arm: str | None

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            As `glabella score --json` prints it.
        """
        return dict(vars(self))

    def frame(self) -> pd.DataFrame:
        """Read the scores back.

        Returns
        -------
        DataFrame
            One row per row of the scored table.
        """
        return _read_back(Path(self.output))


def score(
    table: str | Path,
    *,
    out: str | Path,
    model: str | None = None,
    arm: str | None = None,
    rehearsal: bool = False,
    reasons: int = REASONS,
    project: str | Path | None = None,
) -> ScoringResult:
    """Score a table of new patients.

    Parameters
    ----------
    table : str or Path
        A CSV or Parquet file, one row a participant, under the analysis's source names.
    out : str or Path
        The file to write, CSV or Parquet; must not exist.
    model : str, optional
        A bundle folder, or ``NAME``, ``NAME@ALIAS`` or ``NAME/VERSION`` in the registry; the
        project's only champion unless stated, or its only rehearsal with `rehearsal`.
    arm : str, optional
        The arm under which response is predicted; the first active one unless stated.
    rehearsal : bool
        Allow a model that was trained on simulated data.
    reasons : int
        How many of the largest contributions are put into words; none with 0.
    project : str or Path, optional
        The project.

    Returns
    -------
    ScoringResult
        Counts and where the scores are.

    Raises
    ------
    BundleError
        If the model is missing, changed, or trained on simulated data without `rehearsal`.
    DataError
        If the table can't be read or lacks a column, or the output can't be written.
    """
    if reasons < 0:
        raise DataError(f"{reasons} reasons can't be given", place="--reasons", remedy="Take 0 on.")
    bundle, scored = _apply(
        partial(score_frame, arm=arm, reasons=reasons),
        Path(table),
        Path(out),
        model=model,
        rehearsal=rehearsal,
        project=project,
    )
    refused = scored.loc[scored["status"] == "refused", "error"].value_counts()
    is_scored = scored["status"] == "scored"
    return ScoringResult(
        rows=len(scored),
        scored=int(is_scored.sum()),
        refused=int((~is_scored).sum()),
        refused_by_reason={str(reason): int(count) for reason, count in refused.items()},
        out_of_domain=int((scored.loc[is_scored, "in_domain"] == False).sum()),  # noqa: E712
        output=str(out),
        model=bundle.manifest.model,
        arm=choose_arm(bundle.manifest, arm),
    )


@dataclass(frozen=True)
class ExplanationResult:
    """What explaining a batch came to.

    Parameters
    ----------
    rows, explained, refused : int
        Rows in, and of these explained and refused.
    refused_by_reason : dict
        Reason to count.
    scale : str
        What attributions add up to: the ``log odds``, or the ``probability``.
    method : str
        How they were computed.
    output : str
        The file written.
    model : str
        The model's name.
    arm : str or None
        The arm under which response was predicted.
    """

    rows: int
    explained: int
    refused: int
    refused_by_reason: dict[str, int]
    scale: str
    method: str
    output: str
    model: str
    arm: str | None

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            As `glabella explain --json` prints it.
        """
        return dict(vars(self))

    def frame(self) -> pd.DataFrame:
        """Read the attributions back.

        Returns
        -------
        DataFrame
            One row per row of the explained table.
        """
        return _read_back(Path(self.output))


def explain(
    table: str | Path,
    *,
    out: str | Path,
    model: str | None = None,
    arm: str | None = None,
    rehearsal: bool = False,
    project: str | Path | None = None,
) -> ExplanationResult:
    """Write all attributions of a table of new patients.

    Parameters
    ----------
    table : str or Path
        As for `score`.
    out : str or Path
        The file to write, CSV or Parquet; must not exist.
    model : str, optional
        As for `score`.
    arm : str, optional
        The arm under which response is predicted; the first active one unless stated.
    rehearsal : bool
        Allow a model that was trained on simulated data.
    project : str or Path, optional
        The project.

    Returns
    -------
    ExplanationResult
        Counts and where the attributions are.

    Raises
    ------
    BundleError
        If the model is missing, changed, or trained on simulated data without `rehearsal`.
    DataError
        If the table can't be read or lacks a column, or the output can't be written.
    """
    bundle, explained = _apply(
        partial(explain_frame, arm=arm),
        Path(table),
        Path(out),
        model=model,
        rehearsal=rehearsal,
        project=project,
    )
    refused = explained.loc[explained["status"] == "refused", "error"].value_counts()
    return ExplanationResult(
        rows=len(explained),
        explained=int((explained["status"] == "scored").sum()),
        refused=int((explained["status"] == "refused").sum()),
        refused_by_reason={str(reason): int(count) for reason, count in refused.items()},
        scale="probability" if not bundle.model.is_additive else "log odds",
        method=bundle.manifest.attributions,
        output=str(out),
        model=bundle.manifest.model,
        arm=choose_arm(bundle.manifest, arm),
    )


def _apply(
    work: Callable[[Bundle, pd.DataFrame], pd.DataFrame],
    source: Path,
    target: Path,
    *,
    model: str | None,
    rehearsal: bool,
    project: str | Path | None,
) -> tuple[Bundle, pd.DataFrame]:
    """Read a table, put it through a model and write what comes out."""
    _check_target(source, target)
    bundle = find_bundle(
        model,
        project=find_project(Path(project) if project is not None else None),
        rehearsal=rehearsal,
    )
    frame = read_table(source).frame
    try:
        done = work(bundle, frame)
    except DataError as error:
        place = error.place or source.name
        raise DataError(error.finding, place=place, remedy=error.remedy) from None
    _write(done, target)
    return bundle, done


def _read_back(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def find_bundle(model: str | None, *, project: Project, rehearsal: bool) -> Bundle:
    """Find and load the model to score with.

    Parameters
    ----------
    model : str or None
        A bundle folder or a reference into the registry.
    project : Project
        Whose registry is asked.
    rehearsal : bool
        Whether a model trained on simulated data is allowed.

    Returns
    -------
    Bundle
        Verified.

    Raises
    ------
    BundleError
        If there is none, or it was trained on simulated data and `rehearsal` is false.
    """
    if model is not None and is_bundle(Path(model)):
        bundle = load_bundle(Path(model))
    else:
        # The registry needs mlflow, which takes seconds to import; a bundle folder does not.
        from glabella.tracking.registry import fetch_bundle

        bundle = load_bundle(fetch_bundle(model, project=project, rehearsal=rehearsal))
    if bundle.manifest.origin == "simulated" and not rehearsal:
        raise BundleError(
            f"the model '{bundle.manifest.model}' was trained on simulated data",
            remedy="It says nothing of real patients. To rehearse with it, add --rehearsal.",
        )
    return bundle


def _check_target(source: Path, target: Path) -> None:
    if target.suffix.lower() not in WRITABLE:
        raise DataError(
            f"a '{target.suffix}' file can't be written",
            place="--out",
            remedy=f"Scores are written as {' or '.join(WRITABLE)}.",
        )
    if target.exists():
        same = source.exists() and target.resolve() == source.resolve()
        finding = "the output is the input" if same else "the output exists already"
        raise DataError(finding, place=str(target), remedy="Name another file with --out.")
    if not target.parent.is_dir():
        raise DataError(
            "the output's folder does not exist", place=str(target.parent), remedy="Make it first."
        )


def _write(scored: pd.DataFrame, target: Path) -> None:
    """Write to a temporary name and rename, so that a file of that name is always whole."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        if target.suffix.lower() == ".parquet":
            scored.to_parquet(partial, index=False)
        else:
            scored.to_csv(partial, index=False, lineterminator="\n")
        partial.rename(target)
    except OSError as error:
        raise DataError(
            f"the scores can't be written: {error.strerror}", place=str(target)
        ) from None
    finally:
        partial.unlink(missing_ok=True)
