"""Write a decision down, and what people should hear of it: one transaction, so that neither is without the other.

Every stage ends here. What is told stands in the outbox afterwards; ``telling`` carries it to people. The sentence
is logged as well: a task's log says what it decided.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from dataclasses import replace

from perennial.facts.alert import Alert
from perennial.ledger.base import Entry, NewEntry
from perennial.ledger.outbox import Outbox
from perennial.policies.announcing import of_decision
from perennial.workspace import Workspace

RUN_PAGE = "PERENNIAL_RUN_PAGE"
"""Environment variable with the address of the run that decides; whoever starts a stage may set it."""

REVISION = "~"
"""Parts the key of a question from the number of its answer, from the second on."""

_log = logging.getLogger(__name__)


def record(workspace: Workspace, new: NewEntry, *, to_do: str | None = None) -> Entry:
    """Record a decision once and, unless the workspace is quiet, keep the alert about it for its channels.

    ``to_do`` is the next step where the decision knows a better one than the general advice.
    """
    database = workspace.ledger.database
    with database.writing():
        entry = workspace.ledger.append(new)
        alert = None if workspace.quiet else alert_about(entry, to_do=to_do)
        if alert is not None:
            Outbox(database).put(alert)
    _log.info("%s", entry.reason)
    return entry


def record_again(
    workspace: Workspace, new: NewEntry, *, among: Collection[str], to_do: str | None = None
) -> Entry:
    """Record a decision that a corrected delivery may change: the last answer to a question holds.

    ``new.key`` names the question, ``among`` the kinds its answers can have. The answer that stands is not
    repeated; another one gets a line of its own, also when it returns to an earlier one.
    """
    answers = [
        entry
        for entry in workspace.ledger.entries(new.model, among, first_night=new.night, last_night=new.night)
        if entry.key.partition(REVISION)[0] == new.key
    ]
    if answers and answers[-1].evidence_hash == new.evidence_hash:
        return record(workspace, replace(new, key=answers[-1].key), to_do=to_do)
    key = f"{new.key}{REVISION}{len(answers) + 1}" if answers else new.key
    return record(workspace, replace(new, key=key), to_do=to_do)


def alert_about(entry: Entry, *, to_do: str | None = None) -> Alert | None:
    """Say what a ledger entry means to people; none if nobody needs to hear of it."""
    said = of_decision(
        model=entry.model,
        kind=entry.kind,
        key=entry.key,
        night=entry.night,
        reason=entry.reason,
        evidence=entry.evidence,
        link=os.environ.get(RUN_PAGE, ""),
    )
    return replace(said, what_to_do=to_do) if said is not None and to_do else said
