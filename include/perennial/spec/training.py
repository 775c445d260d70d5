"""How a model is trained, and on what: the ``features`` and ``training`` of a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from perennial.spec.leaks import LeaksSpec
from perennial.spec.strict import Strict

Task = Literal["binary", "multiclass", "regression"]


MOST_BATCHES = 4
"""More tasks at once would wait for each other on a small machine."""


class FeaturesSpec(Strict):
    """Which columns of the scored rows, and which views of ``features.py``, the model sees."""

    columns: tuple[str, ...] = ()
    """Columns of the scored rows, used as they are."""
    views: tuple[str, ...] | Literal["all"] = "all"
    """Views of `features.py`, by name."""


class Range(Strict):
    """A range of one parameter to search."""

    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    log: bool = False
    """Search on a logarithmic scale."""
    integer: bool = False
    """Whole numbers only."""

    @model_validator(mode="after")
    def _rising(self) -> Range:
        if self.low >= self.high:
            message = f"low ({self.low:g}) must be below high ({self.high:g})"
            raise ValueError(message)
        if self.log and self.low <= 0:
            message = f"a logarithmic range begins above 0, not at {self.low:g}"
            raise ValueError(message)
        return self


class SearchSpec(Strict):
    """Tuning in fixed generations: every trial of a generation is asked before any is told."""

    trials: int = Field(8, ge=0, le=10_000)
    """Trials in all; 0 trains with the parameters as they are."""
    generation: int = Field(4, ge=1, le=1_000)
    """Trials asked together."""
    seconds: float | None = Field(None, gt=0)
    """Time budget: no new generation starts after it; the trials that ran are recorded."""
    space: dict[str, Range | tuple[str | float | int | bool, ...]] | None = None
    """Parameters to search; by default the estimator's own space."""

    @model_validator(mode="after")
    def _something_to_search(self) -> SearchSpec:
        empty = [
            name for name, values in (self.space or {}).items() if isinstance(values, tuple) and not values
        ]
        if self.trials and (self.space == {} or empty):
            nothing = f"space.{empty[0]} lists no value" if empty else "space is empty"
            message = (
                f"{nothing}: leave it out for the estimator's own, or write `trials: 0` to search nothing"
            )
            raise ValueError(message)
        return self

    @property
    def generations(self) -> int:
        """Generations of a whole tuning."""
        return -(-self.trials // self.generation)

    @property
    def batches(self) -> int:
        """Tasks that share the trials of one generation."""
        return min(self.generation, self.trials, MOST_BATCHES)


class TrainingSpec(Strict):
    """How the model is trained."""

    window_nights: int | Literal["all"] = "all"
    """Nights of history to train on."""
    holdout_nights: int = Field(14, ge=1)
    """Nights kept back for the gates: no model has seen them."""
    estimator: str = "gradient_boosting"
    """Entry of the catalogue of estimators, or `custom` for the folder's `estimator.py`."""
    parameters: dict[str, str | float | int | bool | None] = Field(default_factory=dict)
    """Fixed parameters of the estimator."""
    search: SearchSpec = SearchSpec()
    """Tuning."""
    metric: str | None = None
    """Primary metric; by default log loss for classes and root mean squared error for numbers."""
    value: dict[str, float] | None = None
    """What each outcome is worth, in a unit of your own, for the metric `value` (`true_positive`, `false_positive`,
    `true_negative`, `false_negative`: gains above zero, costs below) or `unit_cost` (`too_high`, `too_low`)."""
    seed: int = Field(20130101, ge=0)
    """Seed of everything random."""
    max_rows: int | None = Field(None, ge=100)
    """Train on at most so many of the newest rows, chosen by hash."""
    fold_nights: int = Field(28, ge=1)
    """Nights that each forward fold predicts unseen, for references."""
    min_rows: int = Field(50, ge=10)
    """Fewer labelled rows than this cannot train a model."""
    leaks: LeaksSpec = LeaksSpec()
    """Columns that look like a leak, and why they are none."""
    max_minutes: float | None = Field(360, gt=0)
    """A single fit that takes longer is ended, and says so; `null` lets it take as long as it takes."""
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """How much rows of a class count while learning: `balanced`, or a weight by class (`{"1": 5}` for yes)."""
    half_life_nights: float | None = Field(None, gt=0)
    """Rows that are so many nights older count half as much; by default all nights count the same."""
