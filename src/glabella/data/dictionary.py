"""The data dictionary: type, unit, codes, range and timing of each variable."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from glabella.definitions.locate import Project
from glabella.definitions.reader import Definition, Read
from glabella.domain.scales import SCALES, Scale, find_scale
from glabella.domain.timing import Moment, parse_timing
from glabella.errors import DefinitionError, describe_choices

__all__ = ["Dictionary", "DirectionDefinition", "TotalDefinition", "Variable"]

BY_TRIAL = "by_trial"
_RESERVED = frozenset({"studyid", "usubjid", "siteid", "cohort", "arm", "scale"})

# Each makes a column of some models; what has more is an identifier, or a coding to be grouped.
_MOST_CODES = 1_000


class TotalDefinition(Definition):
    """The items that make up the total of a rating scale.

    Parameters
    ----------
    items : tuple of str
        The dictionary's names of the items, each assessed at visits and with a range.
    missing_at_most : int
        With more items missing at a visit there is no total. Up to so many, each missing item is
        given the same share of its range as the answered ones have together; for items of one
        range that is prorating by their mean.
    scale : str, optional
        The scale that the items add up to, where the trial decides the variable's scale: totals
        are made in the trials on this scale alone.
    """

    items: tuple[str, ...] = Field(min_length=2)
    missing_at_most: int = Field(default=0, ge=0)
    scale: str | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> TotalDefinition:
        twice = sorted({name for name in self.items if self.items.count(name) > 1})
        if twice:
            raise ValueError(f"the item '{twice[0]}' appears twice")
        if self.missing_at_most >= len(self.items):
            raise ValueError("`missing_at_most` must leave at least one item that is answered")
        if self.scale is not None and self.scale not in SCALES:
            raise ValueError(
                f"there is no scale '{self.scale}'. {describe_choices(self.scale, SCALES)}"
            )
        return self


class DirectionDefinition(Definition):
    """How response is held to go with a variable.

    Parameters
    ----------
    response : str
        ``increasing``: the higher the value, the likelier response; or ``decreasing``.
    source : str
        Who says so: a publication, or the reason.
    """

    response: Literal["increasing", "decreasing"]
    source: str = Field(min_length=1)


class Variable(Definition):
    """One collected variable.

    Parameters
    ----------
    label : str
        The words that readers see.
    type : str
        ``number``; ``ordinal``, whole grades whose order matters; ``category``; ``score``, the
        total of a rating scale.
    unit : str, optional
        Of a number.
    range : tuple of float, optional
        The lowest and the highest value that can be right; required of numbers and ordinals.
    codes : dict, optional
        Code to label; required of categories, allowed for ordinals.
    scale : str, optional
        Of a score: a scale's name, or ``by_trial`` where the participants' table names it.
    total : TotalDefinition, optional
        Of a score: the items that it is the sum of, where they are collected.
    timing : str
        ``baseline``, ``week N``, ``end`` for what is known only when follow-up has ended, or
        ``visit`` for what is assessed again at each visit.
    direction : DirectionDefinition, optional
        Of a number, an ordinal or a score at baseline: how response is held to go with it, and
        who says so. A model may be told to keep to it, and the report tests it.
    """

    label: str
    type: Literal["number", "ordinal", "category", "score"]
    unit: str | None = None
    range: tuple[float, float] | None = None
    codes: dict[str, str] = Field(default_factory=dict)
    scale: str | None = None
    total: TotalDefinition | None = None
    timing: str = "baseline"
    direction: DirectionDefinition | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Variable:
        if self.type in ("number", "ordinal"):
            if self.range is None:
                raise ValueError(f"a variable of type {self.type} needs a `range`")
            if self.range[0] >= self.range[1]:
                raise ValueError("the `range` must go from low to high")
        if self.type == "category" and len(self.codes) < 2:
            raise ValueError("a variable of type category needs at least two `codes`")
        if len(self.codes) > _MOST_CODES:
            raise ValueError(
                f"a variable has at most {_MOST_CODES} `codes`, and this one has "
                f"{len(self.codes)}: put codes of one kind together"
            )
        if self.direction is not None and self.type == "category":
            raise ValueError("a category has no direction")
        if (self.type == "score") != (self.scale is not None):
            raise ValueError("`scale` goes with the type score, and a score needs one")
        if self.scale not in (None, BY_TRIAL, *SCALES):
            raise ValueError(
                f"there is no scale '{self.scale}'. {describe_choices(str(self.scale), SCALES)}"
            )
        if self.total is not None:
            self._check_total(self.total)
        if self.timing == "visit" and self.type == "category":
            raise ValueError("what visits assess again is a number, an ordinal or a score")
        if self.timing != "visit":
            try:
                parse_timing(self.timing)
            except DefinitionError as error:
                raise ValueError(
                    f"{error.finding}; write `baseline`, `week N`, `end` or `visit`"
                ) from None
        return self

    def _check_total(self, total: TotalDefinition) -> None:
        if self.type != "score" or self.timing != "visit":
            raise ValueError("a `total` of items is of a score with `timing: visit`")
        if (self.scale == BY_TRIAL) != (total.scale is not None):
            raise ValueError(
                "`total` names its `scale` where the trial decides the variable's, and only there"
            )

    @property
    def known_at(self) -> Moment | None:
        """When the value is known; None for what each visit assesses again."""
        return None if self.timing == "visit" else parse_timing(self.timing)

    def find_scale(self, named: str | None) -> Scale:
        """Find the scale of a score.

        Parameters
        ----------
        named : str or None
            The scale that the participants' table names, where the trial decides.

        Returns
        -------
        Scale
            The scale.

        Raises
        ------
        DefinitionError
            If the variable is no score, or no scale is named.
        """
        if self.scale == BY_TRIAL:
            if named is None:
                raise DefinitionError(
                    f"'{self.label}' is rated on each trial's own scale, and none is named",
                    remedy="Name the column that holds it: `scale:` of the participants' file.",
                )
            return find_scale(named)
        if self.scale is None:
            raise DefinitionError(f"'{self.label}' is not the total of a rating scale")
        return find_scale(self.scale)


class Dictionary(Definition):
    """All variables by name.

    Parameters
    ----------
    kind : str
        ``dictionary``.
    description : str
        What the dictionary covers.
    variables : dict of Variable
        By name.
    """

    kind: Literal["dictionary"]
    description: str
    variables: dict[str, Variable]

    @model_validator(mode="after")
    def _adds_up(self) -> Dictionary:
        for name, variable in self.variables.items():
            if variable.total is not None:
                self._check_items(name, variable, variable.total)
        return self

    def _check_items(self, name: str, variable: Variable, total: TotalDefinition) -> None:
        ends = [0.0, 0.0]
        for item in total.items:
            found = self.variables.get(item)
            if found is None:
                raise ValueError(
                    f"the total '{name}' has an item '{item}' that the dictionary lacks. "
                    f"{describe_choices(item, self.variables)}"
                )
            if found.range is None or found.timing != "visit":
                raise ValueError(
                    f"the item '{item}' of '{name}' needs a `range` and `timing: visit`"
                )
            ends = [ends[0] + found.range[0], ends[1] + found.range[1]]
        scale = variable.find_scale(total.scale)
        if ends != [scale.minimum, scale.maximum]:
            raise ValueError(
                f"the items of '{name}' add up to {ends[0]:g} to {ends[1]:g}, and "
                f"{scale.label} goes from {scale.minimum:g} to {scale.maximum:g}"
            )

    @model_validator(mode="after")
    def _leaves_the_tables_columns_alone(self) -> Dictionary:
        taken = sorted(_RESERVED & set(self.variables))
        if taken:
            raise ValueError(
                f"'{taken[0]}' is the name of a column that every table has; call it otherwise"
            )
        return self

    def find(self, name: str, *, place: str | None = None) -> Variable:
        """Look a variable up by its name.

        Parameters
        ----------
        name : str
            The name.
        place : str, optional
            Where it was used, for the message.

        Returns
        -------
        Variable
            The variable.

        Raises
        ------
        DefinitionError
            If the dictionary lacks it.
        """
        try:
            return self.variables[name]
        except KeyError:
            raise DefinitionError(
                f"the dictionary has no variable '{name}'",
                place=place,
                remedy=describe_choices(name, self.variables),
            ) from None


def read_dictionary(project: Project, name: str = "dictionary") -> Read[Dictionary]:
    """Read one of the project's dictionaries.

    Parameters
    ----------
    project : Project
        The project.
    name : str
        Its file's name in ``features``, without ending.

    Returns
    -------
    Read
        The dictionary with its origin.
    """
    return project.read("features", name, Dictionary)
