"""Names to strategies for missing outcomes: each says what a missing score means."""

from __future__ import annotations

from glabella.data.endpoints.strategies.delta import Delta
from glabella.data.endpoints.strategies.interface import MissingStrategy
from glabella.data.endpoints.strategies.last_observation import LastObservation
from glabella.data.endpoints.strategies.multiple_imputation import MultipleImputation
from glabella.data.endpoints.strategies.non_responder import NonResponder
from glabella.data.endpoints.strategies.observed_only import ObservedOnly

STRATEGIES: dict[str, MissingStrategy] = {
    "observed_only": ObservedOnly(),
    "non_responder": NonResponder(),
    "last_observation": LastObservation(),
    "multiple_imputation": MultipleImputation(),
    "delta": Delta(),
}
