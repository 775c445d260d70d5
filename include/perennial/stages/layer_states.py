"""What the nightly layer knows, night by night: published before it serves, so that any night can be served again.

The few numbers of a layer (weights, coefficients, trees) are JSON; the bounded samples that it learns from are a table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from perennial.adaptation.gate import JUDGED_NIGHTS, Tally
from perennial.adaptation.layer import Layer
from perennial.adaptation.mixture import Record
from perennial.adaptation.rows import NOTHING, Sample
from perennial.adaptation.state import Champion, State
from perennial.clock import Night, after
from perennial.stages import datasets
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

HISTORY, UNSEEN = "history", "unseen"


@dataclass(frozen=True)
class Known:
    """A night's state, and how layer and champion did on the latest matured nights."""

    state: State
    tallies: tuple[Tally, ...]
    plan: str
    """The features that its inputs are; others need a new beginning."""


def publish(workspace: Workspace, model: str, night: Night, known: Known) -> None:
    """Publish what is known on a night; the samples first, so that a state is never without them."""
    import pyarrow as pa

    state, store = known.state, workspace.store
    store.publish(datasets.layer_samples(model), night, _table(state))
    told = {
        "champion": asdict(state.champion),
        "layer": state.layer.as_json(),
        "record": state.record.as_json(),
        "tallies": [asdict(one) for one in known.tallies[-JUDGED_NIGHTS:]],
        "plan": known.plan,
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
    return Known(state, tuple(Tally(**one) for one in told["tallies"]), told["plan"])


def _table(state: State) -> pa.Table:
    """Put both samples into one table; of rows the champion has not seen no member here asks for the inputs."""
    import pyarrow as pa

    history = {name: state.history[name] for name in ("hash", "label")} if len(state.history) else {}
    inputs = state.history["features"] if len(state.history) else np.empty((0, 0))
    parts = [pa.table({**history, **{f"f{place}": column for place, column in enumerate(inputs.T)}})]
    if len(state.unseen):
        names = ("hash", "label", "night", "champion", "twin")
        parts.append(pa.table({name: state.unseen[name] for name in names}))
    kinds: Sequence[str] = (HISTORY, UNSEEN)
    marked = [
        part.append_column("part", pa.repeat(kind, part.num_rows))
        for part, kind in zip(parts, kinds, strict=False)
    ]
    return pa.concat_tables(marked, promote_options="default")


def _sample(table: pa.Table, part: str, layer: Layer) -> Sample:
    import pyarrow.compute as pc

    own = table.filter(pc.equal(table["part"], part))
    if not own.num_rows:
        return NOTHING
    names = ("hash", "label") if part == HISTORY else ("hash", "label", "night", "champion", "twin")
    columns = {name: own[name].to_numpy() for name in names}
    width = len(layer.scale.means)
    if part == HISTORY:
        columns["features"] = np.column_stack([own[f"f{place}"].to_numpy() for place in range(width)])
    else:
        columns |= {
            "features": np.full((own.num_rows, width), np.nan),
            "segment": np.zeros(own.num_rows, str),
        }
    return Sample(columns)
