"""One channel's turn in a round of deliveries, in a thread of its own so that none waits for another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

from perennial.channels.base import Channel
from perennial.channels.log import Log
from perennial.errors import NotDeliveredError
from perennial.facts.alert import Alert
from perennial.ledger.outbox import Delivery
from perennial.policies.alerting import LONGEST_STORM, STORM, storm

_log = logging.getLogger(__name__)


class Attempt:
    """The deliveries of one channel, told in order until one fails or time is up."""

    def __init__(self, name: str, channel: Channel) -> None:
        """Begin without deliveries; they are appended to ``batch`` before the start."""
        self.name, self.channel = name, channel
        self.batch: list[Delivery] = []
        self._taken = 0
        self._problem = ""
        self._time_is_up = threading.Event()
        # A daemon: a channel that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._tell, name=f"tell-{name}", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end, at most so long; after that no further alert is begun."""
        self._thread.join(seconds)
        self._time_is_up.set()

    def outcome(self) -> tuple[int, str]:
        """Return how many of the batch were taken, and why the next was not: empty if time ran out."""
        if self._thread.is_alive() and self._taken == 0:
            return 0, "it did not answer in time."
        return self._taken, self._problem

    def _tell(self) -> None:
        for message, count in _messages(self.batch, self.channel):
            if self._time_is_up.is_set():
                return
            try:
                self.channel.tell(message)
            except NotDeliveredError as problem:
                self._problem = str(problem)
            except Exception as problem:  # noqa: BLE001  # deliver() promises that no channel fails a run
                # Only its type: what an unforeseen error says may hold the address.
                self._problem = f"it failed with {type(problem).__name__}."
                _log.debug("channel %s failed", self.name)
            if self._problem:
                return
            self._taken += count


def _messages(batch: Sequence[Delivery], channel: Channel) -> Iterator[tuple[Alert, int]]:
    """Give each alert, or messages that list many of them; the log keeps each alert by itself."""
    if len(batch) < STORM or isinstance(channel, Log):
        yield from ((delivery.alert, 1) for delivery in batch)
        return
    for start in range(0, len(batch), LONGEST_STORM):
        part = [delivery.alert for delivery in batch[start : start + LONGEST_STORM]]
        yield storm(part), len(part)
