"""Lets `python -m glabella` do what `glabella` does."""

from glabella.cli.main import run

run()
