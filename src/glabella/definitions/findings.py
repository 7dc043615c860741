"""Turns pydantic's errors into plain messages with the line and a remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from glabella.errors import DefinitionError, describe_choices, join_errors

if TYPE_CHECKING:
    from glabella.definitions.reader import Definition, Keys, Origin

# The expected value, by pydantic's name of the error.
_WANTED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "finite_number": "a finite number",
    **dict.fromkeys(("string_type", "string_sub_type"), "text"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "a list"),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type", "mapping_type"),
        "a set of `key: value` lines",
    ),
    "none_required": "nothing",
}
_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_LENGTHS = {
    "too_short": ("min_length", "at least"),
    "too_long": ("max_length", "at most"),
}


def describe_definition_error(
    error: ValidationError, model: type[Definition], origin: Origin
) -> DefinitionError:
    """Say in plain words what is wrong with a definition."""
    found = _group(error.errors(include_url=False), origin)
    misspelt = {
        (keys[:-1], nearest)
        for keys, items in found
        if items[0]["type"] == "extra_forbidden"
        for nearest in _find_nearest(str(keys[-1]), _list_known_keys(model, keys[:-1]))
    }
    # A misspelt key also makes the right one missing; the misspelt one has a line and a remedy.
    told = [
        (keys, items)
        for keys, items in found
        if not (items[0]["type"] == "missing" and (keys, items[0]["loc"][-1]) in misspelt)
    ]
    # A file of another kind is wrong in all its keys; only the wrong kind is worth reporting.
    told = [item for item in told if item[0] == ("kind",)] or told
    told.sort(key=lambda item: _find_line(item[0], origin))
    errors = [_describe(keys, items, model, origin) for keys, items in told]
    joined = join_errors(errors)
    return joined if isinstance(joined, DefinitionError) else DefinitionError(str(joined))


def _group(items: Iterable[Any], origin: Origin) -> list[tuple[Keys, list[Any]]]:
    """Group findings by what they are about, without what follows from others."""
    items = list(items)
    # A list whose only item is wrong is also reported as too short: the item is what to correct.
    places = [item["loc"] for item in items]
    leaves = [
        item
        for item in items
        if not any(
            len(at) > len(item["loc"]) and at[: len(item["loc"])] == item["loc"] for at in places
        )
    ]
    groups: dict[Keys, list[Any]] = {}
    for item in leaves:
        keys = _select_keys_in_file(item["loc"], origin)
        if item["type"] == "missing":
            # Several may be missing of one part.
            groups.setdefault((*keys, f"\0{item['loc'][-1]}"), []).append(item)
        else:
            groups.setdefault(keys, []).append(item)
    # If several kinds are allowed, an error within one says more than that no kind matches.
    plain = [
        (
            tuple(key for key in keys if str(key)[:1] != "\0"),
            [item for item in of if item["type"] not in _WANTED] or of,
        )
        for keys, of in groups.items()
    ]
    # If a word or a mapping is allowed and a mapping is given, that it is no word is no error.
    deeper = {keys[:end] for keys, of in plain for end in range(len(keys))} | {
        keys for keys, of in plain if of[0]["type"] == "missing"
    }
    return [
        (keys, of)
        for keys, of in plain
        if not (of[0]["type"] in _WANTED and isinstance(of[0]["input"], dict | list))
        or keys not in deeper
    ]


def _select_keys_in_file(location: Sequence[str | int], origin: Origin) -> Keys:
    """Take the keys that are in the file; pydantic puts names of its own alternatives between."""
    keys: Keys = ()
    for key in location:
        if (*keys, key) in origin.lines:
            keys = (*keys, key)
    return keys


def _find_line(keys: Keys, origin: Origin) -> int:
    lines = [origin.lines[keys[:end]] for end in range(len(keys) + 1) if keys[:end] in origin.lines]
    return lines[-1] if lines else 0


def _find_nearest(name: str, known: Sequence[str]) -> list[str]:
    return difflib.get_close_matches(name, known, n=1, cutoff=0.6)


def _describe(
    keys: Keys, items: Sequence[Any], model: type[Definition], origin: Origin
) -> DefinitionError:
    first, place = items[0], origin.name_place(*keys)
    dotted = ".".join(str(key) for key in keys)
    of_what = f" of '{dotted}'" if dotted else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        known = _list_known_keys(model, keys[:-1])
        return DefinitionError(
            f"unknown key '{keys[-1]}'", place=place, remedy=describe_choices(str(keys[-1]), known)
        )
    if kind == "missing":
        wanted = first["loc"][-1]
        if isinstance(wanted, int):
            return DefinitionError(
                f"'{dotted}' has {len(first['input'])} entries, and needs more", place=place
            )
        above = f" in '{dotted}'" if dotted else ""
        return DefinitionError(f"the key '{wanted}' is missing{above}", place=place)
    if kind in ("literal_error", "enum") and isinstance(first["input"], str):
        expected = str(first.get("ctx", {}).get("expected", ""))
        names = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
        return DefinitionError(
            f"'{first['input']}' is no value{of_what}",
            place=place,
            remedy=describe_choices(first["input"], [part for part in names if part]),
        )
    if kind in ("value_error", "assertion_error"):
        message = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return DefinitionError(f"'{dotted}': {message}" if dotted else message, place=place)
    finding, remedy = _describe_error(items)
    return DefinitionError(f"'{dotted}' {finding}", place=place, remedy=remedy)


def _describe_error(items: Sequence[Any]) -> tuple[str, str | None]:
    first = items[0]
    kind, given, about = first["type"], first["input"], first.get("ctx", {})
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        limit = about[name]
        # A limit of a number is a float, whatever was written.
        return f"must be {words} {int(limit) if limit == int(limit) else limit}", None
    if kind in _LENGTHS:
        name, words = _LENGTHS[kind]
        count = about[name]
        noun = "entry" if count == 1 else "entries"
        return f"must have {words} {count} {noun}, and has {about['actual_length']}", None
    if kind == "string_too_short":
        return "must not be blank", None
    if kind.startswith("union_tag"):
        return "is none of the kinds that can be here", f"There are: {about['expected_tags']}."
    if kind in ("literal_error", "enum"):
        return f"must be one of {about.get('expected', '')}, and is {_name(given)}", None
    if kind in ("finite_number", "int_from_float"):
        return f"must be {_WANTED[kind]}", None
    wanted = list(dict.fromkeys(_WANTED.get(item["type"], "of another kind") for item in items))
    remedy = None
    if given is None:
        remedy = "Give it a value, or remove the key."
    elif isinstance(given, str) and {"a number", "a whole number"} & set(wanted):
        remedy = "Write it as a number, without quotes."
    elif "text" in wanted and isinstance(given, bool | int | float):
        remedy = "Put it in quotes."
    return f"must be {' or '.join(wanted)}, and is {_name(given)}", remedy


def _name(given: object) -> str:
    if given is None:
        return "blank"
    if isinstance(given, bool):
        return "true or false"
    if isinstance(given, int | float):
        return "a number"
    if isinstance(given, Mapping):
        return "a set of `key: value` lines"
    return "text" if isinstance(given, str) else "a list"


def _list_known_keys(model: type[Definition], keys: Keys) -> list[str]:
    """Collect the field names that are allowed at a path, following nested definitions."""
    candidates: list[Any] = [model]
    for key in keys:
        candidates = [inner for outer in candidates for inner in _find_field(outer, key)]
    models = [inner for outer in candidates for inner in _list_members(outer) if _is_model(inner)]
    return sorted({name for found in models for name in _list_fields(found)})


def _find_field(annotation: Any, key: str | int) -> list[Any]:
    """Follow one key: into a field of a definition, or a value of a mapping or list."""
    inside = []
    for member in _list_members(annotation):
        if _is_model(member):
            fields = _list_fields(member)
            inside += [fields[key]] if key in fields else []
        elif get_origin(member) is dict:
            inside.append(get_args(member)[1])
        elif get_origin(member) in (tuple, list):
            inside.append(get_args(member)[0])
    return inside


def _list_members(annotation: Any) -> list[Any]:
    kind = get_origin(annotation)
    if kind is Annotated:
        return _list_members(get_args(annotation)[0])
    if kind in (Union, UnionType):
        return [inner for member in get_args(annotation) for inner in _list_members(member)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _list_fields(model: Any) -> dict[Any, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}
