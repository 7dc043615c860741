"""`--help`: what it prints of each verb, what it imports and how long that takes."""

import inspect
import re
import resource
import statistics
import subprocess
import sys
from importlib import import_module

import pytest
from typer.testing import CliRunner

from glabella.cli.main import VERBS, app

EMPTY = f"""
import typer
app = typer.Typer(rich_markup_mode=None, add_completion=False)
for name in {tuple(VERBS)!r}:
    @app.command(name)
    def verb() -> None:
        pass
app({{arguments!r}}, standalone_mode=False)
"""
OURS = "from glabella.cli.main import app; app({arguments!r}, standalone_mode=False)"
HEAVY = {
    "numpy", "pandas", "scipy", "sklearn", "statsmodels", "mlflow", "shap", "xgboost", "pyarrow",
    "matplotlib", "pydantic", "jinja2", "joblib", "numba", "pint", "ruamel", "rich",
}  # fmt: skip


def _list_imports(code: str) -> set[str]:
    ending = "\nimport sys; print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + ending], check=True, capture_output=True, text=True
    )
    return set(done.stdout.splitlines()[-1].split())


def _list_packages(code: str) -> set[str]:
    return {name.partition(".")[0] for name in _list_imports(code)} - set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """Packages that an application with nothing in it imports."""
    return _list_packages(EMPTY.format(arguments=["--help"]))


@pytest.fixture(scope="module")
def bare_verb() -> set[str]:
    """Packages for the help of one of its verbs: pydantic, in newer releases of typer."""
    return _list_packages(EMPTY.format(arguments=["train", "--help"]))


def test_help_imports_no_package_but_what_prints_it(bare):
    code = OURS.format(arguments=["--help"])
    assert _list_packages(code) - bare == {"glabella"}
    assert not bare & HEAVY
    own = {name for name in _list_imports(code) if name.startswith("glabella.")}
    assert own == {
        "glabella.cli",
        "glabella.cli.faults",
        "glabella.cli.main",
        "glabella.cli.signals",
        "glabella.errors",
        "glabella.old_names",
    }


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_imports_no_package_but_what_prints_it(bare_verb, verb):
    code = OURS.format(arguments=[verb, "--help"])
    assert _list_packages(code) - bare_verb == {"glabella"}
    assert bare_verb & HEAVY <= {"pydantic"}
    verbs = {f"glabella.cli.verbs.{name}" for name in VERBS}
    assert verbs & _list_imports(code) == {f"glabella.cli.verbs.{verb}"}


def _measure_processor_time(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_costs_at_most_half_more_than_an_empty_application():
    ours, empty = (code.format(arguments=["--help"]) for code in (OURS, EMPTY))
    # The first pair may have to compile what the others read.
    pairs = [(_measure_processor_time(ours), _measure_processor_time(empty)) for _ in range(10)][1:]
    assert statistics.median(first / second for first, second in pairs) <= 1.5


def _show(*arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--help"], prog_name="glabella")
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_shows_an_example_on_a_line_of_its_own(verb):
    lines = [line.strip() for line in _show(verb).splitlines()]
    [example] = [line for line in lines if line.startswith(f"glabella {verb} ")]
    assert lines[lines.index(example) - 1] == "Example:"


@pytest.mark.parametrize("verb", VERBS)
def test_each_example_names_what_the_verb_takes(verb):
    [example] = re.findall(rf"^ +glabella {verb} (.+)$", _show(verb), flags=re.MULTILINE)
    offered = set(re.findall(r"--[a-z-]+", _show(verb)))
    assert set(re.findall(r"--[a-z-]+", example)) <= offered


@pytest.mark.parametrize("verb", VERBS)
def test_help_prints_no_section_of_a_docstring(verb):
    text = _show(verb)
    assert "----" not in text
    assert not re.search(r"\b(Parameters|Returns|Raises|Yields)\b", text)
    assert "``" not in text
    # A type's name instead of what is to be given.
    assert not re.search(r"--\S+ <(str|int|float|path|int range)>", text)


def test_the_list_of_verbs_gives_the_first_sentence_of_each_whole():
    listed = _show()
    assert "..." not in listed.split("Commands:")[1]  # as typer shortens what is too long
    for verb, summary in VERBS.items():
        doc = inspect.getdoc(import_module(f"glabella.cli.verbs.{verb}").command)
        assert doc is not None and doc.splitlines()[0] == summary
        assert re.search(rf"^  {verb} +{re.escape(summary)}$", listed, flags=re.MULTILINE)


def test_a_misspelt_verb_is_named_with_the_nearest():
    done = CliRunner().invoke(app, ["trian"], prog_name="glabella")
    assert done.exit_code == 2
    assert "No such command 'trian'. Did you mean 'train'?" in done.output
