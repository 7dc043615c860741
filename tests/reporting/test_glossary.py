"""A page explains the terms that it uses, in the words of the glossary."""

import re

from glabella.reporting.glossary import find_terms, read_glossary


def test_all_terms_of_the_guide_are_read(checkout):
    guide = (checkout / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert list(read_glossary()) == re.findall(r"^## (.+)$", guide, flags=re.MULTILINE)
    assert len(read_glossary()) > 50


def test_no_mark_of_the_guide_is_left_in_an_explanation():
    for term, explained in read_glossary().items():
        without_code = re.sub(r"<code>.*?</code>", "", str(explained))
        assert not re.search(r"[`*\[\]]|\]\(", without_code), term
        assert without_code.rstrip().endswith((".", "</em>.")), term


def test_code_is_shown_as_code_and_escaped():
    assert "<code>threshold / (1 - threshold)</code>" in read_glossary()["Net benefit"]
    assert "<em>Headline concordance</em>" in read_glossary()["Concordance"]


def test_only_terms_of_the_text_are_found_in_the_plural_too():
    page = (
        "<style>.fold {}</style><svg><text>Drift</text></svg><p title='Gate'>Three candidates.</p>"
    )
    assert list(find_terms(page)) == ["Candidate"]


def test_a_term_inside_another_word_is_not_found():
    assert "Form" not in find_terms("<p>It was performed in the same format.</p>")
    assert "Arm" not in find_terms("<p>harmed</p>")
