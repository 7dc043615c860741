"""What the outcome column of a new trial's table says, and never the reverse of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.forms import TableLayout
from glabella.bundle.manifest import FlagOutcome, Manifest
from glabella.data.cells import is_missing, match_codes, to_text
from glabella.data.checks import parse_codes, parse_values
from glabella.data.mapping.labels import format_label, read_labelled
from glabella.data.mapping.sources import VariableColumn
from glabella.errors import DataError, describe_choices

Floats = npt.NDArray[np.float64]

# Words that name the response itself.
_RESPONSE = {
    **dict.fromkeys(("responder", "response", "responded", "respond"), 1.0),
    **dict.fromkeys(
        (
            "non-responder", "nonresponder", "non responder", "non-response", "nonresponse",
            "no response", "not responded", "did not respond",
        ),
        0.0,
    ),
}  # fmt: skip
# Words that affirm what their column is called.
_AFFIRMED = {
    **dict.fromkeys(("1", "true", "yes", "y"), 1.0),
    **dict.fromkeys(("0", "false", "no", "n"), 0.0),
}
# Columns whose name says that an affirmed value means response.
_SAYS_RESPONSE = frozenset({"responded", "responder", "response", "is_responder"})
# A swapped outcome must fit so much better, in nats for each participant and in all, before it is
# taken for a mistake: likelihoods in a ratio of a thousand to one.
_BETTER_EACH, _BETTER_IN_ALL = 0.1, float(np.log(1000.0))


@dataclass(frozen=True)
class OutcomeColumn:
    """Where a table holds the outcome, and what in it means response.

    Parameters
    ----------
    name : str or None
        The column; None for the one that the endpoint is read from.
    event : str, optional
        The value, or its label, that means response.
    """

    name: str | None
    event: str | None = None


def read_outcome(
    frame: pd.DataFrame,
    asked: OutcomeColumn,
    layouts: Sequence[TableLayout],
    manifest: Manifest,
    *,
    place: str,
) -> Floats:
    """Read the outcome of each participant of a table.

    A column that the endpoint itself is read from is decoded by the endpoint. Of another, `event`
    says which value means response; or the file's labels or the cells do, in words such as
    ``responder``; or the column's name does, if it is ``responded``, ``responder`` or ``response``
    and its values are 1 and 0, true and false, or yes and no.

    Returns
    -------
    array of float, shape (n_rows,)
        1 for response, 0 for none, NaN where it is not known.
    """
    flag = manifest.outcome
    own = [] if flag is None else _find_own_columns(frame, asked.name, layouts, flag)
    if flag is not None and own:
        return _read_alike(frame, own, flag, asked, place)
    name = asked.name
    if name is None:
        raise DataError(
            "nothing says which column holds the outcome",
            place=place,
            remedy="Name it with --outcome.",
        )
    if name not in frame:
        raise DataError(
            f"the table has no column '{name}'",
            place=place,
            remedy=describe_choices(name, [str(column) for column in frame.columns]),
        )
    if any(name in each.form.needed_columns for each in layouts):
        raise DataError(
            f"'{name}' holds a feature of the model or an identifier, so it is no outcome",
            place="--outcome",
            remedy="Name the column of response.",
        )
    text, labels = read_labelled(frame[name], layouts[0].labels.get(name, {}))
    text = text.where(~is_missing(text), "")
    if asked.event is not None:
        is_truth = pd.api.types.is_bool_dtype(frame[name].dropna().infer_objects().dtype)
        return _read_event(text, labels, name, asked.event, place, is_truth=is_truth)
    return _read_words(text, labels, name, place)


def _find_own_columns(
    frame: pd.DataFrame, name: str | None, layouts: Sequence[TableLayout], flag: FlagOutcome
) -> list[tuple[TableLayout, VariableColumn]]:
    """Find how the endpoint's own column is written, by each form's name for it.

    The dictionary's name of the variable stands for the column of any form.
    """
    found = [
        (each, each.form.outcome)
        for each in layouts
        if each.form.outcome is not None
        and each.form.outcome.column in frame
        and name in (None, flag.name, each.form.outcome.column)
    ]
    if name is not None and name in frame:
        # A column of that name is meant, and not another that a source has for it.
        found = [item for item in found if item[1].column == name]
        if not found and name == flag.name:
            found = [(layouts[0], VariableColumn(column=name))]
    return found


def _read_alike(
    frame: pd.DataFrame,
    own: Sequence[tuple[TableLayout, VariableColumn]],
    flag: FlagOutcome,
    asked: OutcomeColumn,
    place: str,
) -> Floats:
    """Decode the outcome in each form that the table may have; they must not contradict."""
    decoded: list[tuple[str, Floats]] = []
    refusal: DataError | None = None
    for layout, given in own:
        try:
            decoded.append(
                (
                    layout.form.name,
                    _read_flag(frame[given.column], given, layout, flag, asked, place),
                )
            )
        except DataError as error:
            refusal = refusal or error
    if not decoded:
        raise refusal or DataError("the outcome can't be read", place=place)
    for name, other in decoded[1:]:
        first = decoded[0][1]
        both = ~np.isnan(first) & ~np.isnan(other)
        if (first[both] != other[both]).any():
            raise DataError(
                f"the outcome means one thing in the form of '{decoded[0][0]}' and another in that "
                f"of '{name}'",
                place=place,
                remedy=f"State which form the table has, with --form {decoded[0][0]} or --form "
                f"{name}.",
            )
    return max((found for _, found in decoded), key=lambda found: int((~np.isnan(found)).sum()))


def _read_flag(
    raw: pd.Series,
    given: VariableColumn,
    layout: TableLayout,
    flag: FlagOutcome,
    asked: OutcomeColumn,
    place: str,
) -> Floats:
    if asked.event is not None and asked.event != flag.code:
        raise DataError(
            f"the endpoint is read from '{raw.name}', in which '{flag.code}' of the dictionary "
            "counts as response",
            place="--event",
            remedy="Leave it out.",
        )
    read = layout.read(raw, given, flag.variable)
    for note in read.notes:
        if note.where.any():
            count = int(note.where.sum())
            raise DataError(
                f"{count} values of '{raw.name}': {note.finding}",
                place=place,
                remedy="Correct the values or their labels.",
            )
    if flag.variable.type == "category":
        codes, wrong, kind = parse_codes(read.values, flag.variable)
        words = pd.Series(np.array([*flag.variable.codes, None], dtype=object)[codes])
        count = int(wrong.sum())
    else:
        parsed = parse_values(read.values, flag.variable)
        words, count = to_text(parsed.values).astype(object), int((parsed.which > 0).sum())
        kind = "can't be a value of it"
        words = words.where(words != "", None)
    if count:
        raise DataError(
            f"{count} values of '{raw.name}': each {kind}",
            place=place,
            remedy="Write what the dictionary has; leave blank what is not known.",
        )
    known = words.notna().to_numpy()
    unknown = 0.0 if flag.missing_is_no_response else np.nan
    matched = match_codes(words.where(words.notna(), ""), [flag.code]).notna().to_numpy()
    return np.where(known, matched.astype(float), unknown)


def _read_event(
    text: pd.Series,
    labels: Mapping[str, str],
    column: str,
    event: str,
    place: str,
    *,
    is_truth: bool,
) -> Floats:
    wanted = format_label(event)
    # Truth values are read as 1 and 0, and written as words.
    wanted = {"true": "1", "false": "0"}.get(wanted, wanted) if is_truth else wanted
    by_label = {value for value, label in labels.items() if format_label(label) == wanted}
    is_event = text.isin(by_label).to_numpy() | (
        match_codes(text.str.casefold(), [wanted]).notna().to_numpy()
    )
    known = (text != "").to_numpy()
    others = text[known & ~is_event].unique()
    if not is_event.any():
        raise DataError(
            f"no value of '{column}' is what --event states",
            place=place,
            remedy="State the value that means response as the table writes it, or its label.",
        )
    if len(others) > 1:
        raise DataError(
            f"'{column}' holds {len(others)} values beside the one that --event states",
            place=place,
            remedy="One other value means no response; leave blank what is not known.",
        )
    said = {value: _RESPONSE.get(format_label(labels.get(value, value), value)) for value in
            text[known].unique()}  # fmt: skip
    events = set(text[is_event].unique())
    if any(word is not None and (word == 1.0) != (value in events) for value, word in said.items()):
        raise DataError(
            f"the labels or words of '{column}' say the opposite of --event",
            place=place,
            remedy="Leave --event out to follow them, or correct them in the file.",
        )
    return np.where(known, is_event.astype(float), np.nan)


def _read_words(text: pd.Series, labels: Mapping[str, str], column: str, place: str) -> Floats:
    """Read values by their labels, or by themselves, in words that leave no doubt."""
    # A column of numbers with gaps is often written with decimals.
    text = match_codes(text, ["0", "1"]).where(lambda code: code.notna(), text)
    word_of = {
        value: format_label(labels.get(value, value), value) or format_label(value)
        for value in text.unique()
    }
    named = {**_RESPONSE, **(_AFFIRMED if column.strip().casefold() in _SAYS_RESPONSE else {})}
    words = text.map(word_of)
    found = words.map(named)
    unread = int((found.isna() & (text != "")).sum())
    if unread and found.notna().any():
        raise DataError(
            f"{unread} values of '{column}' say neither response nor none",
            place=place,
            remedy="State which value means response with --event; leave blank what is not known.",
        )
    if unread:
        raise DataError(
            f"nothing says which value of '{column}' means response",
            place=place,
            remedy="State it, such as --event 1.",
        )
    return np.asarray(found, dtype=float)


def check_swapped(
    log_odds: Floats, responded: Floats, place: str, *, may_be_reversed: bool = False
) -> None:
    """Stop if the outcome fits the model much better with its classes swapped."""
    bounded = np.clip(log_odds, -15.0, 15.0)
    gain = -float(np.sum((2.0 * responded - 1.0) * bounded))
    if may_be_reversed or gain <= max(_BETTER_IN_ALL, _BETTER_EACH * len(bounded)):
        return
    raise DataError(
        "the outcome fits the model much better with response and no response swapped",
        place=place,
        remedy="Check which value means response, and state it with --event. If it is right, the "
        "model fails in this trial: state so with --allow-reversed.",
    )
