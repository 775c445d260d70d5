"""Has a change made the past misleading, and from which night on is a model to learn? Only beside the nightly layer.

``adapt`` asks every night and writes the answer into the layer's line; ``retrain`` takes it from there, and ``train``
leaves out what came before. The rule and its errors are in ``adaptation/restart.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from perennial.adaptation.latest import Latest, NightLosses
from perennial.adaptation.restart import restart
from perennial.adaptation.rows import MatureNight
from perennial.clock import Night, after
from perennial.facts.decision import Decision, Verdict
from perennial.ledger.base import Entry
from perennial.workspace import Workspace

FEWEST_NIGHTS = 14
"""Least nights that a restart is left with: 7 to learn from, and the 7 that the gates ask for."""
MEMBERS = ("served", "twin", "latest")


def night_losses(workspace: Workspace, model: str, night: MatureNight) -> NightLosses | None:
    """Return what was lost on a matured night as it was answered then; nothing where one of the three was not there."""
    known = night.known
    if not known.any() or any(name not in night.served for name in MEMBERS):
        return None
    row_loss = workspace.spec(model).watched.row_loss
    lost = [
        float(np.mean(np.asarray(row_loss(night.labels[known], night.served[name][known]), dtype=float)))
        for name in MEMBERS
    ]
    return NightLosses(night.night, int(known.sum()), *lost)


def restart_tonight(workspace: Workspace, model: str, night: Night, latest: Latest) -> Decision:
    """Say whether the next training shall leave the past out; a PASS names the first night that it learns from."""
    losses, last = latest.losses, _last_restart(workspace, model, night)
    since = sum(one.night > last.night for one in losses) if last else len(losses)
    served, twin, own = ([getattr(one, name) for one in losses] for name in MEMBERS)
    decision = restart(served, twin, own, since, fewest_nights=FEWEST_NIGHTS)
    if decision.verdict is not Verdict.PASS:
        return decision
    chosen = losses[-int(str(decision.evidence["from_latest_nights"])) :]
    rows, needed = sum(one.rows for one in chosen), workspace.spec(model).training.min_rows
    if rows < needed:
        return Decision.held(
            f"No restart: the {len(chosen)} nights since the change have {rows} labelled rows, and "
            f"`training.min_rows` asks for {needed}.",
            **decision.evidence,
        )
    return replace(decision, evidence={**decision.evidence, "learn_from": chosen[0].night})


def shown(workspace: Workspace, model: str, night: Night) -> Decision | None:
    """Return tonight's PASS, as the layer's line in the ledger has it; nothing else counts."""
    if not workspace.spec(model).retraining.on_restart:
        return None
    said = workspace.ledger.entries(model, kinds={"layer"}, first_night=night, last_night=night)
    told = said[-1].evidence.get("restart") if said else None
    if not isinstance(told, dict) or told["verdict"] != Verdict.PASS.value:
        return None
    return Decision(Verdict.PASS, str(told["reason"]), told["evidence"])


def learned_from(workspace: Workspace, model: str, night: Night) -> Night | None:
    """Name the first night that trainings learn from: of tonight's restart, or of the last that led to a promotion."""
    promoted = workspace.ledger.entries(model, kinds={"promoted"}, last_night=after(night))
    for asked in reversed(_restarts(workspace, model, night)):
        if asked.night == night or any(one.night == after(asked.night) for one in promoted):
            return str(asked.evidence["learn_from"])
    return None


def _last_restart(workspace: Workspace, model: str, night: Night) -> Entry | None:
    before = _restarts(workspace, model, after(night, -1))
    return before[-1] if before else None


def _restarts(workspace: Workspace, model: str, last: Night) -> list[Entry]:
    asked = workspace.ledger.entries(model, kinds={"retrain"}, last_night=last)
    return [one for one in asked if one.evidence["trigger"] == "restart"]
