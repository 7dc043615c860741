"""Writes a run's report again."""

from __future__ import annotations

from pathlib import Path

from jinja2 import TemplateError

from glabella.definitions.locate import find_project
from glabella.errors import StoreError
from glabella.pipelines.run_folder import RECORD_FOLDER
from glabella.reporting.record import read_record
from glabella.reporting.render import render_report
from glabella.reporting.write import write_page
from glabella.tracking.runs import find_artifacts, find_run
from glabella.tracking.store import open_store


def write_report(run: str, *, out: str | Path, project: str | Path | None = None) -> Path:
    """Render the report of a finished run from what was logged of it."""
    store = open_store(find_project(Path(project) if project is not None else None))
    folder = find_artifacts(store, find_run(store, run), RECORD_FOLDER)
    record, figures = read_record(folder)
    try:
        page = render_report(record, figures)
    except (TemplateError, LookupError, TypeError):
        # A part of the record is unknown here, or has other entries than this version shows.
        raise StoreError(
            "the run's record is of another version, and this one can't show it",
            place=str(folder),
            remedy="Render it with the version that trained the run, or train again.",
        ) from None
    target = Path(out)
    write_page(target, page, what="report")
    return target
