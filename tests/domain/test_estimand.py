"""The words of ICH E9(R1) are those that an endpoint takes."""

from typing import get_args

import pytest

from glabella.data.endpoints.intercurrent import IntercurrentDefinition, describe_event
from glabella.domain.estimand import EVENTS, STRATEGIES


def test_every_strategy_that_an_endpoint_takes_has_its_words() -> None:
    taken = get_args(IntercurrentDefinition.model_fields["strategy"].annotation)
    assert set(taken) == set(STRATEGIES)


@pytest.mark.parametrize(("name", "label"), EVENTS.items())
def test_an_event_is_described_by_its_label_and_the_words_of_its_strategy(
    name: str, label: str
) -> None:
    told = describe_event(name, IntercurrentDefinition(strategy="treatment_policy"), None)
    assert told.startswith(f"{label}: ")
    assert "scores count as they were observed, whether or not it happened" in told
