"""What a view's expression may not be, found before any night runs it.

Each refusal names the way out. What is refused here would be wrong without an error: a value over whichever
rows happen to be visible, or one that another engine, or another night, would give otherwise.
"""

from __future__ import annotations

from typing import Any

from perennial.engine.view import ViewOptions
from perennial.errors import BadViewError

CHANCE = ("RandomScalar", "RandomUUID", "TimestampNow", "DateNow", "TimeNow")
ORDER_BOUND = (
    "First", "Last", "ArgMax", "ArgMin", "Arbitrary", "Mode", "ArrayCollect", "GroupConcat",
    "ApproxMedian", "ApproxCountDistinct", "ApproxQuantile", "ApproxMultiQuantile",
)  # fmt: skip
"""Answers that depend on the order of rows or on the engine."""


def refuse_misuse(value: Any, table: Any, options: ViewOptions, where: str) -> None:
    """Refuse an expression that could not be trusted; ``where`` is the view's file, line and name.

    Raises:
        BadViewError: with the way out.
    """
    import ibis

    if not isinstance(value, ibis.expr.types.Value):
        raise BadViewError(where, f"it must return one column or aggregate, not {type(value).__name__}.")
    names = _operations(value)
    if names & set(CHANCE):
        raise BadViewError(
            where, "chance and the wall clock make nights impossible to replay; use predict_at."
        )
    _refuse_other_rows(value, table, where)
    found = sorted(names & set(ORDER_BOUND))
    if found:
        raise BadViewError(
            where,
            f"{found[0]} depends on the order of rows or on the engine. For the newest row of an entity leave "
            'window out; for anything else write @view(engine="python").',
        )
    _refuse_wrong_shape(value, options, where)
    _refuse_type(value.type(), options, where)


def _operations(value: Any) -> set[str]:
    import ibis.expr.operations as ops

    return {type(found).__name__ for found in value.op().find(ops.Value, filter=ops.Value)}


def _refuse_other_rows(value: Any, table: Any, where: str) -> None:
    """Refuse filters, joins and other tables: the rows a view sees are chosen by the framework."""
    import ibis.expr.operations as ops

    relations = {relation for relation in value.op().find(ops.Relation) if relation != table.op()}
    if relations:
        raise BadViewError(
            where,
            "a view reads its table as it is, without filter, join or another table; "
            "for some of the rows write for example .mean(where=table.column > 1).",
        )


def _refuse_wrong_shape(value: Any, options: ViewOptions, where: str) -> None:
    import ibis
    import ibis.expr.operations as ops

    aggregate = isinstance(value, ibis.expr.types.Scalar)
    if options.window_hours is not None and not aggregate:
        raise BadViewError(where, "a view with a window returns an aggregate, such as .mean() or .count().")
    if options.window_hours is None and aggregate:
        raise BadViewError(where, 'an aggregate needs a window: @view(window="7d").')
    over = (ops.WindowFunction, ops.Analytic, ops.Reduction)
    if not aggregate and value.op().find(over, filter=ops.Value):
        raise BadViewError(
            where, "a value over several rows is an aggregate and needs a window: @view(window=...)."
        )


def _refuse_type(kind: Any, options: ViewOptions, where: str) -> None:
    """Refuse what no model eats, and a stand-in for missing values that is of another kind."""
    numeric = kind.is_numeric() or kind.is_boolean()
    if not (numeric or kind.is_string()):
        raise BadViewError(where, f"a feature is a number, a truth value or a text, not {kind}.")
    if options.missing is not None and isinstance(options.missing, str) == numeric:
        raise BadViewError(where, f"missing={options.missing!r} does not fit values of type {kind}.")
