"""Interventional SHAP values of trees, against stated rows that are kept as counts alone.

All that matters of a background row to a leaf is which features on the way let the row pass.
So a background is, for each leaf, the weight of each such pattern; and what a row is given depends
on its own pattern alone, for which a small tree has a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from glabella.models.encoding import check_finite

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Patterns = dict[int, float]

# A table of all ways through a tree has a row for each set of answers to its questions.
_MOST_QUESTIONS = 8
_ROWS = 20_000
_MOST_COLUMNS = 62


@dataclass(frozen=True)
class Leaf:
    """A leaf, and what a row must answer to come to it.

    Parameters
    ----------
    value : float
        What it adds.
    columns : tuple of int
        The columns that are asked on the way, each once.
    questions : tuple of tuple of tuple of int and bool
        For each column, the tree's questions on the way and whether the answer is to the left.
    """

    value: float
    columns: tuple[int, ...]
    questions: tuple[tuple[tuple[int, bool], ...], ...]

    def find_patterns(self, left: npt.NDArray[np.bool_]) -> Codes:
        """Find which columns let each row pass.

        Returns
        -------
        array of int, shape (n_rows,)
            A bit for each column.
        """
        patterns = np.zeros(len(left), dtype=np.int64)
        for bit, asked in enumerate(self.questions):
            passes = np.ones(len(left), dtype=bool)
            for question, goes_left in asked:
                passes &= left[:, question] == goes_left
            patterns |= passes.astype(np.int64) << bit
        return patterns


@dataclass(frozen=True)
class Tree:
    """A tree's questions and leaves, as XGBoost asks them.

    Parameters
    ----------
    columns : array of int, shape (n_questions,)
        What is asked.
    cuts : array of float32, shape (n_questions,)
        A value below goes to the left.
    missing_left : array of bool, shape (n_questions,)
        Whether a missing value does.
    right_codes : dict of frozenset of int
        Of a question on a category: the codes that go to the right.
    leaves : tuple of Leaf
        All of them.
    """

    columns: npt.NDArray[np.int64]
    cuts: npt.NDArray[np.float32]
    missing_left: npt.NDArray[np.bool_]
    right_codes: dict[int, frozenset[int]]
    leaves: tuple[Leaf, ...]

    def find_sides(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Answer every question for every row.

        Returns
        -------
        array of bool, shape (n_rows, n_questions)
            Whether the row goes to the left.
        """
        left = np.empty((len(matrix), len(self.columns)), dtype=bool)
        for at, column in enumerate(self.columns):
            values = matrix[:, column]
            missing = np.isnan(values)
            codes = self.right_codes.get(at)
            if codes is None:
                goes = values < self.cuts[at]
            else:
                goes = ~np.isin(np.where(missing, -1, values).astype(np.int64), list(codes))
            left[:, at] = np.where(missing, self.missing_left[at], goes)
        return left


def read_trees(booster: xgboost.Booster) -> tuple[Tree, ...]:
    """Read a booster's trees."""
    content = json.loads(bytes(booster.save_raw(raw_format="json")))
    trees = content["learner"]["gradient_booster"]["model"]["trees"]
    return tuple(_read_tree(tree) for tree in trees)


def _read_tree(tree: Mapping[str, Any]) -> Tree:
    lefts, rights = tree["left_children"], tree["right_children"]
    inner = [node for node, child in enumerate(lefts) if child != -1]
    number = {node: at for at, node in enumerate(inner)}
    starts = dict(zip(tree["categories_nodes"], tree["categories_segments"], strict=True))
    sizes = dict(zip(tree["categories_nodes"], tree["categories_sizes"], strict=True))
    right_codes = {
        number[node]: frozenset(tree["categories"][start : start + sizes[node]])
        for node, start in starts.items()
    }
    return Tree(
        np.array([tree["split_indices"][node] for node in inner], dtype=np.int64),
        np.array([tree["split_conditions"][node] for node in inner], dtype=np.float32),
        np.array([bool(tree["default_left"][node]) for node in inner], dtype=bool),
        right_codes,
        tuple(_list_paths(tree, lefts, rights, number)),
    )


def _list_paths(
    tree: Mapping[str, Any], lefts: Sequence[int], rights: Sequence[int], number: Mapping[int, int]
) -> Iterator[Leaf]:
    waiting: list[tuple[int, dict[int, list[tuple[int, bool]]]]] = [(0, {})]
    while waiting:
        node, asked = waiting.pop()
        if lefts[node] == -1:
            value = float(np.float32(tree["split_conditions"][node]))
            yield Leaf(value, tuple(asked), tuple(map(tuple, asked.values())))
            continue
        column = tree["split_indices"][node]
        for child, goes_left in ((rights[node], False), (lefts[node], True)):
            way = {key: list(questions) for key, questions in asked.items()}
            way.setdefault(column, []).append((number[node], goes_left))
            waiting.append((child, way))


@dataclass
class TreeBackground:
    """Trees against the rows that their predictions are explained against.

    Parameters
    ----------
    trees : tuple of Tree
        The model.
    patterns : tuple of tuple of dict
        For each leaf of each tree, the weight of each pattern among the background rows; the
        weights of a leaf add to one.
    """

    trees: tuple[Tree, ...]
    patterns: tuple[tuple[Patterns, ...], ...]
    _tables: dict[int, Floats] = field(default_factory=dict, repr=False)

    @classmethod
    def learn(cls, trees: tuple[Tree, ...], matrix: Floats, weight: Floats) -> TreeBackground:
        """Count the patterns of background rows."""
        rows = matrix.astype(np.float32)
        patterns = []
        for tree in trees:
            left = tree.find_sides(rows)
            patterns.append(tuple(_count(leaf.find_patterns(left), weight) for leaf in tree.leaves))
        return cls(trees, tuple(patterns))

    def attribute(self, matrix: Floats) -> tuple[Floats, float]:
        """Compute the values of rows.

        Returns
        -------
        tuple of array of float, shape (n_rows, n_columns), and float
            Interventional SHAP values, exactly, and the mean over the background; together they
            are the sum of the trees, without the booster's base.
        """
        rows = matrix.astype(np.float32)
        values = np.zeros(matrix.shape)
        for start in range(0, len(rows), _ROWS):
            part = slice(start, start + _ROWS)
            for at, tree in enumerate(self.trees):
                self._add(at, tree, rows[part], values[part])
        mean = sum(
            leaf.value * counts.get((1 << len(leaf.columns)) - 1, 0.0)
            for tree, of_tree in zip(self.trees, self.patterns, strict=True)
            for leaf, counts in zip(tree.leaves, of_tree, strict=True)
        )
        return values, float(mean)

    def _add(self, at: int, tree: Tree, rows: npt.NDArray[np.float32], values: Floats) -> None:
        left = tree.find_sides(rows)
        count = left.shape[1]
        used = np.unique(tree.columns)
        if count > _MOST_QUESTIONS:
            values[:, used] += self._sum_leaves(at, tree, used, left)
            return
        if at not in self._tables:
            every = np.arange(1 << count)[:, None] >> np.arange(count) & 1
            self._tables[at] = self._sum_leaves(at, tree, used, every.astype(bool))
        codes = left @ (1 << np.arange(count))
        table = self._tables[at]
        for place, column in enumerate(used):
            values[:, column] += table[codes, place]

    def _sum_leaves(
        self, at: int, tree: Tree, used: npt.NDArray[np.int64], left: npt.NDArray[np.bool_]
    ) -> Floats:
        places = {int(column): place for place, column in enumerate(used)}
        total = np.zeros((len(left), len(used)))
        for leaf, counts in zip(tree.leaves, self.patterns[at], strict=True):
            distinct, where = np.unique(leaf.find_patterns(left), return_inverse=True)
            shares = _compute_weights(len(leaf.columns), distinct, counts)[where]
            total[:, [places[column] for column in leaf.columns]] += leaf.value * shares
        return total

    def export(self) -> list[list[list[list[float]]]]:
        """Write the patterns as plain values."""
        return [
            [[[float(code), weight] for code, weight in leaf.items()] for leaf in tree]
            for tree in self.patterns
        ]

    @classmethod
    def restore(cls, trees: tuple[Tree, ...], content: Any) -> TreeBackground:
        """Read exported patterns back."""
        if len(content) != len(trees):
            raise ValueError("the background is of other trees")
        patterns = []
        for tree, of_tree in zip(trees, content, strict=True):
            if len(of_tree) != len(tree.leaves):
                raise ValueError("the background is of other trees")
            patterns.append(
                tuple(
                    _check_patterns(leaf, pairs)
                    for leaf, pairs in zip(tree.leaves, of_tree, strict=True)
                )
            )
        return cls(trees, tuple(patterns))


def _check_patterns(leaf: Leaf, pairs: Sequence[Sequence[float]]) -> Patterns:
    counts = {int(check_finite(code)): check_finite(weight) for code, weight in pairs}
    # A pattern is kept in the bits of a whole number.
    known = len(leaf.columns) <= _MOST_COLUMNS and all(
        0 <= code < 1 << len(leaf.columns) for code in counts
    )
    if not known or not all(weight >= 0 for weight in counts.values()):
        raise ValueError("the background holds no patterns of its trees")
    if abs(sum(counts.values()) - 1.0) > 1e-6:
        raise ValueError("the weights of a background add to one")
    return counts


def _count(patterns: Codes, weight: Floats) -> Patterns:
    distinct, where = np.unique(patterns, return_inverse=True)
    return {
        int(code): float(total)
        for code, total in zip(distinct, np.bincount(where, weight), strict=True)
    }


def _compute_weights(size: int, patterns: Codes, counts: Patterns) -> Floats:
    """Shapley values of reaching a leaf, for each pattern, averaged over background patterns.

    A column that lets the row pass and the background row not is for the leaf, one that does the
    opposite is against it. With s for and r against, each of the s is given
    1 / (s * C(s + r, s)), each of the r the negative of 1 / (r * C(s + r, r)).
    """
    bits = np.arange(size)
    own = (patterns[:, None] >> bits & 1).astype(bool)
    shares = np.zeros((len(patterns), size))
    for code, weight in counts.items():
        other = (code >> bits & 1).astype(bool)
        fore, against = own & ~other, ~own & other
        s, r = fore.sum(axis=1), against.sum(axis=1)
        # Where neither passes, no choice of columns leads to the leaf.
        reached = (own | other).all(axis=1)
        up = np.array([1.0 / (a * comb(a + b, a)) if a else 0.0 for a, b in zip(s, r, strict=True)])
        down = np.array(
            [1.0 / (b * comb(a + b, b)) if b else 0.0 for a, b in zip(s, r, strict=True)]
        )
        step = up[:, None] * fore - down[:, None] * against
        shares += weight * np.where(reached[:, None], step, 0.0)
    return shares
