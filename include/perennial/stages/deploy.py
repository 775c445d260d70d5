"""Take a candidate that passed its gates to production: testing, staging, and the switch in the ledger.

What ships is the very artefact that was evaluated, checked by its hash at every step; nothing is fitted again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from perennial.clock import Night, after
from perennial.errors import NotFitToServeError, NotPassedError
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry
from perennial.stages import datasets
from perennial.stages.approvals import approved
from perennial.stages.candidates import Candidate, Predictor, candidate, mirror_champion
from perennial.stages.evaluate import OUTCOME
from perennial.stages.freezing import refuse_while_frozen
from perennial.stages.recording import record
from perennial.stages.roll_back import proven_live
from perennial.stages.rollout_state import start_watch
from perennial.stages.score import predictions
from perennial.workspace import Workspace


@dataclass(frozen=True)
class Staged:
    """What scoring a real batch in staging showed."""

    version: str
    night: Night
    rows: int
    sha256: str

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return asdict(self)


def test(workspace: Workspace, model: str, version: str, night: Night) -> dict[str, Json]:
    """Load the evaluated bytes by their hash and check that they behave as they did when they were trained.

    Raises:
        NotPassedError: the gates of that night did not pass this version.
        NotFitToServeError: it behaves otherwise.
    """
    must_have_passed(workspace, model, version, night)
    tested = candidate(workspace, model, version)
    predictor = Predictor(workspace, tested)
    if not predictor.behaves():
        raise NotFitToServeError(
            model, version, "its predictions on the fixed rows are not those of its training"
        )
    workspace.registry.set_alias(model, "testing", version)
    return {"version": version, "sha256": tested.sha256, "behaviour": tested.behaviour}


def stage(workspace: Workspace, model: str, version: str, night: Night) -> Staged:
    """Score the night's real batch with the candidate, and keep the result apart from what is served."""
    staged = candidate(workspace, model, version)
    features = workspace.store.read(datasets.features(model, staged.plan), _latest(workspace, staged, night))
    table = predictions(Predictor(workspace, staged), features)
    values = [c for c in table.column_names if c.startswith("p:")] or ["prediction"]
    if not table.num_rows or not all(np.isfinite(table[name].to_numpy()).all() for name in values):
        raise NotFitToServeError(model, version, "it gave no finite prediction for every row of a real batch")
    workspace.store.publish(
        f"{model}/staging", version, table, meta={"night": night, "behaviour": staged.behaviour}
    )
    workspace.registry.set_alias(model, "staging", version)
    return Staged(version, night, table.num_rows, staged.sha256)


def promote(
    workspace: Workspace,
    model: str,
    version: str,
    night: Night,
    *,
    actor: str = "deploy",
    since: Night | None = None,
) -> Entry:
    """Make the candidate the champion from the night after ``night``, or say that a person has to.

    The ledger's line is the switch; the registry's alias is a mirror of it. Where its rollout ended (``since``) or a
    person's approval came on a later night than its gates, it serves from the night after that.

    Raises:
        FrozenModelError: promotions are frozen.
    """
    must_have_passed(workspace, model, version, night)
    refuse_while_frozen(workspace, model, since or night)
    promoted = candidate(workspace, model, version)
    approval = approved(workspace, model, version, night)
    if workspace.spec(model).risk == "high" and approval is None:
        return _wait_for_approval(workspace, promoted, night)
    last = max(night, since or night, approval.night if approval else night)
    now = workspace.ledger.champion(model, last)
    entry = record(workspace, _promotion(promoted, now.version if now else None, last, actor))
    start_watch(workspace, entry, proven_live(workspace.ledger.timeline(model), version))
    mirror_champion(workspace, model)
    workspace.registry.set_tags(workspace.registry.version(model, version).run_id, {"promoted": entry.id})
    return entry


def _promotion(promoted: Candidate, replaced: str | None, last: Night, actor: str) -> NewEntry:
    evidence: dict[str, Json] = {
        "version": promoted.version,
        "behaviour": promoted.behaviour,
        "plan": promoted.plan,
        "replaces": replaced,
    }
    key, reason = f"{last}-{promoted.version}", _sentence(promoted, replaced, last)
    return NewEntry(promoted.model, "promoted", key, after(last), actor, reason, evidence)


def _sentence(promoted: Candidate, replaced: str | None, night: Night) -> str:
    instead = f"in place of version {replaced}" if replaced else "as the first champion"
    return f"Version {promoted.version} of {promoted.model} serves from the night after {night}, {instead}: it passed its gates."


def _wait_for_approval(workspace: Workspace, waiting: Candidate, night: Night) -> Entry:
    return record(
        workspace,
        NewEntry(
            model=waiting.model,
            kind="awaits_approval",
            key=f"{night}-{waiting.version}",
            night=night,
            actor="deploy",
            reason=f"Version {waiting.version} of {waiting.model} needs approval: its risk is high, so it stops after staging.",
            evidence={"version": waiting.version, "behaviour": waiting.behaviour},
        ),
    )


def must_have_passed(workspace: Workspace, model: str, version: str, night: Night) -> None:
    """Refuse a version that the gates of a night did not pass.

    Raises:
        NotPassedError: nothing else leads on from there.
    """
    concluded = workspace.ledger.entries(
        model, kinds=tuple(OUTCOME.values()), first_night=night, last_night=night
    )
    kinds = [entry.kind for entry in concluded if entry.evidence["candidate"] == version]
    if kinds[-1:] != ["passed"]:
        raise NotPassedError(model, version, night)


def _latest(workspace: Workspace, staged: Candidate, night: Night) -> Night:
    return workspace.store.keys(datasets.features(staged.model, staged.plan), last=night)[-1]
