"""Labels that people give: a sheet of rows that await one goes out, and comes back filled, with its author.

What comes back is a dataset of its own beside the label source. ``labels`` reads both: of two labels for one row
the newer wins, and a person's is not undone by a delivery that has none.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after, end_of
from perennial.errors import LabelSheetError, SheetExistsError
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.label_reading import LABEL, judged, rows_so_far, written
from perennial.stages.labels import labels_known
from perennial.stages.recording import record
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.facts.batch import RawBatch

KIND = "labels_imported"
QUARANTINE = "labels-by-hand"
"""Stands for the sheets among a model's quarantines; no source can have that name."""


@dataclass(frozen=True)
class Imported:
    """What became of a filled sheet."""

    night: Night
    """The night at whose end these labels are known."""
    sha256: str
    labelled: int
    """Rows that have a label now."""
    corrected: int
    """Those of them that had another one before."""
    left_open: int
    """Rows without a label in the sheet."""
    quarantined: int
    reason: str
    """The sentence of the ledger."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return asdict(self)


def awaiting(
    workspace: Workspace, model: str, *, by: Night, night: Night | None = None, predicted: bool = False
) -> pa.Table:
    """Return the rows whose label is not known at the end of ``by``: of one night, or of all that are due.

    Columns are the key, the event time, ``night``, an empty ``label``, and the prediction only on request: who
    sees it labels less independently.
    """
    from perennial.engine.duck import arrow, connect, quoted

    spec = workspace.spec(model)
    last = night or after(by, -spec.label.delay_days)
    rows = rows_so_far(workspace, model, night, last)
    shown = [*spec.scored.key, *([spec.scored.event_time] if spec.scored.event_time else [])]
    columns = ", ".join(f"r.{quoted(name)}" for name in dict.fromkeys(shown))
    keys = " AND ".join(f"r.{quoted(key)} = l.{quoted(key)}" for key in spec.scored.key)
    # Where labels come with the rows themselves, a row without one is still open.
    known = "l.label IS NOT NULL" if spec.label.source == spec.rows_source else "true"
    query = f"""SELECT {columns}, r.night, NULL::VARCHAR AS {LABEL} {", p.prediction" if predicted else ""}
        FROM given r {_joined(spec) if predicted else ""}
        WHERE NOT EXISTS (SELECT 1 FROM labels l WHERE {keys} AND {known})
        ORDER BY r.night, {", ".join(f"r.{quoted(key)}" for key in spec.scored.key)}"""  # noqa: S608 - quoted names
    tables = {"given": rows, "labels": labels_known(workspace, model, by=by)}
    if predicted:
        tables["predictions"] = _predictions(workspace, model, rows)
    with connect(tables) as connection:
        return arrow(connection, query)


def write_sheet(rows: pa.Table, path: Path) -> int:
    """Write rows as a CSV that no spreadsheet runs as formulas; return how many.

    Raises:
        SheetExistsError: the file is there, perhaps with somebody's work in it.
    """
    if path.exists():
        raise SheetExistsError(path)
    with path.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows.column_names)
        for row in rows.to_pylist():
            writer.writerow([written(value) for value in row.values()])
    return int(rows.num_rows)


def import_sheet(workspace: Workspace, model: str, path: Path, *, author: str, night: Night) -> Imported:
    """Take a filled sheet in: its labels are known from the end of ``night``; the same file again changes nothing.

    Rows that are unknown, contradict each other, have not happened yet or hold no label of this task go to
    quarantine with the reason.

    Raises:
        LabelSheetError: the file is no such sheet.
    """
    from perennial.engine.intake_quarantine import Faults, quarantine_table

    raw = _read(workspace, model, path, night)
    done = [one for one in workspace.ledger.entries(model, {KIND}) if one.key == raw.sha256]
    if done:
        return _as_recorded(done[0])
    faults = Faults()
    for reject in raw.rejects:
        faults.add(reject.row, "line", f"line: {reject.reason}")
    filled, left_open = judged(workspace, model, raw, night, faults)
    aside = quarantine_table(raw, faults.by_row)
    corrected = _publish(workspace, model, night, filled, author=author, sheet=raw.sha256)
    _set_aside(workspace, model, night, aside)
    done_now = Imported(night, raw.sha256, filled.num_rows, corrected, left_open, aside.num_rows, "")
    return _recorded(workspace, model, done_now, author)


def _joined(spec: ModelSpec) -> str:
    from perennial.engine.duck import quoted

    keys = " AND ".join(f"r.{quoted(key)} = p.{quoted(key)}" for key in spec.scored.key)
    return f"LEFT JOIN predictions p ON {keys}"


def _predictions(workspace: Workspace, model: str, rows: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    dataset = datasets.predictions(model)
    nights = [
        key for key in sorted(pc.unique(rows["night"]).to_pylist()) if workspace.store.version(dataset, key)
    ]
    found = workspace.store.read_many(dataset, nights)
    if found is not None:
        return found
    keys = workspace.spec(model).scored.key
    return rows.schema.empty_table().select(keys).append_column("prediction", pa.array([], pa.float64()))


def set_aside(workspace: Workspace, model: str, done: Imported) -> list[str]:
    """Say which rows of the night's sheets were set aside, and why."""
    aside = workspace.store.read(datasets.quarantine(model, QUARANTINE), done.night)
    return [f"line {row['row']}: {'; '.join(row['reasons'])}" for row in aside.to_pylist()]


def _read(workspace: Workspace, model: str, path: Path, night: Night) -> RawBatch:
    from perennial.facts.batch import SourceRequest
    from perennial.sources.csv_file import CsvFile

    if not path.is_file():
        raise LabelSheetError(path, "there is no such file")
    raw = CsvFile().read(SourceRequest(QUARANTINE, str(path.absolute()), night, static=True))
    missing = [name for name in (*workspace.spec(model).scored.key, LABEL) if name not in raw.columns]
    if missing:
        raise LabelSheetError(path, f"it has no column {' and no column '.join(missing)}")
    return raw


def _publish(
    workspace: Workspace, model: str, night: Night, filled: pa.Table, *, author: str, sheet: str
) -> int:
    """Add the labels to those given on the same night; return how many rows had another one before."""
    import pyarrow as pa
    import pyarrow.compute as pc

    dataset = datasets.labels_by_hand(model)
    token = workspace.store.version(dataset, night)
    corrected = _corrected(workspace, model, night, filled)
    parts = []
    if token:
        # A sheet whose import was killed half-way is taken in anew, not twice.
        earlier = workspace.store.read(dataset, night)
        parts.append(earlier.filter(pc.not_equal(earlier["sheet"], sheet)))
    count = filled.num_rows
    known_at = end_of(night, workspace.spec(model).timezone)
    told = filled.drop_columns(["_row"])
    told = told.append_column("author", pa.array([author] * count, pa.string()))
    told = told.append_column("sheet", pa.array([sheet] * count, pa.string()))
    told = told.append_column("number", pa.array([len(parts) and _next(parts[0])] * count, pa.int64()))
    told = told.append_column("known_at", pa.array([known_at] * count, pa.timestamp("us", "UTC")))
    if count:
        workspace.store.publish(dataset, night, pa.concat_tables([*parts, told]), token=token)
    return corrected


def _next(earlier: pa.Table) -> int:
    """Number a sheet after those of the same night: of two on one night the later wins."""
    import pyarrow.compute as pc

    return int(pc.max(earlier["number"]).as_py() or 0) + 1


def _corrected(workspace: Workspace, model: str, night: Night, filled: pa.Table) -> int:
    keys = workspace.spec(model).scored.key
    known = labels_known(workspace, model, by=night).to_pylist()
    had = {tuple(row[key] for key in keys): row[LABEL] for row in known}
    given = filled.to_pylist()
    return sum(had.get(tuple(row[key] for key in keys)) not in (None, row[LABEL]) for row in given)


def _set_aside(workspace: Workspace, model: str, night: Night, aside: pa.Table) -> None:
    """Add the rows to those that earlier sheets of the night had to leave; never the same ones twice."""
    import pyarrow as pa

    dataset = datasets.quarantine(model, QUARANTINE)
    if not aside.num_rows:
        return
    if workspace.store.version(dataset, night):
        earlier = workspace.store.read(dataset, night)
        new = [row for row in aside.to_pylist() if row not in earlier.to_pylist()]
        aside = pa.concat_tables([earlier, pa.Table.from_pylist(new, schema=aside.schema)])
    workspace.store.publish(dataset, night, aside)


def _recorded(workspace: Workspace, model: str, done: Imported, author: str) -> Imported:
    sentence = (
        f"{author} labelled {done.labelled} rows of {model}, known from the end of {done.night}; "
        f"{done.corrected} of them had another label before, {done.quarantined} were set aside."
    )
    evidence = {key: value for key, value in done.as_json().items() if key != "reason"}
    record(
        workspace,
        NewEntry(model, KIND, done.sha256, done.night, author, sentence, {**evidence, "author": author}),
    )
    return replace(done, reason=sentence)


def _as_recorded(entry: Entry) -> Imported:
    known: dict[str, Any] = {name: value for name, value in entry.evidence.items() if name != "author"}
    return Imported(**known, reason=entry.reason)
