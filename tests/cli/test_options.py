"""How progress is shown, on a terminal and elsewhere."""

import io
import re
import sys
import time

import pytest

from glabella.cli import options
from glabella.cli.options import print_progress

STAGES = [
    ("reading", 0, 0),
    ("validating", 5, 650),
    ("validating", 650, 650),
    ("refitting", 0, 0),
    ("fits are kept", 3, 0),
    ("scoring", 40_000, 1_000_000),
    ("scoring", 80_000, 1_000_000),
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """What a terminal of 120 columns shows, stage by stage."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with print_progress(of="rows") as progress:
        for stage in STAGES:
            progress(*stage)
            time.sleep(0.25)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue())
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", plain)
    return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def test_a_bar_counts_only_what_has_a_number(terminal):
    text = "\n".join(terminal)
    assert "None" not in text and "/0" not in text
    assert "5 of 650" in text and "80,000 of 1,000,000" in text
    assert "rows/s" in text
    # After a stage with a total, one without shows none.
    for line in terminal:
        if line.startswith("refitting"):
            assert " of " not in line and "650" not in line
        if line.startswith(("starting", "reading", "refitting")):
            assert re.fullmatch(r"\w+ +\S+ +\d:\d\d:\d\d", line), line


def test_the_time_left_is_given_in_words_once_there_is_a_speed(terminal):
    assert any(re.search(r"scoring .* about \d+ s left$", line) for line in terminal)
    assert not any(line.endswith("left") for line in terminal if line.startswith("reading"))


def test_elsewhere_a_line_is_written_for_each_stage(monkeypatch, capsys):
    monkeypatch.setattr(options, "_SECONDS_OF_LONG_WORK", 0.0)
    with print_progress(of="rows") as progress:
        for stage in STAGES:
            progress(*stage)
            time.sleep(0.01)
    written = [line[len("[  0.0 s] ") :] for line in capsys.readouterr().err.splitlines()]
    assert written[:2] == ["reading", "validating (5 of 650)"]
    assert written[2] == "validating (650 of 650)"
    assert written[3:6] == ["refitting", "fits are kept (3)", "scoring (40,000 of 1,000,000)"]
