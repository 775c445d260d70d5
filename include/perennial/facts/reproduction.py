"""What came of training a version again: the same, otherwise and by how much, or not possible any more.

Made by ``stages/reproduce.py``; recorded in the ledger, told by the command line and by the scheduled check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from perennial.facts.evidence import Json

Outcome = Literal["same", "differs", "data gone", "recipe gone"]
"""The verdict; of the last two nothing was trained."""
SHORT = 12
"""Characters of a hash or commit in sentences."""


@dataclass(frozen=True)
class Moved:
    """How far predictions lie apart, over the rows that were kept back."""

    rows: int
    share: float
    """Share of the rows whose prediction is another one."""
    mean: float
    """Mean distance, in the prediction's own unit; of classes the largest of a row."""
    largest: float
    """Largest distance."""

    def sentence(self) -> str:
        """Say it.

        >>> Moved(200, 0.5, 0.0125, 0.25).sentence()
        '50.0% of 200 kept-back rows are predicted otherwise, by 0.0125 on average and 0.25 at most'
        """
        return (
            f"{self.share:.1%} of {self.rows} kept-back rows are predicted otherwise, by {self.mean:.3g} on average "
            f"and {self.largest:.3g} at most"
        )


@dataclass(frozen=True)
class Changed:
    """Something that went into the version and is another thing now."""

    what: str
    """Name: a library, ``python``, ``machine``, ``code``, ``commit``, ``plan``, ``data``."""
    then: Json
    now: Json

    def sentence(self) -> str:
        """Say it, hashes cut short.

        >>> Changed("numpy", "2.4.0", "2.5.1").sentence()
        'numpy was 2.4.0 and is 2.5.1'
        """
        then, now = (str(each)[:SHORT] if each is not None else "not known" for each in (self.then, self.now))
        return f"{self.what} was {then} and is {now}"


@dataclass(frozen=True)
class Reproduction:
    """A version, and what training it again came to."""

    version: str
    outcome: Outcome
    behaviour: str
    """Hash of what the version predicts for its fixed rows."""
    again: str | None = None
    """The same of the one that was trained again; none where nothing was."""
    rows: int = 0
    """Rows that it was trained on again."""
    moved: Moved | None = None
    """How far predictions moved; none where they are the same, or where no row was kept back."""
    changed: tuple[Changed, ...] = ()
    """What of environment, code and data is another thing now."""
    here: str = ""
    """Identifies code, libraries and machine of this check."""
    detail: str = ""
    """What is missing, where nothing could be trained."""

    @property
    def good(self) -> bool:
        """Whether the version was made again."""
        return self.outcome == "same"

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and the command line."""
        return {
            **asdict(self),
            "moved": asdict(self.moved) if self.moved else None,
            "changed": [asdict(each) for each in self.changed],
        }

    def sentence(self) -> str:
        """Say what came of it.

        >>> Reproduction("3", "same", "a" * 64, "a" * 64, rows=900).sentence()
        'Version 3, trained again on its 900 kept rows, predicts the same (behaviour aaaaaaaaaaaa).'
        """
        if self.outcome in {"data gone", "recipe gone"}:
            return f"Version {self.version} cannot be trained again: {self.detail}"
        told = "; ".join(each.sentence() for each in self.changed)
        begun = f"Version {self.version}, trained again on its {self.rows} kept rows, predicts"
        if self.outcome == "same":
            although = f", although {told}" if told else ""
            return f"{begun} the same{although} (behaviour {self.behaviour[:SHORT]})."
        far = f": {self.moved.sentence()}" if self.moved else ""
        why = told or "nothing that is recorded has changed, so the estimator itself is not deterministic"
        return f"{begun} otherwise{far}. Of what made it, {why}."


def changes(then: Mapping[str, Json], now: Mapping[str, Json]) -> tuple[Changed, ...]:
    """List what differs between two records of what made a version; what one of them lacks is not compared.

    >>> [one.what for one in changes({"python": "3.11.9", "numpy": "2.5"}, {"python": "3.12.1", "numpy": "2.5"})]
    ['python']
    """
    both = [name for name in then if name in now]
    return tuple(Changed(name, then[name], now[name]) for name in both if then[name] != now[name])
