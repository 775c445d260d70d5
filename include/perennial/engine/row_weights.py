"""How much each row counts while a model learns: more for rare classes, less for old nights.

Used where labelled rows become a training set; estimators see the weights, baselines and gates do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from perennial.clock import nights_apart

Array = np.ndarray[Any, Any]


def row_weights(
    labels: Array,
    nights: Array | None,
    *,
    class_weights: Mapping[str, float] | Literal["balanced"] | None,
    half_life: float | None,
) -> Array | None:
    """Return one weight a row, with mean 1; none where every row counts the same.

    ``balanced`` gives every class the same total. A row that is ``half_life`` nights older than another counts half
    as much (exponential forgetting).

    >>> nights = np.asarray(["2013-01-01", "2013-01-03"], dtype=object)
    >>> [round(float(each), 3) for each in row_weights(np.asarray([0, 1]), nights, class_weights=None, half_life=2.0)]
    [0.667, 1.333]
    """
    weights = np.ones(len(labels))
    if class_weights is not None:
        weights *= _by_class(labels, class_weights)
    if half_life is not None and nights is not None and len(nights):
        weights *= _by_age(nights, half_life)
    if not len(weights) or np.ptp(weights) == 0 or weights.sum() <= 0:
        return None
    return np.asarray(weights / weights.mean())


def _by_class(labels: Array, declared: Mapping[str, float] | Literal["balanced"]) -> Array:
    names = np.asarray([_name(label) for label in labels], dtype=object)
    found, counts = np.unique(names.astype(str), return_counts=True)
    even = dict(zip(found.tolist(), (len(names) / counts).tolist(), strict=True))
    chosen = even if declared == "balanced" else declared
    return np.asarray([float(chosen.get(str(name), 1.0)) for name in names])


def _name(label: object) -> str:
    """Name a class as model.yaml does: yes and no are 1 and 0."""
    return str(int(label)) if isinstance(label, bool | np.bool_ | int | float | np.number) else str(label)


def _by_age(nights: Array, half_life: float) -> Array:
    newest = max(nights.tolist())
    of = {night: 0.5 ** (nights_apart(night, newest) / half_life) for night in set(nights.tolist())}
    return np.asarray([of[night] for night in nights.tolist()])
