"""Names of the standard that say when a column is settled, and names that only look alike."""

import pytest

from glabella.domain.standard_names import AFTER_TREATMENT, find_earliest, is_about_staying
from glabella.domain.timing import BASELINE, END, Moment


@pytest.mark.parametrize(
    "name",
    [
        "COMPLFL", "complfl", "DISCONFL", "DSRAEFL", "DTHFL", "DTHFN", "EOSSTT", "EOTSTT",
        "EOT01STT", "EOP02STT", "DCSREAS", "DCTREASP", "DCT01RS", "DCREASCD", "DCDECOD", "PPROTFL",
        "TRTDURD", "TR01DURD", "TRTEDT", "TRTEDTM", "TR02EDT", "CUMDOSE", "AVGDD", "RFENDT",
        "VISNUMEN", "TRCMP", "LSTALVDT", "DTHCAUS",
    ],
)  # fmt: skip
def test_what_is_settled_at_the_end(name: str) -> None:
    assert find_earliest(name) == END


@pytest.mark.parametrize(("name", "week"), [("COMP8FL", 8), ("COMP24FL", 24), ("COMPL52FN", 52)])
def test_a_completers_flag_names_its_week(name: str, week: float) -> None:
    assert find_earliest(name) == Moment(week)
    assert is_about_staying(name)


@pytest.mark.parametrize(
    "name", ["EFFFL", "FASFL", "AVAL", "CHG", "PCHG", "CHGCAT1", "CRIT2FL", "R2BASE", "SHIFT1"]
)
def test_what_is_settled_after_treatment_began(name: str) -> None:
    assert find_earliest(name) == AFTER_TREATMENT
    assert BASELINE < AFTER_TREATMENT < Moment(0.5)
    assert not is_about_staying(name)


@pytest.mark.parametrize(
    "name",
    [
        "AGE", "SEX", "ITTFL", "RANDFL", "SAFFL", "TRTSDT", "TRT01P", "TRT01A", "BASE", "BMIBL",
        "RFSTDTC", "DURDIS", "COMPANY", "COMPL", "DISEASE", "STRATA1", "DISONSDT", "DOSE01P",
    ],
)  # fmt: skip
def test_what_is_known_when_treatment_begins_or_is_no_name_of_the_standard(name: str) -> None:
    assert find_earliest(name) is None


def test_who_stayed_or_left_is_told_from_other_populations() -> None:
    assert [is_about_staying(name) for name in ("DISCONFL", "DTHFL", "PPROTFL", "ITTFL")] == [
        True,
        True,
        False,
        False,
    ]
