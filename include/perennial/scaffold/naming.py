"""Names of columns that stand for something else here: what cannot be declared, and what cannot be a key.

`perennial new` leaves such columns out and says so, instead of writing a folder that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

from perennial.errors import NotATableError
from perennial.spec.taken import CARRIED, STORED

RESERVED = set(STORED)
"""Names that published rows and views use for themselves."""


def unnamed(columns: Iterable[str], needed: set[str | None]) -> tuple[str, ...]:
    """Find columns whose names are taken, or differ from another's in capital letters only, as SQL reads names.

    Raises:
        NotATableError: a column that the model cannot do without is one of them.

    >>> unnamed(["id", "predict_at", "Id", "size"], {"size"})
    ('predict_at', 'Id')
    """
    names = list(columns)
    first: dict[str, str] = {}
    for name in sorted(names, key=lambda each: each not in needed):
        first.setdefault(name.lower(), name)
    taken = [
        name
        for name in names
        if name.lower() in RESERVED or name.startswith("@") or first[name.lower()] != name
    ]
    wanted = [name for name in taken if name in needed]
    if wanted:
        raise NotATableError(
            f"The name {wanted[0]!r} stands for something else here. Rename that column first."
        )
    return tuple(taken)


def can_be_key(name: str, entity: str | None, time: str | None) -> bool:
    """Tell whether a key can be called so beside what is carried from features to predictions.

    >>> can_be_key("order", None, None), can_be_key("Night", None, None), can_be_key("entity", "entity", None)
    (True, False, True)
    """
    same = {"entity": entity, "event_time": time}
    return same.get(name) == name or name.lower() not in CARRIED
