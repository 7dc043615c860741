"""A report is rendered from the record of an older version, or refused with what to do."""

import json
import shutil
from pathlib import Path

import pytest

from glabella.errors import StoreError
from glabella.pipelines import report
from glabella.pipelines.training.parts import PARTS

STABLE = {
    "statement": "Refits agree.", "slope": 0.9, "slope_low": 0.7, "slope_high": 1.2,
    "largest_absolute_error": 0.2, "features": [],
}  # fmt: skip


@pytest.fixture
def render(trained, tmp_path, monkeypatch):
    """Render the report of a record after some of its entries were changed."""
    project, result = trained
    folder = tmp_path / "record"
    shutil.copytree(Path(result.report).parent / "record", folder)
    monkeypatch.setattr(report, "find_artifacts", lambda *asked: folder)

    def render(change):
        path = folder / "record.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")
        target = tmp_path / "page.html"
        report.write_report(result.run_id, out=target, project=project)
        return target.read_text(encoding="utf-8")

    return render


def test_a_part_is_an_entry_of_the_record_as_in_older_versions(trained):
    path = Path(trained[1].report).parent / "record" / "record.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert {part.name for part in PARTS} < set(content)
    assert "parts" not in content


def test_a_record_from_before_a_part_existed_is_rendered_without_it(render, trained):
    def remove(content):
        for name in ("learning_curve", "external", "permutations"):
            del content[name]
        content["stability"] = STABLE

    page = render(remove)
    assert trained[1].finding in page
    assert '<section id="stability"><h2>Stability</h2>' in page


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(stability={"statement": "Refits agree."}),
        lambda content: content.update(a_part_of_tomorrow={"statement": "It is so."}),
        lambda content: content.pop("estimand"),
        lambda content: content["explanation"].pop("predictors"),
    ],
    ids=["a part with fewer entries", "an unknown part", "without an entry", "older explanation"],
)
def test_a_record_of_another_version_is_refused_with_what_to_do(render, change):
    with pytest.raises(StoreError, match="of another version") as refused:
        render(change)
    assert "rain again" in refused.value.remedy
