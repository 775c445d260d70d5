"""How the nightly layer is declared, and for which tasks there is one.

Read when DAGs are parsed, so nothing heavy is imported here. The defaults were tuned on flights and
electricity prices and frozen before two other data sets were run.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Member = Literal["raw", "segments", "features", "blend", "twin"]
"""The champion itself, three corrections of it, and the small model that is trained every night."""

CORRECTIONS: tuple[Member, ...] = ("segments", "features", "blend")


class Adaptation(BaseModel):
    """The nightly layer: its members, how far back each looks, and how the mixture weighs them.

    >>> Adaptation().half_life_nights
    14
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    members: tuple[Member, ...] = Field(
        ("raw", "segments", "features", "blend", "twin"),
        description="What is mixed. `raw` is always among them: it is what the layer falls back to.",
    )
    categorical: tuple[int, ...] = Field(
        (), description="Places of the input columns that hold codes of categories; the others are numbers."
    )
    half_life_nights: int = Field(14, ge=1, description="A night this much older counts half in the mixture.")
    segment_half_life_nights: int = Field(
        28, ge=1, description="The same, in the corrections by segment and by feature."
    )
    blend_half_life_nights: int = Field(56, ge=1, description="The same, in the blend of champion and twin.")
    learning_rate: float = Field(1.0, gt=0, description="How sharply the mixture follows the losses.")
    raw_prior: float = Field(
        2.0, gt=0, description="Weight of the champion before any loss is known; others have 1."
    )
    loss_nights: int = Field(
        28, ge=1, description="Nights whose best loss is the unit of the mixture's losses."
    )
    window_nights: int = Field(56, ge=1, description="Most nights a correction is fitted on.")
    window_rows: int = Field(6000, ge=100, description="Most rows a correction is fitted on.")
    twin_rows: int = Field(
        4000, ge=100, description="Most rows the twin is trained on, out of all that matured."
    )
    twin_trees: int = Field(25, ge=1, description="Trees of the twin.")
    twin_leaves: int = Field(8, ge=2, description="Most leaves of one of its trees.")
    twin_learning_rate: float = Field(0.15, gt=0, le=1, description="Share of each tree that is added.")
    scale_nights: int = Field(
        56, ge=1, description="First nights that say what counts as one in inputs and labels."
    )
    furthest: float = Field(
        4.0,
        gt=0,
        description="Further than this from the champion the layer is not believed: logits (unless it is itself "
        "within so many of even odds), or standard deviations of the label.",
    )
    overtaken_weight: float = Field(
        0.5, gt=0, lt=1, description="With a larger weight of the twin the champion counts as overtaken."
    )
    label_delay_nights: int = Field(1, ge=0, description="Nights until a night's labels have matured.")
    seed: int = Field(0, ge=0, description="Seed of the row sample and of the twin.")

    @field_validator("members")
    @classmethod
    def _raw_is_among_them(cls, members: tuple[Member, ...]) -> tuple[Member, ...]:
        if "raw" not in members or len(set(members)) != len(members):
            raise ValueError("members are named once each, and `raw` is one of them")
        if "blend" in members and "twin" not in members:
            raise ValueError("`blend` mixes the champion with the twin: name `twin` as well")
        return members


def unavailable(task: str) -> str | None:
    """Say why a task has no nightly layer, or nothing when it has one.

    The corrections move one number per row; for more than two classes they were not built, not measured,
    and a mixture that is right on average may be wrong for a rare class.

    >>> unavailable("binary") is None
    True
    >>> unavailable("multiclass")
    'No nightly layer for a multiclass model: it is built for two classes and for regression. The champion serves alone.'
    """
    if task in ("binary", "regression"):
        return None
    return (
        f"No nightly layer for a {task} model: it is built for two classes and for regression. "
        "The champion serves alone."
    )
