"""A bundle that was edited and sealed again is refused, or scores finite numbers."""

import copy
import gzip
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from glabella.bundle.applicability.similar_patients import NEIGHBOURS_FILE
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.bundle.refits import export_refits, restore_refits
from glabella.errors import BundleError, GlabellaError
from glabella.pipelines.explain_patient import explain_patient

ODD = (None, True, -1, 0, 10**9, 10**400, 1e308, 1e-308, float("nan"), float("inf"), "x", [], {})


def _seal(bundle: Path) -> None:
    names = sorted(path.name for path in bundle.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256((bundle / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (bundle / "SHA256SUMS").write_text("".join(lines))


def _mutate(plain, draw):
    plain = copy.deepcopy(plain)
    at = plain
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = keys[int(draw.integers(len(keys)))]
        if isinstance(at[key], dict | list) and len(at[key]) and draw.random() < 0.9:
            at = at[key]
            continue
        if draw.random() < 0.15:
            del at[key]
        elif isinstance(at, list) and draw.random() < 0.2:
            at.append(at[key])
        else:
            at[key] = ODD[int(draw.integers(len(ODD)))]
        return plain


@pytest.fixture
def bundle(trained, tmp_path) -> Path:
    return Path(shutil.copytree(trained[1].bundle, tmp_path / "bundle"))


@pytest.mark.parametrize(
    "name", ["manifest.json", "likeness.json", "model.json", "neighbours.json"]
)
def test_an_edited_bundle_is_refused_or_gives_finite_scores(bundle, name, new_patients, tmp_path):
    draw = np.random.default_rng(20261203)
    plain = json.loads((bundle / name).read_text())
    rows = new_patients.head(4)
    rows.to_csv(tmp_path / "new.csv", index=False)
    refused = 0
    for at in range(80):
        (bundle / name).write_text(json.dumps(_mutate(plain, draw)))
        _seal(bundle)
        try:
            scores = score_frame(load_bundle(bundle), rows)
            explain_patient(
                tmp_path / "new.csv", row=1, out=tmp_path / f"{at}.html", model=str(bundle)
            )
        except GlabellaError:
            refused += 1
            continue
        assert np.isfinite(scores["response_probability"].dropna()).all()
    assert refused > 30


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain["training"].pop("cells"),
        lambda plain: plain["training"]["cells"].append(4),
        lambda plain: plain["performance"].update(across={"random_effects": []}),
        lambda plain: plain["provenance"].update(lineage=[1]),
    ],
)
def test_open_parts_of_a_manifest_hold_what_verbs_read(bundle, change):
    plain = json.loads((bundle / "manifest.json").read_text())
    change(plain)
    (bundle / "manifest.json").write_text(json.dumps(plain))
    _seal(bundle)
    with pytest.raises(BundleError, match="the manifest is not as Glabella writes it"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.update(centers=[], counts=[], sizes=[]),
        lambda plain: plain["centers"].__setitem__(0, [float("inf")]),
        lambda plain: plain["counts"][0].update(bont=[20, 30]),
        lambda plain: plain["counts"][0].update(bont=[3, 1]),
        lambda plain: plain["encoding"][0].update(scale=0.0),
    ],
)
def test_groups_of_another_form_are_refused(bundle, change):
    plain = json.loads((bundle / NEIGHBOURS_FILE).read_text())
    change(plain)
    (bundle / NEIGHBOURS_FILE).write_text(json.dumps(plain))
    _seal(bundle)
    with pytest.raises(BundleError, match="the groups of training participants"):
        load_bundle(bundle).load_similar_groups()


def _pack(content) -> bytes:
    # Without the time, so that the same test is collected everywhere.
    return gzip.compress(json.dumps(content).encode(), mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        _pack([{}] * 21),
        _pack([{"model.json": "x"}]),
        _pack({"model.json": 1}),
        _pack(5),
        gzip.compress(b"[" * 100_000, mtime=0),
        gzip.compress(bytes(1000), mtime=0)[:-5],
        b"",
        b"x",
    ],
    ids=["too many", "text for bytes", "no list", "a number", "nested", "cut", "empty", "a letter"],
)
def test_refits_of_another_form_are_refused(content):
    with pytest.raises(BundleError, match="the refits are not"):
        restore_refits(content, ())


def test_refits_that_unpack_without_end_are_refused(monkeypatch):
    monkeypatch.setattr("glabella.bundle.refits._MOST_BYTES", 100_000)
    with pytest.raises(BundleError, match="the refits are not"):
        restore_refits(gzip.compress(b" " * 10_000_000), ())


def test_no_more_refits_are_kept_than_can_be_read_back(monkeypatch):
    files = {"model.json": b"x" * 3000}
    monkeypatch.setattr("glabella.bundle.refits._MOST_BYTES", 10_000)
    packed = export_refits([files] * 5)
    assert len(gzip.decompress(packed)) <= 10_000
    assert len(json.loads(gzip.decompress(packed))) == 2


@pytest.mark.parametrize("sign", ["\x1b[31m", "\u202e", "\u2028", "\x9b"])
def test_a_manifest_whose_labels_would_steer_a_terminal_is_refused(bundle, sign):
    plain = json.loads((bundle / "manifest.json").read_text())
    plain["specs"][0]["label"] += sign
    (bundle / "manifest.json").write_text(json.dumps(plain))
    _seal(bundle)
    with pytest.raises(BundleError, match="the manifest has characters that are invisible"):
        load_bundle(bundle)
