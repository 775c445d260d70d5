"""What every estimator is: parameters from model.yaml, and an unfitted pipeline for a task.

The train stage asks for a pipeline, the tuner for a search space, the registry for the types that the
saved artefact may hold. Nothing here imports scikit-learn until a pipeline is built.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from perennial.facts.evaluation import Task

Value: TypeAlias = str | float | int | bool | None
"""A parameter's value, as written in model.yaml."""


@dataclass(frozen=True)
class Interval:
    """A range of one parameter to search; both ends are included."""

    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    log: bool = False
    """Search on a logarithmic scale."""
    integer: bool = False
    """Whole numbers only."""


Space: TypeAlias = Mapping[str, Interval | tuple[Value, ...]]
"""What to search: an interval, or the values to choose from, by parameter."""


@dataclass(frozen=True)
class ColumnKinds:
    """Which input columns are numbers (booleans included) and which are categories, in declared order."""

    numeric: tuple[str, ...] = ()
    """Columns read as numbers; a missing number is NaN."""
    categorical: tuple[str, ...] = ()
    """Columns read as text; a missing value is None."""

    @property
    def names(self) -> tuple[str, ...]:
        """The input columns in the one order in which a model ever sees them."""
        return (*self.numeric, *self.categorical)


class Estimator(BaseModel, ABC):
    """Something that can be fitted: its fields are its parameters, its pipeline does its own preparation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass", "regression"})
    """What it can predict."""

    trusted_types: ClassVar[tuple[str, ...]] = ()
    """Reviewed types in its artefact that skops does not trust by itself."""

    @abstractmethod
    def pipeline(self, task: Task, columns: ColumnKinds, seed: int) -> Any:
        """Build an unfitted scikit-learn pipeline that takes a data frame with these columns."""

    def space(self, task: Task) -> Space:
        """Return what is searched when model.yaml names nothing; by default nothing is."""
        del task
        return {}

    @property
    def parameters(self) -> dict[str, Value]:
        """The parameters as they are recorded with a run."""
        return self.model_dump()

    def tuned(self, parameters: Mapping[str, Value]) -> Self:
        """Return the same estimator with these parameters over its own, checked like those of model.yaml."""
        return type(self).model_validate({**self.model_dump(), **parameters})
