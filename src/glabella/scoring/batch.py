"""Scores or explains a table, with one row of output for each row, written atomically."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from glabella.bundle.applicability.drift import Drift, measure_drift
from glabella.bundle.arms import ALL_ARMS, choose_arm, compares_arms
from glabella.bundle.load import Bundle
from glabella.bundle.predict import check_refits, explain_rows, score_rows
from glabella.bundle.reasons import REASONS
from glabella.bundle.tables import make_request
from glabella.data.reading.raw import ReadOptions
from glabella.definitions.locate import find_project
from glabella.errors import DataError
from glabella.old_names import apply_old_names
from glabella.scoring.engines import Engine
from glabella.scoring.stream import Progress, Tally, check_target, run_batches
from glabella.scoring.write import read_written
from glabella.tracking.models import find_bundle

__all__ = ["ExplanationResult", "ScoringResult", "explain", "score"]


@dataclass(frozen=True)
class ScoringResult:
    """The result of scoring a table.

    Parameters
    ----------
    rows, scored, refused : int
        The number of rows, and of these the scored and the refused ones.
    refused_by_reason : dict
        The number of refused rows by reason, the most frequent first.
    out_of_domain : int
        The number of scored rows outside the applicability domain.
    drift : dict of Drift
        By feature, how far its distribution in the scored rows differs from that in training.
    output : str
        The file with the scores.
    model : str
        The model's name.
    arm : str or None
        The arm under which response was predicted; ``all`` for every arm.
    """

    rows: int
    scored: int
    refused: int
    refused_by_reason: dict[str, int]
    out_of_domain: int
    output: str
    model: str
    arm: str | None
    drift: dict[str, Drift] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Convert the result to plain values.

        Returns
        -------
        dict
            As `glabella score --json` prints it.
        """
        drift = {
            name: {**vars(item), "marked": item.is_marked} for name, item in self.drift.items()
        }
        return {**vars(self), "drift": drift}

    def frame(self) -> pd.DataFrame:
        """Read the scores from the output.

        Returns
        -------
        DataFrame
            One row for each row of the scored table.
        """
        return read_written(Path(self.output))


@apply_old_names
def score(
    table: str | Path,
    *,
    out: str | Path,
    model: str | None = None,
    arm: str | None = None,
    allow_simulated: bool = False,
    reasons: int = REASONS,
    uncertainty: bool = False,
    form: str | None = None,
    read: ReadOptions | Mapping[str, str | None] | None = None,
    resume: bool = False,
    workers: int | None = None,
    engine: Engine = "local",
    address: str | None = None,
    project: str | Path | None = None,
    progress: Progress | None = None,
) -> ScoringResult:
    """Score a table of new patients.

    Parameters
    ----------
    table : str or Path
        A file of text, Parquet, Excel, SAS, SPSS or Stata, or a folder of Parquet parts, with one
        row for each participant, in the names and codes of one of the analysis's sources or of
        the dictionary. It is read in batches; only a workbook is kept in memory.
    out : str or Path
        The file to write, CSV or Parquet; must not exist.
    model : str, optional
        A bundle folder, or ``NAME``, ``NAME@ALIAS`` or ``NAME/VERSION`` in the registry. By
        default the project's only champion, or with `allow_simulated` its only model trained on
        simulated data.
    arm : str, optional
        The arm under which response is predicted; by default the first active one. ``all``
        predicts under every arm, with the differences of active arms from the first control.
    allow_simulated : bool
        Allow a model that was trained on simulated data.
    reasons : int
        How many of the largest contributions are described in words; none with 0.
    uncertainty : bool
        Whether to add each row's range over refits to samples of the training trials.
    form : str, optional
        The source in whose names, codes and units the table is written, or ``dictionary``; by
        default it is found from the columns and values.
    read : ReadOptions or mapping, optional
        How to read the file: ``encoding``, ``delimiter``, ``decimal``, ``sheet``; by default as
        the analysis states for its own files.
    resume : bool
        Whether to continue from the rows that an interrupted job for the same output finished.
        The output is the same as that of an uninterrupted job.
    workers : int, optional
        The number of threads, or of batches that a cluster has at once; by default the number of
        cores. The output does not depend on it.
    engine : str
        ``local``, or ``dask`` or ``spark`` to send batches to the workers of a cluster, which need
        no common disk. The output does not depend on it.
    address : str, optional
        The address of the cluster, ``tcp://host:8786`` or ``spark://host:7077``; by default a
        cluster on this machine.
    project : str or Path, optional
        The project.
    progress : callable, optional
        Called with a stage, the number of rows done and the number in all.

    Returns
    -------
    ScoringResult
        Counts, drift and the file with the scores.

    Raises
    ------
    BundleError
        If the model is missing, changed or trained on simulated data without `allow_simulated`,
        or if `uncertainty` is asked for and the model has no refits.
    DataError
        If the table can't be read, a column is missing or all its values are wrong, or the output
        can't be written.
    """
    if reasons < 0:
        raise DataError(
            f"{reasons} reasons can't be given", place="--reasons", remedy="Choose 0 or more."
        )
    source, target = Path(table), Path(out)
    check_target(source, target)
    home = find_project(Path(project) if project is not None else None)
    bundle = find_bundle(model, project=home, allow_simulated=allow_simulated)
    if uncertainty:
        check_refits(bundle)
    under = ALL_ARMS if compares_arms(bundle.manifest, arm) else choose_arm(bundle.manifest, arm)
    options = {"arm": under, "reasons": reasons, "range": uncertainty}
    tally = run_batches(
        partial(score_rows, bundle, arm=arm, reasons=reasons, uncertainty=uncertainty),
        source,
        target,
        bundle.manifest,
        described=_describe_job("score", bundle, options),
        request=make_request(form, read),
        resume=resume,
        workers=workers,
        engine=engine,
        address=address,
        progress=progress,
    )
    return ScoringResult(
        rows=tally.rows,
        scored=tally.scored,
        refused=tally.rows - tally.scored,
        refused_by_reason=_order_reasons(tally),
        out_of_domain=tally.out_of_domain,
        output=str(out),
        model=bundle.manifest.model,
        arm=under,
        drift={
            name: measure_drift(known, tally.distributions[name])
            for name, known in bundle.manifest.reference.items()
        },
    )


@dataclass(frozen=True)
class ExplanationResult:
    """The result of explaining a table.

    Parameters
    ----------
    rows, explained, refused : int
        The number of rows, and of these the explained and the refused ones.
    refused_by_reason : dict
        The number of refused rows by reason.
    scale : str
        The scale of the sum of attributions: ``log odds`` or ``probability``.
    method : str
        How the attributions were computed.
    output : str
        The file with the attributions.
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
        """Convert the result to plain values.

        Returns
        -------
        dict
            As `glabella explain --json` prints it.
        """
        return dict(vars(self))

    def frame(self) -> pd.DataFrame:
        """Read the attributions from the output.

        Returns
        -------
        DataFrame
            One row for each row of the explained table.
        """
        return read_written(Path(self.output))


@apply_old_names
def explain(
    table: str | Path,
    *,
    out: str | Path,
    model: str | None = None,
    arm: str | None = None,
    allow_simulated: bool = False,
    form: str | None = None,
    read: ReadOptions | Mapping[str, str | None] | None = None,
    resume: bool = False,
    workers: int | None = None,
    project: str | Path | None = None,
    progress: Progress | None = None,
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
        The arm under which response is predicted; by default the first active one.
    allow_simulated : bool
        Allow a model that was trained on simulated data.
    form, read, resume, workers
        As for `score`.
    project : str or Path, optional
        The project.
    progress : callable, optional
        Called with a stage, the number of rows done and the number in all.

    Returns
    -------
    ExplanationResult
        Counts and the file with the attributions.

    Raises
    ------
    BundleError
        If the model is missing, changed, or trained on simulated data without `allow_simulated`.
    DataError
        If the table can't be read, a column is missing, or the output can't be written.
    """
    source, target = Path(table), Path(out)
    check_target(source, target)
    home = find_project(Path(project) if project is not None else None)
    bundle = find_bundle(model, project=home, allow_simulated=allow_simulated)
    under = choose_arm(bundle.manifest, arm)
    tally = run_batches(
        partial(explain_rows, bundle, arm=arm),
        source,
        target,
        bundle.manifest,
        described=_describe_job("explain", bundle, {"arm": under}),
        request=make_request(form, read),
        resume=resume,
        workers=workers,
        progress=progress,
    )
    return ExplanationResult(
        rows=tally.rows,
        explained=tally.scored,
        refused=tally.rows - tally.scored,
        refused_by_reason=_order_reasons(tally),
        scale="probability" if not bundle.model.is_additive else "log odds",
        method=bundle.manifest.attributions,
        output=str(out),
        model=bundle.manifest.model,
        arm=under,
    )


def _describe_job(verb: str, bundle: Bundle, options: dict[str, Any]) -> dict[str, Any]:
    return {"verb": verb, "model": [bundle.manifest.model, bundle.digest], **options}


def _order_reasons(tally: Tally) -> dict[str, int]:
    found = tally.refused_by_reason.items()
    return dict(sorted(found, key=lambda item: (-item[1], item[0])))
