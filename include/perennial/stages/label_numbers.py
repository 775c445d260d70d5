"""The number behind a yes/no label, such as the minutes of a delay: what another rule leaves where it was.

Read from the deliveries of labels where triage asks (``stages/causes.py``): labels that say otherwise of the same
number come by another rule, and no relation between inputs and outcomes has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from perennial.clock import Night, end_of
from perennial.engine.duck import arrow, connect, quoted
from perennial.engine.typed import empty_table
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.labels import newest_versions
from perennial.stages.scored_nights import ScoredNight, moments
from perennial.stages.tables import tables
from perennial.stages.training_set import named_rows
from perennial.workspace import Workspace

Numbers = NDArray[np.float64]
Delivered = Mapping[str, tuple[int, float]]
"""When each row's number became known, in microseconds, and the number."""

USUAL_NIGHTS = 28
"""The older half of so many ordinary nights shows the rule that labels are made by: the newer half may know another."""
FEWEST_OF_EACH = 20
"""Fewer zeros, or ones, may be divided by any number by chance."""


def numbers_behind(
    workspace: Workspace, model: str, by: Night, usual: Sequence[ScoredNight], recent: Sequence[ScoredNight]
) -> tuple[Numbers, Numbers] | None:
    """Return the number behind each row's label, of ordinary and of recent nights, NaN where none is known.

    It is the first numeric column beside a delivered label that one limit divides into the ordinary nights' zeros
    and ones; turned around where low numbers are the ones. None where no column does.
    A number counts only as it was when the label was taken: a later revision, or a person's word, is another matter.
    """
    columns, newest = _candidates(workspace.spec(model)), usual[-USUAL_NIGHTS:]
    shown = newest[: len(newest) // 2]
    if not columns or not shown or not recent:
        return None
    for delivered in _delivered(workspace, model, columns, shown[0].night, by):
        before = _of(shown, delivered)
        labels = np.concatenate([one.labels for one in shown])
        sign = _divided(before, labels)
        if sign:
            older, newer = (_unread(some) for some in (usual[:-USUAL_NIGHTS], newest[len(shown) :]))
            return np.concatenate([older, sign * before, newer]), sign * _of(recent, delivered)
    return None


def _candidates(spec: ModelSpec) -> list[str]:
    """List numeric columns that come beside a label that is delivered; one computed here follows its own expression."""
    source, label = spec.sources[spec.label.source], spec.label.expression
    if label not in source.columns:
        return []
    numeric = [name for name, kind in source.columns.items() if kind in ("integer", "number")]
    return [name for name in numeric if name not in (*source.key, label)]


def _delivered(
    workspace: Workspace, model: str, columns: Sequence[str], first: Night, by: Night
) -> Iterator[Delivered]:
    """Give each column's numbers as known at the end of ``by``, by row."""
    import pyarrow as pa

    spec = workspace.spec(model)
    source, keys = spec.label.source, spec.scored.key
    nights = workspace.store.keys(datasets.table(model, source), first, by)
    parts = tables(workspace, model, source, nights)
    rows = pa.concat_tables([empty_table(spec.sources[source]), *parts])
    told = ", ".join(f"{quoted(name)}::DOUBLE AS {quoted(name)}" for name in columns)
    with connect({"delivered": rows}) as connection:
        found = arrow(connection, newest_versions(spec, told), {"by": end_of(by, spec.timezone)})
    names, known = named_rows(found, keys), moments(found["known_at"])
    for column in columns:
        numbers = zip(known, found[column].to_pylist(), strict=True)
        yield {name: told for name, told in zip(names, numbers, strict=True) if told[1] is not None}


def _of(nights: Sequence[ScoredNight], delivered: Delivered) -> Numbers:
    found = []
    for night in nights:
        for name, known_at in zip(night.names, night.known_at, strict=True):
            then, number = delivered.get(name, (None, np.nan))
            found.append(number if known_at in (None, then) else np.nan)
    return np.array(found, float)


def _unread(nights: Sequence[ScoredNight]) -> Numbers:
    return np.full(sum(len(one.labels) for one in nights), np.nan)


def _divided(numbers: Numbers, labels: Numbers) -> int:
    """Return 1 where one limit has all ones above it, -1 where it has them below, 0 where none divides them."""
    there = np.isfinite(numbers) & np.isfinite(labels)
    low, high = (numbers[there & (labels == label)] for label in (0, 1))
    if min(len(low), len(high)) < FEWEST_OF_EACH or len(np.unique(numbers[there])) <= len(("no", "yes")):
        return 0  # a column of two values is the label once more
    return int(low.max() < high.min()) - int(high.max() < low.min())
