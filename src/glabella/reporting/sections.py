"""The sections of a report that parts of a training have, each with a template of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from jinja2.environment import TemplateModule

# After the participants, after the designs of validation, at the end of the performance, and a
# separate section.
PLACES = ("participants", "designs", "performance", "report")


@dataclass(frozen=True)
class Section:
    """What the report shows of one part of a training.

    Parameters
    ----------
    part : str
        The part's name, and that of its template.
    title : str
        The heading, which the template declares.
    place : str
        Which of `PLACES` it is shown in, which the template declares.
    content : TemplateModule
        What follows the heading, in HTML.
    """

    part: str
    title: str
    place: str
    content: TemplateModule

    @property
    def anchor(self) -> str:
        """What links inside the page lead to."""
        return self.part.replace("_", "-")


def render_sections(
    environment: Environment, parts: Mapping[str, Any], shown: Mapping[str, Any]
) -> list[Section]:
    """Render the section of each part that was computed."""
    return [
        _render(environment, name, {**shown, "part": part}) for name, part in parts.items() if part
    ]


def _render(environment: Environment, name: str, shown: dict[str, Any]) -> Section:
    content = environment.get_template(_name_template(name)).make_module(shown)
    declared = vars(content)
    title, place = declared.get("title"), declared.get("place")
    assert title, f"the template of {name} sets no title"
    assert place in PLACES, f"the template of {name} sets no place of {PLACES}"
    return Section(name, title, place, content)


def _name_template(part: str) -> str:
    return f"report/parts/{part}.html.jinja"
