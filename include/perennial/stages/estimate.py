"""Estimated performance: what scores let one expect, kept on their own night, and what that is worth by now.

``score`` keeps a few numbers beside the predictions, with the labels that were known the evening before; the monitor
and ``perennial performance`` ask ``estimated`` what the loss since the last settled labels probably is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after, nights_apart
from perennial.facts.estimated_performance import (
    EstimatedPerformance,
    estimated_since,
    nothing_estimated,
)
from perennial.facts.evidence import fingerprint
from perennial.facts.night_loss import ALL, GroupLoss, NightLoss
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.night_losses import Known, counted, distrust, losses_known, said_so_far
from perennial.stages.slices import slices_of
from perennial.stages.unseen_losses import unseen_counts, unseen_heights
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


def keep_estimate(
    workspace: Workspace, model: str, night: Night, version: Candidate, predicted: pa.Table
) -> None:
    """Publish what tonight's predictions let one expect, by declared slice; the same predictions again change nothing."""
    import numpy as np
    import pyarrow as pa

    store, dataset = workspace.store, datasets.estimates(model)
    before = store.manifest(dataset, night)
    of = _of(workspace, model, night)
    if before is not None and before.meta["of"] == of:
        return
    inside = slices_of(workspace, model, night, predicted)
    groups = {ALL: np.ones(predicted.num_rows, dtype=bool), **inside}
    expect = _expectation(workspace, model, night, version, predicted)
    found = {name: GroupLoss(int(mask.sum()), expect(mask)) for name, mask in groups.items()}
    loss = NightLoss(night, version.version, found)
    distrust(workspace, model, night)
    table = pa.table({"row": pa.array(range(predicted.num_rows), pa.int32()), **inside})
    store.publish(dataset, night, table, meta={"of": of, "loss": loss.as_json()})


def _of(workspace: Workspace, model: str, night: Night) -> str:
    """Identify what an estimate is of: the predictions, and the groups and the loss that were declared."""
    spec = workspace.spec(model)
    predictions = workspace.store.manifest(datasets.predictions(model), night)
    return fingerprint(
        {
            "predictions": predictions.content if predictions else None,
            "slices": dict(spec.slices),
            "metric": spec.metric,
        }
    )


Expectation = Any
"""Says of the rows of a mask what each calibration expects their mean loss to be."""


def _expectation(
    workspace: Workspace, model: str, night: Night, version: Candidate, predicted: pa.Table
) -> Expectation:
    import numpy as np

    if version.task == "multiclass":
        return _nothing
    scores = np.asarray(predicted["prediction"].to_numpy(zero_copy_only=False), float)
    make = _OfClasses if version.task == "binary" else _OfNumbers
    return make.known(workspace, model, night, version, scores)


def _nothing(mask: Any) -> dict[str, float]:
    """Expect nothing: more than two classes are not estimated."""
    del mask
    return {}


@dataclass(frozen=True)
class _OfClasses:
    """Chances that each calibration gives to tonight's scores."""

    scores: Numbers
    chances: Mapping[str, Numbers]
    loss: Any

    @classmethod
    def known(
        cls, workspace: Workspace, model: str, night: Night, version: Candidate, scores: Numbers
    ) -> _OfClasses:
        import numpy as np

        from perennial.facts.expected_loss import Matured, calibrated

        counts = unseen_counts(workspace, model, version)
        counts |= counted(workspace, model, after(night, -1), version.version)
        rows, true = (np.array([one[part] for one in counts.values()]) for part in (0, 1))
        ago = np.array([nights_apart(key, night) for key in counts], float)
        if not counts:
            rows, true = np.zeros((2, 0, 0))
        return cls(
            scores,
            calibrated(scores, Matured(rows, true, ago)),
            workspace.spec(model).watched.loss_to_estimate,
        )

    def __call__(self, mask: Any) -> dict[str, float]:
        from perennial.facts.expected_loss import expected_loss

        scores = self.scores[mask]
        return {
            name: expected_loss(scores, chances[mask], self.loss) for name, chances in self.chances.items()
        }


@dataclass(frozen=True)
class _OfNumbers:
    """Losses to expect by the height of tonight's predictions, and how those expected before came out."""

    told: Numbers
    shares: Mapping[str, float]
    """What came over what was expected, by memory."""

    @classmethod
    def known(
        cls, workspace: Workspace, model: str, night: Night, version: Candidate, scores: Numbers
    ) -> _OfNumbers:
        import numpy as np

        from perennial.facts.expected_loss import expected_residuals

        heights, before = unseen_heights(workspace, model, version)
        told = heights.expected(scores)
        past = [*before, *_settled(losses_known(workspace, model, after(night, -1)), version.version)]
        mean = float(told.mean()) if len(told) else math.nan
        none = np.zeros(0)
        if not mean > 0:  # or no number
            return cls(told, dict.fromkeys(expected_residuals(1.0, none, none, none, none), 1.0))
        ago = np.array([nights_apart(key, night) for key, *_ in past], float)
        earlier, realised, rows = (np.array([one[part] for one in past], float) for part in (1, 2, 3))
        found = expected_residuals(mean, earlier, realised, rows, ago)
        return cls(told, {name: value / mean for name, value in found.items()})

    def __call__(self, mask: Any) -> dict[str, float]:
        told = self.told[mask]
        mean = float(told.mean()) if len(told) else math.nan
        return {name: mean * share for name, share in self.shares.items()}


def _settled(known: Known, version: str) -> list[tuple[Night, float, float, float]]:
    """List the settled nights of a version: what was expected of their mean loss, what it was, and labelled rows."""
    found = [
        (one.night, one.whole.expected["raw"], one.whole.audited / one.whole.labelled, one.whole.labelled)
        for one in known.losses
        if one.version == version and one.matured and one.whole.labelled and "raw" in one.whole.expected
    ]
    return [one for one in found if math.isfinite(one[1]) and math.isfinite(one[2])]


def estimated(
    workspace: Workspace, model: str, night: Night, version: Candidate | None, group: str = ALL
) -> EstimatedPerformance:
    """Say what the loss since the last settled labels probably is, of all rows or of a declared slice.

    Or that it is not assessable, and why. Reads a few numbers a night and no row.
    """
    return estimated_of(losses_known(workspace, model, night), night, version, group)


def estimated_of(
    known: Known, night: Night, version: Candidate | None, group: str = ALL
) -> EstimatedPerformance:
    """Say it of what is known."""
    if version is None:
        return nothing_estimated(night, None, "Nothing is estimated: no version serves.")
    if version.task == "multiclass":
        why = "The loss cannot be estimated before its labels: that is only done for yes or no, and for numbers."
        return nothing_estimated(night, version.version, why)
    settled = [one.night for one in known.losses if one.matured]
    newest = settled[-1] if settled else ""
    _, said = said_so_far(known, group, known.losses)
    rows = {
        one.night: one.groups.get(group, GroupLoss(0)).rows
        for one in known.losses
        if one.night > newest and one.version == version.version
    }
    return estimated_since(
        night, version.version, [(rows[one.night], one) for one in said if one.night in rows]
    )
