"""XGBoost's binary trees are read as XGBoost wrote them, and what is cut off or odd is refused."""

import json
import struct

import numpy as np
import pytest

from glabella.models.ubjson import read_ubjson

from .conftest import get_forest, write_text


def test_what_is_read_is_what_xgboost_wrote(boosted):
    content = boosted.export_binary()
    plain = read_ubjson(content)
    own = json.loads(bytes(boosted.booster_.save_raw("json")))
    assert plain["learner"]["objective"] == own["learner"]["objective"]
    for tree, wanted in zip(get_forest(plain)["trees"], get_forest(own)["trees"], strict=True):
        assert set(tree) == set(wanted)
        for name in ("left_children", "categories", "default_left", "categories_sizes"):
            assert tree[name].tolist() == wanted[name]
        # Shortest decimals in the one, single precision in the other.
        assert np.array_equal(
            tree["split_conditions"], np.float32(wanted["split_conditions"]), equal_nan=True
        )


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"", "cut off"),
        (b"[]", "no object"),
        (b"{", "cut off"),
        (b"{L" + struct.pack(">q", 2**62) + b"a", "beyond the end"),
        (b"{L" + struct.pack(">q", -1), "beyond the end"),
        (b"{" + (write_text("a") + b"{") * 30 + b"}" * 31, "nests too deep"),
        (b"{" + write_text("a") + b"[" * 100_000, "does not state its length"),
        (b"{" + write_text("a") + b"i\x01" + write_text("a") + b"i\x01}", "twice"),
        (b"{" + write_text("a") + b"[$d#L" + struct.pack(">q", 3) + b"\0\0\0}", "cut off"),
        (
            b"{" + write_text("a") + b"H" + write_text("1") + b"}",
            "a type that XGBoost does not write",
        ),
        (b"{}x", "something follows"),
        (b"{i\x01ai\x01}", "a length is not written"),
    ],
)
def test_bytes_that_are_no_sound_ubjson_are_refused(content, finding):
    with pytest.raises(ValueError, match=finding):
        read_ubjson(content)


def test_each_number_is_read_in_its_size_and_sign():
    content = b"{" + b"".join(
        write_text(name) + value
        for name, value in (
            ("i", b"i\xff"),
            ("U", b"U\xff"),
            ("I", b"I" + struct.pack(">h", -300)),
            ("l", b"l" + struct.pack(">i", -70_000)),
            ("L", b"L" + struct.pack(">q", 2**40)),
            ("d", b"d" + struct.pack(">f", 0.5)),
            ("list", b"[#L" + struct.pack(">q", 2) + b"i\x01S" + write_text("x")),
        )
    )
    assert read_ubjson(content + b"}") == {
        "i": -1,
        "U": 255,
        "I": -300,
        "l": -70_000,
        "L": 2**40,
        "d": 0.5,
        "list": [1, "x"],
    }
