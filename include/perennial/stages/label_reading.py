"""Judge a filled label sheet row by row: whose label is it, can it be read, does the sheet contradict itself?

Pure but for what it looks up: rows of the nights so far, and the classes seen so far. Faulty rows are noted with
their reason, and set aside by the caller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, end_of
from perennial.facts.batch import ROW, RawBatch
from perennial.stages import datasets
from perennial.stages.labels import labels_known
from perennial.stages.tables import tables
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.intake_quarantine import Faults

LABEL = "label"
"""Column of a sheet that people fill."""
TRUTHS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "y"), 1.0),
    **dict.fromkeys(("0", "0.0", "false", "no", "n"), 0.0),
}
_FORMULA = re.compile(r"'?[=+\-@\t\r]")


def rows_so_far(workspace: Workspace, model: str, first: Night | None, last: Night) -> pa.Table:
    """Return the scored rows of a range of nights as they now stand, with their ``night``."""
    import pyarrow as pa

    from perennial.engine.typed import empty_table

    spec = workspace.spec(model)
    dataset = datasets.table(model, spec.rows_source)
    parts = [empty_table(spec.scored).append_column("night", pa.array([], pa.string()))]
    keys = workspace.store.keys(dataset, first, last)
    for key, part in zip(keys, tables(workspace, model, spec.rows_source, keys), strict=True):
        parts.append(part.append_column("night", pa.repeat(key, part.num_rows)))
    table = pa.concat_tables(parts)
    return table.filter(table["superseded_at"].is_null())


def judged(
    workspace: Workspace, model: str, raw: RawBatch, night: Night, faults: Faults
) -> tuple[pa.Table, int]:
    """Return key, row number and label of every row that can be used, and how many were left open."""
    import pyarrow as pa

    from perennial.engine.intake_casting import cast

    spec = workspace.spec(model)
    keys = spec.scored.key
    given = raw.table.filter(raw.table[LABEL].is_valid())
    texts = {
        key: pa.array([_unquoted(value) for value in given[key].to_pylist()], pa.string()) for key in keys
    }
    source = spec.sources[spec.label.source]
    narrow = source.model_copy(
        update={"columns": {key: source.columns[key] for key in keys}, "event_time": None}
    )
    typed = cast(pa.table({ROW: given[ROW], **texts}), narrow, timezone=spec.timezone, faults=faults)
    read = _reader(workspace, model, night)
    pairs = zip(given[ROW].to_pylist(), given[LABEL].to_pylist(), strict=True)
    labels = [_label(row, text, read, faults) for row, text in pairs]
    kind = pa.string() if spec.task == "multiclass" else pa.float64()
    filled = typed.append_column(LABEL, pa.array(labels, kind))
    _note_strangers(workspace, model, filled, night, faults)
    single = faults.spared(_without_twins(faults.spared(filled), keys, faults))
    return single, raw.table.num_rows - given.num_rows


def written(value: object) -> object:
    """Write a cell; text that a spreadsheet would calculate gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    return value.isoformat() if hasattr(value, "isoformat") else value


def _unquoted(value: str | None) -> str | None:
    """Take the apostrophe away that ``written`` put before a formula."""
    return value[1:] if value and value.startswith("'") and _FORMULA.match(value[1:]) else value


def _label(row: int, text: str, read: Callable[[str], Any], faults: Faults) -> Any:
    try:
        return read(text.strip())
    except ValueError as problem:
        faults.add(row, LABEL, f"label: {text.strip()!r} {problem}")
        return None


def _reader(workspace: Workspace, model: str, night: Night) -> Callable[[str], Any]:
    """Return what reads a label of this task, or raises ``ValueError`` with the reason."""
    spec = workspace.spec(model)
    if spec.task == "regression":
        return _number
    if spec.task == "binary":
        names = {name: float(place) for place, name in enumerate(spec.label.classes)}
        return lambda text: _one_of(text, names) if names else _one_of(text.lower(), TRUTHS)
    known = spec.label.classes or _classes_so_far(workspace, model, night)
    return lambda text: _one_of(text, {name: name for name in known})


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        message = "is not a number"
        raise ValueError(message) from None
    if not math.isfinite(number):
        message = "is not finite"
        raise ValueError(message)
    return number


def _one_of(text: str, known: Mapping[str, Any]) -> Any:
    if text not in known:
        message = f"is none of {', '.join(known) or 'the classes, of which none is known yet'}"
        raise ValueError(message)
    return known[text]


def _classes_so_far(workspace: Workspace, model: str, night: Night) -> list[str]:
    import pyarrow.compute as pc

    labels = labels_known(workspace, model, by=night)["label"].drop_null()
    return sorted(pc.unique(labels).to_pylist())


def _note_strangers(workspace: Workspace, model: str, filled: pa.Table, night: Night, faults: Faults) -> None:
    """Note rows that we never had, and rows that have not happened when the label is given."""
    from perennial.engine.duck import connect, quoted

    spec = workspace.spec(model)
    keys = " AND ".join(f"r.{quoted(key)} = g.{quoted(key)}" for key in spec.scored.key)
    early = f"bool_and(r.{quoted(spec.scored.event_time)} >= $end)" if spec.scored.event_time else "false"
    query = f"""SELECT g.{ROW}, count(r.night) = 0, coalesce({early}, false)
        FROM given g LEFT JOIN rows r ON {keys} GROUP BY g.{ROW} ORDER BY g.{ROW}"""  # noqa: S608 - quoted names
    rows = rows_so_far(workspace, model, None, night)
    end = {"end": end_of(night, spec.timezone)} if spec.scored.event_time else {}
    with connect({"given": faults.spared(filled), "rows": rows}) as connection:
        for row, unknown, future in connection.execute(query, end).fetchall():
            if unknown:
                faults.add(row, "key", f"key: no row up to {night} has this key")
            elif future:
                faults.add(row, "future", f"future: this row has not happened at the end of {night}")


def _without_twins(filled: pa.Table, keys: Sequence[str], faults: Faults) -> pa.Table:
    """Keep one of several rows that say the same; rows that contradict each other are all set aside."""
    import pyarrow as pa
    import pyarrow.compute as pc

    said: dict[tuple[Any, ...], dict[Any, list[int]]] = {}
    for values in filled.to_pylist():
        labels = said.setdefault(tuple(values[key] for key in keys), {})
        labels.setdefault(values[LABEL], []).append(values[ROW])
    spare: list[int] = []
    for labels in said.values():
        rows = [row for found in labels.values() for row in found]
        if len(labels) > 1:
            faults.add_all(rows, "conflict", "conflict: this sheet gives the row several labels")
        spare += rows[1:]
    return filled.filter(pc.invert(pc.is_in(filled[ROW], value_set=pa.array(spare, pa.int64()))))
