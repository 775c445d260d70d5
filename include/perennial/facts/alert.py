"""A message about one condition, in sentences that somebody can act on at three in the morning.

Policies write alerts, the outbox keeps them, channels carry them. Two alerts about one event have
one fingerprint; an alert that opens a condition is resolved by a recovery that names the condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from perennial.clock import Night
from perennial.facts.evidence import Json, fingerprint

Told = Literal[
    "failure",
    "recovery",
    "deadline",
    "drift",
    "refused",
    "promotion",
    "rollback",
    "quarantine",
    "registry",
]
"""What a channel can be told of; ``registry``: a change by hand."""

Event = Literal[Told, "channel"]
"""What an alert can be about; ``channel``: an alert could not be delivered."""

EVENTS: tuple[str, ...] = get_args(Event)

Severity = Literal["info", "warning", "critical"]
"""``info``: nothing to do; ``warning``: look today; ``critical``: predictions are missing or wrong."""


@dataclass(frozen=True)
class Alert:
    """What happened to a model on a night, what it means, and what to do."""

    model: str
    """Whose alert it is."""
    night: Night | None
    """The night it is about; none where the event belongs to no night."""
    event: Event
    """What it is about: decides which channels are told."""
    title: str
    """One line that names the model."""
    what_happened: str
    """One sentence with the numbers: the ledger's own where there is one."""
    what_it_means: str
    """Who or what is affected, and what the project does by itself."""
    what_to_do: str
    """The next step, as something to type or to click."""
    fingerprint: str
    """Identity of the event: Airflow may report it several times, people hear of it once."""
    severity: Severity = "warning"
    """How soon somebody must look."""
    link: str = ""
    """Where to look."""
    condition: str = ""
    """What stays wrong until a recovery names the same condition; empty for a mere event."""

    def as_text(self) -> str:
        """Write the message as plain text, for mail and chat.

        >>> print(Alert("delay", "2013-05-12", "drift", "delay: drift", "It moved.", "Worse soon.",
        ...             "Look.", "f").as_text())
        It moved.
        <BLANKLINE>
        What it means: Worse soon.
        What to do: Look.
        <BLANKLINE>
        Model delay, night 2013-05-12, drift (warning).
        """
        about = f"Model {self.model}, " + (f"night {self.night}, " if self.night else "")
        advice = f"What it means: {self.what_it_means}\nWhat to do: {self.what_to_do}"
        link = f"\nSee {self.link}" if self.link else ""
        return f"{self.what_happened}\n\n{advice}{link}\n\n{about}{self.event} ({self.severity})."

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the outbox, the log and web hooks."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Json]) -> Alert:
        """Read what ``as_json`` wrote."""
        return cls(**kept)  # type: ignore[arg-type]  # the outbox keeps what as_json wrote


def identity(model: str, event: str, key: str) -> str:
    """Name an event or condition by what it is about, never by when it was noticed.

    >>> identity("delay", "failure", "delay.score/2013-05-12")[:12]
    '95c40a4f41ad'
    """
    return fingerprint([model, event, key])
