"""How a model performs tonight, in one value: realised, estimated, and how its labels come.

Made by the monitor's step ``performance``; its plain values go into the verdict, its sentence on every page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from perennial.clock import Night
from perennial.facts.estimated_performance import EstimatedPerformance
from perennial.facts.evidence import Json, canonical, fingerprint
from perennial.facts.reading import Reading
from perennial.facts.realised import Realised


@dataclass(frozen=True)
class LabelFlow:
    """How many outcomes came of the newest night that is settled for good, and how soon."""

    night: Night | None
    """That night; none before there is one."""
    predicted: int
    delivered: int
    """Predictions whose outcome came, with or without a label."""
    labelled: int
    """Predictions that got a label."""
    coverage: float | None
    """Delivered over predicted."""
    usual_coverage: float | None
    """The same over the nights before."""
    delay: float | None
    """Nights from the end of the night to its outcomes, on average."""
    usual_delay: float | None
    reading: Reading
    """The watch over both: a fall of coverage or a rise of delay that is strange among its own past."""

    @property
    def strange(self) -> bool:
        """Whether it is a finding of kind ``labels``."""
        return self.reading.state == "over"

    @property
    def reason(self) -> str:
        """Say it in a sentence."""
        if self.night is None or self.coverage is None:
            return "No night is settled for good yet, so nothing is known of how labels come."
        if not self.delivered:
            return f"No outcome of the {self.predicted} predictions of {self.night} came."
        usual = "" if self.usual_coverage is None else f" (usually {self.usual_coverage:.1%})"
        late = "" if self.delay is None else f", {self.delay:.1f} nights after it on average"
        return (
            f"Of the predictions of {self.night} {self.coverage:.1%} have their outcome{usual}{late}; "
            f"{self.reading.reason}"
        )


@dataclass(frozen=True)
class SlicePerformance:
    """The same of one declared slice."""

    realised: Realised
    estimated: EstimatedPerformance


@dataclass(frozen=True)
class Performance:
    """What is known of a version's performance on a night."""

    night: Night
    version: str | None
    loss: str
    """What the loss of one row is called."""
    realised: Realised
    estimated: EstimatedPerformance
    labels: LabelFlow
    slices: Mapping[str, SlicePerformance] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Say it in a sentence: what was lost by the labels, and what is estimated since."""
        told = self.realised.reason.rstrip(".")
        since = self.estimated.reason
        strange = f" {self.labels.reason}" if self.labels.strange else ""
        return f"{told}; {since[:1].lower()}{since[1:]}{strange}"

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the verdict, the ledger and pages."""
        return {
            "night": self.night,
            "version": self.version,
            "loss": self.loss,
            "reason": self.reason,
            "realised": self.realised.as_json(),
            "estimated": self.estimated.as_json(),
            "labels": self._labels(),
            "slices": {
                name: {"realised": one.realised.as_json(), "estimated": one.estimated.as_json()}
                for name, one in self.slices.items()
            },
        }

    def _labels(self) -> dict[str, Json]:
        plain = {**asdict(self.labels), "reading": self.labels.reading.as_json()}
        plain |= {"strange": self.labels.strange, "reason": self.labels.reason}
        return {key: canonical(value) for key, value in plain.items()}

    @property
    def evidence_hash(self) -> str:
        """Identify what was known; equal for equal inputs."""
        return fingerprint(self.as_json())
