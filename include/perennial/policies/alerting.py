"""Who hears of what, in which words: from a failed run or a silent channel to an alert.

Called by the callbacks of the scheduler, always with plain values; decisions are told by ``announcing``.
Several tasks failing on one night of a DAG are one problem: one condition, one alert, one recovery.

>>> failed = Run("delay", "delay.score", "2013-05-12", run_id="r1", task="predict", error="KeyError: 'dest'")
>>> print(failure(failed).title)
delay: score failed for 2013-05-12
>>> recoveries(failed)[0].condition == failure(failed).condition
True
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from perennial.clock import Night
from perennial.facts.alert import Alert, Event, identity

STORM = 10
"""From so many alerts at once on, a channel gets one message that lists them."""
LONGEST_STORM = 50
"""Alerts that such a message lists; more of them are more messages."""
LONGEST_ERROR = 500
"""Characters of an error that are told: the rest is in the log, where private values may stand."""

_PASSWORD_IN_URL = re.compile(r"://[^\s/@]+@")


@dataclass(frozen=True)
class Run:
    """A run of a DAG as its callbacks know it."""

    model: str
    dag: str
    """Id of the DAG, ``<model>.<kind>``."""
    night: Night | None
    """Partition key of the run; none for a run that belongs to no night."""
    run_id: str = ""
    task: str = ""
    """Task that failed; empty where the run as a whole is meant."""
    attempt: str = ""
    """Which attempt it was, so that a second failure after a recovery is told again."""
    error: str = ""
    """What was raised."""
    link: str = ""

    @property
    def stage(self) -> str:
        """Name the kind of DAG."""
        return self.dag.removeprefix(f"{self.model}.")

    @property
    def when(self) -> str:
        """Say which night, in a title."""
        return f"for {self.night}" if self.night else "by hand"

    def condition(self, event: Event) -> str:
        """Name what stays wrong until this DAG succeeds for this night, in whichever run."""
        return identity(self.model, event, f"{self.dag}/{self.night or self.run_id}")

    def occurrence(self, event: Event) -> str:
        """Name this one event: the same however often it is reported."""
        return identity(
            self.model, event, f"{self.dag}/{self.night}/{self.run_id}/{self.task}/{self.attempt}"
        )


_AFFECTED = {
    "validate": "The night's rows are not published: features and predictions of this night wait for them.",
    "features": "The night has no features yet: predictions wait for them. Nothing half-made is visible.",
    "score": "This night has no predictions yet. Earlier nights and the champion are untouched.",
    "monitor": "Nobody watches this night: drift would go unnoticed until this run succeeds.",
    "retrain": "A new model that may be due is not trained. The champion goes on serving.",
    "train": "There is no new candidate. The champion goes on serving.",
    "evaluate": "The candidate is not judged, so it cannot be promoted. The champion goes on serving.",
    "deploy": "The challenger is not in production. The champion goes on serving.",
    "rollout": "The rollout is not judged for this night, and a version that should go is not rolled back. The champion "
    "goes on serving; the next night counts all that have matured.",
    "rollback": "The version that should go is still in production.",
    "broken": "The model's folder cannot be read: none of its DAGs runs. Other models are untouched.",
}
_MEND_TASK = "Read the task's log, mend the cause, then clear the failed task: it is safe to run twice."
_MEND_FOLDER = "Correct the file as the error says; this DAG goes away and the model's own DAGs come back."
_URGENT = {"validate", "features", "score", "rollback", "broken"}


def failure(run: Run) -> Alert:
    """Tell that a run failed; further failures of the same DAG and night are the same problem."""
    where = f" in task {run.task}" if run.task else ""
    error = f": {_first_lines(run.error)}" if run.error else "."
    unread = run.stage == "broken"
    what = "its folder cannot be read" if unread else f"{run.stage} failed {run.when}"
    return Alert(
        model=run.model,
        night=run.night,
        event="failure",
        title=f"{run.model}: {what}",
        what_happened=f"The DAG {run.dag} failed {run.when}{where}{error}",
        what_it_means=_AFFECTED.get(run.stage, "What this DAG makes is missing for this night."),
        what_to_do=_MEND_FOLDER if unread else _MEND_TASK,
        severity="critical" if run.stage in _URGENT else "warning",
        link=run.link,
        fingerprint=run.occurrence("failure"),
        condition=run.condition("failure"),
    )


def recoveries(run: Run) -> list[Alert]:
    """Tell that what was open of this DAG and night is over, a missed night too; the outbox drops the others."""
    return [_recovery(run, event) for event in ("failure", "deadline")]


def _recovery(run: Run, event: Event) -> Alert:
    was = "failed" if event == "failure" else "was late"
    return Alert(
        model=run.model,
        night=run.night,
        event="recovery",
        title=f"{run.model}: {run.stage} succeeded {run.when}",
        what_happened=f"The DAG {run.dag}, which {was} {run.when}, has now succeeded.",
        what_it_means="What was missing is there; what waited for it goes on by itself.",
        what_to_do="Nothing.",
        severity="info",
        link=run.link,
        fingerprint=identity(run.model, "recovery", f"{event}/{run.occurrence(event)}"),
        condition=run.condition(event),
    )


def silent_channel(name: str, *, model: str, problem: str, since: str) -> Alert:
    """Tell the other channels that one does not deliver; ``since`` is the first alert that it missed."""
    return Alert(
        model=model,
        night=None,
        event="channel",
        title=f"Alerts do not arrive through {name}",
        what_happened=f"The channel {name} did not take an alert of {model}: {problem}",
        what_it_means="Nothing is lost: alerts are kept and tried again, and all of them are in alerts.log.",
        what_to_do=f"Check the connection {name} in Airflow, then: perennial alert-test {model}",
        fingerprint=identity(name, "channel", since),
        condition=channel_condition(name),
    )


def channel_again(name: str, *, model: str, since: str) -> Alert:
    """Tell that a channel delivers again."""
    return Alert(
        model=model,
        night=None,
        event="recovery",
        title=f"Alerts arrive through {name} again",
        what_happened=f"The channel {name} takes alerts again.",
        what_it_means="What could not be delivered meanwhile follows by itself.",
        what_to_do="Nothing.",
        severity="info",
        fingerprint=identity(name, "channel again", since),
        condition=channel_condition(name),
    )


def channel_condition(name: str) -> str:
    """Name the condition of a channel that does not deliver."""
    return identity(name, "channel", "silent")


def storm(alerts: Collection[Alert]) -> Alert:
    """Tell many alerts in one message: a cause they share is seen sooner than their number is read."""
    ordered = sorted(
        alerts, key=lambda alert: (alert.model, alert.night or "", alert.title, alert.fingerprint)
    )
    models = sorted({alert.model for alert in ordered})
    worst = next(s for s in ("critical", "warning", "info") if any(a.severity == s for a in ordered))
    return Alert(
        model=", ".join(models),
        night=max((alert.night for alert in ordered if alert.night), default=None),
        event=ordered[0].event,
        title=f"{len(ordered)} alerts of {len(models)} models at once",
        what_happened="\n".join(f"- {alert.title}: {alert.what_happened}" for alert in ordered),
        what_it_means="So many at once usually have one cause: a disk, a database, a feed they share.",
        what_to_do="Look for the shared cause first; each alert by itself is in alerts.log.",
        severity=worst,  # type: ignore[arg-type]  # one of the three just listed
        fingerprint=identity("storm", "storm", "/".join(alert.fingerprint for alert in ordered)),
    )


def wants(alert: Alert, events: Collection[str], *, channel: str) -> bool:
    """Say whether a channel that asked for these events is told of this alert.

    That a channel is silent, and that it speaks again, goes to every other channel unasked.

    >>> wants(silent_channel("mail", model="delay", problem="refused", since="f"), ["drift"], channel="slack")
    True
    """
    if alert.event == "channel":
        return alert.condition != channel_condition(channel)
    return alert.event in events


def _first_lines(error: str) -> str:
    text = _PASSWORD_IN_URL.sub("://***@", " ".join(error.split()))
    return text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]} …"
