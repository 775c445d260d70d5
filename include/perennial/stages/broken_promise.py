"""Is the promise of a version's evaluation broken by what it has lost since? The retrain stage asks every night.

Reads the few numbers that settled nights left behind, and no rows. Nights that were set aside say nothing of a model.
"""

from __future__ import annotations

from perennial.clock import Night, after
from perennial.facts.broken_promise import RECENT_NIGHTS, USUAL_NIGHTS, chance_of_excess
from perennial.facts.night_loss import ALL
from perennial.facts.realised import NightMean
from perennial.stages.candidates import serving
from perennial.stages.night_losses import losses_known
from perennial.stages.realised import promised
from perennial.stages.set_aside import set_aside
from perennial.workspace import Workspace


def excess_chance(workspace: Workspace, model: str, night: Night) -> float | None:
    """Return how often luck alone would make the serving version lose so much more than its evaluation promised.

    As known at the end of ``night``; nothing where there are too few nights, no promise, or no time in the rows.
    """
    version = serving(workspace, model, night)
    promise = promised(workspace, model, night, version) if version else None
    if version is None or promise is None or promise.no_time:
        return None
    broken = set_aside(workspace, model, by=night)
    settled = [
        (one.version, NightMean(one.night, one.whole.labelled, one.whole.loss))
        for one in losses_known(workspace, model, night).losses
        if one.matured and one.night not in broken and ALL in one.groups and one.whole.labelled
    ]
    own = [mean for by, mean in settled if by == version.version][-RECENT_NIGHTS:]
    before = [mean for _, mean in settled if own and mean.night < own[0].night][-USUAL_NIGHTS:]
    told = [NightMean(one.night, one.rows, one.challenger) for one in promise.tallies]
    return chance_of_excess(own, told, before)


def answered_excess(workspace: Workspace, model: str, night: Night) -> int:
    """Count the trainings that a broken promise asked for after the serving version's own."""
    version = serving(workspace, model, night)
    if version is None:
        return 0
    made = workspace.ledger.entries(model, kinds={"retrain"}, first_night=after(version.night))
    return sum(one.night < night and one.evidence["trigger"] == "performance" for one in made)
