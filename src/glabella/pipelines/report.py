"""Writes a run's report again."""

from __future__ import annotations

from pathlib import Path

from glabella.definitions.locate import find_project
from glabella.pipelines.run_folder import RECORD_FOLDER
from glabella.reporting.record import read_record
from glabella.reporting.render import render_report
from glabella.reporting.write import write_page
from glabella.tracking.runs import fetch_artifacts, find_run
from glabella.tracking.store import open_store


def write_report(run: str, *, out: str | Path, project: str | Path | None = None) -> Path:
    """Render the report of a finished run from what was logged of it.

    Parameters
    ----------
    run : str
        A run's id, its beginning, or an analysis, whose latest run is taken.
    out : str or Path
        The HTML file to write; replaced if it exists.
    project : str or Path, optional
        The project.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If there is no such run, or it holds no record.
    DataError
        If the file can't be written.
    """
    store = open_store(find_project(Path(project) if project is not None else None))
    record, figures = read_record(fetch_artifacts(store, find_run(store, run), RECORD_FOLDER))
    target = Path(out)
    write_page(target, render_report(record, figures), what="report")
    return target
