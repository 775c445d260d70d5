"""A change of what a model must show, how it is watched and how it is rolled out: one line, with what changed.

Asked where a version is judged and by the reconciler, so that nobody is promoted by rules whose change no line tells.
"""

from __future__ import annotations

from collections.abc import Mapping

from perennial.clock import Night
from perennial.facts.evidence import Json, canonical, fingerprint
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.recording import record
from perennial.workspace import Workspace

KIND = "policy_changed"
SECTIONS = ("risk", "force_by", "registry", "gates", "rollout", "monitoring", "retraining", "slices")
"""Parts of model.yaml that decide about versions."""


def record_policies(workspace: Workspace, model: str, night: Night) -> Entry | None:
    """Record the policies as they are declared now; nothing where they are those of the last line."""
    declared = policies(workspace, model)
    with workspace.ledger.database.writing():  # two that ask at once record one line
        last = workspace.ledger.last(model, KIND)
        if last is not None and last.evidence["hash"] == fingerprint(declared):
            return None
        times = len(workspace.ledger.entries(model, {KIND})) + 1
        changes = changed(_policies_of(last), declared) if last else []
        sentence = (
            f"The policies of {model} have changed: {'; '.join(changes)}."
            if last
            else f"The policies of {model} are recorded for the first time: {', '.join(declared)}."
        )
        said: dict[str, Json] = {"hash": fingerprint(declared), "policies": declared, "changes": changes}
        return record(workspace, NewEntry(model, KIND, str(times), night, "model.yaml", sentence, said))


def _policies_of(entry: Entry) -> Json:
    return entry.evidence["policies"]


def policies(workspace: Workspace, model: str) -> dict[str, Json]:
    """Return what is declared, defaults included, as the ledger keeps it."""
    spec = workspace.spec(model)
    told = spec.model_dump(mode="json", include=set(SECTIONS))
    if "gates" in told:
        told["gates"] = {
            type(gate).__module__.rpartition(".")[2]: gate.model_dump(mode="json") for gate in spec.all_gates
        }
    kept = canonical(told)
    assert isinstance(kept, Mapping)  # noqa: S101 - canonical() keeps what it is given
    return dict(kept)


def changed(before: Json, now: Json, where: str = "") -> list[str]:
    """Name every value that differs, by its path.

    >>> changed({"gates": {"slices": {"alpha": 0.05}}}, {"gates": {"slices": {"alpha": 0.2}}, "risk": "low"})
    ['gates.slices.alpha was 0.05 and is 0.2', 'risk was absent and is low']
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        found = []
        for name in sorted({*before, *now}):
            inner = f"{where}.{name}" if where else name
            found += changed(before.get(name, _Absent), now.get(name, _Absent), inner)  # type: ignore[arg-type]
        return found
    return [] if before == now else [f"{where} was {_said(before)} and is {_said(now)}"]


class _Absent:
    """Stands for a value that is not there."""


def _said(value: object) -> str:
    return "absent" if value is _Absent else str(value)
