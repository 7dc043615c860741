"""Messages show what would steer a terminal, and hide nothing."""

import pytest

from glabella.errors import DataError, escape_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Größe – 年齢", "plain, Größe – 年齢"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\x00\x07\x7fb", "a\\x00\\x07\\x7fb"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\U000e0041", "\\U000e0041"),
        ("a\udcffb", "a\\udcffb"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("no\u00a0break", "no\u00a0break"),
    ],
)
def test_a_sign_that_is_not_shown_is_written_out(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


def test_what_is_to_stay_stays() -> None:
    assert escape_controls("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


def test_a_message_is_of_as_many_lines_as_it_has_parts() -> None:
    error = DataError("odd\x1b", place="a\nglabella: all is well\n.csv", remedy="Mend\u202e it.")
    assert str(error) == "a\\nglabella: all is well\\n.csv: odd\\x1b\n  Mend\\u202e it."
    assert error.finding == "odd\x1b"
