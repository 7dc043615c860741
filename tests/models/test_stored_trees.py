"""Stored models are checked before XGBoost sees them: none ends the process, hangs or scores."""

import base64
import copy
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glabella.errors import BundleError
from glabella.models.build import MODEL_FILE, export_model, restore_model
from glabella.models.estimators import find_estimator
from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.estimators.random_forest import RandomForestModel
from glabella.models.stored_trees import check_trees
from glabella.models.ubjson import read_ubjson

from .conftest import get_forest, write_ubjson

TREES = "model_001.ubj"
CHILD = Path(__file__).with_name("score_mutations.py")


def seal(files, trees: bytes):
    """Put other trees into a model's files, with the sum that then is right."""
    plain = json.loads(files[MODEL_FILE])
    plain["state"]["trees_sha256"] = hashlib.sha256(trees).hexdigest()
    return {MODEL_FILE: json.dumps(plain).encode(), TREES: trees}


@pytest.fixture(scope="module")
def forest(sample):
    table, responded = sample(0)
    model = RandomForestModel(table.specs, random_state=1, n_trees=4, max_depth=3)
    return model.fit(table.frame, responded)


def get_tree(plain):
    return next(tree for tree in get_forest(plain)["trees"] if len(tree["categories"]))


def put(name, node, value):
    def change(plain):
        values = get_tree(plain)[name].copy()
        values[node] = value
        get_tree(plain)[name] = values

    return change


def cut(name):
    def change(plain):
        get_tree(plain)[name] = get_tree(plain)[name][:-1]

    return change


@pytest.mark.parametrize(
    "settings",
    [
        {"max_depth": 0, "min_child_weight": 0.0, "penalty": 0.0, "learning_rate": 1.0},
        {"trees_per_round": 3, "max_depth": 1, "monotone": "dictionary"},
        {"subsample": 0.02, "min_child_weight": 0.0},
        {"centring": "trial"},
    ],
)
def test_what_fits_write_passes(sample, settings):
    table, responded = sample(0)
    model = XGBoostModel(table.specs, random_state=1, n_trees=20, **settings)
    files = export_model(model.fit(table.frame, responded))
    restored = restore_model(files, table.specs)
    assert np.array_equal(restored.log_odds(table.frame), model.log_odds(table.frame))


def test_trees_where_nothing_varies_pass(sample):
    table, responded = sample(0)
    model = XGBoostModel(table.specs[:1], n_trees=3).fit(
        table.frame.assign(severity=1.0), responded
    )
    restore_model(export_model(model), table.specs[:1])


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (put("left_children", 0, 0), "a child is not there, or comes before its parent"),
        (put("left_children", 1, 0), "a child is not there, or comes before its parent"),
        (put("right_children", 0, 2_000_000_000), "a child is not there"),
        (put("right_children", 0, -2), "a child is not there"),
        (put("right_children", 0, 1), "a node has two parents, or none"),
        (put("parents", 2, 1), "a node names another parent"),
        (put("split_indices", 0, 9), "a column that is not there"),
        (put("split_indices", 0, -1), "a column that is not there"),
        (put("split_conditions", -1, np.inf), "is not finite"),
        (put("split_conditions", 0, np.nan), "is not finite"),
        (put("split_conditions", -1, 3e38), "is not finite"),
        (put("sum_hessian", 0, 0.0), "training rows"),
        (put("sum_hessian", -1, 0.0), "training rows"),
        (put("sum_hessian", 1, 1e6), "training rows"),
        (put("base_weights", 0, np.inf), "is not finite"),
        (put("default_left", 0, 7), "neither 0 nor 1"),
        (put("split_type", 0, 2), "neither 0 nor 1"),
        (cut("left_children"), "differ in length"),
        (cut("sum_hessian"), "differ in length"),
        (cut("default_left"), "differ in length"),
        (cut("categories"), "do not fit its questions"),
        (cut("categories_sizes"), "do not fit its questions"),
        (put("categories", 0, 99), "a category is none of its column's"),
        (put("categories", 0, -1), "a category is none of its column's"),
        (put("categories_nodes", 0, 1_000_000), "a category is of no node"),
        (put("categories_sizes", 0, 0), "do not fit its questions"),
        (put("categories_segments", 0, 5), "do not fit its questions"),
        (lambda plain: get_tree(plain)["tree_param"].update(num_nodes="9999"), "parameters"),
        (lambda plain: get_tree(plain)["tree_param"].update(size_leaf_vector="8"), "parameters"),
        (lambda plain: get_tree(plain)["tree_param"].update(num_deleted="1"), "parameters"),
        (lambda plain: get_tree(plain).update(id=77), "other parts than a fit writes"),
        (lambda plain: get_tree(plain).update(leaf_weights=[]), "other parts than a fit writes"),
        (lambda plain: get_forest(plain)["trees"].pop(), "more or fewer trees"),
        (lambda plain: get_forest(plain).update(tree_info=[0, 0, 0, 1]), "of another outcome"),
        (
            lambda plain: get_forest(plain).update(iteration_indptr=[0, 1, 4]),
            "do not hold the trees",
        ),
        (
            lambda plain: get_forest(plain)["gbtree_model_param"].update(num_trees="5"),
            "the forest's parameters",
        ),
        (
            lambda plain: plain["learner"]["gradient_booster"].update(name="dart"),
            "these are no trees",
        ),
        (
            lambda plain: plain["learner"]["objective"].update(name="multi:softprob"),
            "another objective",
        ),
        (
            lambda plain: plain["learner"]["learner_model_param"].update(base_score="[nan]"),
            "the base is no proportion",
        ),
        (
            lambda plain: plain["learner"]["learner_model_param"].update(base_score="[1E0]"),
            "the base is no proportion",
        ),
        (
            lambda plain: plain["learner"]["learner_model_param"].update(num_feature="999999"),
            "the booster's parameters",
        ),
        (lambda plain: plain["learner"].update(attributes={"best_iteration": "0"}), "attributes"),
        (lambda plain: plain["learner"].update(feature_names=["a"]), "names features"),
        (lambda plain: plain["learner"]["feature_types"].reverse(), "of other types"),
        (lambda plain: plain.update(version=[3, 2]), "the version"),
        (lambda plain: plain.update(more=1), "other parts than a booster"),
    ],
)
def test_trees_that_no_fit_writes_are_refused(sample, forest, change, finding):
    table, _ = sample(0)
    content = forest.export_binary()
    plain = read_ubjson(content)
    check_trees(write_ubjson(plain), forest._describe_trees())
    change(plain)
    changed = write_ubjson(plain)
    with pytest.raises(ValueError, match=finding):
        check_trees(changed, forest._describe_trees())
    with pytest.raises(BundleError, match="not as this version of Glabella writes them"):
        restore_model(seal(export_model(forest), changed), table.specs)


def test_a_tree_that_is_too_deep_is_refused(boosted):
    plain = read_ubjson(boosted.export_binary())
    tree, depth = get_tree(plain), 600
    count = 2 * depth + 1
    left = np.full(count, -1)
    left[0 : 2 * depth : 2] = np.arange(1, 2 * depth, 2)
    right = np.where(left < 0, -1, left + 1)
    # A chain: every second node asks, the node after it is a leaf.
    above = np.full(count, 2_147_483_647)
    above[left[left > 0]] = above[right[right > 0]] = np.flatnonzero(left > 0)
    tree.update(
        left_children=left.astype(">i4"),
        right_children=right.astype(">i4"),
        parents=above.astype(">i4"),
        split_indices=np.zeros(count, ">i4"),
        default_left=np.zeros(count, np.uint8),
        split_type=np.zeros(count, np.uint8),
        categories=np.zeros(0, ">i4"),
        categories_nodes=np.zeros(0, ">i4"),
        categories_segments=np.zeros(0, ">i8"),
        categories_sizes=np.zeros(0, ">i8"),
    )
    for name in ("base_weights", "loss_changes", "split_conditions", "sum_hessian"):
        tree[name] = np.ones(count, ">f4")
    tree["tree_param"]["num_nodes"] = str(count)
    with pytest.raises(ValueError, match="too deep"):
        check_trees(write_ubjson(plain), boosted._describe_trees())


def mutate_bytes(content: bytes, draw) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.integers(1, 5)):
        at = int(draw.integers(len(changed)))
        match draw.integers(4):
            case 0:
                changed[at] ^= 1 << int(draw.integers(8))
            case 1:
                changed[at] = int(draw.integers(256))
            case 2:
                del changed[at : at + int(draw.integers(1, 9))]
            case _:
                changed[at:at] = draw.bytes(int(draw.integers(1, 9)))
    return bytes(changed)


def mutate_tree(content: bytes, draw) -> bytes:
    """Change one number of a tree, at a place that XGBoost follows."""
    plain = read_ubjson(content)
    tree = get_forest(plain)["trees"][int(draw.integers(4))]
    name = draw.choice([name for name, values in tree.items() if isinstance(values, np.ndarray)])
    values = tree[name].copy()
    if values.dtype.kind == "f":
        odd = [np.inf, -np.inf, np.nan, 0.0, -1.0, 3e38, 1e-45, float(draw.normal())]
    else:
        info = np.iinfo(values.dtype)
        odd = [info.min, info.max, 0, 1, 2, 9, 200, int(draw.integers(256))]
    if len(values):
        values[int(draw.integers(len(values)))] = odd[int(draw.integers(len(odd)))]
    tree[name] = values if draw.random() < 0.9 else values[: len(values) // 2]
    return write_ubjson(plain)


ODD = (None, True, -1, 0, 10**9, 10**400, 1e308, 1e-308, float("nan"), float("inf"), "x", [], {})


def mutate_plain(plain, draw):
    """Change, take away or repeat one value somewhere inside lists and dicts."""
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


def run_child(cases, folder: Path) -> list[str]:
    """Restore and ask models in a process, so that a signal that ends it is seen."""
    path = folder / "cases.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({name: base64.b64encode(part).decode() for name, part in files.items()})
            for files in cases
        )
    )
    done = subprocess.run(
        [sys.executable, str(CHILD), str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *answers, kilobytes = done.stdout.splitlines() or ["0"]
    assert done.returncode == 0, (done.returncode, len(answers), done.stderr)
    assert int(kilobytes) < 1_500_000
    assert len(answers) == len(cases)
    return answers


@pytest.mark.parametrize("kind", ["boosted", "forest"])
def test_no_mutation_of_trees_ends_the_process_or_gives_an_infinite_score(kind, request, tmp_path):
    model = request.getfixturevalue(kind)
    draw = np.random.default_rng(20261201)
    files, content = export_model(model), model.export_binary()
    cases = [files]
    cases += [seal(files, mutate_bytes(content, draw)) for _ in range(250)]
    cases += [seal(files, mutate_tree(content, draw)) for _ in range(250)]
    answers = run_child(cases, tmp_path)
    assert answers[0] == "sound"
    assert set(answers) == {"sound", "refused"}
    # A threshold, a leaf or what only training used may differ and still be a tree.
    assert answers.count("refused") > 300


def test_no_mutation_of_plain_values_gives_a_traceback_or_an_infinite_score(sample, tmp_path):
    table, responded = sample(0)
    draw = np.random.default_rng(20261202)
    cases = []
    settings = {"xgboost": {"n_trees": 2}}
    for name in (
        "prevalence", "severity", "spline", "treatment_interaction",
        "explainable_boosting", "xgboost",
    ):  # fmt: skip
        model = find_estimator(name)(table.specs, random_state=1, **settings.get(name, {}))
        with np.errstate(all="ignore"):
            model.fit(table.frame, responded)
        if name in ("spline", "xgboost"):
            model.explain_against(table.frame, np.full(len(table.frame), 1 / len(table.frame)))
        files = export_model(model)
        plain = json.loads(files[MODEL_FILE])
        cases.append(files)
        cases += [
            {**files, MODEL_FILE: json.dumps(mutate_plain(plain, draw)).encode()}
            for _ in range(100)
        ]
    answers = run_child(cases, tmp_path)
    assert set(answers[::101]) == {"sound"}
    assert set(answers) == {"sound", "refused"}
    assert answers.count("refused") > 350
