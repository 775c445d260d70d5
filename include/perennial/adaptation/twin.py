"""The small model that is trained every night: a few trees on a bounded sample of all that has matured.

It forgets nothing and costs the same on every night, however long the history. Its trees are read out of
scikit-learn into plain tables: they can be stored as JSON beside the night's predictions and walked again
without trusting anybody's pickle.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.adaptation.rows import Column, Numbers, Sample, written
from perennial.adaptation.scale import Scale
from perennial.adaptation.settings import Adaptation

FEWEST_ROWS = 50
"""Fewer labelled rows make no twin."""
MOST_CATEGORIES = 254
CATEGORY_BITS = 256
BLOCK_ROWS = 20_000
"""Rows that walk through the trees together: bounds memory."""

_WHOLE = ("feature", "left", "right")
_TRUTH = ("leaf", "categorical", "missing_left")
_NODE = {"feature": "feature_idx", "left": "left", "right": "right", "leaf": "is_leaf"} | {
    "categorical": "is_categorical",
    "missing_left": "missing_go_to_left",
    "threshold": "num_threshold",
    "value": "value",
    "set": "bitset_idx",
}


@dataclass(frozen=True)
class Twin:
    """Trees as tables of nodes: trees by nodes, shorter trees filled up with leaves."""

    baseline: float
    """What is said before the first tree, on the scale of the layer."""

    categories: Mapping[int, Numbers]
    """The known codes of each categorical input; any other counts as missing."""

    nodes: Mapping[str, Column]

    left_codes: tuple[tuple[int, ...], ...]
    """For each categorical node (``nodes["set"]``), the places of the categories that go left."""

    @property
    def identity(self) -> str:
        """Name this twin: equal for equal trees."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:16]

    def link(self, features: Numbers) -> Numbers:
        """Score rows, on the scale of the layer."""
        blocks = range(0, max(len(features), 1), BLOCK_ROWS)
        walked = [
            self._walk(encode(features[start : start + BLOCK_ROWS], self.categories)) for start in blocks
        ]
        return np.concatenate(walked)

    def _walk(self, inputs: Numbers) -> Numbers:
        flat = {name: column.ravel() for name, column in self.nodes.items()}
        trees, nodes = self.nodes["leaf"].shape
        root = np.arange(trees) * nodes
        place = np.broadcast_to(root, (len(inputs), trees)).copy()
        rows = np.arange(len(inputs))[:, None]
        while not flat["leaf"][place].all():
            left = self._goes_left(flat, place, inputs[rows, flat["feature"][place]])
            step = root + np.where(left, flat["left"][place], flat["right"][place])
            place = np.where(flat["leaf"][place], place, step)
        return np.asarray(self.baseline + flat["value"][place].sum(axis=1))

    def _goes_left(self, flat: Mapping[str, Column], place: Column, seen: Numbers) -> NDArray[np.bool_]:
        missing = np.isnan(seen)
        known = np.where(missing, 0.0, seen)
        left = known <= flat["threshold"][place]
        if self.left_codes:
            code = np.clip(known, 0, CATEGORY_BITS - 1).astype(int)
            left = np.where(flat["categorical"][place], self._left[flat["set"][place], code], left)
        return np.where(missing, flat["missing_left"][place], left)

    @cached_property
    def _left(self) -> NDArray[np.bool_]:
        table = np.zeros((len(self.left_codes), CATEGORY_BITS), bool)
        for row, codes in enumerate(self.left_codes):
            table[row, list(codes)] = True
        return table

    def as_json(self) -> dict[str, Any]:
        """Write the trees as plain values."""
        return {
            "baseline": self.baseline,
            "categories": {str(column): written(codes) for column, codes in self.categories.items()},
            "nodes": {name: written(column) for name, column in self.nodes.items()},
            "left_codes": [list(codes) for codes in self.left_codes],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Twin:
        """Read what ``as_json`` wrote."""
        kinds = dict.fromkeys((*_WHOLE, "set"), int) | dict.fromkeys(_TRUTH, bool)
        return cls(
            told["baseline"],
            {int(column): np.array(codes, float) for column, codes in told["categories"].items()},
            {name: np.array(column, kinds.get(name, float)) for name, column in told["nodes"].items()},
            tuple(tuple(codes) for codes in told["left_codes"]),
        )


def fit_twin(rows: Sample, scale: Scale, settings: Adaptation) -> Twin | None:
    """Train tonight's twin; nothing when the rows are too few or all of one class.

    Deterministic: rows in order of their hash, a fixed seed, no early stopping.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if len(rows) < FEWEST_ROWS or len(np.unique(rows["label"])) == 1:
        return None
    learner = HistGradientBoostingRegressor if scale.task == "regression" else HistGradientBoostingClassifier
    categories = {place: _commonest(rows["features"][:, place]) for place in settings.categorical}
    model = learner(
        max_iter=settings.twin_trees,
        max_leaf_nodes=settings.twin_leaves,
        learning_rate=settings.twin_learning_rate,
        categorical_features=list(range(len(categories))) or None,
        early_stopping=False,
        random_state=settings.seed,
    )
    model.fit(encode(rows["features"], categories), scale.target(rows["label"]))
    return _read_out(model, categories)


def encode(features: Numbers, categories: Mapping[int, Numbers]) -> Numbers:
    """Put categorical inputs first, as places in their sorted codes; unknown codes count as missing."""
    numeric = [place for place in range(features.shape[1]) if place not in categories]
    encoded = [_places(features[:, place], codes) for place, codes in categories.items()]
    numbers = features[:, numeric]
    return np.column_stack([*encoded, np.where(np.isfinite(numbers), numbers, np.nan)])


def _places(codes: Numbers, known: Numbers) -> Numbers:
    if not len(known):
        return np.full(len(codes), np.nan)
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[place] == codes, place, np.nan)


def _commonest(codes: Numbers) -> Numbers:
    """Return the sorted codes of a column, the commonest when there are too many."""
    known, counts = np.unique(codes[np.isfinite(codes)], return_counts=True)
    return np.sort(known[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]])


def _read_out(model: Any, categories: Mapping[int, Numbers]) -> Twin:
    """Copy the trees; scikit-learn has no public way to them, and a test compares the scores."""
    trees = [predictor for (predictor,) in model._predictors]  # noqa: SLF001
    most = max(len(tree.nodes) for tree in trees)
    columns = {
        name: np.stack([_filled(tree.nodes, field, most) for tree in trees]) for name, field in _NODE.items()
    }
    columns |= {name: columns[name].astype(np.int64) for name in (*_WHOLE, "set")}
    columns |= {name: columns[name].astype(bool) for name in _TRUTH}
    columns["threshold"] = np.nan_to_num(
        columns["threshold"]
    )  # infinite where only what is missing goes right
    sets: list[tuple[int, ...]] = []
    for place, tree in enumerate(trees):
        columns["set"][place] += len(sets)  # the trees count their sets from nought, each its own
        sets += [_codes(bits) for bits in tree.raw_left_cat_bitsets]
    columns["set"] = np.where(columns["categorical"], columns["set"], 0)
    return Twin(float(np.ravel(model._baseline_prediction)[0]), categories, columns, tuple(sets))  # noqa: SLF001


def _filled(nodes: Column, field: str, most: int) -> Column:
    column = np.full(most, field == "is_leaf", dtype=nodes[field].dtype)
    column[: len(nodes)] = nodes[field]
    return column


def _codes(bits: Column) -> tuple[int, ...]:
    """Return the numbers whose bit is set, 32 to a word."""
    return tuple(code for code in range(CATEGORY_BITS) if int(bits[code // 32]) >> (code % 32) & 1)
