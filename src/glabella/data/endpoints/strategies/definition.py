"""The typed definition of what a missing outcome means."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator, model_validator

from glabella.data.endpoints.strategies import STRATEGIES
from glabella.data.endpoints.strategies.interface import MissingSettings, MissingStrategy
from glabella.errors import describe_choices


class MissingDefinition(MissingSettings):
    """A strategy for missing outcomes, with its settings."""

    @field_validator("strategy")
    @classmethod
    def _exists(cls, name: str) -> str:
        if name not in STRATEGIES:
            remedy = describe_choices(name, STRATEGIES)
            raise ValueError(f"there is no strategy '{name}'. {remedy}")
        return name

    @model_validator(mode="after")
    def _is_consistent(self) -> MissingDefinition:
        for key in type(self).model_fields:
            is_stated = key in self.model_fields_set and getattr(self, key) is not None
            if key != "strategy" and is_stated and key not in self.method.settings:
                takers = [name for name, other in STRATEGIES.items() if key in other.settings]
                listed = " or ".join(f"`{name}`" for name in takers)
                raise ValueError(f"`{key}` goes with {listed}, not with `{self.strategy}`")
        self.method.check(self)
        return self

    @property
    def method(self) -> MissingStrategy:
        """What the strategy does."""
        return STRATEGIES[self.strategy]

    @property
    def name(self) -> str:
        """The strategy with what distinguishes it from others of its kind, for a table."""
        return self.method.make_name(self)

    def describe(self) -> str:
        """Say the strategy in words."""
        return self.method.describe(self)


def read_strategy(given: Any) -> Any:
    """Take a strategy's bare name for the strategy without settings."""
    return {"strategy": given} if isinstance(given, str) else given
