"""Carry what is in the outbox to its channels: once, within a stated time, and never at a run's cost.

Called after each task by the callbacks, and by the monitor's own sweep. A channel that fails raises
nothing here: its alerts are kept, tried again with a growing pause, and the other channels are told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Protocol

from perennial.channels.apprise_url import AppriseUrl
from perennial.channels.base import Channel
from perennial.channels.log import Log
from perennial.facts.alert import EVENTS
from perennial.ledger.attempt import Attempt
from perennial.ledger.outbox import Delivery, Outbox, State
from perennial.policies.alerting import channel_again, channel_condition, silent_channel, wants

LOG = "log"
"""Name of the channel that every model has."""

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 100
"""About four days of trying; after that the alert is ``failed``: kept, shown, in the log, not tried."""

LEASE = timedelta(minutes=2)
"""An alert that a process took and did not finish, because it was killed, is tried again after this."""

LEAST_SECONDS = 0.5
"""With less time left no second round begins; the next call does it."""


class Declared(Protocol):
    """What ``model.yaml`` says of a channel."""

    @property
    def connection(self) -> str:
        """Name of the connection that holds the Apprise URL."""

    @property
    def events(self) -> Collection[str]:
        """Events that are told through it."""


@dataclass(frozen=True)
class Route:
    """A channel of a model, and what it is told."""

    name: str
    channel: Channel
    events: Collection[str] = EVENTS


@dataclass
class Report:
    """What one round of deliveries did."""

    sent: int = 0
    """Alerts taken, counted per channel."""
    failed: int = 0
    """Attempts that failed; these alerts are tried again."""
    rounds: int = 0
    """Rounds made: a second one tells what the first found out about its channels."""
    silent: dict[str, str] = field(default_factory=dict)
    """Channels that failed, and why."""


Routes = Callable[[str], Sequence[Route]]
"""From a model's name to its channels."""


def routes(declared: Collection[Declared], urls: Mapping[str, str], *, home: Path) -> list[Route]:
    """List a model's channels: the local log always, and each declared connection.

    ``urls`` holds the Apprise URL by connection. One that is missing is a channel that fails, and is
    told as such through the others.
    """
    log = Route(LOG, Log(path=home / "alerts.log"))
    return [log, *(Route(d.connection, _by_url(urls.get(d.connection, "")), d.events) for d in declared)]


def _by_url(url: str) -> Channel:
    return AppriseUrl.model_validate({"url": url})


def deliver(outbox: Outbox, routes_of: Routes, now: datetime, *, within_seconds: float = 5.0) -> Report:
    """Deliver what is due, all channels at once, and return after ``within_seconds`` at the latest.

    Never raises for a channel. An alert whose channel took it but did not answer in time is told twice:
    at least once is the promise. ``routes_of`` must answer for a model whose folder is broken, too.
    """
    report, ends = Report(), monotonic() + within_seconds
    # A second round, if there is time: what the first found out about its channels is told at once.
    while _choose_channels(outbox, routes_of, now) or not report.rounds:
        if report.rounds and ends - monotonic() < LEAST_SECONDS:
            break
        _one_round(outbox, routes_of, now, ends, report)
    return report


def _choose_channels(outbox: Outbox, routes_of: Routes, now: datetime) -> bool:
    new = outbox.unrouted()
    known = {model: routes_of(model) for model in {alert.model for alert in new}}
    with outbox.database.writing():
        for alert in new:
            wanted = (r.name for r in known[alert.model] if wants(alert, r.events, channel=r.name))
            outbox.route(alert, wanted, now)
    return bool(new)


def _one_round(outbox: Outbox, routes_of: Routes, now: datetime, ends: float, report: Report) -> None:
    report.rounds += 1
    due = outbox.claim(now, lease=LEASE)
    attempts = _attempts(due, cache(routes_of), outbox)
    for attempt in attempts:
        attempt.start()
    for attempt in attempts:
        attempt.join(max(ends - monotonic(), 0.0))
    for attempt in attempts:
        _write_down(outbox, attempt, now, report)


def _attempts(due: Sequence[Delivery], routes_of: Routes, outbox: Outbox) -> list[Attempt]:
    found: dict[str, Attempt] = {}
    for delivery in due:
        declared = (r for r in routes_of(delivery.alert.model) if r.name == delivery.channel)
        route = next(declared, None)
        if route is None:
            outbox.mark(replace(delivery, state="failed", problem="The channel is no longer declared."))
            continue
        if route.name not in found:
            found[route.name] = Attempt(route.name, route.channel)
        found[route.name].batch.append(delivery)
    return list(found.values())


def _write_down(outbox: Outbox, attempt: Attempt, now: datetime, report: Report) -> None:
    taken, problem = attempt.outcome()
    first_model = attempt.batch[0].alert.model
    with outbox.database.writing():
        for delivery in attempt.batch[:taken]:
            outbox.mark(replace(delivery, state="sent", attempts=delivery.attempts + 1, problem=""))
        if taken and outbox.is_open(channel_condition(attempt.name)):
            since = attempt.batch[0].alert.fingerprint
            outbox.put(channel_again(attempt.name, model=first_model, since=since))
        for delivery in attempt.batch[taken:]:
            outbox.mark(_once_more(delivery, now, problem))
        if problem:
            missed = attempt.batch[taken].alert
            since = missed.fingerprint
            outbox.put(silent_channel(attempt.name, model=missed.model, problem=problem, since=since))
            report.silent[attempt.name] = problem
    report.sent += taken
    report.failed += len(attempt.batch) - taken


def _once_more(delivery: Delivery, now: datetime, problem: str) -> Delivery:
    """Plan the next attempt: at once if only time ran out, else after a pause that doubles."""
    if not problem:
        return replace(delivery, next_try=now)
    attempts = delivery.attempts + 1
    pause = min(FIRST_PAUSE * 2 ** min(delivery.attempts, 10), LONGEST_PAUSE)
    state: State = "failed" if attempts >= MOST_ATTEMPTS else "pending"
    return replace(delivery, state=state, attempts=attempts, next_try=now + pause, problem=problem)
