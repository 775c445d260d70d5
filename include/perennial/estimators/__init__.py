"""What can be fitted. One file, one estimator.

A good estimator takes the rows as they come: missing values, unseen and rare categories, constant and
empty columns. Its preparation is inside its pipeline, so what is evaluated is what serves. The same
rows and seed give the same predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from perennial.catalogue import entries, find
from perennial.estimators.base import Estimator, Value


@cache
def estimators() -> dict[str, type[Estimator]]:
    """List every estimator by the name used in model.yaml."""
    return entries(__name__, Estimator)


def make(name: str, parameters: Mapping[str, Value], *, code: Path | None = None) -> Estimator:
    """Make the estimator of that name; ``custom`` takes its recipe from the file ``code``.

    Raises:
        UnknownEntryError: no estimator has that name.
        pydantic.ValidationError: a parameter it does not have, or a value it does not take.

    >>> make("linear", {"strength": 0.5}).parameters["strength"]
    0.5
    """
    entry = find(name, estimators(), noun="estimator")
    if name == "custom":
        return entry.model_validate({"code": code, "settings": dict(parameters)})
    return entry.model_validate(dict(parameters))
