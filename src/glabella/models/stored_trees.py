"""Checks stored trees before XGBoost sees them: its own loader takes their structure on trust.

A child that points back makes it walk for ever, and a position that is not there makes it read
foreign memory or end the process. What passes here is a forest such as a fit writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glabella.models.encoding import LARGEST
from glabella.models.ubjson import read_ubjson

# Attributions take memory with the square of a tree's depth, and XGBoost one call a level.
_DEEPEST = 512
_ROUNDING = 1e-3
_NO_PARENT = 2_147_483_647

# Of each node, by type of number; and of each question about a category.
_REALS = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
_CHILDREN = ("left_children", "right_children")
_WHOLE = (*_CHILDREN, "parents", "split_indices")
_FLAGS = ("default_left", "split_type")
_BY_CATEGORY = ("categories_nodes", "categories_segments", "categories_sizes")
_TREE = {*_REALS, *_WHOLE, *_FLAGS, *_BY_CATEGORY, "categories", "id", "tree_param"}
_LEARNER = {
    "attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param",
    "objective",
}  # fmt: skip
_MODEL = {"gbtree_model_param", "iteration_indptr", "tree_info", "trees"}
_NUMBER = re.compile(r"\[?([0-9]+(?:\.[0-9]*)?(?:[Ee][+-]?[0-9]{1,2})?)\]?")

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ExpectedTrees:
    """What stored trees must be of, for the model that they are a part of.

    Parameters
    ----------
    objective : str
        What was fitted.
    rounds : int
        Rounds of boosting.
    trees_per_round : int
        Trees of each.
    n_levels : tuple of int
        For each column of the matrix, how many codes a category has in it; 0 for a number.
    """

    objective: str
    rounds: int
    trees_per_round: int
    n_levels: tuple[int, ...]


def check_trees(content: bytes, expected: ExpectedTrees) -> None:
    """Refuse stored trees that no fit of the model could have written."""
    plain = read_ubjson(content)
    _check_is(set(plain) == {"learner", "version"}, "the file has other parts than a booster")
    version = plain["version"]
    _check_is(
        isinstance(version, list) and len(version) == 3 and all(0 <= v < 1000 for v in version),
        "the version is none",
    )
    learner = plain["learner"]
    _check_is(set(learner) == _LEARNER, "the booster has other parts than a fit writes")
    _check_learner(learner, expected)
    booster = learner["gradient_booster"]
    _check_is(
        set(booster) == {"model", "name"} and booster["name"] == "gbtree", "these are no trees"
    )
    _check_forest(booster["model"], expected)


def _check_is(is_so: object, words: str) -> None:
    if not is_so:
        raise ValueError(words)


def _check_learner(learner: Mapping[str, Any], expected: ExpectedTrees) -> None:
    types = ["c" if count else "q" for count in expected.n_levels]
    _check_is(not learner["attributes"], "the booster has attributes")
    _check_is(len(learner["feature_names"]) == 0, "the booster names features")
    _check_is(list(learner["feature_types"]) == types, "the columns are of other types")
    _check_is(
        learner["objective"]
        == {"name": expected.objective, "reg_loss_param": {"scale_pos_weight": "1"}},
        "the trees are of another objective",
    )
    stated = dict(learner["learner_model_param"])
    base = _NUMBER.fullmatch(stated.pop("base_score"))
    _check_is(base is not None and 0.0 < float(base[1]) < 1.0, "the base is no proportion")
    _check_is(
        stated
        == {
            "boost_from_average": "0",
            "num_class": "0",
            "num_feature": str(len(types)),
            "num_target": "1",
        },
        "the booster's parameters are not those of a fit",
    )


def _check_forest(model: Mapping[str, Any], expected: ExpectedTrees) -> None:
    # Since 3.1 XGBoost keeps the levels of data frames there, and is given none.
    _check_is(set(model) - {"cats"} == _MODEL, "the forest has other parts than a fit writes")
    for kept in model.get("cats", {}).values():
        _check_is(len(kept) == 0, "the forest has categories by name")
    trees, per_round = model["trees"], expected.trees_per_round
    count = expected.rounds * per_round
    _check_is(len(trees) == count, "there are more or fewer trees than the model has")
    _check_is(
        model["gbtree_model_param"]
        == {"num_parallel_tree": str(per_round), "num_trees": str(count)},
        "the forest's parameters are not those of a fit",
    )
    _check_is(list(model["tree_info"]) == [0] * count, "a tree is of another outcome")
    _check_is(
        list(model["iteration_indptr"]) == list(range(0, count + 1, per_round)),
        "the rounds do not hold the trees",
    )
    for at, tree in enumerate(trees):
        _check_is(
            set(tree) == _TREE and tree["id"] == at, "a tree has other parts than a fit writes"
        )
    if trees:
        _Nodes.collect(trees, len(expected.n_levels)).check(np.array(expected.n_levels))


@dataclass(frozen=True)
class _Nodes:
    """The nodes of all trees in a row, so that each check is one step for all of them.

    Parameters
    ----------
    starts : array of int, shape (n_trees,)
        Where each tree's nodes begin.
    sizes : array of int, shape (n_trees,)
        How many it has.
    of : dict of array
        What is known of each node, by the name in the file.
    category_nodes, category_sizes : array of int, shape (n_category_questions,)
        The nodes that ask about a category, and how many codes each lists.
    codes : array of int
        Those codes, one question after the other.
    """

    starts: Whole
    sizes: Whole
    of: Mapping[str, npt.NDArray[Any]]
    category_nodes: Whole
    category_sizes: Whole
    codes: Whole

    @classmethod
    def collect(cls, trees: Sequence[Mapping[str, Any]], n_columns: int) -> _Nodes:
        """Put trees in a row, and check that each one's parts have the lengths that they state."""
        sizes = np.array([len(tree["left_children"]) for tree in trees], dtype=np.int64)
        for tree, size in zip(trees, sizes.tolist(), strict=True):
            lengths = {len(tree[name]) for name in (*_REALS, *_WHOLE, *_FLAGS)}
            _check_is(lengths == {size} and size > 0, "a tree's parts differ in length")
            stated = {
                "num_deleted": "0",
                "num_feature": str(n_columns),
                "num_nodes": str(size),
                "size_leaf_vector": "1",
            }
            _check_is(tree["tree_param"] == stated, "a tree's parameters are not those of a fit")
            counts = np.asarray(tree["categories_sizes"], dtype=np.int64)
            _check_is(
                len({len(tree[name]) for name in _BY_CATEGORY}) == 1
                and (counts > 0).all()
                and np.array_equal(tree["categories_segments"], np.cumsum(counts) - counts)
                # In whole numbers of any size: a sum of eight bytes could wrap around.
                and sum(counts.tolist()) == len(tree["categories"]),
                "a tree's categories do not fit its questions",
            )
        starts = np.cumsum(sizes) - sizes
        of = {
            **{name: _join(trees, name, np.floating, np.float64) for name in _REALS},
            **{name: _join(trees, name, np.signedinteger, np.int64) for name in _WHOLE},
            **{name: _join(trees, name, np.unsignedinteger, np.int64) for name in _FLAGS},
        }
        asked = [len(tree["categories_nodes"]) for tree in trees]
        nodes = _join(trees, "categories_nodes", np.signedinteger, np.int64)
        limits = np.repeat(sizes, asked)
        _check_is(((nodes >= 0) & (nodes < limits)).all(), "a category is of no node")
        return cls(
            starts,
            sizes,
            of,
            nodes + np.repeat(starts, asked),
            _join(trees, "categories_sizes", np.signedinteger, np.int64),
            _join(trees, "categories", np.signedinteger, np.int64),
        )

    def check(self, n_levels: Whole) -> None:
        """Refuse what no fit writes."""
        for name in _REALS:
            _check_is((np.abs(self.of[name]) <= LARGEST).all(), "a number of a tree is not finite")
        inner = self._check_children()
        columns = self.of["split_indices"]
        _check_is(
            ((columns >= 0) & (columns < len(n_levels))).all(),
            "a tree asks for a column that is not there",
        )
        for name in _FLAGS:
            _check_is((self.of[name] <= 1).all(), "a mark of a node is neither 0 nor 1")
        is_category = self.of["split_type"] == 1
        _check_is(
            np.array_equal(is_category, inner & (n_levels[columns] > 0)),
            "a question is of another type than its column",
        )
        _check_is(
            np.array_equal(self.category_nodes, np.flatnonzero(is_category)),
            "the categories are not those of the questions",
        )
        limits = np.repeat(n_levels[columns[self.category_nodes]], self.category_sizes)
        _check_is(
            ((self.codes >= 0) & (self.codes < limits)).all(),
            "a category is none of its column's",
        )
        self._check_weights(inner)
        largest = np.maximum.reduceat(
            np.where(inner, 0.0, np.abs(self.of["split_conditions"])), self.starts
        )
        _check_is(largest.sum() <= LARGEST, "the leaves add up to more than a number can be")

    def _check_children(self) -> npt.NDArray[np.bool_]:
        """Check that each tree is one, and say which nodes ask a question."""
        left, right, above = (self.of[name] for name in (*_CHILDREN, "parents"))
        start, size = (np.repeat(part, self.sizes) for part in (self.starts, self.sizes))
        own = np.arange(len(left)) - start
        inner: npt.NDArray[np.bool_] = left != -1
        for child in (left, right):
            # After its parent: no way leads back.
            sound = np.where(inner, (child > own) & (child < size), child == -1)
            _check_is(sound.all(), "a child is not there, or comes before its parent")
        parents, children = np.flatnonzero(inner), start[inner]
        reached = np.concatenate([left[inner] + children, right[inner] + children])
        is_root = own == 0
        _check_is(
            np.array_equal(np.sort(reached), np.flatnonzero(~is_root)),
            "a node has two parents, or none",
        )
        expected = np.full(len(left), _NO_PARENT)
        expected[reached] = own[np.concatenate([parents, parents])]
        _check_is(np.array_equal(above, expected), "a node names another parent than it has")
        self._check_depth(start + above, is_root)
        return inner

    def _check_weights(self, inner: npt.NDArray[np.bool_]) -> None:
        """Check that the training rows of a node are divided between its children."""
        weight = self.of["sum_hessian"]
        start = np.repeat(self.starts, self.sizes)[inner]
        parts = [weight[start + self.of[name][inner]] for name in _CHILDREN]
        _check_is(
            (weight >= 0).all()
            and all((part > 0).all() for part in parts)
            # Attributions divide by it; added up in single precision.
            and np.allclose(parts[0] + parts[1], weight[inner], rtol=_ROUNDING, atol=0.0),
            "the training rows of a node are not those of its children",
        )

    def _check_depth(self, above: Whole, is_root: npt.NDArray[np.bool_]) -> None:
        waiting = np.flatnonzero(~is_root)
        at = above[waiting]
        for _ in range(_DEEPEST):
            left = ~is_root[at]
            if not left.any():
                return
            at = above[at[left]]
        raise ValueError("a tree is too deep")


def _join(
    trees: Sequence[Mapping[str, Any]], name: str, kind: type, into: type
) -> npt.NDArray[Any]:
    parts = [tree[name] for tree in trees]
    if not all(
        isinstance(part, np.ndarray) and issubclass(part.dtype.type, kind) for part in parts
    ):
        raise TypeError("a part of a tree is of another type")
    # A number that is none is refused by who asked for it, without a warning here.
    with np.errstate(invalid="ignore"):
        return np.concatenate(parts).astype(into)
