"""A comparison of runs as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glabella.reporting.render import open_templates
from glabella.validation.measures.measure import Tier
from glabella.validation.measures.registry import MEASURES, list_measures


def render_comparison(result: Mapping[str, Any]) -> str:
    """Render the page."""
    template = open_templates().get_template("compare.html.jinja")
    return template.render(
        runs=[_count(run) for run in result["runs"]],
        differences=result["differences"],
        measures=list_measures(Tier.TABLE),
        described=MEASURES,
    )


def _count(run: Mapping[str, Any]) -> dict[str, Any]:
    aliases = [alias for item in run["versions"] for alias in item["aliases"]]
    names = ", ".join(f"{item['model']}/{item['version']}" for item in run["versions"])
    return {**run, "aliases": aliases, "names": names or "not registered"}
