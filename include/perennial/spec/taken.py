"""Names that mean something already: columns of the store, of feature and prediction tables, and each other.

Read from ``model.yaml`` and, as text, from ``features.py``, so that a folder with such a name is broken at once
and not on its first night. DuckDB does not tell capital letters from small ones, so neither is done here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from perennial.errors import Problem
from perennial.facts.batch import ROW
from perennial.spec.draft import Draft, shown
from perennial.spec.reading_yaml import KeyPath

MOMENT = {"predict_at": "timestamp", "event_local": "timestamp"}
"""Columns every view may use besides its table's own: when the prediction is made; the local event time."""
CARRIED = ("event_time", "entity", "night", "label", "group", "holdout", "prediction", "version")
"""Columns that stand beside the key from features to predictions, so that no key can be called so."""
KNOWN_AT, SUPERSEDED_AT = "known_at", "superseded_at"
"""The store's clock: when a row became known, and from when another one counts in its place."""
STORED = (ROW, KNOWN_AT, SUPERSEDED_AT, *MOMENT)
"""Columns that a source's table is given beside its own."""
FIX = "Deliver it under another name, for example with an alias in the query."


def taken_problems(draft: Draft) -> Iterator[Problem]:
    """Find columns and views whose name would be mixed up with another one's."""
    for source in draft.mapping("sources"):
        yield from _columns(draft, source)
    yield from _key(draft)
    yield from _views(draft)


def _columns(draft: Draft, source: str) -> Iterator[Problem]:
    own = {KNOWN_AT} if draft.text("sources", source, "known_at") == KNOWN_AT else set()
    seen: dict[str, str] = {}
    for name in draft.columns(source):
        path = ("sources", source, "columns", name)
        plain = name.lower()
        if (plain in STORED or name.startswith("@")) and name not in own:
            message = (
                f"a column cannot be called {shown(name)}: the tables keep one of their own under that name."
            )
            yield draft.problem(path, message, FIX, code="PER-1054")
        elif plain in seen:
            message = (
                f"differs from {shown(seen[plain])} in capital letters only, which SQL does not tell apart."
            )
            yield draft.problem(path, message, FIX, code="PER-1054")
        seen.setdefault(plain, name)


def _key(draft: Draft) -> Iterator[Problem]:
    """Find columns of the key that feature and prediction tables have another meaning for."""
    base: KeyPath = ("sources", draft.rows or "")
    same = {"event_time": draft.text(*base, "event_time"), "entity": draft.text("entity")}
    for path, name in draft.texts(*base, "key"):
        if name.lower() in CARRIED and same.get(name) != name:
            message = (
                f"a column of the key cannot be called {shown(name)}: it means something else in predictions."
            )
            yield draft.problem(path, message, FIX, code="PER-1054")


def _views(draft: Draft) -> Iterator[Problem]:
    """Find views with the name of a column that is itself a feature, or of another view."""
    wanted = draft.document.at(("features", "views"))
    columns = {name.lower() for _, name in draft.texts("features", "columns")}
    seen: set[str] = set()
    file = str(Path(draft.file).with_name("features.py"))
    for name, line in views_written(draft.folder / "features.py"):
        plain = name.lower()
        if isinstance(wanted, list) and name not in wanted:
            continue
        if plain in columns:
            message = f"the view {shown(name)} has the name of a column that is a feature itself."
            fix = "Rename the view, or take the column out of `features.columns`."
            yield Problem(file, line, 1, "", "", message, fix, "PER-1054")
        elif plain in seen:
            message = f"there is a view {shown(name)} already, further up."
            yield Problem(file, line, 1, "", "", message, "Rename one of them.", "PER-1054")
        seen.add(plain)


def views_written(file: Path) -> list[tuple[str, int]]:
    """List the functions that are marked with ``@view``, each with its line; the file is read, never run."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # said where the folder's code is judged
    return [
        (node.name, node.lineno)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any(map(_is_view, node.decorator_list))
    ]


def _is_view(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return "view" in (getattr(called, "id", None), getattr(called, "attr", None))
