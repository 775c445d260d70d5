"""Which recorded decisions people hear of, and in which words: from a line of the ledger to an alert.

Called where something is decided, with the plain values of the line. A finding is one condition: it is told when it
opens, when what was only recorded gets graver, and when it is over; its other nights are counted by the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perennial.clock import Night
from perennial.facts.alert import Alert, Event, Severity, identity
from perennial.facts.evidence import Evidence
from perennial.policies.alerting import Run


@dataclass(frozen=True)
class _Words:
    event: Event
    severity: Severity
    title: str
    means: str
    do: str


_SAID = {
    "promoted": _Words(
        "promotion",
        "info",
        "version {version} is in production from {night}",
        "It passed its gates and answers from this night on; the version before it is kept.",
        "Nothing. To go back: perennial rollback {model}",
    ),
    "rolled_back": _Words(
        "rollback",
        "critical",
        "back to version {version} from {night}",
        "The version that was in production no longer answers.",
        "Find out what was wrong with it before the next promotion: perennial explain {model} --night {night}",
    ),
    "shadow_ended": _Words(
        "promotion",
        "info",
        "the shadow of version {version} ends with {night}",
        "It scored the same nights as the champion, unused; what its nights showed decided.",
        "Nothing. Its nights: perennial ledger {model} --kind shadow_ended",
    ),
    "canary_ended": _Words(
        "promotion",
        "info",
        "the canary of version {version} ends with {night}",
        "It answered a share of the entities; what its nights showed decided.",
        "Nothing. Its nights: perennial ledger {model} --kind canary_ended",
    ),
    "rollout_refused": _Words(
        "refused",
        "warning",
        "version {version} is not put into production",
        "It, or a version that predicts the same, was rolled back from: two models must not swap places for ever.",
        "Find out what was wrong, and train another one.",
    ),
    "refused": _Words(
        "refused",
        "warning",
        "a challenger was refused on {night}",
        "The champion goes on serving; the refusal and its numbers are kept.",
        "See which gate refused and why: perennial explain {model} --night {night}",
    ),
    "finding_opened": _Words(
        "drift",
        "warning",
        "something moved on {night}",
        "Predictions may be worse than they were; a new model is asked for only where it can help. Told once: "
        "further nights are counted, and its end is told.",
        "See what moved: perennial explain {model} --night {night}",
    ),
    "finding_graver": _Words(
        "drift",
        "warning",
        "what moved on {first} is graver on {night}",
        "Until now it was recorded only. Predictions may be worse than they were.",
        "See what moved: perennial explain {model} --night {night}",
    ),
    "finding_goes_on": _Words(
        "drift",
        "warning",
        "what moved on {first} goes on",
        "Predictions may be worse than they were; a new model is asked for only where it can help.",
        "See its nights: perennial findings {model}",
    ),
    "finding_recovered": _Words(
        "recovery",
        "info",
        "what was found on {first} is over",
        "The nights are again what earlier ones let one expect, or another version answers.",
        "Nothing.",
    ),
    "finding_withdrawn": _Words(
        "recovery",
        "info",
        "what was found on {night} is taken back",
        "The night was judged again with what is known now.",
        "Nothing.",
    ),
    "layer_overtaken": _Words(
        "drift",
        "warning",
        "the champion is overtaken by its nightly twin",
        "What is served is mostly the small model's answer; the champion below it has grown old.",
        "Train a new one: perennial run {model} retrain",
    ),
    "silent": _Words(
        "deadline",
        "critical",
        "a delivery is missing for {night}",
        "This night has no predictions, and nobody can say whether anything drifted.",
        "Ask whoever delivers it; when it has come, run the night's validate.",
    ),
    "awaits_approval": _Words(
        "promotion",
        "warning",
        "version {version} needs approval",
        "It passed its gates and stopped after staging; the champion goes on serving.",
        "Read what its gates say: perennial explain {model} --night {night}. To approve: perennial approve {model}",
    ),
    "forced": _Words(
        "promotion",
        "critical",
        "version {version} was forced into production from {night}",
        "It answers from this night on although its gates did not let it pass; the version before it is kept.",
        "Find out whether it is any good: perennial status {model}. To go back: perennial rollback {model}",
    ),
    "frozen": _Words(
        "promotion",
        "info",
        "frozen from {night} on",
        "Nothing is trained or promoted until the date named; scoring and watching go on.",
        "Nothing. To end it before: perennial unfreeze {model}",
    ),
    "reconciled": _Words(
        "registry",
        "warning",
        "the registry was changed by hand, seen on {night}",
        "Nobody was answered otherwise: scoring goes by the ledger and the hash of the bytes.",
        "Ask who changed it. What may serve is changed with perennial rollback, approve or force: perennial ledger {model}",
    ),
    "registry_damaged": _Words(
        "registry",
        "critical",
        "a version cannot be brought back, seen on {night}",
        "Its bytes are nowhere as they were; where it serves, nothing is scored with other bytes in its place.",
        "Restore the registry's files from a backup, or let another version serve: perennial rollback {model}",
    ),
    "quarantined": _Words(
        "quarantine",
        "warning",
        "too many rows were set aside on {night}",
        "The rows are kept with their reasons, and are in no prediction and no training.",
        "Look at the reasons, then mend the feed or accept the rows: perennial explain {model} --night {night}",
    ),
}
"""Kinds of ledger entries that are told, and ``silent``, a finding that nothing came; all others are read there."""
_OVER = ("finding_recovered", "finding_withdrawn")
TOLD_KINDS = tuple(_SAID)


def of_decision(  # the plain values of a ledger entry: policies do not know the ledger
    *, model: str, kind: str, key: str, night: Night, reason: str, evidence: Evidence, link: str = ""
) -> Alert | None:
    """Tell what was recorded, in the very sentence of the ledger; none if nobody needs to hear of it.

    >>> said = of_decision(model="delay", kind="promoted", key="7", night="2013-09-01",
    ...                    reason="Version 7 loses 0.012 less per flight.", evidence={"version": "7"})
    >>> said.title, said.what_happened
    ('delay: version 7 is in production from 2013-09-01', 'Version 7 loses 0.012 less per flight.')
    >>> of_decision(model="delay", kind="trained", key="7", night="2013-09-01", reason="Done.", evidence={})
    """
    found: Any = evidence.get("finding")
    finding: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    silent = finding.get("problem") == "delivery" and kind not in _OVER
    words = _SAID.get("silent" if silent else kind)
    if words is None or (finding and _only_recorded(kind, night, evidence, finding)):
        return None
    values = {
        "model": model,
        "night": night,
        "version": evidence.get("version", "?"),
        "first": finding.get("first_night", night),
    }
    return Alert(
        model=model,
        night=night,
        event=words.event,
        title=f"{model}: {words.title.format(**values)}",
        what_happened=reason,
        what_it_means=words.means,
        what_to_do=words.do.format(**values),
        severity=words.severity,
        link=link,
        fingerprint=identity(model, words.event, key),
        condition=_condition(model, finding) if finding else "",
    )


def _condition(model: str, finding: Mapping[str, Any]) -> str:
    """Name what stays wrong while a finding is open; a missing delivery is mended by the run that takes it in."""
    if finding["problem"] == "delivery":
        return Run(model, f"{model}.validate", str(finding["first_night"])).condition("deadline")
    return identity(model, "drift", str(finding["id"]))


def _only_recorded(kind: str, night: Night, evidence: Evidence, finding: Mapping[str, Any]) -> bool:
    """Whether this line of a finding wakes nobody: a notice, or a night taken back of a finding that stays."""
    if kind in _OVER:
        return kind == "finding_withdrawn" and finding["first_night"] != night
    return evidence.get("outcome") == "notice"
