"""Tell people what was recorded: from the outbox to the channels that ``model.yaml`` declares, and the local log.

Called by the scheduler's callbacks after each task, and by the command line. Addresses of channels are secrets
that the caller holds; looking back over past nights calls none of this, so a replay tells nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from perennial.clock import wall_clock
from perennial.errors import PerennialError
from perennial.ledger.delivery import Declared, Report, Route, Routes, deliver, routes
from perennial.ledger.outbox import Outbox
from perennial.workspace import Workspace

AddressOf = Callable[[str], str]
"""From a connection's name to its Apprise URL; empty where there is none, which is a channel that fails."""

WITHIN_SECONDS = 5.0
"""Longest that a task waits for its alerts to go out; what did not go out is tried again after the next task."""


def tell(workspace: Workspace, address_of: AddressOf, *, within_seconds: float = WITHIN_SECONDS) -> Report:
    """Deliver what waits in the outbox and is due; no channel ever raises here."""
    outbox = Outbox(workspace.ledger.database)
    if not (outbox.unrouted(limit=1) or outbox.pending(limit=1)):
        return Report()
    return deliver(outbox, channels_of(workspace, address_of), wall_clock(), within_seconds=within_seconds)


def channels_of(workspace: Workspace, address_of: AddressOf) -> Routes:
    """Find each model's channels: the local log, and what its folder declares."""

    @cache
    def of(model: str) -> Sequence[Route]:
        declared = declared_channels(workspace, model)
        addresses = {one.connection: address_of(one.connection) for one in declared}
        return routes(declared, addresses, home=workspace.home)

    return of


def declared_channels(workspace: Workspace, model: str) -> Sequence[Declared]:
    """List the channels in a model's folder; of a folder with a mistake elsewhere, those that can be read."""
    try:
        return workspace.spec(model).alerts
    except PerennialError:
        return _readable_channels(workspace, model)


def _readable_channels(workspace: Workspace, model: str) -> Sequence[Declared]:
    from pydantic import TypeAdapter, ValidationError

    from perennial.spec.reading_yaml import read_yaml
    from perennial.spec.watching import AlertSpec

    try:
        written = read_yaml(workspace.models / model / "model.yaml").values
        return TypeAdapter(tuple[AlertSpec, ...]).validate_python(written["alerts"])
    except (PerennialError, ValidationError, OSError, LookupError, TypeError):
        return ()
