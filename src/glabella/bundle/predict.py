"""Scores rows with a bundle: probability, domain and reasons, or why a row is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
from scipy.special import expit

from glabella.bundle.applicability.drift import Counts
from glabella.bundle.applicability.judgement import describe_domain
from glabella.bundle.arms import choose_arm, choose_scored_arm, compare_arms, compares_arms
from glabella.bundle.coded import Coded
from glabella.bundle.forms import TableLayout, find_forms
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.reasons import REASONS, describe_reasons
from glabella.bundle.recognition import Candidate, find_table_layout
from glabella.bundle.rows import PreparedRows, read_rows
from glabella.errors import BundleError
from glabella.models.estimators.interface import ResponderModel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RowResults:
    """The results of a model for each row of a table, or why a row was refused.

    Parameters
    ----------
    ids : DataFrame, shape (n_rows, n_id_columns)
        The identifier columns, unchanged.
    columns : dict of array
        By name, arrays of pyarrow: numbers, truth values and text; missing if a row is refused.
    scored : int
        The number of rows that were not refused.
    refused_by_reason : dict of int
        The number of refused rows by reason.
    out_of_domain : int
        The number of scored rows outside the applicability domain; 0 if it was not computed.
    distributions : dict of array of int
        By feature, the scored rows in each of the reference's bins; empty if not computed.
    """

    ids: pd.DataFrame
    columns: dict[str, pyarrow.Array]
    scored: int
    refused_by_reason: dict[str, int]
    out_of_domain: int = 0
    distributions: dict[str, Counts] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """Convert to a data frame of pandas."""
        made = {}
        for name, values in self.columns.items():
            if pyarrow.types.is_dictionary(values.type):
                values = values.dictionary_decode()
            series = values.to_pandas()
            made[name] = series.astype(object) if pyarrow.types.is_boolean(values.type) else series
        return pd.concat([self.ids, pd.DataFrame(made, index=self.ids.index)], axis=1)

    def to_table(self) -> pyarrow.Table:
        """Convert to a table of pyarrow."""
        ids = {str(name): _to_arrow(self.ids[name]) for name in self.ids.columns}
        return pyarrow.table({**ids, **self.columns})


def _to_arrow(column: pd.Series) -> pyarrow.Array:
    try:
        return pyarrow.array(column, from_pandas=True)
    except (pyarrow.ArrowException, NotImplementedError):
        # The cells are of several kinds, as in some spreadsheets.
        return pyarrow.array(column.astype(object).fillna("").astype(str))


def score_frame(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    arm: str | None = None,
    reasons: int = REASONS,
    uncertainty: bool = False,
    form: str | None = None,
) -> pd.DataFrame:
    """Score each row of a table.

    Returns
    -------
    DataFrame, shape (n_rows, ...)
        In the order of the input: the identifier columns, unchanged; ``response_probability``;
        with `uncertainty` also ``response_low`` and ``response_high``; ``arm``, under which these
        are (blank without arms); with `arm` ``all`` also ``probability_`` and the name of each arm,
        and ``difference_`` and that of each active one, less the first control; ``in_domain``,
        ``domain_note``, ``reason_1`` and further reasons, ``status`` (``scored`` or ``refused``),
        ``error`` and ``model``.
    """
    layout = find_frame_layout(bundle.manifest, frame, form)
    return score_rows(
        bundle, frame, layout=layout, arm=arm, reasons=reasons, uncertainty=uncertainty
    ).to_frame()


def find_frame_layout(manifest: Manifest, frame: pd.DataFrame, form: str | None) -> TableLayout:
    """Find the form in which a data frame is written."""
    names = tuple(str(name) for name in frame.columns)
    candidates = [
        Candidate(TableLayout(fitting), lambda _: iter([frame]), names)
        for fitting in find_forms(names, manifest.forms, form)
    ]
    return find_table_layout(candidates, manifest).chosen.layout


def score_rows(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    layout: TableLayout | None = None,
    arm: str | None = None,
    reasons: int = REASONS,
    uncertainty: bool = False,
    repeated: Bools | None = None,
) -> RowResults:
    """Score a table, or a part of one, with the columns of `score_frame`, and count the results.

    The results of a row do not depend on the other rows, except that a repeated participant is
    refused.
    """
    manifest = bundle.manifest
    refits = check_refits(bundle) if uncertainty else ()
    under = choose_scored_arm(manifest, arm)
    prepared = build_scoring_features(bundle, frame, arm=under, layout=layout, repeated=repeated)
    usable, features = prepared.usable, _select_usable(prepared)
    probability = expit(bundle.model.log_odds(features)) if len(features) else np.empty(0)
    notes, inside = describe_domain(features, manifest, bundle.domain)
    columns = {"response_probability": _restore_rows(probability, usable)}
    if uncertainty:
        low, high = _find_range(refits, features)
        columns["response_low"] = _restore_rows(low, usable)
        columns["response_high"] = _restore_rows(high, usable)
    columns["arm"] = _repeat_arm(under, usable)
    if compares_arms(manifest, arm):
        found_by_arm = compare_arms(manifest, bundle.model, refits, features)
        columns |= {name: _restore_rows(each, usable) for name, each in found_by_arm.items()}
    columns["in_domain"] = _restore_rows(inside, usable)
    columns["domain_note"] = _restore_coded_rows(notes, usable).to_arrow()
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
            columns[f"reason_{index}"] = _restore_text_rows(texts, usable)
    columns |= _describe_status(prepared, manifest)
    return RowResults(
        _select_ids(frame, manifest, layout),
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
    """Explain each row of a table by all of its attributions.

    Returns
    -------
    DataFrame, shape (n_rows, ...)
        In the order of the input: the identifier columns, unchanged; ``response_probability``;
        ``arm``, under which it is; ``base``; ``attribution_`` and the name of each feature, or the
        label of a group that is explained as one (NaN if the row is refused); ``scale`` (``log
        odds`` or ``probability``, of the sum of base and attributions), ``status``, ``error`` and
        ``model``.
    """
    layout = find_frame_layout(bundle.manifest, frame, form)
    return explain_rows(bundle, frame, layout=layout, arm=arm).to_frame()


def explain_rows(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    layout: TableLayout | None = None,
    arm: str | None = None,
    repeated: Bools | None = None,
) -> RowResults:
    """Explain the rows of a table, or of a part of one, by all attributions, and count them."""
    prepared = build_scoring_features(bundle, frame, arm=arm, layout=layout, repeated=repeated)
    usable = prepared.usable
    found = bundle.manifest.grouping.sum_values(
        bundle.model.contributions(_select_usable(prepared))
    )
    total = found.values.sum(axis=1) + found.base
    named = {f"attribution_{name}": found.values[:, at] for at, name in enumerate(found.features)}
    numbers = {
        "response_probability": expit(total) if found.scale == "log odds" else total,
        "base": found.base,
        **named,
    }
    scale = Coded((found.scale,), np.zeros(len(frame), dtype=np.int64))
    restored = {name: _restore_rows(values, usable) for name, values in numbers.items()}
    probability = {"response_probability": restored.pop("response_probability")}
    return RowResults(
        _select_ids(frame, bundle.manifest, layout),
        {
            **probability,
            "arm": _repeat_arm(choose_arm(bundle.manifest, arm), usable),
            **restored,
            "scale": scale.to_arrow(),
            **_describe_status(prepared, bundle.manifest),
        },
        scored=int(usable.sum()),
        refused_by_reason=_count_refused(prepared),
    )


def build_scoring_features(
    bundle: Bundle,
    frame: pd.DataFrame,
    *,
    arm: str | None,
    layout: TableLayout | None = None,
    repeated: Bools | None = None,
) -> PreparedRows:
    """Build the features of a table for the model, including the arm."""
    under = choose_arm(bundle.manifest, arm)
    rows = read_rows(frame, bundle.manifest, layout, repeated=repeated)
    return PreparedRows(_add_columns(rows.features, bundle.manifest, under), rows.kinds, rows.which)


def check_refits(bundle: Bundle) -> tuple[ResponderModel, ...]:
    """Check that a bundle has refits, from which the uncertainty of its predictions is known."""
    refits = bundle.refits
    if not refits:
        raise BundleError(
            f"the model '{bundle.manifest.model}' has no refits, so its uncertainty is not known",
            remedy="Train with `explanation: {refits: 20}` or more, or omit --uncertainty.",
        )
    return refits


def _find_range(
    refits: tuple[ResponderModel, ...], features: pd.DataFrame
) -> tuple[Floats, Floats]:
    if not len(features):
        return np.empty(0), np.empty(0)
    drawn = [expit(refit.log_odds(features)) for refit in refits]
    return np.min(drawn, axis=0), np.max(drawn, axis=0)


def _repeat_arm(arm: str | None, usable: Bools) -> pyarrow.Array:
    """Name the arm in every row that is scored; a refused one has none."""
    named = Coded((arm or "",), np.zeros(int(usable.sum()), dtype=np.int64))
    return _restore_coded_rows(named, usable).to_arrow()


def _select_usable(prepared: PreparedRows) -> pd.DataFrame:
    if prepared.usable.all():
        return prepared.features
    return prepared.features[prepared.usable].reset_index(drop=True)


def _select_ids(
    frame: pd.DataFrame, manifest: Manifest, layout: TableLayout | None
) -> pd.DataFrame:
    form = manifest.form if layout is None else layout.form
    return frame[form.list_ids(frame.columns)].reset_index(drop=True)


def _restore_rows(values: Floats | Bools, usable: Bools) -> pyarrow.Array:
    """Restore the places of values of usable rows in the table; the other rows are missing."""
    if usable.all():
        return pyarrow.array(values)
    placed = np.zeros(len(usable), dtype=values.dtype)
    placed[usable] = values
    return pyarrow.array(placed, mask=~usable)


def _restore_coded_rows(coded: Coded, usable: Bools) -> Coded:
    if usable.all():
        return coded
    which = np.zeros(len(usable), dtype=np.int64)
    which[usable] = coded.which + 1
    return Coded(("", *coded.words), which)


def _restore_text_rows(texts: pyarrow.Array, usable: Bools) -> pyarrow.Array:
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


def _add_columns(features: pd.DataFrame, manifest: Manifest, arm: str | None) -> pd.DataFrame:
    """Add the columns that are not properties of the patient: the arm, and an unknown trial."""
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
