"""Put a candidate beside the champion and the baselines, on rows that none of them has seen, and ask the gates.

Stands between ``train`` and ``deploy``. Rows become sums per night here; a gate sees the sums only.
"""

from __future__ import annotations

import json
from typing import Any

from perennial.clock import Night
from perennial.facts.decision import Decision, Verdict
from perennial.facts.evaluation import Evaluation
from perennial.facts.evidence import Evidence, as_text
from perennial.gates.base import Gate
from perennial.ledger.base import NewEntry
from perennial.policies.promotion import Promotion
from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.comparison import compare_on_holdout
from perennial.stages.freezing import frozen_reason
from perennial.stages.policy_changes import record_policies
from perennial.stages.recording import record_again
from perennial.stages.usage import measured, recorded, run_of
from perennial.workspace import Workspace

OUTCOME = {Verdict.PASS: "passed", Verdict.FAIL: "refused", Verdict.HOLD: "held"}


def measure(workspace: Workspace, model: str, version: str, night: Night) -> Evaluation:
    """Score the holdout with the candidate, the champion of ``night`` and the baselines; publish the sums."""
    import pyarrow as pa

    run = run_of(workspace, model, version)
    with recorded(workspace, model, run, "evaluate") if run else measured():
        evaluation = compare_on_holdout(workspace, candidate(workspace, model, version), night)
    table = pa.table({"evaluation": [as_text(evaluation.as_json())]})
    workspace.store.publish(datasets.evaluations(model), f"{version}-{night}", table)
    return evaluation


def gates(workspace: Workspace, model: str) -> dict[str, Gate]:
    """Name the gates that a model declares; the name is the file's in the catalogue."""
    return {type(gate).__module__.rpartition(".")[2]: gate for gate in workspace.spec(model).all_gates}


def ask(workspace: Workspace, model: str, version: str, night: Night, gate: str) -> Decision:
    """Ask one gate and record its answer."""
    text = workspace.store.read(datasets.evaluations(model), f"{version}-{night}")["evaluation"][0].as_py()
    decision = gates(workspace, model)[gate].decide(Evaluation.from_json(json.loads(text)))
    _record(
        workspace,
        model,
        night,
        "gate",
        f"{version}-{night}-{gate}",
        decision,
        {"gate": gate, "candidate": version},
    )
    return decision


def conclude(workspace: Workspace, model: str, version: str, night: Night) -> Decision:
    """Combine the gates' recorded answers: may the candidate go on to production?"""
    record_policies(workspace, model, night)
    asked = workspace.ledger.entries(model, kinds={"gate"}, first_night=night, last_night=night)
    answers = {
        str(entry.evidence["gate"]): Decision(
            Verdict(str(entry.evidence["verdict"])), entry.reason, _of(entry.evidence)
        )
        for entry in asked
        if entry.evidence["candidate"] == version
    }
    declared = tuple(gates(workspace, model))
    in_order = {gate: answers[gate] for gate in declared if gate in answers}  # they may have answered in any
    decision = Promotion(required=declared).decide(
        f"version {version}", in_order | answers, frozen_reason=frozen_reason(workspace, model, night)
    )
    _record(
        workspace,
        model,
        night,
        OUTCOME[decision.verdict],
        f"{version}-{night}",
        decision,
        {"candidate": version},
    )
    run = workspace.registry.version(model, version).run_id
    workspace.registry.set_tags(run, {"concluded": decision.reason})
    return decision


def _of(recorded: Any) -> Evidence:
    evidence: Evidence = recorded["evidence"]
    return evidence


def _record(
    workspace: Workspace,
    model: str,
    night: Night,
    kind: str,
    key: str,
    decision: Decision,
    about: dict[str, str],
) -> None:
    evidence = {**about, "verdict": decision.verdict.value, "evidence": decision.evidence}
    record_again(
        workspace,
        NewEntry(
            model=model,
            kind=kind,
            key=key,
            night=night,
            actor="evaluate",
            reason=decision.reason,
            evidence=evidence,
        ),
        among=("gate",) if kind == "gate" else tuple(OUTCOME.values()),
    )
