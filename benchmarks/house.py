"""The size of the rooms, the arrows between them, and how far one idea spreads, from the source.

``house.py [FOLDER ...]`` measures checkouts beside each other, for example one of an earlier commit
and this one. A room is a folder, an arrow an import from one module to another of the same room,
a floor a module's place above all that it imports. How many files an extension touches is counted
from one that exists: the files of the source that name it.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LONG = 60
MOST_MODULES = 14
MOST_LINES = 500
# One of each kind, by the words that name it and nothing else.
EXTENSIONS = {
    "a measure": r"\baverage_precision\b|[Aa]verage precision",
    "a part of a training": r"\bstability\b",
    "a missing-outcome strategy": r"\blast_observation\b|\bLastObservation\b",
    "a builder": r"\bchange_from_baseline\b|\bChangeFromBaseline\b",
    "an estimator": r"\bScoreRegressionModel\b",
    "a verb": r"\bpromote\b|\bPromotion\b",
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


@dataclass(frozen=True)
class Module:
    """A file of the source, read once."""

    name: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def lines(self) -> int:
        return self.text.count("\n")


def read_modules(root: Path) -> list[Module]:
    """Read all modules of a checkout, but for packages' faces."""
    source = root / "src"
    found = []
    for path in sorted(source.rglob("*.py")):
        if path.name == "__init__.py":
            continue
        text = path.read_text(encoding="utf-8")
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        found.append(Module(name, text, ast.parse(text)))
    return found


def list_imports(module: Module) -> Iterator[str]:
    """Name what a module imports, or names in it, but for what only type checkers read."""
    for statement in module.tree.body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{each.name}" for each in node.names)
            elif isinstance(node, ast.Import):
                yield from (each.name for each in node.names)


def count_floors(arrows: set[tuple[str, str]]) -> int:
    """Count the modules of the longest way down, where no import leads back."""
    below: dict[str, set[str]] = defaultdict(set)
    for upper, lower in arrows:
        below[upper].add(lower)

    def climb(name: str) -> int:
        return 1 + max((climb(each) for each in below.get(name, ())), default=0)

    return max((climb(name) for name in list(below)), default=1)


def list_functions(modules: list[Module]) -> Iterator[_Function]:
    """Give every function and method."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, _Function):
                yield node


def is_property(function: _Function) -> bool:
    """Whether a function reads as a value, or asserts one, so that no verb begins its name."""
    names = [ast.unparse(each) for each in function.decorator_list]
    return any(name.endswith(("property", ".setter")) or "validator(" in name for name in names)


def count_first_words(modules: list[Module]) -> Counter[str]:
    """Count how functions begin, but for properties and Python's own methods."""
    names = (
        function.name
        for function in list_functions(modules)
        if not is_property(function) and not function.name.startswith("__")
    )
    return Counter(name.lstrip("_").split("_")[0] for name in names)


def count_code_lines(function: _Function) -> int:
    """Count the lines of a function without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    return lines - _count_docstring(function)


def _count_docstring(node: ast.AST) -> int:
    if not isinstance(node, _Documented):
        return 0
    text = ast.get_docstring(node, clean=False)
    return text.count("\n") + 1 if text else 0


def measure_house(root: Path) -> dict[str, float]:
    """Measure a checkout: the figures that the plan sets targets for."""
    modules = read_modules(root)
    rooms: dict[str, list[Module]] = defaultdict(list)
    for module in modules:
        rooms[module.room].append(module)
    figures: dict[str, float] = {
        "modules": len(modules),
        "lines": sum(module.lines for module in modules),
        "median lines of a module": median(module.lines for module in modules),
        "modules over 500 lines": sum(module.lines > MOST_LINES for module in modules),
        "modules in the fullest room": max(map(len, rooms.values())),
        "rooms with more than 14 modules": sum(len(each) > MOST_MODULES for each in rooms.values()),
        "functions": sum(1 for _ in list_functions(modules)),
        "functions over 60 lines of code": sum(
            count_code_lines(function) > LONG for function in list_functions(modules)
        ),
        "lines of docstrings": sum(
            _count_docstring(node) for module in modules for node in ast.walk(module.tree)
        ),
        "first words of functions": len(count_first_words(modules)),
    }
    for extension, pattern in EXTENSIONS.items():
        names = re.compile(pattern)
        figures[f"files that name {extension}"] = sum(
            bool(names.search(module.text)) for module in modules
        )
    return figures


def describe_rooms(root: Path) -> list[str]:
    """List the rooms: modules, longest module, floors and arrows."""
    modules = read_modules(root)
    rooms: dict[str, list[Module]] = defaultdict(list)
    for module in modules:
        rooms[module.room].append(module)
    rows = []
    for room, inside in sorted(rooms.items()):
        names = {module.name for module in inside}
        arrows = {
            (module.name, name)
            for module in inside
            for name in list_imports(module)
            if name in names and name != module.name
        }
        longest = max(inside, key=lambda module: module.lines)
        rows.append(
            f"{room:44} {len(inside):3} {longest.lines:5}  {longest.name.rpartition('.')[2]:24}"
            f" {count_floors(arrows):3} {len(arrows):4}"
        )
    return rows


def main(write: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path()])
    parser.add_argument("--rooms", action="store_true", help="list the rooms of the last one")
    asked = parser.parse_args()
    measured = [measure_house(root) for root in asked.checkouts]
    for name in measured[0]:
        write(f"{name:44}" + "".join(f"{each[name]:10,.0f}" for each in measured))
    if asked.rooms:
        write(f"\n{'room':44} {'n':>3} {'lines':>5}  {'longest':24} floors arrows")
        for row in describe_rooms(asked.checkouts[-1]):
            write(row)


if __name__ == "__main__":
    main()
