"""Reads YAML definitions, and names the line of whatever is wrong in one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from glabella.definitions.findings import describe_definition_error
from glabella.definitions.words import check_words
from glabella.errors import DefinitionError

# A definition declares; a hundred kilobytes is a long one.
_MOST_BYTES = 1_000_000
_DEEPEST = 50

Keys = tuple[str | int, ...]


class Definition(BaseModel):
    """Base of every part of a definition: frozen, no unknown keys, no coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


DefinitionT = TypeVar("DefinitionT", bound=Definition)


@dataclass(frozen=True)
class Origin:
    """Where a definition was read, so that later findings can name the line.

    Parameters
    ----------
    name : str
        The file, as shown to the user: relative to the project where possible.
    text : str
        The file's text, for logging and hashing.
    lines : mapping
        The line, counted from 1, of each key by its path.
    """

    name: str
    text: str = field(repr=False)
    lines: Mapping[Keys, int] = field(repr=False)

    def name_place(self, *keys: str | int) -> str:
        """Name the line of a key, or of its nearest parent."""
        for end in range(len(keys), -1, -1):
            line = self.lines.get(keys[:end])
            if line is not None:
                return f"{self.name}:{line}"
        return self.name


@dataclass(frozen=True)
class Read(Generic[DefinitionT]):
    """A definition and where it came from.

    Parameters
    ----------
    value : Definition
        The validated definition.
    origin : Origin
        Its file, text and lines.
    """

    value: DefinitionT
    origin: Origin


def read_definition(path: Path, model: type[DefinitionT], *, name: str) -> Read[DefinitionT]:
    """Read one YAML file as a definition."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            # A device or a pipe may never end.
            raise _describe_unreadable("it is not a file", name)
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        # Line endings are normalised, since the text is logged and hashed.
        text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise _describe_unreadable("it is not UTF-8 text", name) from None
    except OSError as error:
        raise _describe_unreadable(str(error.strerror), name) from None
    except ValueError:
        raise _describe_unreadable("its name is not a valid file name", name) from None
    return parse_definition(text, model, name=name)


def _describe_unreadable(reason: str, name: str) -> DefinitionError:
    return DefinitionError(f"the definition can't be read: {reason}", place=name)


def parse_definition(text: str, model: type[DefinitionT], *, name: str) -> Read[DefinitionT]:
    """Read YAML text as a definition."""
    if len(text.encode("utf-8", "surrogatepass")) > _MOST_BYTES:
        raise DefinitionError(
            f"the definition has more than {_MOST_BYTES:,} bytes",
            place=name,
            remedy="It declares and holds no data: name tables of the data by their files.",
        )
    try:
        node, data = _load_yaml(text)
        origin = Origin(name=name, text=text, lines=_collect_lines(node))
    except DuplicateKeyError as error:
        raise DefinitionError(
            f"a key appears twice ({str(error.problem).split(' with value')[0]})",
            place=_mark(name, error),
            remedy="Keep one of the two.",
        ) from None
    except MarkedYAMLError as error:
        raise DefinitionError(
            f"this is not YAML: {error.problem}", place=_mark(name, error)
        ) from None
    except YAMLError as error:
        raise DefinitionError(f"this is not YAML: {error}", place=name) from None
    except (TypeError, ValueError, RecursionError):
        raise _check_plain_data(name) from None
    check_words(data, origin.name_place)
    if not isinstance(data, dict):
        raise DefinitionError(
            "a definition is a set of `key: value` lines", place=name, remedy="See `glabella init`."
        )
    try:
        # By way of JSON: strict validation of Python objects refuses a list for a tuple.
        plain = json.dumps(data, default=str)
    except (TypeError, ValueError, RecursionError):
        raise _check_plain_data(name) from None
    try:
        value = model.model_validate_json(plain)
    except ValidationError as error:
        raise describe_definition_error(error, model, origin) from None
    return Read(value=value, origin=origin)


def read_part(
    data: Mapping[str, Any], model: type[DefinitionT], origin: Origin, *keys: str | int
) -> DefinitionT:
    """Validate a part of a definition that was put together from several places."""
    depth = len(keys)
    lines = {path[depth:]: line for path, line in origin.lines.items() if path[:depth] == keys}
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise describe_definition_error(
            error, model, Origin(origin.name, origin.text, lines)
        ) from None


class _PlainComposer(Composer):
    """Refuses aliases, a few of which can expand to a billion values, and deep nesting."""

    nesting = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node, as ruamel.yaml does."""
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise ComposerError(
                None,
                None,
                "anchors and aliases (`&` and `*`) are not supported: write out what they name, "
                "or put text that begins with such a sign in quotes",
                event.start_mark,
            )
        if self.nesting == _DEEPEST:
            raise ComposerError(
                None, None, f"it nests more than {_DEEPEST} levels deep", event.start_mark
            )
        self.nesting += 1
        node = super().compose_node(parent, index)
        self.nesting -= 1
        return node


def _load_yaml(text: str) -> tuple[Node | None, Any]:
    """Return YAML as nodes, which know their lines, and as plain values from the same nodes."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _PlainComposer
    constructor, parser = yaml.get_constructor_parser(text)
    try:
        node = constructor.composer.get_single_node()
        return node, None if node is None else constructor.construct_document(node)
    finally:
        parser.dispose()


def _check_plain_data(name: str) -> DefinitionError:
    return DefinitionError(
        "this contains more than keys, lists, texts and numbers",
        place=name,
        remedy="Remove keys that are lists, and aliases that contain themselves.",
    )


def _mark(name: str, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"{name}:{mark.line + 1}" if mark is not None else name


def _collect_lines(node: Node | None, keys: Keys = ()) -> dict[Keys, int]:
    lines: dict[Keys, int] = {}
    if isinstance(node, MappingNode):
        for key, child in node.value:
            path = (*keys, key.value)
            lines[path] = key.start_mark.line + 1
            lines.update(_collect_lines(child, path))
    elif isinstance(node, SequenceNode):
        for index, child in enumerate(node.value):
            path = (*keys, index)
            lines[path] = child.start_mark.line + 1
            lines.update(_collect_lines(child, path))
    return lines
