"""A small shop for tests of feature views: orders are scored, visits and stores tell about their places."""

import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from perennial.clock import end_of
from perennial.engine.building import build
from perennial.engine.duck import connect
from perennial.engine.plan import FeaturePlan, compile_plan
from perennial.engine.revision import with_replacements
from perennial.engine.typed import empty_table
from perennial.spec.load import load
from perennial.spec.model import ModelSpec

DECLARED = """
perennial: 1
description: Views are tried on it.
task: regression
timezone: {timezone}
entity: place
sources:
  orders:
    uri: data/orders/{{night}}.csv
    key: [order_id]
    event_time: ordered_at
    lead_days: 1
    columns: {{order_id: text, ordered_at: timestamp, place: text, size: number}}
  visits:
    uri: data/visits/{{night}}.csv
    key: [visit_id]
    event_time: visited_at
    columns: {{visit_id: text, visited_at: timestamp, place: text, spent: number, paid: boolean}}
  stores:
    uri: data/stores.csv
    static: true
    key: [place]
    columns: {{place: text, seats: integer}}
  days:
    uri: data/days/{{night}}.csv
    key: [day]
    event_time: day
    columns: {{day: date, rain: number}}
label: {{source: visits, expression: spent}}
"""
LABELLED = DECLARED.replace("visit_id: text, ", "visit_id: text, order_id: text, ")


def shop(folder: Path, features: str, *, timezone: str = "UTC") -> tuple[ModelSpec, FeaturePlan]:
    """Write the model's folder and compile its views."""
    home = folder / "shop"
    home.mkdir(parents=True, exist_ok=True)
    (home / "model.yaml").write_text(LABELLED.format(timezone=timezone).lstrip())
    written = "import ibis\n\nfrom perennial import view\n\n\n" + textwrap.dedent(features).lstrip()
    (home / "features.py").write_text(written)
    spec = load(home)
    return spec, compile_plan(spec, home)


def at(text: str) -> datetime:
    """Read an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rows(spec: ModelSpec, source: str, *given: dict[str, object]) -> pa.Table:
    """Make a source's published rows: ``night`` delivers each, by default known at that night's end."""
    schema = empty_table(spec.sources[source]).schema
    complete = [
        {"known_at": end_of(str(row["night"]), spec.timezone), "superseded_at": None, **row} for row in given
    ]
    table = pa.Table.from_pylist([{n: row.get(n) for n in schema.names} for row in complete], schema)
    return table.append_column("@night", pa.array([row["night"] for row in complete], pa.string()))


def built(spec: ModelSpec, plan: FeaturePlan, night: str, **tables: pa.Table) -> pa.Table:
    """Build one night's features over tables; those that are not given are empty."""
    prepared = {
        f"source__{name}": with_replacements(
            tables[name] if name in tables else rows(spec, name), () if source.static else source.key
        )
        for name, source in spec.sources.items()
    }
    with connect(prepared) as connection:
        return build(connection, plan, spec, night=night, predict_at=end_of(night, spec.timezone))


def values(table: pa.Table, feature: str) -> list[object]:
    """List a feature's values."""
    found: list[object] = table[f"f:{feature}"].to_pylist()
    return found
