"""The words that an endpoint declares for its outcome."""

import pytest
from pydantic import ValidationError

from glabella.data.endpoints.definition import EndpointDefinition

FLAG = {"rule": "flag", "of": "term", "code": "yes", "missing": "observed_only"}


def test_response_is_the_default():
    assert EndpointDefinition.model_validate(FLAG).outcome_words.event == "response"


def test_a_declared_event_is_used_and_makes_no_other_outcome():
    named = EndpointDefinition.model_validate({**FLAG, "words": {"event": "birth at term"}})
    assert named.outcome_words.event == "birth at term"
    assert named.model_dump_json() == EndpointDefinition.model_validate(FLAG).model_dump_json()


@pytest.mark.parametrize("event", ["", "  ", " term", "x" * 61])
def test_what_is_no_noun_phrase_is_refused(event):
    with pytest.raises(ValidationError, match="`event`"):
        EndpointDefinition.model_validate({**FLAG, "words": {"event": event}})
