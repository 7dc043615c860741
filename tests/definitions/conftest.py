"""A definition of every kind of part, and its refusal."""

from typing import Literal

import pytest
from pydantic import Field

from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import DefinitionError


class Leaf(Definition):
    amount: float = 0.0
    colour: Literal["red", "green", "blue"] = "red"
    note: str | None = None


class Branch(Definition):
    leaves: tuple[Leaf, ...] = ()
    main: Leaf | None = None


class Tree(Definition):
    kind: Literal["tree"]
    description: str
    count: int = 1
    codes: dict[str, str] = Field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf] = Field(default_factory=dict)
    branch: Branch | None = None


HEAD = "kind: tree\ndescription: An oak\n"


def refuse(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, Tree, name="features/oak.yaml")
    return caught.value
