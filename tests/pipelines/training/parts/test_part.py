"""Each registered part has a name of its own, a template of that name, and words for failure."""

from dataclasses import dataclass, fields
from typing import ClassVar

from glabella.pipelines.training.parts import PARTS
from glabella.pipelines.training.parts.part import Part
from glabella.pipelines.training.results import TrainingFigures
from glabella.reporting.record import RunRecord
from glabella.reporting.render import open_templates
from glabella.reporting.sections import PLACES


@dataclass(frozen=True)
class _Smallest(Part):
    name: ClassVar[str] = "smallest"
    words: ClassVar[str] = "smallest part"

    @classmethod
    def compute(cls, fitted):
        return cls()

    def as_json(self):
        return {}


def test_a_part_needs_a_name_what_computes_it_and_plain_values():
    part = _Smallest()
    assert part.list_metrics() == {}
    assert list(part.plan_figures("ridge", "")) == []
    assert part.list_lines("ridge") == []


def test_no_two_parts_and_no_entry_of_a_record_share_a_name():
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    assert not {item.name for item in fields(RunRecord)} & set(names)
    assert all(part.words for part in PARTS)


def test_each_part_has_a_template_and_each_template_a_part(checkout):
    folder = checkout / "src/glabella/reporting/templates/report/parts"
    names = {path.name.split(".")[0] for path in folder.glob("*.jinja")}
    assert names == {part.name for part in PARTS}


def test_each_template_declares_a_heading_and_a_place(checkout):
    folder = checkout / "src/glabella/reporting/templates/report/parts"
    for part in PARTS:
        text = (folder / f"{part.name}.html.jinja").read_text(encoding="utf-8")
        [declared] = [line for line in text.splitlines() if "set title, place" in line]
        found = open_templates().from_string(declared).module
        assert found.title
        assert found.place in PLACES


def test_a_part_is_found_by_its_class():
    part = _Smallest()
    figures = TrainingFigures(
        validated=None, procedure=None, explained=None, unexplained="", parts={"smallest": part}
    )
    assert figures.find(_Smallest) is part
    assert figures.find(PARTS[0]) is None
    assert figures.describe_parts_as_json() == {"smallest": {}}
