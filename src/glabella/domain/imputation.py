"""Imputed or derived values: those from earlier data, and those that may use later data."""

from __future__ import annotations

# CDISC's terms of DTYPE for what is carried from an earlier record: the last, baseline's,
# screening's, the last before dosing, the penultimate, and for BOCF baseline's or the best of the
# previous ones. Whatever else is written there may look ahead, and the list of terms is open:
# INTERP lies between an earlier and a later value, NOCB is a later one, ENDPOINT the last of all,
# AVERAGE, MAXIMUM and MINIMUM are of any set of records, WOCF is in practice the worst of the
# whole trial, WC and BC are assigned by what happened, ML and MI are modelled from all visits.
_FROM_EARLIER = frozenset({"LOCF", "BLOCF", "BOCF", "SOCF", "LVPD", "POCF"})
# Records that sum up observed ones, of a visit's three readings or of two screening visits: not
# imputed, though only at baseline it is certain that they sum up what came before.
_SUMMARIES = frozenset({"AVERAGE", "MEAN", "MEDIAN", "MAXIMUM", "MINIMUM", "SUM"})


def is_summary(derivation: str) -> bool:
    """Say whether a derived value summarises observed ones, and so counts as observed.

    Returns
    -------
    bool
        False if the value is observed, carried forward, modelled, or of an unknown kind.

    References
    ----------
    .. [1] CDISC. ADaM Controlled Terminology, codelist DTYPE (C81224).

    Examples
    --------
    >>> is_summary("AVERAGE"), is_summary("LOCF"), is_summary("")
    (True, False, False)
    """
    return derivation.strip().upper() in _SUMMARIES


def is_looking_ahead(derivation: str, *, is_baseline: bool) -> bool:
    """Say whether a derived value may use data from after its visit.

    Returns
    -------
    bool
        False if the value is observed, carried forward, or a summary at baseline.

    References
    ----------
    .. [1] CDISC. ADaM Controlled Terminology, codelist DTYPE (C81224).

    Examples
    --------
    >>> is_looking_ahead("LOCF", is_baseline=False), is_looking_ahead("NOCB", is_baseline=True)
    (False, True)
    >>> [is_looking_ahead("AVERAGE", is_baseline=known) for known in (True, False)]
    [False, True]
    """
    kind = derivation.strip().upper()
    is_earlier = kind in _FROM_EARLIER or (is_baseline and kind in _SUMMARIES)
    return kind != "" and not is_earlier
