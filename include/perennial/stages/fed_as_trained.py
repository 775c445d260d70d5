"""Are the rows that judge a version fed like those that trained it? Else they say nothing of the nights to come.

Asked when a candidate is measured. Reads the newest training nights and the rows kept back as profiles, by the signs
by which triage tells a broken feed from a world that changed; that inputs move with the season is no such sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from perennial.facts.profile import Profile
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, inputs
from perennial.stages.usage import run_of
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from perennial.facts.edges import Edges

NIGHTS = 28
"""Training nights, the newest, that are the reference."""
SIGNS = ("retyped", "missing", "constant", "recoded", "swapped", "unit")
"""Signs that no season shows; values beyond what was seen in training are ordinary where something grows."""
TIMES = 30.0
"""A number whose usual size is so many times larger or smaller than in training has another unit, not another season."""
HALF = 0.5


def feed_faults(workspace: Workspace, version: Candidate, holdout: pa.Table) -> tuple[str, ...]:
    """Say what looks broken about the rows that judge; nothing where the rows that trained are not here."""
    trained = trained_nights(workspace, version)
    if trained is None:
        return ()
    return faults_between(trained, inputs(holdout), holdout["group"].to_pylist())


def trained_nights(workspace: Workspace, version: Candidate) -> pa.Table | None:
    """Return the rows of the newest nights that trained a version."""
    import pyarrow as pa
    import pyarrow.compute as pc

    run = run_of(workspace, version.model, version.version)
    if run is None:
        return None
    whole = workspace.store.read(datasets.training(version.model), run)
    trained = whole.filter(pc.invert(whole["holdout"]))
    newest = sorted(pc.unique(trained["group"]).to_pylist())[-NIGHTS:]
    return trained.filter(pc.is_in(trained["group"], pa.array(newest, pa.string())))


def faults_between(trained: pa.Table, frame: pd.DataFrame, groups: list[str]) -> tuple[str, ...]:
    """Compare inputs by night (or hashed bucket) with those that trained."""
    import pyarrow as pa

    from perennial.facts.edges import freeze_edges
    from perennial.facts.feed_faults import find_faults

    if not groups or not trained.num_rows:
        return ()
    before = pa.Table.from_pandas(inputs(trained), preserve_index=False)
    edges = freeze_edges(before)
    usual = _by_group(before, trained["group"].to_pylist(), edges)
    judged = _by_group(pa.Table.from_pandas(frame, preserve_index=False), groups, edges)
    seen = [fault for fault in find_faults(edges, usual, judged) if fault.sign in SIGNS]
    named = {fault.column for fault in seen}
    sizes = [said for column, said in _of_size(inputs(trained), frame, groups) if column not in named]
    return (*(fault.said for fault in seen), *sizes)


def _of_size(trained: pd.DataFrame, frame: pd.DataFrame, groups: list[str]) -> Iterator[tuple[str, str]]:
    """Find numbers that are of another order of size on at least half of the nights.

    Profiles are cut where training's values lie, and say little of a number that has left them all.
    """
    numbers = frame.select_dtypes("number").abs()
    usual = trained[list(numbers.columns)].abs().median()
    times = (numbers.groupby(groups).median() / usual.where(usual > 0)).replace(0, np.nan)
    another = ((times >= TIMES) | (times <= 1 / TIMES)).mean()
    for column in another.index[another >= HALF]:
        yield (
            str(column),
            f"{column} is usually {times[column].median():.3g} times the size that it had in training",
        )


def _by_group(rows: pa.Table, groups: list[str], edges: Edges) -> Mapping[str, Profile]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from perennial.facts.profile import profile

    of = pa.array(groups, pa.string())
    return {name: profile(rows.filter(pc.equal(of, name)), edges) for name in sorted(set(groups))}
