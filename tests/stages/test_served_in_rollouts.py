"""What the ledger says of any night and any entity of a rollout is what was published for that row."""

import pytest
from tests.doubles.projects import MODEL
from tests.stages.test_rollout import GOOD, NEXT, NIGHT, POOR, Rollouts
from tests.stages.test_rollout import both as both  # noqa: PLC0414  fixtures are found by their names
from tests.stages.test_rollout import two as two  # noqa: PLC0414

from perennial.clock import between
from perennial.stages import datasets
from perennial.stages.replay import pass_night
from perennial.stages.served_at import served_at
from perennial.stages.shadow import served_by_canary
from perennial.stages.training_set import named_rows
from perennial.workspace import Workspace

ASKED_ROWS = 12
"""Rows of each night that are asked about."""


def published(workspace: Workspace, night: str) -> dict[str, str]:
    """Return the version that each row of a night was answered by, by the row's key."""
    served = served_by_canary(workspace, MODEL, night)
    if served is None:
        served = workspace.store.read(datasets.predictions(MODEL), night)
    keys = named_rows(served, workspace.spec(MODEL).scored.key)
    return dict(zip(keys, served["version"].to_pylist(), strict=True))


@pytest.mark.parametrize("steps", ["canary", "shadow, canary"])
def test_every_row_was_answered_by_the_version_that_the_ledger_names(both: Rollouts, steps: str) -> None:
    """Before, during and after a canary, row by row; while it stood, both versions answered."""
    both.begin(POOR, NIGHT)
    both.declare(f"{{steps: [{steps}], canary_share: 0.3, canary_nights: 5}}")
    both.begin(GOOD, NEXT)
    last = both.until("canary_ended").night
    pass_night(both.workspace, MODEL, last)
    mixed = 0
    for night in between(NIGHT, last):
        told = published(both.workspace, night)
        mixed += len(set(told.values())) > 1
        for entity in sorted(told)[:ASKED_ROWS]:
            assert served_at(both.workspace, MODEL, night, entity).version == told[entity], (night, entity)
    assert mixed >= 1
