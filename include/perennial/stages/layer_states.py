"""What the nightly layer knows, night by night: published before it serves, so that any night can be served again.

The few numbers of a layer (weights, coefficients, trees) are JSON; the bounded samples that it learns from are a table.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from perennial.adaptation.gate import JUDGED_NIGHTS, Tally
from perennial.adaptation.latest import Latest, NightLosses
from perennial.adaptation.layer import Layer
from perennial.adaptation.mixture import Record
from perennial.adaptation.rows import NOTHING, Sample
from perennial.adaptation.state import Champion, State
from perennial.clock import Night, after
from perennial.stages import datasets
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

HISTORY, UNSEEN, LATEST = "history", "unseen", "latest"
COLUMNS: dict[str, tuple[str, ...]] = {
    HISTORY: ("hash", "label"),
    UNSEEN: ("hash", "label", "night", "champion", "twin"),
    LATEST: ("hash", "label", "night"),
}
"""What is kept of each sample beside the inputs; of rows the champion has not seen no member asks for those."""


@dataclass(frozen=True)
class Known:
    """A night's state, and how layer and champion did on the latest matured nights."""

    state: State
    tallies: tuple[Tally, ...]
    plan: str
    """The features that its inputs are; others need a new beginning."""
    latest: Latest = field(default_factory=Latest)
    """What shows whether the past misleads."""


def publish(workspace: Workspace, model: str, night: Night, known: Known) -> None:
    """Publish what is known on a night; the samples first, so that a state is never without them."""
    import pyarrow as pa

    state, store = known.state, workspace.store
    store.publish(datasets.layer_samples(model), night, _table(known))
    told = {
        "champion": asdict(state.champion),
        "layer": state.layer.as_json(),
        "record": state.record.as_json(),
        "tallies": [asdict(one) for one in known.tallies[-JUDGED_NIGHTS:]],
        "plan": known.plan,
        "latest": [asdict(one) for one in known.latest.losses],
    }
    table = pa.table({"state": [json.dumps(told, sort_keys=True)]})
    store.publish(datasets.layers(model), night, table, meta={"layer": state.layer.identity})


def before(workspace: Workspace, model: str, night: Night) -> Known | None:
    """Read what was known on the newest night before this one; nothing before the first."""
    keys = workspace.store.keys(datasets.layers(model), last=after(night, -1))
    if not keys:
        return None
    told = json.loads(workspace.store.read(datasets.layers(model), keys[-1])["state"][0].as_py())
    layer = Layer.from_json(told["layer"])
    samples = workspace.store.read(datasets.layer_samples(model), keys[-1])
    state = State(
        champion=Champion(**told["champion"]),
        layer=layer,
        history=_sample(samples, HISTORY, layer),
        unseen=_sample(samples, UNSEEN, layer),
        record=Record.from_json(told["record"]),
    )
    losses = tuple(NightLosses(**one) for one in told.get("latest", ()))
    latest = Latest(_sample(samples, LATEST, layer), losses)
    return Known(state, tuple(Tally(**one) for one in told["tallies"]), told["plan"], latest)


def _table(known: Known) -> pa.Table:
    """Put the samples into one table, each row marked with its own."""
    import pyarrow as pa

    samples = {HISTORY: known.state.history, UNSEEN: known.state.unseen, LATEST: known.latest.rows}
    parts = []
    for part, rows in samples.items():
        if len(rows) or part == HISTORY:
            kept = {name: rows[name] for name in COLUMNS[part]} if len(rows) else {}
            inputs = rows["features"] if len(rows) and part != UNSEEN else np.empty((0, 0))
            table = pa.table({**kept, **{f"f{place}": column for place, column in enumerate(inputs.T)}})
            parts.append(table.append_column("part", pa.repeat(part, table.num_rows)))
    return pa.concat_tables(parts, promote_options="default")


def _sample(table: pa.Table, part: str, layer: Layer) -> Sample:
    import pyarrow.compute as pc

    own = table.filter(pc.equal(table["part"], part))
    if not own.num_rows:
        return NOTHING
    columns = {name: own[name].to_numpy() for name in COLUMNS[part]}
    width = len(layer.scale.means)
    if part == UNSEEN:
        columns["features"] = np.full((own.num_rows, width), np.nan)
        columns["segment"] = np.zeros(own.num_rows, str)
    else:
        columns["features"] = np.column_stack([own[f"f{place}"].to_numpy() for place in range(width)])
    return Sample(columns)
