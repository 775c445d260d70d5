"""What every detector is: parameters from model.yaml, and one reading a night."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from perennial.facts.reading import Reading

Watched = TypeVar("Watched")
"""What a detector looks at: streams of profiles, residuals of matured nights."""


class Detector(BaseModel, ABC, Generic[Watched]):
    """A way of asking whether a night is like the nights before it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __class_getitem__(cls, watched: object) -> type[BaseModel]:
        """Tell the type checker what is watched, and no more.

        Pydantic would make a class of its own of ``Detector[Watch]`` and write it into the entry's module,
        where the catalogue looks for one detector only.
        """
        return cls

    @abstractmethod
    def read(self, watch: Watched) -> Reading:
        """Read the last night from what is given alone: no files, no clock, no network, no state."""
