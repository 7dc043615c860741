"""A part of a training has a section of the report, whose template declares heading and place."""

import dataclasses
from pathlib import Path

import jinja2
import pytest

from glabella.reporting.record import read_record
from glabella.reporting.render import open_templates, render_report
from glabella.reporting.sections import PLACES, render_sections

STABLE = {
    "statement": "Refits <agree>.", "slope": 0.9, "slope_low": 0.7, "slope_high": 1.2,
    "largest_absolute_error": 0.2, "features": [],
}  # fmt: skip


@pytest.fixture
def folder(checkout):
    return checkout / "src" / "glabella" / "reporting" / "templates" / "report"


def test_a_part_that_was_computed_has_a_heading_a_place_and_escaped_content():
    parts = {"permutations": None, "stability": STABLE}
    [section] = render_sections(open_templates(), parts, {"figures": {}})
    assert (section.part, section.title, section.place) == ("stability", "Stability", "report")
    assert "<p>Refits &lt;agree&gt;.</p>" in str(section.content)


def test_a_template_without_heading_or_place_is_no_section():
    environment = open_templates()
    environment.loader = jinja2.DictLoader(
        {
            "report/parts/a.html.jinja": "{% set place = 'report' %}",
            "report/parts/b.html.jinja": "{% set title, place = 'B', 'nowhere' %}",
        }
    )
    with pytest.raises(AssertionError, match="the template of a sets no title"):
        render_sections(environment, {"a": {"x": 1}}, {})
    with pytest.raises(AssertionError, match="the template of b sets no place"):
        render_sections(environment, {"b": {"x": 1}}, {})


def test_the_page_shows_every_place(folder):
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.jinja"))
    for place in PLACES:
        assert f'if item.place == "{place}"' in text


def test_a_section_of_its_own_is_in_the_contents_and_one_within_another_is_not(trained):
    record, figures = read_record(Path(trained[1].report).parent / "record")
    limits = {"reason": "none is known", "note": "", "rules": None, "behind": None}
    page = render_report(
        dataclasses.replace(record, parts={"limits": limits, "stability": STABLE}), figures
    )
    assert '<li><a href="#stability">Stability</a></li>' in page
    assert '<section id="stability"><h2>Stability</h2>' in page
    performance = page.split('<section id="performance">')[1].split("</section>")[0]
    assert "<h3>Distance from the limit</h3>" in performance
    assert "No limit: none is known." in performance
    assert 'href="#limits"' not in page


def test_each_file_of_the_report_is_one_section_that_can_be_read(folder):
    for path in folder.rglob("*.jinja"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 60, path
        assert max(map(len, lines)) <= 120, path
