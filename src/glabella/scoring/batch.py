"""Scores a table, one row out per row in, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from glabella.bundle.applicability.drift import Drift, measure_drift
from glabella.bundle.load import Bundle
from glabella.bundle.predict import check_refits, choose_arm, explain_rows, score_rows
from glabella.bundle.reasons import REASONS
from glabella.bundle.tables import make_request
from glabella.data.reading.raw import ReadOptions
from glabella.definitions.locate import find_project
from glabella.errors import DataError
from glabella.old_names import accept_old_names
from glabella.scoring.engines import Engine
from glabella.scoring.stream import Progress, Tally, check_target, stream_table
from glabella.scoring.write import read_written
from glabella.tracking.models import find_bundle

__all__ = ["ExplanationResult", "ScoringResult", "explain", "score"]


@dataclass(frozen=True)
class ScoringResult:
    """What a batch came to.

    Parameters
    ----------
    rows, scored, refused : int
        Rows in, and of these scored and refused.
    refused_by_reason : dict
        Reason to count, the commonest first.
    out_of_domain : int
        Scored rows that are unlike the training participants.
    drift : dict of Drift
        Feature to how far its distribution among the scored rows lies from that in training.
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
    drift: dict[str, Drift] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

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
        """Read the scores back.

        Returns
        -------
        DataFrame
            One row per row of the scored table.
        """
        return read_written(Path(self.output))


@accept_old_names
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
        A file of text, Parquet, Excel, SAS, SPSS or Stata, or a folder of Parquet parts; one row
        a participant, in the names and codes of one of the analysis's sources or of the
        dictionary. It is read in batches; a workbook alone is held in memory.
    out : str or Path
        The file to write, CSV or Parquet; must not exist.
    model : str, optional
        A bundle folder, or ``NAME``, ``NAME@ALIAS`` or ``NAME/VERSION`` in the registry; the
        project's only champion unless stated, or its only one trained on simulated data with
        `allow_simulated`.
    arm : str, optional
        The arm under which response is predicted; the first active one unless stated.
    allow_simulated : bool
        Allow a model that was trained on simulated data.
    reasons : int
        How many of the largest contributions are put into words; none with 0.
    uncertainty : bool
        Whether to add each row's range over refits to samples of the training trials.
    form : str, optional
        The source in whose names, codes and units the table is written, or ``dictionary``;
        recognised by its columns and values by default.
    read : ReadOptions or mapping, optional
        What the file does not say of itself: ``encoding``, ``delimiter``, ``decimal``, ``sheet``;
        what the analysis stated of its own files by default.
    resume : bool
        Whether to take up the rows that an interrupted job for the same output finished. The
        output is that of a job that was never interrupted.
    workers : int, optional
        Threads, or batches that a cluster has at once; the number of cores unless stated. The
        output does not depend on it.
    engine : str
        ``local``; ``dask`` or ``spark``: batches are sent to the workers of a cluster, which need
        share no disk. The output does not depend on it.
    address : str, optional
        Of the cluster, ``tcp://host:8786`` or ``spark://host:7077``; one on this machine unless
        stated.
    project : str or Path, optional
        The project.
    progress : callable, optional
        Called with a stage, the number of rows done and the number in all.

    Returns
    -------
    ScoringResult
        Counts, drift and where the scores are.

    Raises
    ------
    BundleError
        If the model is missing, changed, trained on simulated data without
        `allow_simulated`, or keeps
        no refits where `uncertainty` is asked for.
    DataError
        If the table can't be read, lacks a column or has one whose values are all wrong, or the
        output can't be written.
    """
    if reasons < 0:
        raise DataError(f"{reasons} reasons can't be given", place="--reasons", remedy="Take 0 on.")
    source, target = Path(table), Path(out)
    check_target(source, target)
    home = find_project(Path(project) if project is not None else None)
    bundle = find_bundle(model, project=home, allow_simulated=allow_simulated)
    if uncertainty:
        check_refits(bundle)
    options = {"arm": choose_arm(bundle.manifest, arm), "reasons": reasons, "range": uncertainty}
    tally = stream_table(
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
        refused_by_reason=_sort_reasons(tally),
        out_of_domain=tally.out_of_domain,
        output=str(out),
        model=bundle.manifest.model,
        arm=choose_arm(bundle.manifest, arm),
        drift={
            name: measure_drift(known, tally.distributions[name])
            for name, known in bundle.manifest.reference.items()
        },
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
        return read_written(Path(self.output))


@accept_old_names
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
        The arm under which response is predicted; the first active one unless stated.
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
        Counts and where the attributions are.

    Raises
    ------
    BundleError
        If the model is missing, changed, or trained on simulated data without `allow_simulated`.
    DataError
        If the table can't be read or lacks a column, or the output can't be written.
    """
    source, target = Path(table), Path(out)
    check_target(source, target)
    home = find_project(Path(project) if project is not None else None)
    bundle = find_bundle(model, project=home, allow_simulated=allow_simulated)
    under = choose_arm(bundle.manifest, arm)
    tally = stream_table(
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
        refused_by_reason=_sort_reasons(tally),
        scale="probability" if not bundle.model.is_additive else "log odds",
        method=bundle.manifest.attributions,
        output=str(out),
        model=bundle.manifest.model,
        arm=under,
    )


def _describe_job(verb: str, bundle: Bundle, options: dict[str, Any]) -> dict[str, Any]:
    return {"verb": verb, "model": [bundle.manifest.model, bundle.digest], **options}


def _sort_reasons(tally: Tally) -> dict[str, int]:
    found = tally.refused_by_reason.items()
    return dict(sorted(found, key=lambda item: (-item[1], item[0])))
