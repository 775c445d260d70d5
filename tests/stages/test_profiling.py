"""What a night leaves behind: declared pairs with the inputs, declared slices of what was said and of what came true."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.doubles.projects import FIRST, MODEL, PLACES, Project

from perennial.clock import after, between
from perennial.facts.edges import Edges
from perennial.facts.profile import Profile, merge, profile
from perennial.facts.profile_parts import slices_from_text
from perennial.stages import datasets
from perennial.stages.label_profiles import LABELS, keep_label_profiles
from perennial.stages.profiling import edges_of_inputs, input_streams, inputs_name
from perennial.workspace import Workspace

NIGHTS = between(FIRST, after(FIRST, 29))
ROWS, PLAN = 200, "a1b2c3"
DECLARED = """
slices: {north: "place = 'north'", south: "place = 'south'"}
monitoring: {pairs: [[size, weight]]}
"""


@pytest.fixture
def workspace(registry_database: Path, tmp_path: Path) -> Workspace:
    """Declare a pair and two slices; nothing has been delivered."""
    return Project(tmp_path / "project").declare(more=DECLARED).workspace(registry_database)


def features(night: str) -> pa.Table:
    """Draw a night's features."""
    draw = np.random.default_rng([3, int(night.replace("-", ""))])
    size = draw.normal(10, 3, ROWS)
    return pa.table(
        {
            "order_id": [f"{night}-{number}" for number in range(ROWS)],
            "f:place": draw.choice(PLACES, ROWS),
            "f:size": size,
            "f:weight": 0.5 * size + draw.normal(size=ROWS),
            "f:clicks": draw.poisson(4, ROWS),
            "f:known_outcomes_7d": draw.poisson(40, ROWS),
        }
    )


def kept(workspace: Workspace, what: str, night: str, column: str = "profile") -> str:
    """Read what was kept of a night."""
    text: str = workspace.store.read(datasets.profiles(MODEL, what), night)[column][0].as_py()
    return text


def test_a_declared_pair_is_counted_with_the_night_and_watched(workspace: Workspace) -> None:
    """Its cells add up to the rows; what is counted part by part from the file is what the table says."""
    for night in NIGHTS:
        workspace.store.publish(datasets.features(MODEL, PLAN), night, features(night))
    streams = input_streams(workspace, MODEL, NIGHTS[-1], PLAN)
    assert len(streams) == len(NIGHTS)
    (stream,) = (one for one in streams[-1].names if one.aspect == "association")
    assert (stream.column, stream.category) == ("size", "weight")
    name, edges = inputs_name(workspace, MODEL, PLAN), edges_of_inputs(workspace, MODEL, PLAN)
    found = Profile.from_json(json.loads(kept(workspace, name, NIGHTS[-1])))
    assert sum(found.pairs["size", "weight"]) == ROWS
    rows = features(NIGHTS[-1]).select(["f:place", "f:size", "f:weight", "f:clicks"])
    plain = rows.rename_columns([one.removeprefix("f:") for one in rows.column_names])
    assert edges is not None
    assert found == profile(plain, edges, (("size", "weight"),))


def test_without_a_declared_pair_the_profiles_keep_their_name(
    registry_database: Path, tmp_path: Path, workspace: Workspace
) -> None:
    """A history that was profiled before pairs could be declared is not profiled again."""
    bare = Project(tmp_path / "bare").declare().workspace(registry_database)
    assert inputs_name(bare, MODEL, PLAN) == "inputs.1aa2fabf"
    assert inputs_name(bare, MODEL, PLAN) != inputs_name(workspace, MODEL, PLAN)


def served(workspace: Workspace, night: str) -> pa.Table:
    """Publish a night as it is once its labels are in; the last of its rows never got one."""
    draw = np.random.default_rng([5, int(night.replace("-", ""))])
    keys = [f"{night}-{number}" for number in range(ROWS)]
    north = draw.random(ROWS) < 0.4
    said = pa.table({"order_id": keys, "prediction": draw.random(ROWS)})
    store = workspace.store
    store.publish(datasets.predictions(MODEL), night, said)
    store.publish(
        datasets.estimates(MODEL), night, pa.table({"row": range(ROWS), "north": north, "south": ~north})
    )
    settled = said.append_column("label", pa.array(np.where(north, 1, 0))).slice(0, ROWS - 1)
    store.publish(datasets.performance(MODEL), night, settled)
    return settled


def test_labels_are_profiled_by_slice_once_they_are_final(workspace: Workspace) -> None:
    """Nothing before 28 nights, then all of them; slices add up over nights to what the rows say."""
    for place, night in enumerate(NIGHTS):
        served(workspace, night)
        keep_label_profiles(workspace, MODEL, after(night, 4))
        done = workspace.store.keys(datasets.profiles(MODEL, LABELS))
        assert len(done) == (0 if place < 27 else place + 1)
    apart = [slices_from_text(kept(workspace, LABELS, night, "slices")) for night in NIGHTS]
    north, south = (merge(*(one[name] for one in apart)) for name in ("north", "south"))
    whole = merge(*(Profile.from_json(json.loads(kept(workspace, LABELS, night))) for night in NIGHTS))
    assert north.rows + south.rows == whole.rows == len(NIGHTS) * (ROWS - 1)
    assert (north.columns["label"].mean, south.columns["label"].mean) == (1.0, 0.0)


def test_labels_that_were_profiled_are_left_alone(workspace: Workspace) -> None:
    """The same night again costs a look; labels that were corrected are counted anew."""
    for night in NIGHTS[:28]:
        served(workspace, night)
    last = NIGHTS[27]
    keep_label_profiles(workspace, MODEL, after(last, 4))
    keep_label_profiles(workspace, MODEL, after(last, 4))
    dataset = datasets.profiles(MODEL, LABELS)
    assert workspace.store.version(dataset, last) == 1
    rows = workspace.store.read(datasets.performance(MODEL), last)
    turned = rows.set_column(2, "label", pa.array([1] * rows.num_rows))
    workspace.store.publish(datasets.performance(MODEL), last, turned)
    keep_label_profiles(workspace, MODEL, after(last, 4))
    assert workspace.store.version(dataset, last) == 2
    text = workspace.store.read(datasets.edges(MODEL), LABELS)["edges"][0].as_py()
    assert "label" in Edges.from_json(json.loads(text)).columns
