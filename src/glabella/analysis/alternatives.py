"""Other definitions of the endpoint, by which a finding is tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.rules import RULES
from glabella.definitions.reader import Definition, Origin, read_part
from glabella.errors import DefinitionError

__all__ = ["AlternativeDefinition"]


class AlternativeDefinition(Definition):
    """What differs from the analysis's endpoint.

    Parameters
    ----------
    name : str, optional
        What tables call it; needed where more than `missing` differs.
    change : dict
        The endpoint's keys that differ, with their other values.
    """

    name: str | None = None
    change: dict[str, Any]


@dataclass(frozen=True)
class Alternative:
    """Another definition of the endpoint.

    Parameters
    ----------
    name : str
        What tables call it.
    endpoint : EndpointDefinition
        Whole.
    place : str
        Its line, for messages.
    """

    name: str
    endpoint: EndpointDefinition
    place: str


def read_alternative(given: Any) -> Any:
    """Take a strategy's bare name, or an endpoint's keys with a name, for an alternative.

    Parameters
    ----------
    given : object
        From a definition.

    Returns
    -------
    object
        What `AlternativeDefinition` reads.
    """
    if isinstance(given, str):
        return {"change": {"missing": given}}
    if isinstance(given, dict):
        change = {key: value for key, value in given.items() if key != "name"}
        return {"name": given.get("name"), "change": change}
    return given


def resolve_alternatives(
    endpoint: EndpointDefinition, given: tuple[AlternativeDefinition, ...], origin: Origin
) -> tuple[Alternative, ...]:
    """Make whole endpoints of what differs.

    Parameters
    ----------
    endpoint : EndpointDefinition
        The analysis's.
    given : tuple of AlternativeDefinition
        What differs in each.
    origin : Origin
        Of the analysis.

    Returns
    -------
    tuple of Alternative
        In the declared order.

    Raises
    ------
    DefinitionError
        If one is impossible, has no name, or says what another says.
    """
    made: list[Alternative] = []
    base = endpoint.model_dump(mode="json", exclude_unset=True)
    for index, item in enumerate(given):
        place = origin.name_place("sensitivity", index)
        kept = _keep(base, item.change, endpoint)
        other = read_part({**kept, **item.change}, EndpointDefinition, origin, "sensitivity", index)
        name = item.name or (other.missing.name if set(item.change) == {"missing"} else None)
        if name is None:
            raise DefinitionError(
                "what differs in more than `missing` needs a name",
                place=place,
                remedy="Write `name:` beside it, a few words for the table.",
            )
        if any(name == earlier.name for earlier in made):
            raise DefinitionError(f"the name '{name}' stands twice", place=place)
        if other == endpoint:
            raise DefinitionError(
                "this is the endpoint of the analysis itself", place=place, remedy="Leave it out."
            )
        made.append(Alternative(name, other, place))
    return tuple(made)


def _keep(
    base: dict[str, Any], change: dict[str, Any], endpoint: EndpointDefinition
) -> dict[str, Any]:
    """Keep of the endpoint what another rule, or the same rule stated otherwise, does not bring."""
    stated = {key for rule in RULES.values() for key in rule.settings}
    if change.get("rule", endpoint.rule) == endpoint.rule and not stated & set(change):
        return base
    return {key: value for key, value in base.items() if key not in stated}
