"""A folder's feature views, compiled once to SQL text: what the nights then run.

The plan is stored beside the features under its own hash, so that an older champion is still fed by
the very definitions it was trained on.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from perennial.engine.ground import ground_of
from perennial.engine.misuse import refuse_misuse
from perennial.engine.view import MARK, ViewOptions
from perennial.errors import BadViewError
from perennial.facts.evidence import Json, fingerprint
from perennial.spec.model import ModelSpec
from perennial.spec.taken import MOMENT

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
    others: tuple[str, ...] = ()
    """Further tables that a view in Python reads."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Every table it reads."""
        return (self.source, *self.others)

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {name: value for name, value in asdict(self).items() if name != "others" or value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Compiled:
        """Read what ``as_json`` wrote."""
        return cls(**{**value, "others": tuple(value.get("others", ()))})


@dataclass(frozen=True)
class FeaturePlan:
    """Everything needed to build a model's features for any night."""

    rows: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    views: tuple[Compiled, ...]
    code: str
    """Text of ``features.py``, for views in Python."""
    ground: Mapping[str, Json] = field(default_factory=dict)
    """What else the values depend on, as ``perennial.engine.ground`` reads it from the declaration."""

    @property
    def hash(self) -> str:
        """Identify the definitions; features of different hashes never mix."""
        return fingerprint(self.as_json())[:12]

    @property
    def features(self) -> tuple[str, ...]:
        """Feature names in the order a model sees them."""
        return (*self.columns, *(view.name for view in self.views))

    @property
    def sources(self) -> tuple[str, ...]:
        """Every table that a night's features are made of."""
        return tuple(sorted({self.rows, *(name for view in self.views for name in view.sources)}))

    def as_json(self) -> dict[str, Json]:
        """Write the plan as plain values."""
        plain = {name: value for name, value in asdict(self).items() if name != "ground" or value}
        return {**plain, "views": [view.as_json() for view in self.views]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeaturePlan:
        """Read what ``as_json`` wrote."""
        views = tuple(Compiled.from_json(view) for view in value["views"])
        keys, columns = tuple(value["keys"]), tuple(value["columns"])
        return cls(value["rows"], keys, columns, views, value["code"], value.get("ground", {}))

    def look_back_nights(self, source: str) -> int:
        """Nights of ``source`` that the longest window of any view can see."""
        hours = [view.window_hours or 0 for view in self.views if source in view.sources]
        return max(hours, default=0) // 24 + 2


def compile_plan(spec: ModelSpec, folder: Path) -> FeaturePlan:
    """Read ``features.py`` (when there is one) and compile its views.

    This runs the model's own code: only tasks and the command line call it, never the DAG processor.
    """
    path = folder / "features.py"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    functions = marked(load_code(text, str(path))) if text else {}
    wanted = list(functions) if spec.features.views == "all" else list(spec.features.views)
    for name in wanted:
        if name not in functions:
            raise BadViewError(str(path), f"it has no view {name}; views: {', '.join(functions) or 'none'}.")
        if name in spec.features.columns:
            raise BadViewError(
                f"{path}: {name}", "a column of that name is a feature itself; rename the view."
            )
    views = tuple(_compiled(functions[name], spec, path) for name in wanted)
    python = any(view.engine == "python" for view in views)
    code = text if python else ""
    plan = FeaturePlan(spec.rows_source, spec.scored.key, spec.features.columns, views, code)
    return replace(plan, ground=ground_of(plan, spec))


def load_code(text: str, name: str) -> ModuleType:
    """Run a model's feature code in a module of its own."""
    module = ModuleType("features")
    module.__file__ = name
    try:
        exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102 - a model's author is trusted as a DAG's is
    except (Exception, SystemExit) as error:  # an exit would end the command or task without a word
        where = f"{name}:{_line(error, name)}"
        raise BadViewError(where, f"it cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _line(error: BaseException, name: str) -> int:
    """Find the line of the file on which it failed."""
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 1 for frame in reversed(frames) if frame.filename == name), 1)


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
    source, *others = _sources(function, options, spec, where)
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
        tuple(others),
    )


def _sources(function: Any, options: ViewOptions, spec: ModelSpec, where: str) -> list[str]:
    names = list(inspect.signature(function).parameters)
    unknown = [name for name in names if name not in spec.sources]
    if unknown or not names:
        raise BadViewError(where, f"its parameters name tables; there are {', '.join(spec.sources)}.")
    if options.engine == "ibis" and len(names) > 1:
        raise BadViewError(where, "a view reads one table; make one view for each table.")
    for name in names if options.entity else ():
        if not {options.entity} <= {*spec.sources[name].columns} & {*spec.scored.columns}:
            raise BadViewError(
                where, f"entity {options.entity!r} must be a column of {name} and of {spec.rows_source}."
            )
    unmatched = not options.entity and options.window_hours is None and names != [spec.rows_source]
    if unmatched and options.engine == "ibis":
        raise BadViewError(
            where,
            f"a view of {names[0]} needs entity=, the column that matches its rows to {spec.rows_source}.",
        )
    return names


def _sql(function: Any, options: ViewOptions, spec: ModelSpec, source: str, where: str) -> str:
    import ibis

    declared = {name: IBIS_TYPES[kind] for name, kind in spec.sources[source].columns.items()}
    table = ibis.table({**declared, **MOMENT}, name=relation(source, options.entity, options.window_hours))
    try:
        value = function(table)
    except Exception as error:
        raise BadViewError(where, f"it cannot be compiled: {type(error).__name__}: {error}") from error
    refuse_misuse(value, table, options, where)
    if isinstance(value, ibis.expr.types.Scalar) and options.window_hours is not None:
        grouped = table.group_by(entity=table[options.entity]) if options.entity else table
        return str(ibis.to_sql(grouped.aggregate(value=value), dialect="duckdb"))
    entity = (
        {"entity": table[options.entity]}
        if options.entity
        else {f"key_{i}": table[k] for i, k in enumerate(spec.scored.key)}
    )
    return str(ibis.to_sql(table.select(value=value, **entity), dialect="duckdb"))
