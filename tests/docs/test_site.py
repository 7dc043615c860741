"""`make docs` builds without a warning, and each public name and each page is on the site."""

import re
import subprocess
import sys

import pytest
from sphinx.util.inventory import InventoryFile

import glabella


@pytest.fixture(scope="module")
def site(checkout, tmp_path_factory):
    """The site, built as `make docs` builds it: a warning fails."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet",
         "--builder", "html", "docs", str(folder)],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (built.returncode, built.stderr) == (0, "")
    return folder


@pytest.fixture
def find_faults(checkout, monkeypatch):
    """The check of links that `make docs` runs."""
    monkeypatch.syspath_prepend(str(checkout / "docs"))
    from check_links import find_faults

    yield find_faults
    sys.modules.pop("check_links", None)


@pytest.fixture
def documented(site):
    """Every name that the reference documents."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    return {name for kind, items in inventory.items() if kind.startswith("py:") for name in items}


def test_every_link_leads_somewhere_and_nothing_is_fetched(site, find_faults):
    assert list(find_faults(site)) == []


def test_a_dead_link_a_dead_anchor_and_a_foreign_file_are_found(find_faults, tmp_path):
    (tmp_path / "b.html").write_text('<h1 id="there">b</h1>')
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">x</a><a href="b.html#gone">x</a><a href="c.html">x</a>'
        '<a href="https://example.org">x</a><script src="https://example.org/x.js"></script>'
    )
    (tmp_path / "a.css").write_text("@import 'https://example.org/font.css';")
    assert list(find_faults(tmp_path)) == [
        "a.css: fetches from elsewhere",
        "a.html: no anchor b.html#gone",
        "a.html: no file c.html",
        "a.html: fetches https://example.org/x.js",
    ]


def test_every_public_name_is_in_the_reference(documented):
    assert {f"glabella.{name}" for name in glabella.__all__} <= documented


def test_every_estimator_and_builder_that_is_registered_is_in_the_reference(documented):
    from glabella.features.builders import BUILDERS
    from glabella.models.estimators import ESTIMATORS

    registered = {f"{module}.{name}" for module, name in ESTIMATORS.values()}
    registered |= {f"{type(item).__module__}.{type(item).__name__}" for item in BUILDERS.values()}
    assert registered <= documented


def test_every_page_is_in_the_navigation_once(checkout):
    docs = checkout / "docs"
    pages = set(docs.rglob("*.md")) - {docs / "index.md", docs / "validation_study/introduction.md"}
    listed = [
        target
        for page in (docs / "index.md", *pages)
        for block in re.findall(
            r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
        )
        for entry in block.split("\n")
        if entry and not entry.startswith(":")
        for target in page.parent.glob(f"{entry}.md")
    ]
    assert sorted(listed) == sorted(pages)


def test_the_links_of_the_readme_lead_somewhere(checkout):
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme)
    assert targets
    assert [name for name in targets if not (checkout / name).exists()] == []
