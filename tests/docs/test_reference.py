"""The examples of the verbs run as they are shown, one after the other."""

import doctest
import re

import pytest
from typer.testing import CliRunner

import glabella
from glabella.cli.main import app


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "reference" / "verbs.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def session(page):
    return "\n".join(re.findall(r"```pycon\n(.*?)```", page, re.DOTALL))


@pytest.fixture
def study(page, empty_store, tmp_path, monkeypatch):
    """The folder of the session, after its commands and with its analyses."""
    monkeypatch.chdir(tmp_path)
    [commands] = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    for command in commands.splitlines():
        done = CliRunner().invoke(app, command.split()[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    (tmp_path / "study" / "mlruns").mkdir(exist_ok=True)
    (tmp_path / "study" / "mlruns" / "mlflow.db").write_bytes(empty_store.read_bytes())
    shown = re.findall(r"`(study/pipelines/\w+\.yaml)`.*?```yaml\n(.*?)```", page, re.DOTALL)
    for name, text in shown:
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_examples_of_the_verbs_give_what_is_shown(study, session):
    examples = doctest.DocTestParser().get_doctest(session, {}, "verbs", "verbs.md", 0)
    told = []
    found = doctest.DocTestRunner(verbose=False).run(examples, out=told.append)
    assert found.failed == 0, "".join(told)
    assert found.attempted > 20


def test_every_verb_has_an_example(session):
    verbs = [name for name in glabella.__all__ if not name.startswith("_")]
    assert [name for name in verbs if f"glabella.{name}(" not in session] == []
