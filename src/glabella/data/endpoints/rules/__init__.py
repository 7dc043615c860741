"""Names to endpoint rules: each says when a participant counts as a responder."""

from __future__ import annotations

from glabella.data.endpoints.rules.flag import Flag
from glabella.data.endpoints.rules.interface import EndpointRule
from glabella.data.endpoints.rules.remission import Remission
from glabella.data.endpoints.rules.response import Response
from glabella.data.endpoints.rules.threshold import Threshold

RULES: dict[str, EndpointRule] = {
    "response": Response(),
    "remission": Remission(),
    "threshold": Threshold(),
    "flag": Flag(),
}
