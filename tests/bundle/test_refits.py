"""Refits in one file: the first twenty, the same file each time, and nothing but plain data."""

import gzip
import json

import pytest

from glabella.bundle import refits
from glabella.bundle.refits import MOST_KEPT, export_refits, restore_refits
from glabella.errors import BundleError


def _read(content):
    return json.loads(gzip.decompress(content))


def test_the_first_twenty_are_kept_and_give_the_same_file_each_time():
    models = [{"model.json": bytes([number])} for number in range(25)]
    content = export_refits(models)
    assert len(_read(content)) == MOST_KEPT
    assert content == export_refits(models) == export_refits(models[:20])


def test_refits_beyond_the_largest_size_are_dropped_whole(monkeypatch):
    models = [{"model.json": b"x" * 60}] * 5
    whole = len(gzip.decompress(export_refits(models[:3])))
    monkeypatch.setattr(refits, "_MOST_BYTES", whole + 2)
    content = export_refits(models)
    assert len(_read(content)) == 3
    assert len(gzip.decompress(content)) <= whole


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        gzip.compress(b"[1]"),
        gzip.compress(b'[{"model.json": "not base64!"}]'),
        gzip.compress(json.dumps([{}] * 21).encode()),
        export_refits([{"model.json": b"{}"}])[:-9],
    ],
    ids=["empty", "plain", "list", "text", "many", "cut"],
)
def test_another_content_is_refused(content):
    with pytest.raises(BundleError, match="not as this version"):
        restore_refits(content, ())


def test_a_file_that_grows_too_large_is_refused_without_reading_all_of_it(monkeypatch):
    monkeypatch.setattr(refits, "_MOST_BYTES", 1000)
    with pytest.raises(BundleError, match="refits are not as this version"):
        restore_refits(gzip.compress(b" " * 100_000 + b"[]"), ())
