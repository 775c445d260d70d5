"""Declared cleaning: each step says which column it changes and how.

Steps are data; `perennial.engine` carries them out in one pass and counts every change.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from perennial.spec.strict import Strict


class Trim(Strict):
    """Take white space off both ends of text."""

    trim: tuple[str, ...]
    """Columns to trim."""


class NullTokens(Strict):
    """Read certain texts as missing, for example `NA` or `-999`."""

    null_tokens: dict[str, tuple[str, ...]]
    """Texts that mean missing, by column."""


class Rescale(Strict):
    """Change a unit: value x multiply + add."""

    class Factor(Strict):
        """The change of unit of one column."""

        multiply: float = 1.0
        """Factor, applied first."""
        add: float = 0.0
        """Summand, applied second."""

    unit: dict[str, Factor]
    """Change of unit, by column."""


class MapCategories(Strict):
    """Rename categories, for example `Y` to `yes`."""

    map: dict[str, dict[str, str]]
    """Old and new names, by column."""


class Deduplicate(Strict):
    """Keep one of several rows with the same key; the others are counted as duplicates, not quarantined."""

    deduplicate: Literal["first", "last", "identical"]
    """Which row stays; `identical` drops only exact copies, so that conflicting rows are quarantined."""


class Fill(Strict):
    """Put a value where one is missing."""

    fill: dict[str, str | float | int | bool]
    """Value, by column."""


def _kind(value: object) -> str | None:
    keys = value.keys() if isinstance(value, dict) else type(value).model_fields.keys()  # type: ignore[attr-defined]
    return next(iter(keys), None)


CleaningStep: TypeAlias = Annotated[
    Annotated[Trim, Tag("trim")]
    | Annotated[NullTokens, Tag("null_tokens")]
    | Annotated[Rescale, Tag("unit")]
    | Annotated[MapCategories, Tag("map")]
    | Annotated[Deduplicate, Tag("deduplicate")]
    | Annotated[Fill, Tag("fill")],
    Discriminator(_kind),
    Field(description="One cleaning step."),
]
