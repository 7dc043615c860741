"""The package runs as a module."""

import runpy

import pytest

import glabella.cli.main


def test_running_the_module_runs_the_command_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(glabella.cli.main, "run", lambda: calls.append("run"))
    runpy.run_module("glabella", run_name="__main__")
    assert calls == ["run"]
