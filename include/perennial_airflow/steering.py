"""What the form of ``<model>.steer`` does: the person's word first, then the stages that follow from it, if any.

The same stage functions as the nightly DAGs call; a night that is held stays unscored here as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from perennial.clock import Night
from perennial.clock import night as as_night

if TYPE_CHECKING:
    from perennial.ledger.base import Entry
    from perennial.workspace import Workspace


def obey(workspace: Workspace, model: str, form: Mapping[str, Any], actor: str) -> dict[str, Any]:
    """Record what a person asks and return its sentence, with the stages to do after it."""
    from perennial.stages import steering

    night, reason = as_night(form["night"]), str(form["reason"])
    if form["action"] == "accept":
        return _accept(workspace, model, night, form, actor)
    if form["action"] == "rerun":
        stages = steering.rerun_from(workspace, model, night, form["stage"], reason=reason, actor=actor)
        return {"sentence": f"{actor} runs {night} again: {reason}", "stages": list(stages)}
    if form["action"] in SERVING:
        entry = SERVING[form["action"]](workspace, model, night, reason, actor)
        return {"sentence": entry.reason, "ledger": entry.id, "stages": []}
    word = {"hold": steering.hold, "release": steering.release, "skip": steering.skip}[form["action"]]
    entry = word(workspace, model, night, reason=reason, actor=actor)
    return {"sentence": entry.reason, "ledger": entry.id, "stages": list(FOLLOWS[form["action"]])}


def _accept(
    workspace: Workspace, model: str, night: Night, form: Mapping[str, Any], actor: str
) -> dict[str, Any]:
    from perennial.stages.accepting import accept_as_asked

    reason = str(form["reason"])
    done = accept_as_asked(workspace, model, night, form["source"], form["rows"], reason=reason, actor=actor)
    return {"sentence": done.reason, "stages": list(FOLLOWS["accept"])}


def _validate(workspace: Workspace, model: str, night: Night) -> object:
    from perennial.stages.validate import close_night, take_in_range

    for source in workspace.spec(model).sources:
        take_in_range(workspace, model, source, night, night)
    return close_night(workspace, model, night)


def _features(workspace: Workspace, model: str, night: Night) -> object:
    from perennial.stages.build_features import build_features

    return build_features(workspace, model, night).as_json()


def _score(workspace: Workspace, model: str, night: Night) -> object:
    from perennial.errors import HeldNightError, NoChampionError, SkippedNightError
    from perennial.stages.score import deliver, score

    try:
        scored = score(workspace, model, night)
    except (NoChampionError, HeldNightError, SkippedNightError) as error:
        return {"said": str(error)}
    if workspace.spec(model).sink is not None:
        deliver(workspace, model, night)
    return scored.as_json()


def _monitor(workspace: Workspace, model: str, night: Night) -> object:
    from perennial.stages.monitor import monitor

    return monitor(workspace, model, night).as_json()


def _freeze(workspace: Workspace, model: str, until: Night, reason: str, actor: str) -> Entry:
    from perennial.errors import NoNightYetError
    from perennial.stages import datasets
    from perennial.stages.freezing import freeze

    closed = workspace.store.keys(datasets.nights(model))
    if not closed:
        raise NoNightYetError(model)
    return freeze(workspace, model, closed[-1], until, reason=reason, actor=actor)


def _unfreeze(workspace: Workspace, model: str, night: Night, reason: str, actor: str) -> Entry:
    from perennial.stages.freezing import unfreeze

    return unfreeze(workspace, model, night, reason=reason, actor=actor)


def _approve(workspace: Workspace, model: str, night: Night, reason: str, actor: str) -> Entry:
    from perennial.stages.approving import approve

    return approve(workspace, model, night, reason=reason, actor=actor)


SERVING: Mapping[str, Callable[[Workspace, str, Night, str, str], Entry]] = {
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "approve": _approve,
}
"""Words about what may serve; no stage of a night follows from them."""

STAGES: Mapping[str, Callable[[Workspace, str, Night], object]] = {
    "validate": _validate,
    "features": _features,
    "score": _score,
    "monitor": _monitor,
}
"""Stages of a night, in order."""

FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "hold": (),
    "release": ("score", "monitor"),
    "skip": ("validate", "features", "score", "monitor"),
    "accept": ("features", "score", "monitor"),
}
"""What is done after a person's word."""
