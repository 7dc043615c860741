"""Scores rows with a bundle: probability, domain, reasons; or the refusal in its place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
from scipy.special import expit

from glabella.bundle.applicability.drift import Counts
from glabella.bundle.applicability.judgement import describe_domain
from glabella.bundle.coded import Coded
from glabella.bundle.forms import TableLayout, find_forms
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.reasons import REASONS, describe_reasons
from glabella.bundle.recognition import Candidate, recognise_layout
from glabella.bundle.rows import PreparedRows, prepare_rows
from glabella.errors import BundleError, DataError, describe_choices
from glabella.models.estimators.interface import ResponderModel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class AnsweredRows:
    """What a model says of each row of a table, or why it says nothing.

    Parameters
    ----------
    ids : DataFrame, shape (n_rows, n_id_columns)
        The identifier columns as they came.
    columns : dict of array
        By name, each of pyarrow: numbers, truth values and text; missing where a row is refused.
    scored : int
        Rows that were not refused.
    refused_by_reason : dict of int
        Reason to count.
    out_of_domain : int
        Scored rows that are unlike the training participants; 0 where it was not asked.
    distributions : dict of array of int
        Feature to the scored rows in each of the reference's bins; empty where not asked.
    """

    ids: pd.DataFrame
    columns: dict[str, pyarrow.Array]
    scored: int
    refused_by_reason: dict[str, int]
    out_of_domain: int = 0
    distributions: dict[str, Counts] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """Give a table of pandas."""
        made = {}
        for name, values in self.columns.items():
            if pyarrow.types.is_dictionary(values.type):
                values = values.dictionary_decode()
            series = values.to_pandas()
            made[name] = series.astype(object) if pyarrow.types.is_boolean(values.type) else series
        return pd.concat([self.ids, pd.DataFrame(made, index=self.ids.index)], axis=1)

    def table(self) -> pyarrow.Table:
        """Give a table of pyarrow."""
        ids = {str(name): _to_arrow(self.ids[name]) for name in self.ids.columns}
        return pyarrow.table({**ids, **self.columns})


def _to_arrow(column: pd.Series) -> pyarrow.Array:
    try:
        return pyarrow.array(column, from_pandas=True)
    except (pyarrow.ArrowException, NotImplementedError):
        # Cells of several kinds, as a sheet may hold them.
        return pyarrow.array(column.astype(object).fillna("").astype(str))


def choose_arm(manifest: Manifest, named: str | None) -> str | None:
    """Choose the arm under which response is predicted.

    Returns
    -------
    str or None
        The named arm; the first active one unless named; None for a model without arms.
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
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    arm: str | None = None,
    reasons: int = REASONS,
    uncertainty: bool = False,
    form: str | None = None,
) -> pd.DataFrame:
    """Score a table, one row out per row in.

    Returns
    -------
    DataFrame, shape (n_rows, ...)
        The identifier columns as they came, then ``response_probability``, with `uncertainty`
        ``response_low`` and ``response_high``, ``in_domain``, ``domain_note``, ``reason_1`` and
        on, ``status`` (``scored`` or ``refused``), ``error`` and ``model``, in the order of the
        input.
    """
    layout = recognise_frame(bundle.manifest, frame, form)
    return score_rows(
        bundle, frame, layout=layout, arm=arm, reasons=reasons, uncertainty=uncertainty
    ).frame()


def recognise_frame(manifest: Manifest, frame: pd.DataFrame, form: str | None) -> TableLayout:
    """Find the form in which a data frame is written."""
    names = tuple(str(name) for name in frame.columns)
    candidates = [
        Candidate(TableLayout(fitting), lambda _: iter([frame]), names)
        for fitting in find_forms(names, manifest.forms, form)
    ]
    return recognise_layout(candidates, manifest).chosen.layout


def score_rows(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    layout: TableLayout | None = None,
    arm: str | None = None,
    reasons: int = REASONS,
    uncertainty: bool = False,
    doubled: Bools | None = None,
) -> AnsweredRows:
    """Score a table, or a part of one, and count what the scores came to.

    Returns
    -------
    AnsweredRows
        With the columns of `score_frame`. A row's do not depend on the rows beside it, whether
        its participant stands twice apart.
    """
    manifest = bundle.manifest
    refits = check_refits(bundle) if uncertainty else ()
    prepared = prepare_features(bundle, frame, arm=arm, layout=layout, doubled=doubled)
    usable, features = prepared.usable, _take_usable(prepared)
    probability = expit(bundle.model.log_odds(features)) if len(features) else np.empty(0)
    notes, inside = describe_domain(features, manifest, bundle.likeness)
    columns = {"response_probability": _spread(probability, usable)}
    if uncertainty:
        low, high = _find_range(refits, features)
        columns["response_low"] = _spread(low, usable)
        columns["response_high"] = _spread(high, usable)
    columns["in_domain"] = _spread(inside, usable)
    columns["domain_note"] = _spread_coded(notes, usable).to_arrow()
    if reasons:
        found = bundle.model.contributions(features)
        words = describe_reasons(
            found,
            features,
            manifest.feature_specs,
            reasons,
            grouping=manifest.grouping,
            beyond_noise=manifest.beyond_noise,
            fills_missing=bundle.model.fills_missing,
        )
        for index, texts in enumerate(words, start=1):
            columns[f"reason_{index}"] = _spread_text(texts, usable)
    columns |= _describe_status(prepared, manifest)
    return AnsweredRows(
        _take_ids(frame, manifest, layout),
        columns,
        scored=int(usable.sum()),
        refused_by_reason=_count_refused(prepared),
        out_of_domain=int((~inside).sum()),
        distributions={
            name: known.count(features[name]) for name, known in manifest.reference.items()
        },
    )


def explain_frame(
    bundle: Bundle, frame: pd.DataFrame, *, arm: str | None = None, form: str | None = None
) -> pd.DataFrame:
    """Give all attributions of a table, one row out per row in.

    Returns
    -------
    DataFrame, shape (n_rows, ...)
        The identifier columns as they came, then ``response_probability``, ``base``,
        ``attribution_`` and the name of each feature, or the words of a group that is explained
        as one (NaN where the row is refused), ``scale``
        (``log odds`` or ``probability``: what base and attributions add up to), ``status``,
        ``error`` and ``model``, in the order of the input.
    """
    layout = recognise_frame(bundle.manifest, frame, form)
    return explain_rows(bundle, frame, layout=layout, arm=arm).frame()


def explain_rows(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    layout: TableLayout | None = None,
    arm: str | None = None,
    doubled: Bools | None = None,
) -> AnsweredRows:
    """Give all attributions of a table, or of a part of one, and count the rows."""
    prepared = prepare_features(bundle, frame, arm=arm, layout=layout, doubled=doubled)
    usable = prepared.usable
    found = bundle.manifest.grouping.sum_values(bundle.model.contributions(_take_usable(prepared)))
    total = found.values.sum(axis=1) + found.base
    named = {f"attribution_{name}": found.values[:, at] for at, name in enumerate(found.features)}
    numbers = {
        "response_probability": expit(total) if found.scale == "log odds" else total,
        "base": found.base,
        **named,
    }
    scale = Coded((found.scale,), np.zeros(len(frame), dtype=np.int64))
    return AnsweredRows(
        _take_ids(frame, bundle.manifest, layout),
        {
            **{name: _spread(values, usable) for name, values in numbers.items()},
            "scale": scale.to_arrow(),
            **_describe_status(prepared, bundle.manifest),
        },
        scored=int(usable.sum()),
        refused_by_reason=_count_refused(prepared),
    )


def prepare_features(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    arm: str | None,
    layout: TableLayout | None = None,
    doubled: Bools | None = None,
) -> PreparedRows:
    """Build the features of a table as the model sees them."""
    under = choose_arm(bundle.manifest, arm)
    rows = prepare_rows(frame, bundle.manifest, layout, doubled=doubled)
    return PreparedRows(_complete(rows.features, bundle.manifest, under), rows.kinds, rows.which)


def check_refits(bundle: Bundle) -> tuple[ResponderModel, ...]:
    """Refuse a bundle that can't say how sure it is."""
    refits = bundle.refits
    if not refits:
        raise BundleError(
            f"the model '{bundle.manifest.model}' keeps no refits, so its uncertainty is not known",
            remedy="Train with `explanation: {refits: 20}` or more, or leave --uncertainty out.",
        )
    return refits


def _find_range(
    refits: tuple[ResponderModel, ...], features: pd.DataFrame
) -> tuple[Floats, Floats]:
    if not len(features):
        return np.empty(0), np.empty(0)
    drawn = [expit(refit.log_odds(features)) for refit in refits]
    return np.min(drawn, axis=0), np.max(drawn, axis=0)


def _take_usable(prepared: PreparedRows) -> pd.DataFrame:
    if prepared.usable.all():
        return prepared.features
    return prepared.features[prepared.usable].reset_index(drop=True)


def _take_ids(frame: pd.DataFrame, manifest: Manifest, layout: TableLayout | None) -> pd.DataFrame:
    form = manifest.form if layout is None else layout.form
    return frame[form.list_ids(frame.columns)].reset_index(drop=True)


def _spread(values: Floats | Bools, usable: Bools) -> pyarrow.Array:
    """Put what was found of usable rows in their places; the others are missing."""
    if usable.all():
        return pyarrow.array(values)
    placed = np.zeros(len(usable), dtype=values.dtype)
    placed[usable] = values
    return pyarrow.array(placed, mask=~usable)


def _spread_coded(coded: Coded, usable: Bools) -> Coded:
    if usable.all():
        return coded
    which = np.zeros(len(usable), dtype=np.int64)
    which[usable] = coded.which + 1
    return Coded(("", *coded.words), which)


def _spread_text(texts: pyarrow.Array, usable: Bools) -> pyarrow.Array:
    if usable.all():
        return texts
    at = np.cumsum(usable) - 1
    taken = texts.take(pyarrow.array(at, mask=~usable))
    return taken.fill_null("")


def _describe_status(prepared: PreparedRows, manifest: Manifest) -> dict[str, pyarrow.Array]:
    usable = prepared.usable
    return {
        "status": Coded(("scored", "refused"), (~usable).astype(np.int64)).to_arrow(),
        "error": Coded(("", *prepared.kinds), prepared.which).to_arrow(),
        "model": Coded((manifest.model,), np.zeros(len(usable), dtype=np.int64)).to_arrow(),
    }


def _count_refused(prepared: PreparedRows) -> dict[str, int]:
    counts = np.bincount(prepared.which, minlength=len(prepared.kinds) + 1)[1:]
    found: dict[str, int] = {}
    for kind, count in zip(prepared.kinds, counts, strict=True):
        if count:
            found[kind] = found.get(kind, 0) + int(count)
    return found


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
