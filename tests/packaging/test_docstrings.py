"""Everything with a public name says in a sentence what it is; what it overrides may say it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import glabella

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(glabella.__path__, "glabella.")
    if name != "glabella.__main__"
]


def _list_documented(module: object, name: str) -> Iterator[tuple[str, object]]:
    for word, value in vars(module).items():
        if word.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isfunction(value):
            yield word, value
        elif inspect.isclass(value):
            yield word, value
            for method, function in vars(value).items():
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{word}.{method}", getattr(value, method)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_say_what_they_are(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} is not installed")
    assert module.__doc__, f"{name} says nothing"
    silent = [
        word
        for word, value in _list_documented(module, name)
        if not (inspect.getdoc(value) or "").split("\n\n")[0].rstrip().endswith((".", ":"))
    ]
    assert silent == []
