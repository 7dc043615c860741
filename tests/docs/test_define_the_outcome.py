"""What the page shows is read as it stands: each fragment in an analysis or a dictionary."""

import re

import pytest

from glabella.analysis.resolve import resolve_analysis
from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.strategies import STRATEGIES as MISSING_STRATEGIES
from glabella.definitions.locate import find_project
from glabella.definitions.reader import Definition, parse_definition
from glabella.domain.estimand import STRATEGIES


class Holder(Definition):
    endpoint: EndpointDefinition


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "define_the_outcome.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def fragments(page):
    return [
        block.replace("\n  ", "\n") if block.startswith("  ") else block
        for block in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    ]


def test_the_endpoint_is_that_of_the_shipped_analysis(fragments, checkout):
    shown = parse_definition(fragments[0], Holder, name="page").value.endpoint
    resolved = resolve_analysis("beat_the_blues_month_8", find_project(checkout))
    shipped = resolved.analysis.value.endpoint
    assert shown == shipped.model_copy(update={"intercurrent": {}})


def test_the_total_of_items_is_a_dictionary_entry(page):
    [entry] = re.findall(r"  depression_total:\n(?:    .*\n)+", page)
    items = re.search(r"items: \[(.*?)\]", entry)[1].split(", ")
    text = "kind: dictionary\ndescription: x\nvariables:\n" + entry
    for item in items:
        text += f"  {item}: {{label: {item}, type: ordinal, range: [0, 6], timing: visit}}\n"
    variable = parse_definition(text, Dictionary, name="page").value.variables["depression_total"]
    assert variable.total.items == tuple(items)


def test_the_events_are_an_endpoints(page, fragments):
    [events] = [block for block in fragments if "reinjection" in block]
    inner = re.search(r"  intercurrent:\n(?:    .*\n)+", page)[0]
    text = fragments[0] + inner
    endpoint = parse_definition(text, Holder, name="page").value.endpoint
    assert len(endpoint.intercurrent) == 4
    assert "rescue" in events


def test_every_strategy_is_on_the_page(page):
    for name in (*MISSING_STRATEGIES, *STRATEGIES):
        assert f"`{name}`" in page or f"strategy: {name}," in page


def test_the_alternatives_shown_are_read(fragments, checkout, tmp_path):
    [shown] = [block for block in fragments if block.startswith("sensitivity:")]
    text = (checkout / "pipelines" / "beat_the_blues_month_8.yaml").read_text()
    old = re.search(r"sensitivity:\n(?:  .*\n)+?(?=dictionary)", text)[0]
    path = tmp_path / "shown.yaml"
    path.write_text(text.replace(old, shown))
    names = [
        other.name for other in resolve_analysis(str(path), find_project(checkout)).alternatives
    ]
    assert names == [
        "observed_only", "last_observation", "delta +6 points", "sustained from month 2",
    ]  # fmt: skip
