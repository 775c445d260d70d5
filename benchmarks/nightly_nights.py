"""The nights that ``benchmarks/nightly_check.py`` checks: rows in Parquet, and what is stored of the year before them.

Written once a size, outside of what is measured. Three columns in five are normal, the others whole numbers and
categories, one of them with 5,000 of them. Stored nights are drawn around a real one with their sampling error:
what comparing them costs does not depend on how they came about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perennial.clock import Night, after, between
from perennial.facts.edges import Edges, freeze_edges
from perennial.facts.profile import profile
from perennial.facts.streams import LONGEST_WATCH, NightStreams, streams_of
from perennial.stages import datasets
from perennial.stages.stream_windows import StreamWindows
from perennial.workspace import Workspace

MODEL, WHAT, PLAN = "bench", "inputs.bench", "bench"
FIRST = "2013-01-01"
KINDS = 20
"""Columns after which the kinds repeat."""
FROZEN_ON = 100_000
"""Rows on which edges are frozen where columns are many."""


@dataclass(frozen=True)
class Size:
    """How much there is to read."""

    rows: int
    """Of the new night."""
    columns: int
    reference: int
    """Rows of the reference: what peers get, and what edges are frozen on."""
    nights: int = 365
    """Nights stored before the new one."""

    @property
    def night(self) -> Night:
        """Return the new night."""
        return after(FIRST, self.nights)


def rows(size: int, columns: int, seed: int) -> pa.Table:
    """Draw a night in which nothing happens."""
    draw = np.random.default_rng(seed)
    return pa.table({f"c{i}": _column(draw, size, i % KINDS) for i in range(columns)})


def _column(draw: np.random.Generator, size: int, kind: int) -> pa.Array:
    if kind < 12:
        return pa.array(draw.normal(size=size))
    if kind < 15:
        return pa.array(draw.integers(0, 1000, size))
    different = 5000 if kind == KINDS - 1 else 20
    names = pa.array([f"value {k}" for k in range(different)])
    return names.take(pa.array(draw.integers(0, different, size)))


def prepare(home: Path, size: Size, seed: int) -> None:
    """Publish the new night's rows, the edges, a partition for each night before, and the streams of the last."""
    workspace = Workspace(home, home)
    tonight = rows(size.rows, size.columns, seed)
    stored = tonight.rename_columns([f"f:{name}" for name in tonight.column_names])
    workspace.store.publish(datasets.features(MODEL, PLAN), size.night, stored)
    edges = freeze_edges(rows(min(size.reference, 10 * FROZEN_ON), size.columns, seed + 1))
    kept = pa.table({"edges": [json.dumps(edges.as_json())]})
    workspace.store.publish(datasets.edges(MODEL), WHAT, kept)
    before = between(FIRST, after(size.night, -1))
    for night in before:
        workspace.store.publish(datasets.profiles(MODEL, WHAT), night, pa.table({"night": [night]}))
    StreamWindows(workspace, MODEL, WHAT).keep(before[-1], _past(tonight, edges, before, seed))


def _past(tonight: pa.Table, edges: Edges, nights: list[Night], seed: int) -> Iterator[NightStreams]:
    draw = np.random.default_rng(seed + 2)
    real = streams_of(nights[-1], profile(tonight, edges), edges)
    values, noise = np.array(real.values), np.array(real.sampling_sd)
    for night in nights[-LONGEST_WATCH:]:
        yield replace(
            real, night=night, values=tuple((values + draw.normal(size=len(noise)) * noise).tolist())
        )


def plain_files(folder: Path, size: Size, seed: int) -> None:
    """Write the reference and the new night as plain Parquet, for the peers; the reference night by night."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows(size.rows, size.columns, seed), folder / "night.parquet")
    pq.write_table(rows(size.reference, size.columns, seed + 1), folder / "reference.parquet")
