"""Small declared expressions (`arr_delay > 15`, `origin = 'JFK'`) as checked SQL.

They come from ``model.yaml``, whose author is trusted with data only: an expression is parsed, every
part of it must be on a short list, and what runs is written anew from the parsed form.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from perennial.errors import BadExpressionError

ALLOWED = frozenset(
    {
        "Column",
        "Identifier",
        "Literal",
        "Boolean",
        "Null",
        "Paren",
        "Neg",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Mod",
        "EQ",
        "NEQ",
        "GT",
        "GTE",
        "LT",
        "LTE",
        "And",
        "Or",
        "Not",
        "Is",
        "In",
        "Between",
        "Case",
        "If",
        "Coalesce",
        "Abs",
        "Lower",
        "Upper",
        "Length",
        "Like",
        "Round",
        "Floor",
        "Ceil",
        "Greatest",
        "Least",
        "Nullif",
        "Cast",
        "TryCast",
        "DataType",
        "Extract",
        "Var",
        "NullSafeEQ",
        "NullSafeNEQ",
        "Tuple",
    }
)


def parse(text: str, columns: Iterable[str]) -> str:
    """Return the expression as DuckDB SQL over ``columns``, or say what it may not contain.

    >>> parse("arr_delay > 15", ["arr_delay"])
    '"arr_delay" > 15'
    """
    import sqlglot
    from sqlglot import exp

    known = list(columns)
    if text in known:
        return str(exp.column(text, quoted=True).sql(dialect="duckdb"))
    try:
        (tree,) = sqlglot.parse(text, read="duckdb")
    except (sqlglot.errors.SqlglotError, ValueError, RecursionError) as error:
        raise BadExpressionError(text, "it cannot be read as one expression") from error
    if tree is None:
        raise BadExpressionError(text, "it is empty")
    for node in tree.walk():
        _refuse_unlisted(text, type(node).__name__)
        if isinstance(node, exp.Column):
            _refuse_unknown(text, node.name if not node.table else node.sql(), known)
            node.this.set("quoted", True)
    return str(tree.sql(dialect="duckdb"))


def _refuse_unlisted(text: str, kind: str) -> None:
    if kind not in ALLOWED:
        raise BadExpressionError(
            text,
            f"{kind} is not allowed; comparisons, arithmetic, and/or/not, in, between, case and coalesce are",
        )


def _refuse_unknown(text: str, name: str, known: list[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise BadExpressionError(text, f"there is no column {name!r}{hint} Columns: {', '.join(known)}")
