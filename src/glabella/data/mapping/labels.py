"""What a file's own labels say of its values, held against the dictionary and the analysis."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from glabella.data.cells import to_text
from glabella.data.dictionary import Variable

_WEEK = re.compile(
    r"(?:weeks?|wk|w|woche|semaine|semana|settimana|vecka|uge|uke)?\s*(-?\d+(?:[.,]\d+)?)"
)
_BY_BASELINE = re.compile(r".*(baseline|screen|base\s?line|randomi|day 0).*")


@dataclass(frozen=True)
class NamedArm:
    """One arm of the analysis, as labels may name it.

    Parameters
    ----------
    codes : tuple of str
        The codes of the data that stand for it, at least one.
    words : tuple of str
        Its name and label.
    """

    codes: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What labelled values stand for.

    Parameters
    ----------
    taken : dict
        Value to what it is read as.
    contradicted : frozenset of str
        Values that mean one thing by themselves and another by their labels.
    unclear : frozenset of str
        Values whose labels say nothing known.
    """

    taken: Mapping[str, str]
    contradicted: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()


def read_labels(labels: Mapping[str, str], variable: Variable) -> Reading:
    """Read the labels of a variable's values.

    Returns
    -------
    Reading
        A label may be a code or its label in the dictionary, in capitals or not, with or without
        the value before it, such as ``1 = male``. A number's or grade's label must be the number,
        or what the dictionary calls the grade: 99 may be an age or mean that none is known.

    Examples
    --------
    >>> sex = Variable(label="Sex", type="category", codes={"F": "female", "M": "male"})
    >>> read_labels({"1": "Male", "F": "male"}, sex)
    Reading(taken={'1': 'M'}, contradicted=frozenset({'F'}), unclear=frozenset())
    """
    meant_by = {format_label(code): code for code in variable.codes}
    meant_by = {format_label(label): code for code, label in variable.codes.items()} | meant_by
    taken, contradicted, unclear = {}, set(), set()
    for value, label in labels.items():
        word = format_label(label, value)
        code = meant_by.get(word)
        if word in ("", format_label(value)):
            continue
        if code is None:
            # Of a category a value that is no code is refused as such.
            if variable.type != "category" or value in variable.codes:
                unclear.add(value)
        elif value in variable.codes and code != value:
            contradicted.add(value)
        elif value not in variable.codes:
            taken[value] = code
    return Reading(taken, frozenset(contradicted), frozenset(unclear))


def read_arm_labels(labels: Mapping[str, str], arms: Iterable[NamedArm]) -> Reading:
    """Read the labels of the arms' codes.

    Returns
    -------
    Reading
        A value whose label names an arm is read as that arm's first code. One that is an arm's
        code, and whose label names none, is unclear: another trial may use the code for its own.

    Examples
    --------
    >>> arms = [NamedArm(("bont", "1"), ("bont", "BoNT/A")), NamedArm(("0",), ("placebo",))]
    >>> read_arm_labels({"1": "Placebo", "2": "BONT/A", "0": "vehicle"}, arms)
    Reading(taken={'2': 'bont'}, contradicted=frozenset({'1'}), unclear=frozenset({'0'}))
    """
    arms = list(arms)
    by_code = {code: arm for arm in arms for code in arm.codes}
    by_word = {format_label(word): arm for arm in arms for word in (*arm.codes, *arm.words)}
    taken, contradicted, unclear = {}, set(), set()
    for value, label in labels.items():
        arm, named = by_code.get(value), by_word.get(format_label(label, value))
        if arm is None and named is not None:
            taken[value] = named.codes[0]
        elif arm is not None and named is None:
            unclear.add(value)
        elif arm is not named:
            contradicted.add(value)
    return Reading(taken, frozenset(contradicted), frozenset(unclear))


def read_name_labels(labels: Mapping[str, str], known: Collection[str]) -> Reading:
    """Read the labels of names, such as those of scales or of the variables of a long file.

    Examples
    --------
    >>> read_name_labels({"1": "MADRS", "2": "pulse"}, ["madrs", "hamd17"])
    Reading(taken={'1': 'madrs'}, contradicted=frozenset(), unclear=frozenset())
    """
    by_word = {format_label(name): name for name in known}
    meant = {value: by_word.get(format_label(label, value)) for value, label in labels.items()}
    return Reading(
        {value: name for value, name in meant.items() if name and value not in known},
        frozenset(v for v, name in meant.items() if name and v in known and name != v),
    )


def find_coded_names(text: pd.Series, labels: Mapping[str, str]) -> frozenset[str]:
    """Find values that stand for another name by the file's labels.

    Examples
    --------
    >>> sorted(find_coded_names(pd.Series(["1", "2"]), {"1": "A001", "2": "2"}))
    ['1']
    """
    there = set(text.unique())
    return frozenset(
        value
        for value, label in labels.items()
        if value in there and format_label(label) != format_label(value)
    )


def read_week_labels(labels: Mapping[str, str]) -> Reading:
    """Read the labels of weeks.

    Returns
    -------
    Reading
        Unclear is each label but the number, the number of a week, and the baseline's: a visit
        numbered 2 may be that of week 4.

    Examples
    --------
    >>> sorted(read_week_labels({"0": "Baseline", "4": "Week 4", "2": "Week 8"}).unclear)
    ['2']
    """
    unclear = set()
    for value, label in labels.items():
        word = format_label(label)
        number = pd.to_numeric(value, errors="coerce")
        found = _WEEK.fullmatch(word)
        agrees = found is not None and float(found[1].replace(",", ".")) == number
        if not agrees and not (number <= 0 and _BY_BASELINE.fullmatch(word)):
            unclear.add(value)
    return Reading({}, unclear=frozenset(unclear))


def read_labelled(raw: pd.Series, labels: Mapping[str, str]) -> tuple[pd.Series, dict[str, str]]:
    """Take the cells as text, and the labels of values that occur in them.

    Returns
    -------
    tuple
        The cells as objects of text, and the labels, if not blank, of values that occur.
    """
    text = to_text(raw).astype(object)
    there = set(text.unique())
    found = {value: label for value, label in labels.items() if value in there and label.strip()}
    return text, found


def format_label(label: str, value: str | None = None) -> str:
    """Write a label in the form in which labels are compared.

    Examples
    --------
    >>> format_label(" 1 =  Male", "1")
    'male'
    """
    words = " ".join(label.split()).casefold()
    if value:
        words = re.sub(rf"^{re.escape(value.casefold())}\s*[=:.)_-]\s*", "", words)
    return words
