"""A bundle is verified before anything of it is used."""

import json
import shutil
from pathlib import Path

import pytest

from glabella.bundle.load import load_bundle
from glabella.bundle.manifest import FORMAT
from glabella.errors import BundleError


@pytest.fixture
def bundle(trained, tmp_path: Path) -> Path:
    _, result = trained
    return Path(shutil.copytree(result.bundle, tmp_path / "bundle"))


def test_a_saved_bundle_loads(bundle):
    loaded = load_bundle(bundle)
    assert loaded.manifest.analysis == "small"
    assert loaded.manifest.origin == "real"
    assert len(loaded.manifest.estimand) >= 4
    assert set(loaded.manifest.reference) == set(loaded.manifest.ranges)
    assert loaded.manifest.performance["pooled"]["auc"] is not None


@pytest.mark.parametrize("name", ["manifest.json", "model.json", "SHA256SUMS"])
def test_a_missing_file_is_refused(bundle, name):
    (bundle / name).unlink()
    with pytest.raises(BundleError):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["manifest.json", "model.json"])
def test_one_flipped_bit_is_refused(bundle, name):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(bytes(content))
    with pytest.raises(BundleError, match=f"'{name}' was changed after the bundle was saved"):
        load_bundle(bundle)


def test_a_foreign_file_is_refused_and_not_opened(bundle):
    (bundle / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BundleError, match=r"'model\.pkl', which is not part of a bundle"):
        load_bundle(bundle)


def test_a_newer_format_is_refused_with_the_version(bundle):
    _edit(bundle, "manifest.json", lambda content: content.update(format=99))
    with pytest.raises(BundleError, match="format is 99"):
        load_bundle(bundle)


def test_an_older_format_is_refused_with_what_to_install(bundle):
    _edit(bundle, "manifest.json", lambda content: content.update(format=1))
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle)
    assert str(caught.value) == (
        f"{bundle}: the bundle's format is 1, and this version of Glabella reads {FORMAT}\n"
        "  Install the version that its manifest names."
    )


def test_a_manifest_of_another_form_is_refused(bundle):
    _edit(bundle, "manifest.json", lambda content: content.pop("endpoint"))
    with pytest.raises(BundleError, match="at 'endpoint'"):
        load_bundle(bundle)


def test_a_model_of_another_form_is_refused(bundle):
    _edit(bundle, "model.json", lambda content: content["state"].pop("encoding"))
    with pytest.raises(BundleError, match="not as this version"):
        load_bundle(bundle)


def test_an_unknown_estimator_is_refused(bundle):
    _edit(bundle, "model.json", lambda content: content.update(estimator="os.system"))
    with pytest.raises(BundleError, match="not as this version"):
        load_bundle(bundle)


def test_a_folder_without_a_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match="is not a bundle"):
        load_bundle(tmp_path)


def _edit(bundle: Path, name: str, change) -> None:
    """Change a file and its sum, as someone would who wants the change to pass."""
    import hashlib

    content = json.loads((bundle / name).read_text())
    change(content)
    (bundle / name).write_text(json.dumps(content))
    sums = (bundle / "SHA256SUMS").read_text().splitlines()
    digest = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
    kept = [line for line in sums if not line.endswith(name)]
    (bundle / "SHA256SUMS").write_text("\n".join([*kept, f"{digest}  {name}"]) + "\n")
