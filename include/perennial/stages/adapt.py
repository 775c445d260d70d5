"""The nightly layer over a champion, where ``adapt: nightly`` declares it: learn what has matured, answer, be judged.

Called by ``score`` once the champion's predictions are published; they stay what monitoring, gates and references look
at. What is served lies beside them, with each member's answer. On any doubt it is the champion's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perennial.adaptation.gate import JUDGED_NIGHTS, Tally, never_worse
from perennial.adaptation.latest import LATEST_NIGHTS, Latest
from perennial.adaptation.layer import Layer
from perennial.adaptation.rows import MatureNight, Numbers
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.state import Champion, begin, learn, renewed
from perennial.clock import Night
from perennial.facts.decision import Decision, Verdict
from perennial.facts.evidence import Json
from perennial.ledger.base import NewEntry
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, Predictor
from perennial.stages.layer_nights import delay, matrix, matured, saw_through, to_learn
from perennial.stages.layer_states import Known, before, publish
from perennial.stages.recording import record, record_again
from perennial.stages.restarting import night_losses, restart_tonight
from perennial.stages.slices import slices_of
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

MEMBERS = ("raw", "blend", "twin")
"""The ones that need neither segments nor inputs of the past. On real tables nearly as good as all five; after an
abrupt change slower, since `features` alone learns a new relation in days (``docs/season.md``: flip, switch)."""


@dataclass(frozen=True)
class Tonight:
    """What is needed to answer for one night."""

    workspace: Workspace
    version: Candidate
    predictor: Predictor
    night: Night

    @property
    def model(self) -> str:
        """The model's name."""
        return self.version.model


def adapt(tonight: Tonight, features: pa.Table, predicted: pa.Table) -> str:
    """Learn, answer for the night's rows, and publish both; say in words what serves, and why."""
    try:
        known = learned(tonight)
    except (ValueError, ArithmeticError) as problem:
        failed = Decision.failed(f"The champion serves alone: nothing could be learned ({problem}).")
        return _record(tonight, None, failed)
    if known is None:
        return "The champion serves alone: the nightly layer waits for a night whose labels have matured."
    publish(tonight.workspace, tonight.model, tonight.night, known)
    return _answer(tonight, known, features, predicted)


def switched_off(tonight: Tonight) -> str:
    """Record that a night which the layer had answered is answered by the champion alone again."""
    version = tonight.version.version
    reason = f"The champion serves alone: `adapt: off` is declared, so version {version} answers by itself."
    new = _entry(tonight, reason, {"version": version, "gate": None})
    record_again(tonight.workspace, new, among=("layer",))
    return reason


def _answer(tonight: Tonight, known: Known, features: pa.Table, predicted: pa.Table) -> str:
    decision = never_worse(known.tallies)
    raw, inputs = predicted["prediction"].to_numpy(), matrix(tonight.version, features)
    answered = known.state.layer.serve(raw, inputs)
    served = answered.scores if decision.verdict is Verdict.PASS else raw
    of = tonight.workspace.store.manifest(datasets.predictions(tonight.model), tonight.night)
    meta: dict[str, Json] = {
        "of": of.content if of else None,
        "layer": known.state.layer.identity,
        "version": tonight.version.version,
        "serves": "layer" if decision.verdict is Verdict.PASS else "champion",
        "fallen_back_rows": answered.fallen_back_rows,
    }
    said = {"layer": answered.scores, **answered.members, **_latest(tonight, known, raw, inputs)}
    table = _beside(predicted, served, said)
    tonight.workspace.store.publish(datasets.adapted(tonight.model), tonight.night, table, meta=meta)
    return _record(tonight, known, decision)


def _latest(tonight: Tonight, known: Known, raw: Numbers, inputs: Numbers) -> dict[str, Numbers]:
    """Let the model of the latest nights answer too, where a restart is declared; nobody is served by it."""
    if not _may_restart(tonight):
        return {}
    layer = known.state.layer
    model = known.latest.fit(layer.scale, layer.settings)
    return {"latest": raw if model is None else layer.scale.score(model.link(inputs))}


def _may_restart(tonight: Tonight) -> bool:
    return tonight.workspace.spec(tonight.model).retraining.on_restart


def learned(tonight: Tonight) -> Known | None:
    """Return what is known tonight: the newest state before, and the nights that have matured since."""
    known = before(tonight.workspace, tonight.model, tonight.night)
    if known is None or known.plan != tonight.version.plan:
        return _begun(tonight, known)
    if known.state.champion.version != tonight.version.version:
        known = _renewed(tonight, known)
    state = known.state
    nights = _nights(tonight, state.layer.learned_through)
    tallies = [one for night in nights if (one := _tally(tonight, night)) is not None]
    state = learn(state, nights, tonight.night)
    known = replace(known, state=state, tallies=(*known.tallies, *tallies)[-JUDGED_NIGHTS:])
    return _with_latest(tonight, known, nights)


def _with_latest(tonight: Tonight, known: Known, nights: list[MatureNight]) -> Known:
    if not _may_restart(tonight):
        return replace(known, latest=Latest())
    lost = [night_losses(tonight.workspace, tonight.model, night) for night in nights]
    latest = known.latest.with_nights(nights, [one for one in lost if one], known.state.layer.settings)
    return replace(known, latest=latest)


def served_table(workspace: Workspace, model: str, night: Night) -> pa.Table:
    """Return what is delivered for a night: the predictions, with the layer's answers in their place where it serves."""
    predicted = workspace.store.read(datasets.predictions(model), night)
    of = workspace.store.manifest(datasets.predictions(model), night)
    adapted = workspace.store.manifest(datasets.adapted(model), night)
    # Answers beside other predictions than those that stand now are of other rows, or of another champion.
    if (
        workspace.spec(model).adapt == "off"
        or adapted is None
        or of is None
        or adapted.meta["of"] != of.content
    ):
        return predicted
    served = workspace.store.read(datasets.adapted(model), night, ["prediction"])
    return predicted.set_column(
        predicted.column_names.index("prediction"), "prediction", served["prediction"]
    )


def _begun(tonight: Tonight, earlier: Known | None) -> Known | None:
    nights = [night for night in _nights(tonight, None) if night.known.any()]
    if not nights:
        return None
    task: Any = tonight.version.task
    state = begin(_champion(tonight.version), nights, tonight.night, task, _settings(tonight))
    known = Known(state, earlier.tallies if earlier else (), tonight.version.plan)
    return _with_latest(tonight, known, nights[-LATEST_NIGHTS:])


def _renewed(tonight: Tonight, known: Known) -> Known:
    """Put the new champion below, with the nights that it has not seen and that are already learned."""
    through = known.state.layer.learned_through
    keys = to_learn(
        tonight.workspace, tonight.model, tonight.version.plan, saw_through(tonight.version), tonight.night
    )
    passed = [key for key in keys if through is not None and key <= through]
    nights = matured(tonight.workspace, tonight.version, tonight.predictor, passed, tonight.night)
    return replace(known, state=renewed(known.state, _champion(tonight.version), tonight.night, nights))


def _nights(tonight: Tonight, since: Night | None) -> list[MatureNight]:
    keys = to_learn(tonight.workspace, tonight.model, tonight.version.plan, since, tonight.night)
    return matured(tonight.workspace, tonight.version, tonight.predictor, keys, tonight.night)


def _champion(version: Candidate) -> Champion:
    return Champion(version.version, saw_through(version))


def _settings(tonight: Tonight) -> Adaptation:
    version = tonight.version
    first = len(version.numeric)
    return Adaptation(
        members=MEMBERS,
        categorical=tuple(range(first, first + len(version.categorical))),
        label_delay_nights=delay(tonight.workspace, tonight.model),
    )


def _tally(tonight: Tonight, night: MatureNight) -> Tally | None:
    """Sum up what champion and layer lost on a night as they answered then; nothing for a night before the layer."""
    workspace, model = tonight.workspace, tonight.model
    said, known = night.served, night.known
    if not said or not known.any():
        return None
    loss = workspace.spec(model).watched.row_loss
    labels, raw, layer = (values[known] for values in (night.labels, said["raw"], said["layer"]))
    lost = [np.asarray(loss(labels, values), dtype=float) for values in (raw, layer)]
    inside = _slices(tonight, night.night)
    slices = {name: _lost_inside(rows[known], *lost) for name, rows in inside.items()}
    champion_lost, layer_lost, champion_off, layer_off = (
        float(values.sum()) for values in (*lost, labels - raw, labels - layer)
    )
    rows = int(known.sum())
    return Tally(night.night, rows, champion_lost, layer_lost, champion_off, layer_off, slices)


def _slices(tonight: Tonight, night: Night) -> dict[str, NDArray[np.bool_]]:
    workspace, model = tonight.workspace, tonight.model
    if not workspace.spec(model).slices:
        return {}
    features = workspace.store.read(datasets.features(model, tonight.version.plan), night)
    return slices_of(workspace, model, night, features)


def _lost_inside(inside: NDArray[np.bool_], champion: Numbers, layer: Numbers) -> tuple[float, ...]:
    return float(inside.sum()), float(champion[inside].sum()), float(layer[inside].sum())


def _beside(predicted: pa.Table, served: Numbers, said: dict[str, Numbers]) -> pa.Table:
    """Put what is served and what each member said in the place of the champion's predictions."""
    import pyarrow as pa

    table = predicted.drop_columns(["prediction", "version"]).append_column("prediction", pa.array(served))
    for name, values in said.items():
        table = table.append_column(f"m:{name}", pa.array(values))
    return table


def _entry(tonight: Tonight, reason: str, about: dict[str, Json]) -> NewEntry:
    return NewEntry(
        model=tonight.model,
        kind="layer",
        key=tonight.night,
        night=tonight.night,
        actor="score",
        reason=reason,
        evidence=about,
    )


def _record(tonight: Tonight, known: Known | None, decision: Decision) -> str:
    layer = known.state.layer if known else None
    about: dict[str, Json] = {"version": tonight.version.version, "gate": decision.as_json()}
    said = ""
    if layer is not None:
        weights = ", ".join(f"{name} {weight:.2f}" for name, weight in layer.weights.items())
        said = f"Layer {layer.identity} over version {layer.champion} learned up to {layer.learned_through} ({weights}). "
        about |= {"layer": layer.identity, "learned_through": layer.learned_through}
        about |= {"weights": dict(layer.weights), "overtaken": layer.overtaken}
    again = _restart(tonight, known)
    about |= {"restart": again.as_json()} if again else {}
    asked = f" {again.reason}" if again and again.verdict is Verdict.PASS else ""
    reason = f"{said}{decision.reason}{asked}"
    record_again(tonight.workspace, _entry(tonight, reason, about), among=("layer",))
    if layer is not None and layer.overtaken:
        _tell_overtaken(tonight, layer)
    return reason


def _restart(tonight: Tonight, known: Known | None) -> Decision | None:
    if known is None or not _may_restart(tonight):
        return None
    return restart_tonight(tonight.workspace, tonight.model, tonight.night, known.latest)


def _tell_overtaken(tonight: Tonight, layer: Layer) -> None:
    """Tell once of each champion that its small nightly twin outweighs it."""
    version = tonight.version.version
    if version in {
        one.key for one in tonight.workspace.ledger.entries(tonight.model, kinds={"layer_overtaken"})
    }:
        return
    reason = (
        f"The small model that is trained every night has {layer.weights['twin']:.2f} of the layer's weight: it knows "
        f"the latest nights better than version {version}, which is worth a retraining."
    )
    new = NewEntry(
        model=tonight.model,
        kind="layer_overtaken",
        key=version,
        night=tonight.night,
        actor="score",
        reason=reason,
        evidence={"version": version, "layer": layer.identity, "weights": dict(layer.weights)},
    )
    record(tonight.workspace, new)
