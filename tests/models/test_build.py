"""From a definition to an estimator, and from an estimator to files and back."""

import importlib.util
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glabella.definitions.reader import parse_definition
from glabella.errors import BundleError, DefinitionError
from glabella.features.spec import FeatureTable
from glabella.models.build import (
    BINARY_FILES,
    MODEL_FILE,
    build_model,
    check_candidate,
    export_model,
    restore_model,
)
from glabella.models.candidate import Candidate
from glabella.models.estimators import ESTIMATORS

Sample = Callable[..., tuple[FeatureTable, np.ndarray]]
HEAD = "kind: candidate\ndescription: x\n"
SETTINGS: dict[str, dict[str, Any]] = {"ridge": {"c": 0.3}, "xgboost": {"n_trees": 15}}


def make_candidate(name: str) -> Candidate:
    return Candidate(
        kind="candidate", description="x", estimator=name, settings=SETTINGS.get(name, {})
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "estimator: rigde\n",
            "m.yaml:3: there is no estimator 'rigde'\n  Did you mean 'ridge'? "
            f"There are: {', '.join(sorted(ESTIMATORS))}.",
        ),
        (
            "estimator: xgboost\nsettings:\n  n_trees: 10\n  max_depht: 2\n",
            "m.yaml:6: the estimator 'xgboost' has no setting 'max_depht'\n"
            "  Did you mean 'max_depth'? There are: centring, columns, learning_rate, max_depth, "
            "min_child_weight, monotone, n_trees, penalty, subsample, trees_per_round.",
        ),
        (
            "estimator: xgboost\nsearch:\n  learning_rat: {log: [0.1, 1]}\n",
            "m.yaml:5: the estimator 'xgboost' has no setting 'learning_rat'\n"
            "  Did you mean 'learning_rate'? There are: centring, columns, learning_rate, "
            "max_depth, min_child_weight, monotone, n_trees, penalty, subsample, "
            "trees_per_round.",
        ),
        (
            "estimator: ridge\nsettings: {random_state: 3}\n",
            "m.yaml:4: the estimator 'ridge' has no setting 'random_state'\n  "
            "There are: c, centring.",
        ),
        (
            "estimator: arm_only\nsettings: {c: 3}\n",
            "m.yaml:4: the estimator 'arm_only' has no setting 'c'\n  There are none.",
        ),
    ],
    ids=["estimator", "setting", "search", "ours", "none"],
)
def test_a_misspelt_name_is_answered_with_its_line_and_the_nearest_one(
    text: str, message: str
) -> None:
    read = parse_definition(HEAD + text, Candidate, name="m.yaml")
    with pytest.raises(DefinitionError) as caught:
        check_candidate(read)
    assert str(caught.value) == message


@pytest.mark.parametrize(("name", "package"), [("explainable_boosting", "interpret")])
def test_an_estimator_whose_package_is_not_installed_is_refused_with_the_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda asked: None if asked == package else found(asked)
    )
    read = parse_definition(f"{HEAD}estimator: {name}\n", Candidate, name="m.yaml")
    with pytest.raises(DefinitionError, match=f"needs the package {package}") as caught:
        check_candidate(read)
    assert caught.value.remedy == f"Install the extra: pip install 'glabella[{name}]'"


def test_tuned_settings_win_over_the_fixed_ones() -> None:
    model = build_model(
        make_candidate("xgboost"), (), random_state=3, setting={"n_trees": 7, "max_depth": 1}
    )
    params = model.get_params()
    assert (params["n_trees"], params["max_depth"], params["random_state"]) == (7, 1, 3)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_restored_model_predicts_to_the_last_bit_and_row_by_row(
    sample: Sample, name: str
) -> None:
    table, responded = sample(11)
    model = build_model(make_candidate(name), table.specs, random_state=1)
    model.fit(table.frame, responded)
    files = export_model(model)
    has_trees = name in ("random_forest", "xgboost")
    assert set(files) == {MODEL_FILE} | ({BINARY_FILES[0]} if has_trees else set())
    restored = restore_model(files, table.specs)
    new, _ = sample(12, n=60)
    whole = model.log_odds(new.frame)
    np.testing.assert_array_equal(restored.log_odds(new.frame), whole)
    for each in (model, restored):
        alone = np.concatenate([each.log_odds(new.frame.iloc[[i]]) for i in range(60)])
        np.testing.assert_array_equal(alone, whole)
    one, two = model.contributions(new.frame), restored.contributions(new.frame)
    assert one.features == two.features
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.base, two.base)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_restored_model_is_exported_as_the_same_bytes(sample: Sample, name: str) -> None:
    table, responded = sample(13)
    model = build_model(make_candidate(name), table.specs, random_state=1)
    files = export_model(model.fit(table.frame, responded))
    assert export_model(restore_model(files, table.specs))[MODEL_FILE] == files[MODEL_FILE]


def export(sample: Sample, name: str) -> tuple[dict[str, bytes], FeatureTable]:
    table, responded = sample(14)
    model = build_model(make_candidate(name), table.specs, random_state=1)
    return export_model(model.fit(table.frame, responded)), table


def alter(files: dict[str, bytes], change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    content = json.loads(files[MODEL_FILE])
    change(content)
    return {**files, MODEL_FILE: json.dumps(content).encode()}


ALTERATIONS: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "no_estimator": ("ridge", lambda c: c.pop("estimator")),
    "unknown_estimator": ("ridge", lambda c: c.update(estimator="pickle")),
    "estimator_is_a_list": ("ridge", lambda c: c.update(estimator=["ridge"])),
    "another_estimator": ("ridge", lambda c: c.update(estimator="arm_only", settings={})),
    "unknown_setting": ("ridge", lambda c: c["settings"].update(command="x")),
    "settings_are_a_list": ("ridge", lambda c: c.update(settings=[1])),
    "no_state": ("ridge", lambda c: c.update(state=None)),
    "no_coefficients": ("ridge", lambda c: c["state"].pop("coefficients")),
    "coefficient_lost": ("ridge", lambda c: c["state"]["coefficients"].pop()),
    "one_coefficient": ("ridge", lambda c: c["state"].update(coefficients=[0.5])),
    "coefficient_more": ("ridge", lambda c: c["state"]["coefficients"].append(1.0)),
    "coefficient_missing": ("ridge", lambda c: c["state"]["coefficients"].__setitem__(0, None)),
    "coefficient_is_text": ("ridge", lambda c: c["state"]["coefficients"].__setitem__(0, "x")),
    "coefficient_not_finite": (
        "ridge",
        lambda c: c["state"]["coefficients"].__setitem__(0, float("inf")),
    ),
    "intercept_not_a_number": ("ridge", lambda c: c["state"].update(intercept=float("nan"))),
    "encoding_is_a_number": ("ridge", lambda c: c["state"].update(encoding=3)),
    "encoding_lost": ("ridge", lambda c: c["state"]["encoding"].pop()),
    "encoding_key_more": ("ridge", lambda c: c["state"]["encoding"][0].update(code="x")),
    "encoding_key_lost": ("ridge", lambda c: c["state"]["encoding"][0].pop("center")),
    "scale_is_text": ("ridge", lambda c: c["state"]["encoding"][0].update(scale="one")),
    "scale_is_zero": ("ridge", lambda c: c["state"]["encoding"][0].update(scale=0)),
    "unknown_feature": ("ridge", lambda c: c["state"]["encoding"][0].update(feature="height")),
    "tree_encoding_lost": ("xgboost", lambda c: c["state"]["encoding"].pop()),
    "tree_unknown_feature": ("xgboost", lambda c: c["state"]["encoding"][0].update(feature="h")),
    "columns_are_text": ("arm_only", lambda c: c["state"].update(columns="arm")),
    "unknown_column": ("arm_only", lambda c: c["state"].update(columns=["height"])),
    "no_rates": ("arm_only", lambda c: c["state"].update(rates=[])),
    "overall_rate_lost": ("arm_only", lambda c: c["state"]["rates"].pop(0)),
    "rate_is_text": ("arm_only", lambda c: c["state"]["rates"][0].__setitem__(1, "x")),
    "rate_missing": ("arm_only", lambda c: c["state"]["rates"][0].__setitem__(1, None)),
    "rates_of_three": ("arm_only", lambda c: c["state"]["rates"][0].append(1)),
}


@pytest.mark.parametrize("case", ALTERATIONS)
def test_a_model_file_altered_in_structure_is_refused(sample: Sample, case: str) -> None:
    name, change = ALTERATIONS[case]
    files, table = export(sample, name)
    with pytest.raises(BundleError) as caught:
        restore_model(alter(files, change), table.specs)
    assert str(caught.value) == (
        "the model's files are not as this version of Glabella writes them\n"
        "  Train again, or install the version that the manifest names."
    )


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b"\x80\x04K\x01."]
)
def test_what_is_no_model_file_is_refused(sample: Sample, content: bytes) -> None:
    files, table = export(sample, "ridge")
    with pytest.raises(BundleError):
        restore_model({**files, MODEL_FILE: content}, table.specs)


def test_a_lost_model_file_is_refused(sample: Sample) -> None:
    _, table = export(sample, "ridge")
    with pytest.raises(BundleError):
        restore_model({}, table.specs)


def test_lost_trees_are_refused(sample: Sample) -> None:
    files, table = export(sample, "xgboost")
    with pytest.raises(BundleError):
        restore_model({MODEL_FILE: files[MODEL_FILE]}, table.specs)


# XGBoost's own parser may abort the process or ask for all memory there is when a file of trees is
# cut off, so each attempt has a process of its own, with bounded memory.
TRY_CUTS = """
import os, pickle, resource, sys
from pathlib import Path

resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
import glabella.models.estimators.trees
from glabella.errors import BundleError
from glabella.models.build import BINARY_FILES, restore_model

files, specs, cuts = pickle.loads(Path(sys.argv[1]).read_bytes())
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
for cut in cuts:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            restore_model({**files, BINARY_FILES[0]: files[BINARY_FILES[0]][:cut]}, specs)
        except BundleError:
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    print(cut, os.waitstatus_to_exitcode(status))
"""


def test_trees_cut_off_are_refused_and_end_no_process(
    sample: Sample, tmp_path: Path, checkout: Path
) -> None:
    files, table = export(sample, "xgboost")
    cuts = [0, 1, 10, 500, len(files[BINARY_FILES[0]]) // 2, -10, -1]
    made = tmp_path / "made"
    made.write_bytes(pickle.dumps((files, table.specs, cuts)))
    done = subprocess.run(
        [sys.executable, "-c", TRY_CUTS, str(made)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(checkout / "src"), "PATH": "", "OMP_NUM_THREADS": "1"},
    )
    codes = {int(cut): int(code) for cut, code in map(str.split, done.stdout.splitlines())}
    # 0 is a refusal, 1 something else, below 0 the signal that ended the process.
    assert codes == dict.fromkeys(cuts, 0)


def test_trees_beside_a_linear_model_are_refused(sample: Sample) -> None:
    files, table = export(sample, "ridge")
    with pytest.raises(BundleError):
        restore_model({**files, BINARY_FILES[0]: b"x"}, table.specs)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_model_file_is_strict_json_and_holds_no_row(sample: Sample, name: str) -> None:
    files, _ = export(sample, name)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    content = json.loads(files[MODEL_FILE], parse_constant=refuse)
    parts = content["ensemble"] if name == "ensemble" else [content]
    assert all(set(part) - {"binary"} == {"estimator", "settings", "state"} for part in parts)
    most = {"explainable_boosting": 20_000}.get(name, 10_000)
    assert len(files[MODEL_FILE]) < most
