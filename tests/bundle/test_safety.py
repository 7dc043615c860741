"""Nothing in a bundle can be executed, and nothing in the package reads what could be."""

import ast
import hashlib
import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest

from glabella.bundle.applicability.applicability_domain import LIKENESS_FILE
from glabella.bundle.load import ALLOWED_FILES, load_bundle
from glabella.errors import BundleError

# What reads a format that can name code to be run.
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "shelve", "skops"}
FORBIDDEN_CALLS = {"read_pickle", "to_pickle", "eval", "exec", "unsafe_load", "full_load"}


@pytest.fixture
def bundle(trained, tmp_path):
    return Path(shutil.copytree(trained[1].bundle, tmp_path / "bundle"))


class Marked:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return (Path.touch, (Path(self.mark),))


def _seal(bundle):
    """Make the sums right again, as somebody would who wants a change to pass."""
    names = sorted(path.name for path in bundle.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256((bundle / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (bundle / "SHA256SUMS").write_text("".join(lines))


def _make_skops(mark):
    """A file of the kind that skops writes, which asks for `os.system`."""
    schema = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": {"args": [f"touch {mark}"]},
        "protocol": 2,
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as parts:
        parts.writestr("schema.json", json.dumps(schema))
    return held.getvalue()


@pytest.mark.parametrize("name", ["model.json", "model.skops", "model.pkl", "likeness.json"])
@pytest.mark.parametrize("kind", ["pickle", "skops"])
def test_a_crafted_file_is_refused_and_never_run(bundle, tmp_path, name, kind):
    mark = tmp_path / "mark"
    content = pickle.dumps(Marked(mark)) if kind == "pickle" else _make_skops(mark)
    (bundle / name).write_bytes(content)
    _seal(bundle)
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle)
    assert not mark.exists()
    expected = (
        "not part of a bundle" if name not in ALLOWED_FILES else "not as this version of Glabella"
    )
    assert expected in str(caught.value)


def test_the_mark_would_have_been_left(tmp_path):
    pickle.loads(pickle.dumps(Marked(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


def test_one_flipped_bit_anywhere_is_refused(bundle):
    for path in sorted(bundle.iterdir()):
        content = path.read_bytes()
        flipped = bytearray(content)
        flipped[len(content) // 3] ^= 4
        path.write_bytes(bytes(flipped))
        with pytest.raises(BundleError):
            load_bundle(bundle)
        path.write_bytes(content)
    load_bundle(bundle)


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain["whole"].update(limit=float("nan")),
        lambda plain: plain["whole"].update(center=plain["whole"]["center"][:-1]),
        lambda plain: plain["encoding"][0].update(feature="studyid"),
        lambda plain: plain.pop("trials"),
    ],
)
def test_a_likeness_of_another_form_is_refused(bundle, change):
    plain = json.loads((bundle / LIKENESS_FILE).read_text())
    change(plain)
    (bundle / LIKENESS_FILE).write_text(json.dumps(plain))
    _seal(bundle)
    with pytest.raises(BundleError, match=LIKENESS_FILE):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["model.json", "likeness.json", "manifest.json"])
def test_a_file_without_end_of_nesting_is_refused(bundle, name):
    (bundle / name).write_text("[" * 200_000)
    _seal(bundle)
    with pytest.raises(BundleError):
        load_bundle(bundle)


def test_a_link_or_a_folder_in_a_bundle_is_refused(bundle, tmp_path):
    shutil.move(bundle / "model.json", tmp_path / "elsewhere.json")
    (bundle / "model.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(BundleError, match="is not a plain file"):
        load_bundle(bundle)
    (bundle / "model.json").unlink()
    (bundle / "model.json").mkdir()
    with pytest.raises(BundleError, match="is not a plain file"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda plain: plain.update(ranges={}), "its ranges are not of the patient's features"),
        (lambda plain: plain["reference"].popitem(), "its reference is not of the patient's"),
        (
            lambda plain: next(iter(plain["reference"].values()))["counts"].append(12),
            "a reference has counts for other bins",
        ),
        (lambda plain: plain["arms"].pop(), "its arms are not those that the model knows"),
        (lambda plain: plain["specs"].append(plain["specs"][0]), "a feature is described twice"),
        (lambda plain: plain["required"].append("shoe"), "a variable that it does not know"),
        (lambda plain: plain.update(model="a\n=cmd()"), "characters that can't be printed"),
        (
            lambda plain: plain["feature_set"]["features"].pop(),
            "its features are not those of the feature set",
        ),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(bundle, change, finding):
    plain = json.loads((bundle / "manifest.json").read_text())
    change(plain)
    (bundle / "manifest.json").write_text(json.dumps(plain))
    _seal(bundle)
    with pytest.raises(BundleError, match=finding):
        load_bundle(bundle)


def test_no_module_reads_or_writes_pickles(checkout):
    for path in sorted((checkout / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [item.name for item in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            assert not {name.split(".")[0] for name in names} & FORBIDDEN_MODULES, path
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                assert called not in FORBIDDEN_CALLS, (path, node.lineno)
                owner = getattr(getattr(node.func, "value", None), "id", "")
                assert (owner, called) not in {("joblib", "load"), ("joblib", "dump")}, path
                if (owner, called) == ("np", "load"):
                    given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                    assert given["allow_pickle"] == "False", path
