"""Renders a record as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from glabella.errors import escape_controls
from glabella.reporting.figures.drawing import Drawn
from glabella.reporting.finding import format_count, format_estimate, format_p_value
from glabella.reporting.glossary import find_terms
from glabella.reporting.record import LEADING_PREDICTORS, RunRecord
from glabella.reporting.sections import render_sections
from glabella.reporting.study import read_study
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.measure import Measure, Tier
from glabella.validation.measures.registry import MEASURES, list_measures


def render_report(record: RunRecord, figures: Mapping[str, bytes]) -> str:
    """Render the report."""
    shown = {
        name: _render_drawn(
            name, figures[name], figures[f"{PurePath(name).stem}.csv"], caption, record.analysis
        )
        for name, caption in record.figures.items()
    }
    has_control = any(
        entry["pooled"] is not None and entry["pooled"]["auc_control"] is not None
        for entry in record.candidates.values()
    )
    described = {
        name: item for name, item in MEASURES.items() if has_control or not item.needs_control
    }
    environment = open_templates()
    told = {
        "record": record,
        "described": described,
        **_list_shown(described),
        "figures": shown,
        "find_terms": find_terms,
        "study": read_study(),
    }
    return environment.get_template("report/page.html.jinja").render(
        told,
        sections=render_sections(environment, record.parts, told),
        each_predictor=[
            {**row, "figures": _find_dependences(row["rank"], shown)}
            for row in record.explanation["predictors"]
            if row["is_patient"]
            and row["rank"] <= LEADING_PREDICTORS
            and row["mean_absolute"]["value"]
        ],
    )


def _list_shown(described: Mapping[str, Measure]) -> dict[str, Any]:
    """List the measures of each kind of table, of those that the record has."""
    shown, brief = (
        [name for name in list_measures(tier) if name in described]
        for tier in (Tier.PAGE, Tier.BRIEF)
    )
    further = [name for name in described if name not in shown]
    return {
        "shown": shown,
        "brief": brief,
        # Two tables, because one of all would be wider than a page.
        "further": [
            [name for name in further if described[name].needs_threshold == at_threshold]
            for at_threshold in (False, True)
        ],
        "of_arms": [
            [name for name in names if described[name].is_within_arm] for names in (shown, further)
        ],
        "compared": [name for name, item in described.items() if item.compare is not None],
        "over_trials": [name for name, item in described.items() if item.pooled_on is not None],
    }


def _find_dependences(rank: int, shown: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Find a predictor's figure, or those of each feature of a group."""
    mine = re.compile(rf"dependence_{rank}(_\d+)?\.svg")
    return [figure for name, figure in shown.items() if mine.fullmatch(name)]


# A number, or two with "to" between them, in brackets or not; nothing of it may begin a new line.
_NUMBER = r"[-\u2212]?\d+(?:\.\d+)?"
_INTERVAL = re.compile(
    rf"\({_NUMBER}\s+to\s+{_NUMBER}\)|(?<![\w.-]){_NUMBER}\s+to\s+{_NUMBER}(?![\w-]|\.\d)"
)
# Text between tags, where a tag may be a whole drawing, style or title: they hold no elements.
_TAGS = re.compile(r"(<(svg|style|title)\b.*?</\2>|<[^>]*>)", re.DOTALL)


class _Page(Template):
    """A template whose intervals stay on one line, whatever the width of a page or a cell."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        return keep_intervals_whole(super().render(*args, **kwargs))


def keep_intervals_whole(page: str) -> str:
    """Mark each interval of a page so that no line is broken inside it.

    Examples
    --------
    >>> keep_intervals_whole('<td title="1 to 2">0.62 (0.54 to 0.70)</td>')
    '<td title="1 to 2">0.62 <span class="interval">(0.54 to 0.70)</span></td>'
    """
    parts, end = [], 0
    for tag in _TAGS.finditer(page):
        parts += [_mark_intervals(page[end : tag.start()]), tag[0]]
        end = tag.end()
    return "".join([*parts, _mark_intervals(page[end:])])


def _mark_intervals(text: str) -> str:
    return _INTERVAL.sub(r'<span class="interval">\g<0></span>', text)


def open_templates() -> Environment:
    """Open the templates, which escape every text and refuse a name that is not given.

    Returns
    -------
    Environment
        With the filters ``estimate`` (with its decimals, where they are not the measure's own),
        ``said`` (the same inside a sentence, with the reason where there is none), ``interval``
        (of one estimate's plain values), ``number``, ``count``, ``p_value`` and
        ``number_reasons`` (of a table's cells).
    """
    environment = Environment(
        loader=PackageLoader("glabella.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_escape_text,
    )
    environment.template_class = _Page
    environment.filters["estimate"] = _format
    environment.filters["said"] = _format_said
    environment.filters["interval"] = _format_values
    environment.filters["number"] = lambda value, digits=2: (
        "–" if value is None else f"{value:.{digits}f}"
    )
    environment.filters["number_reasons"] = _number_reasons
    environment.filters["count"] = format_count
    environment.filters["p_value"] = format_p_value
    return environment


def _escape_text(value: Any) -> Any:
    """Show what hides or turns round its neighbours, in every text that a template is given."""
    if isinstance(value, str):
        shown = escape_controls(value, keep="\n\t")
        return Markup(shown) if isinstance(value, Markup) else shown
    return value


def _number_reasons(body: Markup) -> dict[str, Any]:
    """Turn the reasons of missing figures, which only a mouse finds, into notes below a table."""
    notes: list[str] = []

    def number_reason(found: re.Match[str]) -> str:
        if found[1] not in notes:
            notes.append(found[1])
        return f"–<sup>{notes.index(found[1]) + 1}</sup>"

    text = re.sub(r'<abbr title="([^"]*)">–</abbr>', number_reason, str(body))
    # Escaped where they were written; escaping them again would show it.
    return {"body": Markup(text), "notes": [Markup(note) for note in notes]}


def _format(
    figures: Mapping[str, Any] | None, measure: str, digits: int | None = None
) -> str | Markup:
    if figures is None:
        return "–"
    estimate = Estimate.read_columns(figures, measure)
    if estimate.value is None:
        return Markup('<abbr title="{}">–</abbr>').format(estimate.reason)
    return format_estimate(
        estimate, digits or (MEASURES[measure].digits if measure in MEASURES else 2)
    )


def _format_said(figures: Mapping[str, Any], measure: str, digits: int | None = None) -> str:
    estimate = Estimate.read_columns(figures, measure)
    if estimate.value is None:
        return format_estimate(estimate)
    return str(_format(figures, measure, digits))


def _format_values(found: Mapping[str, Any], digits: int = 2) -> str | Markup:
    if found["value"] is None:
        return Markup('<abbr title="{}">–</abbr>').format(found["reason"])
    return format_estimate(Estimate(found["value"], found["low"], found["high"]), digits)


def render_figure(name: str, drawn: Drawn, caption: str, prefix: str) -> dict[str, Any]:
    """Make a figure ready for a page."""
    return _render_drawn(name, drawn.image, drawn.data, caption, prefix)


def render_drawn(name: str, drawn: Drawn, caption: str, prefix: str) -> dict[str, Any]:
    """Put a figure into a page, with its data."""
    return _render_drawn(name, drawn.image, drawn.data, caption, prefix)


def _render_drawn(
    name: str, image: bytes, data: bytes, caption: str, prefix: str
) -> dict[str, Any]:
    return {
        "image": _render_image(name, image, caption),
        "caption": caption,
        "file": re.sub(r"[^\w.-]", "_", f"{prefix}_{PurePath(name).stem}.csv"),
        "data": _encode_data(data),
    }


def _encode_data(content: bytes) -> str:
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(content).decode('ascii')}"


def _render_image(name: str, content: bytes, caption: str) -> Markup:
    if name.endswith(".svg"):
        text = content.decode("utf-8")
        body = text[text.index("<svg") :]
        # Ids are shared by the whole page; each figure gets its own.
        stem = re.sub(r"\W", "-", name)
        body = re.sub(r'\bid="', f'id="{stem}-', body)
        body = re.sub(r'(href="|url\()#', rf"\1#{stem}-", body)
        opening = Markup('<svg role="img" aria-label="{}"').format(caption)
        # Joined as text: the figure is ours, and escaping it again would show its source.
        return Markup(str(opening) + body[len("<svg") :])
    encoded = base64.b64encode(content).decode("ascii")
    return Markup('<img alt="{}" src="data:image/png;base64,{}">').format(caption, encoded)
