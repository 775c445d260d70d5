"""Features of one night: prepare what was known, run each view's SQL, join it to the night's rows.

The same code builds a single night from its look-back and a whole history from memory, night by night,
so that both give the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from perennial.engine.duck import arrow, quoted
from perennial.engine.plan import Compiled, FeaturePlan, load_code, marked, relation
from perennial.engine.revision import REPLACED_AT
from perennial.errors import BadViewError
from perennial.spec.model import ModelSpec

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

NIGHT = '"@night"'
"""Column of a prepared source: the night that delivered the row."""
POSITION = '"@position"'
"""Column of the night's rows: their place in the delivery."""
REPLACED = quoted(REPLACED_AT)
KNOWN = (
    "known_at <= $predict_at AND (superseded_at IS NULL OR superseded_at > $predict_at) "
    f"AND ({REPLACED} IS NULL OR {REPLACED} > $predict_at)"
)
"""A row counts from when it was known until a correction, or a later delivery of its key, was known."""


def build(
    connection: duckdb.DuckDBPyConnection,
    plan: FeaturePlan,
    spec: ModelSpec,
    *,
    night: str,
    predict_at: datetime,
) -> pa.Table:
    """Return the features of the rows of one night, in the order of the rows.

    The connection holds a relation ``source__<name>`` for every source, with the columns
    ``@night`` (which delivered the row) and ``@replaced_at`` (``revision.with_replacements``).
    """
    parameters: dict[str, object] = {"predict_at": predict_at, "night": night}
    python = [view for view in plan.views if view.engine == "python"]
    for view in python:
        _run_python(connection, plan, spec, view, parameters)
    relations = _relations(plan, spec)
    values = {_value_table(view): view.sql for view in plan.views if view.engine == "ibis"}
    steps = [f"{name} AS MATERIALIZED ({sql})" for name, sql in {**relations, **values}.items()]
    return arrow(connection, f"WITH {', '.join(steps)} {_join(plan, spec)}", parameters)


def _relations(plan: FeaturePlan, spec: ModelSpec) -> dict[str, str]:
    """Say, as SQL, what each group of views may read: only what was known, only what its window sees."""
    groups = sorted(
        {(view.source, view.entity, view.window_hours) for view in plan.views if view.engine == "ibis"},
        key=str,
    )
    found = {quoted(f"rows__{plan.rows}"): _night_rows(plan, spec)}
    for source, entity, window_hours in groups:
        if entity is not None or window_hours is not None:
            known = _known_rows(spec, source, entity, window_hours)
            found[quoted(relation(source, entity, window_hours))] = known
    return found


def _night_rows(plan: FeaturePlan, spec: ModelSpec) -> str:
    columns = ", ".join(_naive(name, kind) for name, kind in spec.scored.columns.items())
    return f"""SELECT row_number() OVER () AS {POSITION}, {columns}, {_local(spec, plan.rows)} AS event_local,
            timezone('UTC', $predict_at::TIMESTAMPTZ) AS predict_at
        FROM {quoted(f"source__{plan.rows}")} WHERE {NIGHT} = $night AND superseded_at IS NULL"""  # noqa: S608 - quoted


def _known_rows(spec: ModelSpec, source: str, entity: str | None, window_hours: int | None) -> str:
    """Select of the known rows those that a window sees, or of each entity the newest.

    Ties are broken by the key, so that sums are added in one order however the nights were loaded.
    """
    declared = spec.sources[source]
    time = _time(spec, source)
    order = [time, "known_at", *map(quoted, declared.key), NIGHT]
    condition, newest = KNOWN, ""
    if window_hours is not None:
        begin = f"$predict_at::TIMESTAMPTZ - to_hours({int(window_hours)})"
        condition += f" AND {time} < $predict_at::TIMESTAMPTZ AND {time} >= {begin}"
    elif entity is not None:
        latest = ", ".join(f"{column} DESC" for column in order)
        newest = f"QUALIFY row_number() OVER (PARTITION BY {quoted(entity)} ORDER BY {latest}) = 1"
    columns = ", ".join(_naive(name, kind) for name, kind in declared.columns.items())
    return f"""SELECT {columns}, {_local(spec, source)} AS event_local,
            timezone('UTC', $predict_at::TIMESTAMPTZ) AS predict_at
        FROM {quoted(f"source__{source}")} WHERE {condition} {newest} ORDER BY {", ".join(order)}"""  # noqa: S608 - quoted


def _time(spec: ModelSpec, source: str) -> str:
    """Say, as SQL, when a row happens: a date when its local day begins, a table without time when it was known."""
    declared = spec.sources[source]
    if declared.event_time is None:
        return "known_at"
    if declared.columns[declared.event_time] == "date":
        return f"timezone('{_zone(spec)}', {quoted(declared.event_time)}::TIMESTAMP)"
    return quoted(declared.event_time)


def _run_python(
    connection: duckdb.DuckDBPyConnection,
    plan: FeaturePlan,
    spec: ModelSpec,
    view: Compiled,
    parameters: Mapping[str, object],
) -> None:
    """Call a pandas view on the night's rows and what its window shows; keep its values as a table."""
    import pandas as pd

    function = marked(load_code(plan.code, "features.py"))[view.name]
    where = f"features.py:{function.__code__.co_firstlineno} {view.name}"
    rows = connection.sql(_night_rows(plan, spec), params=dict(parameters)).df()
    frames = [_frame(connection, plan, spec, view, name, parameters) for name in view.sources]
    try:
        values = function(*frames)
    except Exception as error:
        raise BadViewError(where, f"it failed: {type(error).__name__}: {error}") from error
    if not isinstance(values, pd.Series) or len(values) != len(rows):
        raise BadViewError(
            where, f"it must return one pandas Series with a value for each of the {len(rows)} rows."
        )
    frame = pd.DataFrame({"position": rows[POSITION.strip('"')], "value": values.to_numpy()})
    connection.register("python_values", frame)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_value_table(view)} AS FROM python_values")
    connection.unregister("python_values")


def _frame(
    connection: duckdb.DuckDBPyConnection,
    plan: FeaturePlan,
    spec: ModelSpec,
    view: Compiled,
    source: str,
    parameters: Mapping[str, object],
) -> Any:
    if source == plan.rows and view.window_hours is None:
        rows = connection.sql(_night_rows(plan, spec), params=dict(parameters)).df()
        return rows.drop(columns=POSITION.strip('"'))
    query = _known_rows(spec, source, view.entity, view.window_hours)
    return connection.sql(query, params={"predict_at": parameters["predict_at"]}).df()


def _join(plan: FeaturePlan, spec: ModelSpec) -> str:
    carried = {key: key for key in plan.keys}
    carried |= {"event_time": spec.scored.event_time or "predict_at", "predict_at": "predict_at"}
    if spec.entity:
        carried["entity"] = spec.entity
    fixed = [f"r.{quoted(column)} AS {quoted(name)}" for name, column in carried.items()]
    columns = [f"r.{quoted(name)} AS {quoted(_feature(name))}" for name in plan.columns]
    values = [_value(view) for view in plan.views]
    joins = [_on(view, plan) for view in plan.views]
    selected = ", ".join([*fixed, *columns, *values])
    return f"SELECT {selected} FROM {quoted(f'rows__{plan.rows}')} r {' '.join(joins)} ORDER BY r.{POSITION}"  # noqa: S608


def feature_column(name: str) -> str:
    """Name of a feature's column in a feature partition, apart from keys and times.

    >>> feature_column("carrier")
    'f:carrier'
    """
    return f"f:{name}"


_feature = feature_column


def _value(view: Compiled) -> str:
    value = f"{_alias(view)}.value"
    if view.missing is not None:
        from sqlglot import exp

        value = f"coalesce({value}, {exp.convert(view.missing).sql(dialect='duckdb')})"
    return f"{value} AS {quoted(_feature(view.name))}"


def _on(view: Compiled, plan: FeaturePlan) -> str:
    table, alias = _value_table(view), _alias(view)
    if view.engine == "python":
        return f"LEFT JOIN {table} {alias} ON {alias}.position = r.{POSITION}"
    if view.entity:
        return f"LEFT JOIN {table} {alias} ON {alias}.entity = r.{quoted(view.entity)}"
    if view.window_hours is not None:
        return f"LEFT JOIN {table} {alias} ON true"
    keys = " AND ".join(f"{alias}.key_{i} = r.{quoted(key)}" for i, key in enumerate(plan.keys))
    return f"LEFT JOIN {table} {alias} ON {keys}"


def _alias(view: Compiled) -> str:
    return quoted(f"v:{view.name}")


def _value_table(view: Compiled) -> str:
    return quoted(f"value__{view.name}")


def _naive(name: str, kind: str) -> str:
    """Show instants to views as UTC timestamps without a zone, as Ibis compiles them."""
    return f"timezone('UTC', {quoted(name)}) AS {quoted(name)}" if kind == "timestamp" else quoted(name)


def _local(spec: ModelSpec, source: str) -> str:
    time = spec.sources[source].event_time
    kind = spec.sources[source].columns[time] if time else None
    if time is None or kind not in ("timestamp", "date"):
        return "NULL::TIMESTAMP"
    if kind == "date":
        return f"{quoted(time)}::TIMESTAMP"
    return f"timezone('{_zone(spec)}', {quoted(time)})"


def _zone(spec: ModelSpec) -> str:
    return spec.timezone.replace("'", "''")
