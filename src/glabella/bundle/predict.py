"""Scores rows with a bundle: probability, domain, reasons; or the refusal in its place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.rows import PreparedRows, prepare_rows
from glabella.errors import DataError, describe_choices
from glabella.features.spec import FeatureSpec
from glabella.models.estimators.interface import Contributions

REASONS = 3


def choose_arm(manifest: Manifest, named: str | None) -> str | None:
    """Choose the arm under which response is predicted.

    Parameters
    ----------
    manifest : Manifest
        The model's arms.
    named : str or None
        The arm that the user named.

    Returns
    -------
    str or None
        The named arm; the first active one unless named; None for a model without arms.

    Raises
    ------
    DataError
        If the model has no such arm.
    """
    names = [arm.name for arm in manifest.arms]
    if named is None:
        active = [arm.name for arm in manifest.arms if arm.role == "active"]
        return active[0] if active else None
    if named not in names:
        raise DataError(
            f"the model has no arm '{named}'", place="--arm", remedy=describe_choices(named, names)
        )
    return named


def score_frame(
    bundle: Bundle, frame: pd.DataFrame, *, arm: str | None = None, reasons: int = REASONS
) -> pd.DataFrame:
    """Score a table, one row out per row in.

    Parameters
    ----------
    bundle : Bundle
        The model.
    frame : DataFrame
        One row a participant, under the analysis's source names; more columns are no fault.
    arm : str, optional
        The arm under which response is predicted; the first active one unless named.
    reasons : int
        How many of the largest contributions are put into words; none with 0.

    Returns
    -------
    DataFrame, shape (n_rows, ...)
        The identifier columns as they came, then ``response_probability``, ``in_domain``,
        ``domain_note``, ``reason_1`` and on, ``status`` (``scored`` or ``refused``), ``error`` and
        ``model``, in the order of the input.

    Raises
    ------
    DataError
        If the table lacks a column or the arm does not exist.
    """
    manifest = bundle.manifest
    under = choose_arm(manifest, arm)
    rows = prepare_rows(frame, manifest)
    usable = np.array([fault is None for fault in rows.faults], dtype=bool)
    features = _complete(rows.features[usable].reset_index(drop=True), manifest, under)
    columns = [column for column in manifest.id_columns if column in frame]
    scored = frame[columns].reset_index(drop=True).copy()
    probability = np.full(len(frame), np.nan)
    in_domain = np.full(len(frame), None, dtype=object)
    names = ["domain_note", *(f"reason_{index + 1}" for index in range(reasons))]
    texts = {name: np.full(len(frame), "", dtype=object) for name in names}
    if usable.any():
        log_odds = bundle.model.log_odds(features)
        probability[usable] = expit(log_odds)
        notes, inside = describe_domain(features, manifest)
        in_domain[usable] = inside
        texts["domain_note"][usable] = notes
        if reasons:
            words = describe_reasons(
                bundle.model.contributions(features), features, manifest.feature_specs, reasons
            )
            for index in range(reasons):
                texts[f"reason_{index + 1}"][usable] = words[:, index]
    scored["response_probability"] = probability
    scored["in_domain"] = in_domain
    for name, values in texts.items():
        scored[name] = values
    scored["status"] = np.where(usable, "scored", "refused")
    scored["error"] = [fault or "" for fault in rows.faults]
    scored["model"] = manifest.model
    return scored


def explain_frame(bundle: Bundle, frame: pd.DataFrame, *, arm: str | None = None) -> pd.DataFrame:
    """Give all attributions of a table, one row out per row in.

    Parameters
    ----------
    bundle : Bundle
        The model.
    frame : DataFrame
        One row a participant, under the analysis's source names; more columns are no fault.
    arm : str, optional
        The arm under which response is predicted; the first active one unless named.

    Returns
    -------
    DataFrame, shape (n_rows, ...)
        The identifier columns as they came, then ``response_probability``, ``base``,
        ``attribution_`` and the name of each feature (NaN where the row is refused), ``scale``
        (``log odds`` or ``probability``: what base and attributions add up to), ``status``,
        ``error`` and ``model``, in the order of the input.

    Raises
    ------
    DataError
        If the table lacks a column or the arm does not exist.
    """
    manifest = bundle.manifest
    prepared = prepare_features(bundle, frame, arm=arm)
    usable = np.array([fault is None for fault in prepared.faults], dtype=bool)
    found = bundle.model.contributions(prepared.features[usable].reset_index(drop=True))
    columns = [column for column in manifest.id_columns if column in frame]
    explained = frame[columns].reset_index(drop=True).copy()
    total = found.values.sum(axis=1) + found.base
    probability = expit(total) if found.scale == "log odds" else total
    named = {f"attribution_{name}": found.values[:, at] for at, name in enumerate(found.features)}
    for name, values in {"response_probability": probability, "base": found.base, **named}.items():
        column = np.full(len(frame), np.nan)
        column[usable] = values
        explained[name] = column
    explained["scale"] = found.scale
    explained["status"] = np.where(usable, "scored", "refused")
    explained["error"] = [fault or "" for fault in prepared.faults]
    explained["model"] = manifest.model
    return explained


def prepare_features(bundle: Bundle, frame: pd.DataFrame, *, arm: str | None) -> PreparedRows:
    """Build the features of a table as the model sees them.

    Parameters
    ----------
    bundle : Bundle
        The model.
    frame : DataFrame
        One row a participant, under the analysis's source names.
    arm : str or None
        The arm under which response is predicted.

    Returns
    -------
    PreparedRows
        With the arm among the features.
    """
    rows = prepare_rows(frame, bundle.manifest)
    under = choose_arm(bundle.manifest, arm)
    return PreparedRows(_complete(rows.features, bundle.manifest, under), rows.faults)


def describe_domain(
    features: pd.DataFrame, manifest: Manifest
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_]]:
    """Say which rows are unlike the training participants, and in what.

    Parameters
    ----------
    features : DataFrame
        Of rows without fault.
    manifest : Manifest
        The ranges of training.

    Returns
    -------
    tuple of array
        A note for each row, and whether it lies within the 1st and 99th percentile of every
        number and has no level that training lacked. A missing value is noted and is no reason
        to be outside.
    """
    notes: list[list[str]] = [[] for _ in range(len(features))]
    inside = np.ones(len(features), dtype=bool)
    for spec in manifest.feature_specs:
        known = manifest.ranges.get(spec.name)
        if spec.part != "patient" or known is None:
            continue
        values = features[spec.name]
        missing = values.isna().to_numpy()
        if spec.kind == "category":
            outside = ~values.isin(list(known.levels)).to_numpy() & ~missing
            said = "a level that no training participant had"
        else:
            numbers = values.to_numpy(dtype=float)
            low, high = float(known.low or 0.0), float(known.high or 0.0)
            outside = ((numbers < low) | (numbers > high)) & ~missing
            bounds = f"{spec.describe_value(low)} to {spec.describe_value(high)}"
            said = f"outside the training range {bounds}"
        inside &= ~outside
        for row in np.flatnonzero(outside):
            notes[row].append(f"{spec.label} {said}")
        for row in np.flatnonzero(missing):
            notes[row].append(f"{spec.label} not recorded")
    return np.array(["; ".join(note) for note in notes], dtype=object), inside


def describe_reasons(
    contributions: Contributions,
    features: pd.DataFrame,
    specs: tuple[FeatureSpec, ...],
    reasons: int = REASONS,
) -> npt.NDArray[np.object_]:
    """Put each row's largest contributions of patient features into words.

    Parameters
    ----------
    contributions : Contributions
        Of the rows.
    features : DataFrame
        Their values.
    specs : tuple of FeatureSpec
        The words.
    reasons : int
        How many, at most.

    Returns
    -------
    array of object, shape (n_rows, n_reasons)
        Feature, its value, and the factor on the odds of response, or where a model adds up on the
        probability what it adds there; blank where a feature adds nothing. The arm is no property
        of the patient and is not among them.
    """
    patient = [spec for spec in specs if spec.part == "patient"]
    columns = [contributions.features.index(spec.name) for spec in patient]
    values = contributions.values[:, columns]
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :reasons]
    texts = np.full((len(values), reasons), "", dtype=object)
    for row in range(len(values)):
        for place, which in enumerate(order[row]):
            effect = values[row, which]
            if effect != 0.0:
                spec = patient[which]
                value = spec.describe_value(features[spec.name].iloc[row])
                direction = "raises" if effect > 0 else "lowers"
                what = (
                    f"the odds (x {np.exp(effect):.2f})"
                    if contributions.scale == "log odds"
                    else f"the probability ({effect:+.2f})"
                )
                texts[row, place] = f"{spec.label}: {value} {direction} {what}"
    return texts


def _complete(features: pd.DataFrame, manifest: Manifest, arm: str | None) -> pd.DataFrame:
    """Add the columns that are no property of the patient: the asked arm, and no known trial."""
    completed = features.copy()
    for spec in manifest.feature_specs:
        if spec.part == "arm":
            completed[spec.name] = pd.Categorical(
                [arm] * len(features), categories=list(spec.levels)
            )
        if spec.part == "trial":
            completed[spec.name] = pd.Categorical(
                [None] * len(features), categories=list(spec.levels)
            )
    return completed
