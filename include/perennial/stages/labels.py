"""Labels as they were known on a given night: the newest version of each, from the label source's deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.clock import Night, end_of
from perennial.engine.duck import arrow, connect, quoted
from perennial.engine.typed import empty_table
from perennial.spec.expression import parse
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.tables import tables
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def labels_known(workspace: Workspace, model: str, *, by: Night, first: Night | None = None) -> pa.Table:
    """Return key columns, ``label`` and ``known_at`` of every label delivered from ``first`` up to night ``by``.

    A label delivered twice counts as its newest version (of equal moments, the later delivery's); a delivered outcome without a label (a flight that
    never arrived) is a row whose label is null.
    """
    import pyarrow as pa

    spec = workspace.spec(model)
    dataset = datasets.table(model, spec.label.source)
    parts = tables(workspace, model, spec.label.source, workspace.store.keys(dataset, first, by))
    delivered = pa.concat_tables([empty_table(spec.sources[spec.label.source]), *parts])
    by_hand = datasets.labels_by_hand(model)
    given = workspace.store.read_many(by_hand, workspace.store.keys(by_hand, first, by))
    until = {"by": end_of(by, spec.timezone)}
    if given is None:
        with connect({"delivered": delivered}) as connection:
            return arrow(connection, _query(spec), until)
    with connect({"delivered": delivered, "given": given}) as connection:
        return arrow(connection, _with_those_by_hand(spec), until)


def _with_those_by_hand(spec: ModelSpec) -> str:
    """Prefer the newer of a delivered label and a person's; a delivery without a label undoes nobody's work."""
    keys = ", ".join(quoted(key) for key in spec.scored.key)
    return f"""
        WITH told AS ({_query(spec)}), people AS (
            SELECT {keys}, label AS person_label, known_at AS person_known_at FROM given WHERE known_at <= $by
            QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY known_at DESC, number DESC) = 1)
        SELECT {keys}, CASE WHEN {_PERSON} THEN person_label ELSE label END AS label,
            CASE WHEN {_PERSON} THEN person_known_at ELSE known_at END AS known_at
        FROM told FULL JOIN people USING ({keys}) ORDER BY {keys}"""  # noqa: S608 - quoted names


_PERSON = (
    """person_known_at IS NOT NULL AND (known_at IS NULL OR label IS NULL OR person_known_at >= known_at)"""
)


def _query(spec: ModelSpec) -> str:
    source = spec.sources[spec.label.source]
    label = parse(spec.label.expression, source.columns)
    value = f"({label})::DOUBLE" if spec.task != "multiclass" else f"({label})::VARCHAR"
    if spec.task == "binary" and spec.label.classes:
        value = f"CASE ({label})::VARCHAR {_classes(spec.label.classes)} END"
    return newest_versions(spec, f"{value} AS label")


def newest_versions(spec: ModelSpec, told: str) -> str:
    """Return SQL for the key, ``told`` and ``known_at`` of each row of ``delivered``, as known at ``$by``."""
    keys = ", ".join(quoted(key) for key in spec.scored.key)
    return f"""
        SELECT {keys}, {told}, known_at
        FROM (SELECT *, row_number() OVER () AS "@place" FROM delivered) WHERE known_at <= $by AND (superseded_at IS NULL OR superseded_at > $by)
        QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY known_at DESC, "@place" DESC) = 1
        ORDER BY {keys}"""  # noqa: S608 - quoted names and a parsed expression


def _classes(classes: tuple[str, ...]) -> str:
    from sqlglot import exp

    return " ".join(
        f"WHEN {exp.Literal.string(name).sql(dialect='duckdb')} THEN {number}.0"
        for number, name in enumerate(classes)
    )
