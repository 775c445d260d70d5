"""What one publication of a partition consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

from perennial.facts.evidence import Evidence, Json, canonical, fingerprint


@dataclass(frozen=True)
class Part:
    """One immutable data file, named after its content."""

    name: str
    sha256: str
    size_bytes: int
    rows: int


@dataclass(frozen=True)
class Manifest:
    """One version of one partition: its files and what produced them."""

    dataset: str
    key: str
    version: int
    parts: tuple[Part, ...]
    meta: Evidence = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows in all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def content(self) -> str:
        """Identify data and meaning: equal for the same rows from the same inputs, whatever the version."""
        return fingerprint({"parts": [part.sha256 for part in self.parts], "meta": self.meta})

    def as_json(self) -> dict[str, Json]:
        """Write the manifest as plain values."""
        return {
            "dataset": self.dataset,
            "key": self.key,
            "version": self.version,
            "content": self.content,
            "meta": canonical(self.meta),
            "parts": [vars(part) for part in self.parts],
        }

    @classmethod
    def from_json(cls, value: dict[str, object]) -> Manifest:
        """Read what ``as_json`` wrote."""
        parts = tuple(Part(**part) for part in value["parts"])  # type: ignore[attr-defined]
        return cls(str(value["dataset"]), str(value["key"]), int(str(value["version"])), parts, value["meta"])  # type: ignore[arg-type]
