"""Columns of CDISC ADaM whose names say that they are settled only after treatment began."""

from __future__ import annotations

import re

from glabella.domain.timing import END, Moment

# The day after treatment began: any week that a dictionary states is later.
AFTER_TREATMENT = Moment(1 / 7)


def _make_pattern(names: str) -> re.Pattern[str]:
    """Put digits for each `#`; a flag that ends in FL has a number that ends in FN."""
    patterns = [re.sub("FL$", "F[LN]", name).replace("#", r"\d+") for name in names.split()]
    return re.compile("|".join(patterns))


_COMPLETERS = _make_pattern("COMPFL COMPLFL COMPLTFL CMPLFL COMP#FL COMPL#FL RANDCOMPFL")
_COMPLETED_WEEK = re.compile(r"COMPL?(\d+)F[LN]")
_LEAVERS = _make_pattern("DISCFL DISCONFL DISCONTFL DISCTFL DISC#FL DISCON#FL DSRAEFL DTHFL")
# ADSL, by the implementation guide or its pilot study: status and reasons at the end, death,
# duration and amount of treatment, compliance, and adherence to the protocol.
_AT_THE_END = _make_pattern(
    """
    EOSSTT EOTSTT EOT#STT EOP#STT EOSDT EOTDT EOSDY EOTDY
    DCSREAS DCSREASP DCTREAS DCTREASP DCT#RS DCT#RSP DCP#RS DCP#RSP DCREAS DCREASCD DCREASP
    DCSDT DCTDT DCDECOD DSDECOD DSTERM VISNUMEN
    DTHDT DTHDTM DTHDTC DTHDTF DTHADY DTHCAUS DTHCAUSN DTHCGR# DTHCGR#N
    LDDTHELD LDDTHGR# LDDTHGR#N LSTALVDT
    TRTEDT TRTEDTM TRTETM TRTEDTF TRTETMF TR#EDT TR#EDTM TR#ETM TR#EDTF
    TRTDUR TRTDURD TRTDURM TRTDURY TR#DURD TR#DURM TR#DURY AP#EDT AP#EDTM
    RFENDT RFENDTC RFXENDTC RFPENDTC RFENDY CUMDOSE AVGDD TRCMP TRCMPG# TR#CMP TR#CMPG#
    PPROTFL PPROT#FL PPSFL PPFL PERPROTFL
    """
)
# Populations of those with an assessment after treatment began, and what BDS says of each visit.
_AFTER_TREATMENT = _make_pattern(
    """
    EFFFL FASFL MITTFL EVALFL
    AVAL AVALC AVALCAT# AVALCA#N CHG CHGCAT# CHGCAT#N PCHG PCHGCAT# PCHGCA#N R2BASE
    SHIFT# SHIFT#N CRIT#FL CNSR EVNTDESC WORSTFL LVOTFL ONTRTFL
    """
)


def find_earliest(column: str) -> Moment | None:
    """Find the moment before which a column of such a name can't be known.

    Returns
    -------
    Moment or None
        The end of follow-up; the week of a flag such as ``COMP24FL``; the day after treatment
        began, if the name says no more than that; None if it says nothing.

    References
    ----------
    .. [1] CDISC. Analysis Data Model Implementation Guide v1.3, sections 3.2 and 3.3.

    Examples
    --------
    >>> [str(find_earliest(name)) for name in ("EOSSTT", "COMP24FL", "AGE")]
    ['the end of follow-up', 'week 24', 'None']
    """
    name = column.strip().upper()
    if week := _COMPLETED_WEEK.fullmatch(name):
        return Moment(float(week[1]))
    if any(names.fullmatch(name) for names in (_COMPLETERS, _LEAVERS, _AT_THE_END)):
        return END
    return AFTER_TREATMENT if _AFTER_TREATMENT.fullmatch(name) else None


def is_about_staying(column: str) -> bool:
    """Say whether a flag's name marks participants who completed, stopped or died.

    Examples
    --------
    >>> is_about_staying("COMP8FL"), is_about_staying("DISCONFL"), is_about_staying("ITTFL")
    (True, True, False)
    """
    name = column.strip().upper()
    return bool(_COMPLETERS.fullmatch(name) or _LEAVERS.fullmatch(name))
