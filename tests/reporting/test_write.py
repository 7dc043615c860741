"""A page is whole or not there, and replaces nothing but a page."""

import shutil

import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.errors import DataError
from glabella.pipelines.report import write_report
from glabella.reporting.write import check_page, write_page


@pytest.fixture
def theirs(tmp_path):
    path = tmp_path / "participants.csv"
    path.write_text("precious")
    return path


def test_a_page_replaces_an_earlier_page(tmp_path):
    for text in ("first", "second"):
        write_page(tmp_path / "page.html", text, what="report")
    assert (tmp_path / "page.html").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_page_replaces_no_table(tmp_path, theirs):
    with pytest.raises(DataError, match=r"the report can't be a '\.csv' file"):
        write_page(theirs, "page", what="report")
    assert theirs.read_text() == "precious"


@pytest.mark.parametrize("name", ["page.html", ".page.html.partial"])
def test_a_page_is_not_written_through_a_link(tmp_path, theirs, name):
    (tmp_path / name).symlink_to(theirs)
    if name == "page.html":
        with pytest.raises(DataError, match="it is a link"):
            write_page(tmp_path / "page.html", "page", what="report")
    else:
        write_page(tmp_path / "page.html", "page", what="report")
        assert (tmp_path / "page.html").read_text() == "page"
    assert theirs.read_text() == "precious"
    assert (tmp_path / name).is_symlink()


def test_a_page_on_a_patient_replaces_not_even_a_link_that_leads_nowhere(tmp_path, theirs):
    (tmp_path / "page.html").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match="the output exists already"):
        check_page(theirs, tmp_path / "page.html")


def test_no_verb_writes_its_page_over_a_table_or_through_a_link(trained, tmp_path, theirs):
    project, result = trained
    verbs = {
        "report": lambda out: write_report(result.run_id, out=out, project=project),
        "compare": lambda out: glabella.compare("small", out=out, project=project),
        "check": lambda out: glabella.check("small", out=out, project=project),
    }
    link = tmp_path / "link.html"
    link.symlink_to(theirs)
    for verb, write in verbs.items():
        for out, finding in ((theirs, "can't be a '.csv' file"), (link, "it is a link")):
            with pytest.raises(DataError, match="--out") as caught:
                write(out)
            assert finding in str(caught.value), verb
    assert theirs.read_text() == "precious"


def test_a_page_does_not_become_a_part_of_a_bundle(trained, tmp_path, theirs):
    bundle = tmp_path / "bundle"
    shutil.copytree(trained[1].bundle, bundle)
    for act in (
        lambda: write_page(bundle / "page.html", "page", what="report"),
        lambda: check_page(theirs, bundle / "page.html"),
    ):
        with pytest.raises(DataError, match="a part of a model's files"):
            act()
    assert load_bundle(bundle).manifest.analysis == "small"
