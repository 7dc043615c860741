"""How `make docs` makes a site of this folder."""

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

from numpydoc.xref import DEFAULT_LINKS
from pydantic import BaseModel
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "src"))

import glabella  # noqa: E402

project = "Glabella"
version = release = glabella.__version__
extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser"]
# A part of validation_study.md, which is made from it.
exclude_patterns = ["validation_study/introduction.md"]

# What the reference documents, by the name that a docstring gives as a type.
DOCUMENTED = {
    name.rpartition(".")[2]: name
    for page in sorted((HERE / "reference").glob("*.md"))
    for name in re.findall(r"^\.\. auto\w+:: ([\w.]+)", page.read_text("utf-8"), re.MULTILINE)
}

autodoc_typehints = "none"  # the docstrings state types, with shapes and units
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
toc_object_entries_show_parents = "hide"
default_role = "py:obj"
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
# A type that is Python's own or another package's stays plain: its page is not on this site.
numpydoc_xref_aliases = {name: name for name in DEFAULT_LINKS} | DOCUMENTED
numpydoc_xref_ignore = "all"
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "Glabella"
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "logo": {"text": "Glabella"},
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
}


def hide_fields(
    app: Sphinx,
    what: str,
    name: str,
    documented: Any,
    options: Any,
    signature: str | None,
    returned: str | None,
) -> tuple[str, None] | None:
    """Leave the call out of what Glabella makes or reads from YAML: its fields are listed below."""
    if not isinstance(documented, type):
        return None
    is_record = dataclasses.is_dataclass(documented) or issubclass(documented, BaseModel)
    return ("", None) if is_record else None


def skip_inherited(
    app: Sphinx, what: str, name: str, documented: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out what scikit-learn and pydantic add to a class by themselves."""
    generated = ("_request", "model_config", "model_post_init")
    return True if name.endswith(generated) else None


def title_table(app: Sphinx, name: str, content: list[str]) -> None:
    """Give the table that `glabella simulate --calibration` writes a heading."""
    if name == "simulation/calibration":
        content[0] = "# Calibration of `bont_pooled`\n\n" + content[0]


def setup(app: Sphinx) -> None:
    """Register the above."""
    app.connect("autodoc-process-signature", hide_fields)
    app.connect("autodoc-skip-member", skip_inherited)
    app.connect("source-read", title_table)
