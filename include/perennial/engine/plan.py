"""A folder's feature views, compiled once to SQL text: what the nights then run.

The plan is stored beside the features under its own hash, so that an older champion is still fed by
the very definitions it was trained on.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from perennial.engine.view import MARK, ViewOptions
from perennial.errors import BadViewError
from perennial.facts.evidence import Json, fingerprint
from perennial.spec.model import ModelSpec

MOMENT = {"predict_at": "timestamp", "event_local": "timestamp"}
"""Columns every view may use besides its table's own: when the prediction is made; the local event time."""
IBIS_TYPES = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


@dataclass(frozen=True)
class Compiled:
    """One view: its SQL over a relation that the night prepares."""

    name: str
    description: str
    source: str
    entity: str | None
    window_hours: int | None
    missing: Json
    engine: str
    sql: str
    """``SELECT entity, value`` for Ibis; empty for Python."""


@dataclass(frozen=True)
class FeaturePlan:
    """Everything needed to build a model's features for any night."""

    rows: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    views: tuple[Compiled, ...]
    code: str
    """Text of ``features.py``, for views in Python."""

    @property
    def hash(self) -> str:
        """Identify the definitions; features of different hashes never mix."""
        return fingerprint(self.as_json())[:12]

    @property
    def features(self) -> tuple[str, ...]:
        """Feature names in the order a model sees them."""
        return (*self.columns, *(view.name for view in self.views))

    def as_json(self) -> dict[str, Json]:
        """Write the plan as plain values."""
        return {**asdict(self), "views": [asdict(view) for view in self.views]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeaturePlan:
        """Read what ``as_json`` wrote."""
        views = tuple(Compiled(**view) for view in value["views"])
        return cls(value["rows"], tuple(value["keys"]), tuple(value["columns"]), views, value["code"])

    def look_back_nights(self, source: str) -> int:
        """Nights of ``source`` that the longest window of any view can see."""
        hours = [view.window_hours or 0 for view in self.views if view.source == source]
        return max(hours, default=0) // 24 + 2


def compile_plan(spec: ModelSpec, folder: Path) -> FeaturePlan:
    """Read ``features.py`` (when there is one) and compile its views.

    This runs the model's own code: only tasks and the command line call it, never the DAG processor.
    """
    path = folder / "features.py"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    functions = marked(load_code(text, str(path))) if text else {}
    wanted = list(functions) if spec.features.views == "all" else list(spec.features.views)
    views = tuple(_compiled(functions[name], spec, path) for name in wanted)
    python = any(view.engine == "python" for view in views)
    return FeaturePlan(
        spec.rows_source, spec.scored.key, spec.features.columns, views, text if python else ""
    )


def load_code(text: str, name: str) -> ModuleType:
    """Run a model's feature code in a module of its own."""
    module = ModuleType("features")
    module.__file__ = name
    try:
        exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102 - a model's author is trusted as a DAG's is
    except Exception as error:
        raise BadViewError(name, f"it cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def marked(module: ModuleType) -> dict[str, Any]:
    """List the functions of a module that ``@view`` has marked, in the order they are written."""
    return {name: value for name, value in vars(module).items() if hasattr(value, MARK)}


def relation(source: str, entity: str | None, window_hours: int | None) -> str:
    """Name the relation that a night prepares for the views of one source, window and entity."""
    if window_hours is not None:
        return f"window__{source}__{window_hours}h"
    return f"latest__{source}__{entity}" if entity else f"rows__{source}"


def _compiled(function: Any, spec: ModelSpec, path: Path) -> Compiled:
    options: ViewOptions = getattr(function, MARK)
    where = f"{path}:{function.__code__.co_firstlineno} {function.__name__}"
    description = inspect.getdoc(function)
    if not description:
        raise BadViewError(where, "say in a docstring what the feature means; every page shows it.")
    source = _source(function, options, spec, where)
    sql = _sql(function, options, spec, source, where) if options.engine == "ibis" else ""
    return Compiled(
        function.__name__,
        description,
        source,
        options.entity,
        options.window_hours,
        options.missing,
        options.engine,
        sql,
    )


def _source(function: Any, options: ViewOptions, spec: ModelSpec, where: str) -> str:
    names = list(inspect.signature(function).parameters)
    unknown = [name for name in names if name not in spec.sources]
    if unknown or not names:
        raise BadViewError(where, f"its parameters name tables; there are {', '.join(spec.sources)}.")
    if options.engine == "ibis" and len(names) > 1:
        raise BadViewError(where, "a view reads one table; make one view for each table.")
    columns = spec.sources[names[0]].columns
    if options.entity and (options.entity not in columns or options.entity not in spec.scored.columns):
        raise BadViewError(
            where, f"entity {options.entity!r} must be a column of {names[0]} and of {spec.rows_source}."
        )
    return names[0]


def _sql(function: Any, options: ViewOptions, spec: ModelSpec, source: str, where: str) -> str:
    import ibis

    declared = {name: IBIS_TYPES[kind] for name, kind in spec.sources[source].columns.items()}
    table = ibis.table({**declared, **MOMENT}, name=relation(source, options.entity, options.window_hours))
    try:
        value = function(table)
    except Exception as error:
        raise BadViewError(where, f"it cannot be compiled: {type(error).__name__}: {error}") from error
    _refuse_misuse(value, options, source, spec, where)
    if isinstance(value, ibis.expr.types.Scalar) and options.window_hours is not None:
        grouped = table.group_by(entity=table[options.entity]) if options.entity else table
        return str(ibis.to_sql(grouped.aggregate(value=value), dialect="duckdb"))
    entity = (
        {"entity": table[options.entity]}
        if options.entity
        else {f"key_{i}": table[k] for i, k in enumerate(spec.scored.key)}
    )
    return str(ibis.to_sql(table.select(value=value, **entity), dialect="duckdb"))


def _refuse_misuse(value: Any, options: ViewOptions, source: str, spec: ModelSpec, where: str) -> None:
    import ibis
    import ibis.expr.operations as ops

    if not isinstance(value, ibis.expr.types.Value):
        raise BadViewError(where, f"it must return one column or aggregate, not {type(value).__name__}.")
    chance = value.op().find((ops.RandomScalar, ops.TimestampNow, ops.RandomUUID), filter=ops.Value)
    if chance:
        raise BadViewError(
            where, "chance and the wall clock make nights impossible to replay; use predict_at."
        )
    aggregate = isinstance(value, ibis.expr.types.Scalar)
    if options.window_hours is not None and not aggregate:
        raise BadViewError(where, "a view with a window returns an aggregate, such as .mean() or .count().")
    if options.window_hours is None and aggregate:
        raise BadViewError(where, 'an aggregate needs a window: @view(window="7d").')
    if options.window_hours is None and not options.entity and source != spec.rows_source:
        raise BadViewError(
            where,
            f"a view of {source} needs entity=, the column that matches its rows to {spec.rows_source}.",
        )
