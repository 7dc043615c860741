"""Nonsense in any further key of a scenario is refused at a line of the file, in words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glabella.definitions.locate import Project
from glabella.errors import DefinitionError
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.reading import read_scenario

from ..conftest import ROOT

NAME = "pipelines/scenarios/bont_pooled.yaml"
TEXT = (ROOT / NAME).read_text(encoding="utf-8")
Keys = tuple[str | int, ...]

OF_SCENARIO: dict[str, Any] = {
    "products": [
        {
            "of": [{"variable": "agitation", "centre": 1, "unit": 2}, {"variable": "age_years"}],
            "prognostic": 0.1,
            "predictive": 0.3,
        },
        {"of": [{"variable": "sex", "code": "F"}, {"variable": "severity"}], "predictive": 0.2},
    ],
    "nominal": {
        "region": {
            "shares": {"north": 0.5, "south": 0.5},
            "effects": {"south": {"prognostic": 0.2, "predictive": 0.1}},
        }
    },
    "tied_to_site": {"expectancy": 0.3, "region": 1},
    "measurement_error": {"expectancy": 0.75},
    "missing": {"expectancy": {"share": 0.2, "on": {"expectancy": -0.8, "response": 1.0}}},
}
OF_TRIAL: dict[str, Any] = {
    "products": OF_SCENARIO["products"],
    "nominal": {"region": {"shares": {"north": 0.1, "south": 0.9}}},
    "tied_to_site": {"age_years": 0.2},
    "measurement_error": {"age_years": 0.2},
    "missing": {"age_years": {"share": 0.1, "on": {"severity": 1.0}}},
    "dropout": {
        "share": 0.1,
        "by_week": 6,
        "well": {"share": 0.2, "by_week": 6, "fall": 0.4},
    },
}
OF_ARM: dict[str, Any] = {"response_rate": 0.4, "dropout": OF_TRIAL["dropout"]}
OF_EFFECT: dict[str, Any] = {
    "curves": [{"shape": "hinge", "at": 50, "prognostic": 0.1, "predictive": 0.2}]
}

PLACES = {
    "scenario": (OF_SCENARIO, "between_sites_sd: 0.05", "between_sites_sd: 0.05"),
    # Of OnaDEP, whose one site is Limoges and whose drop-out is stated above it.
    "trial": (OF_TRIAL, "    sites: 1                                                   # Limoges",
              "    sites: 2"),
    "arm": (OF_ARM, "n: 29, effect: 0.34,", "n: 29,"),
    "effect": (OF_EFFECT, "centre: 49, unit: 10, prognostic: -0.03", "centre: 49, unit: 10"),
}  # fmt: skip
NONSENSE = st.sampled_from(
    ["", "much", "-", True, None, [], [[]], {}, {"a": 1}, float("nan"), float("inf"), "1e400"]
)


def write(part: str, stated: dict[str, Any]) -> str:
    """Write the shipped scenario with further keys in one of its parts."""
    _, old, kept = PLACES[part]
    text = TEXT
    if part != "scenario":
        # What the trial refers to must be there.
        text = text.replace(
            "between_sites_sd: 0.05",
            f"between_sites_sd: 0.05\nnominal: {json.dumps(OF_SCENARIO['nominal'])}",
        )
    if part == "trial" and "dropout" in stated:
        text = text.replace("    dropout: {share: 0.017, by_week: 6}", "    # none")
    if part in ("scenario", "trial"):
        indent = "" if part == "scenario" else "    "
        lines = [f"{indent}{key}: {json.dumps(value)}" for key, value in stated.items()]
        new = "\n".join([kept, *lines])
    else:
        new = kept + "".join(f", {key}: {json.dumps(value)}" for key, value in stated.items())
        new += "," if part == "arm" else ""
        new = new.replace(",,", ",")
    assert old in text
    head, _, tail = text.rpartition(old)
    return head + new + tail


def read_text(folder: Path, text: str) -> Scenario:
    (folder / NAME).parent.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(text, encoding="utf-8")
    return read_scenario(Project(definitions=folder, home=folder), "bont_pooled").value


def list_leaves(part: Any, at: Keys = ()) -> Iterator[Keys]:
    if isinstance(part, dict | list):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            yield from list_leaves(value, (*at, key))
    else:
        yield at


def list_mappings(part: Any, at: Keys = ()) -> Iterator[Keys]:
    if isinstance(part, dict):
        yield at
    if isinstance(part, dict | list):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            yield from list_mappings(value, (*at, key))


def change(part: Any, at: Keys, value: object) -> Any:
    """Copy a part with one place in it changed."""
    copied = json.loads(json.dumps(part))
    inner = copied
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return copied


def check_refusal(folder: Path, text: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_text(folder, text)
    places = [line for line in str(caught.value).splitlines() if line.startswith(NAME)]
    # Every finding is at a line of the file, and says something of it.
    assert places
    for line in places:
        number, _, finding = line.removeprefix(f"{NAME}:").partition(": ")
        assert 1 < int(number) <= text.count("\n") + 1
        assert len(finding) > 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.mark.parametrize("part", list(PLACES))
def test_the_further_keys_are_read_where_they_make_sense(folder: Path, part: str) -> None:
    read_text(folder, write(part, PLACES[part][0]))


LEAVES = [(part, leaf) for part, (stated, *_) in PLACES.items() for leaf in list_leaves(stated)]
MAPPINGS = [
    (part, at) for part, (stated, *_) in PLACES.items() for at in list_mappings(stated) if at
]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(leaf=st.sampled_from(LEAVES), nonsense=NONSENSE)
def test_nonsense_for_any_value_is_refused_at_its_line(
    folder: Path, leaf: tuple[str, Keys], nonsense: object
) -> None:
    part, at = leaf
    if nonsense is None and at[-1] in ("at", "code", "response_rate"):
        return
    check_refusal(folder, write(part, change(PLACES[part][0], at, nonsense)))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=st.sampled_from(MAPPINGS), name=st.from_regex(r"[a-z]{3,8}_x", fullmatch=True))
def test_a_key_that_does_not_exist_is_refused_at_its_line(
    folder: Path, where: tuple[str, Keys], name: str
) -> None:
    part, at = where
    check_refusal(folder, write(part, change(PLACES[part][0], (*at, name), 0.1)))


BOUNDED = {
    "prognostic": (-5, 5),
    "predictive": (-5, 5),
    "share": (0, 1),
    "fall": (0, 1),
    "response_rate": (0, 1),
    "unit": (0, None),
    "by_week": (0, None),
}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    leaf=st.sampled_from([leaf for leaf in LEAVES if leaf[1][-1] in BOUNDED]),
    beyond=st.floats(min_value=1e-6, max_value=1e6),
    above=st.booleans(),
)
def test_a_number_outside_its_bounds_is_refused_at_its_line(
    folder: Path, leaf: tuple[str, Keys], beyond: float, above: bool
) -> None:
    part, at = leaf
    low, high = BOUNDED[str(at[-1])]
    value = low - beyond if high is None or not above else high + beyond
    check_refusal(folder, write(part, change(PLACES[part][0], at, value)))
