"""The steps of the page, done: the strategy that it shows is read, checked and counted."""

import re

import pytest

import glabella
from glabella.data.endpoints.strategies import STRATEGIES


@pytest.fixture
def strategy(checkout, monkeypatch):
    text = (checkout / "docs" / "how_to_add_a_missing_outcome_strategy.md").read_text("utf-8")
    [block] = re.findall(r"   ```python\n(.*?)   ```", text, flags=re.DOTALL)
    names = {}
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), names)
    monkeypatch.setitem(STRATEGIES, "responder", names["Responder"]())


def count(project):
    table = glabella.check("small", project=project).strategies
    return table.groupby("definition")[["n", "responders"]].sum()


def test_the_strategy_of_the_page_counts_the_missing_as_responders(small_project, strategy):
    counts = count(small_project)
    observed, failed = counts.loc["observed_only"], counts.loc["as analysed"]
    added = failed["n"] - observed["n"]
    assert added > 0
    assert counts.loc["responder"].tolist() == [failed["n"], observed["responders"] + added]


def test_it_can_be_written_in_an_analysis(small_project, strategy):
    path = small_project / "pipelines" / "small.yaml"
    text = path.read_text()
    path.write_text(text.replace("missing: non_responder", "missing: responder"))
    assert path.read_text() != text
    estimand = glabella.check("small", project=small_project).estimand
    assert estimand["Missing outcomes"] == [
        "Participants without a score in the window count as responders"
    ]
