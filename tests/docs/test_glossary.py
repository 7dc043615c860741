"""The glossary is in order, short, and can be linked to."""

import re

import pytest


@pytest.fixture(scope="module")
def terms(checkout):
    page = (checkout / "docs" / "glossary.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_terms_are_in_alphabetical_order(terms):
    assert list(terms) == sorted(terms, key=str.lower)


def test_each_has_one_to_three_sentences_beside_its_cross_references(terms):
    for term, text in terms.items():
        plain = re.sub(r"`[^`]*`|\(.*?\)", "", re.sub(r"See (also )?\*.*", "", text)).strip()
        assert plain.endswith("."), term
        assert 1 <= len(re.split(r"(?<=\.)\s+", plain)) <= 3, term


def test_an_anchor_needs_no_escaping(terms):
    for term in terms:
        assert re.fullmatch(r"[A-Za-z -]+", term), term


def test_the_terms_that_a_report_needs_are_there(terms):
    known = {term.lower() for term in terms}
    for word in (
        "headline concordance", "procedure", "reference", "candidate", "pooled", "inside",
        "across", "applicability domain", "drift", "stratum", "optimism", "stability",
        "permutation test", "beyond severity", "prediction interval", "estimand", "endpoint",
        "form", "event", "effect modifier", "gate", "champion", "challenger", "bundle",
        "rehearsal",
    ):  # fmt: skip
        assert word in known
