"""Do the delivered columns match the declared ones, and can the declared checks be asked of them?

A column is never guessed: one that is missing stops the batch, naming the column that was probably meant.
"""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.checks.base import Check
from perennial.errors import CheckMisfitError, ColumnMissingError, SourceUnreadableError
from perennial.facts.batch import ROW, RawBatch
from perennial.spec.source import SourceSpec
from perennial.spec.taken import KNOWN_AT, SUPERSEDED_AT

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Matched:
    """The declared columns of a delivery, as text."""

    table: pa.Table
    extra: tuple[str, ...]
    """Delivered, not declared."""
    absent: tuple[str, ...]
    """Optional, not delivered."""


def declared_checks(source: SourceSpec) -> list[Check]:
    """List the checks of a source, one for each rule that is counted by itself."""
    return [part for check in source.checks if isinstance(check, Check) for part in check.parts()]


def refuse_misfits(name: str, source: SourceSpec) -> None:
    """Raise CheckMisfitError naming every check that cannot be asked, and columns whose name is taken."""
    problems = [told for check in declared_checks(source) if (told := check.misfit(source.columns))]
    taken = {ROW, SUPERSEDED_AT} | ({KNOWN_AT} if source.known_at != KNOWN_AT else set())
    problems += [
        f"a column cannot be called {column!r}: the store keeps its own"
        for column in taken & set(source.columns)
    ]
    if problems:
        raise CheckMisfitError(name, problems)


def match_columns(raw: RawBatch, source: SourceSpec) -> Matched:
    """Take the declared columns in their declared order; add optional ones that are absent as missing."""
    import pyarrow as pa

    delivered = list(raw.columns)
    absent = [name for name in source.columns if name not in delivered]
    missing = [name for name in absent if name not in source.optional]
    spare = [name for name in delivered if name not in source.columns]
    declared = [name for name in raw.nested if name in source.columns]
    if declared:
        problem = f"has column {declared[0]!r} of type {raw.nested[declared[0]]}"
        fix = f"Deliver {declared[0]!r} as plain columns, or as text; or take it out of `columns`."
        raise SourceUnreadableError(raw.source, raw.location, problem, fix)
    if missing:
        raise ColumnMissingError(raw.source, raw.location, _guesses(missing, spare), delivered)
    nothing = pa.nulls(raw.table.num_rows, pa.string())
    columns = {name: nothing if name in absent else raw.table.column(name) for name in source.columns}
    return Matched(pa.table({ROW: raw.table.column(ROW), **columns}), tuple(spare), tuple(absent))


def _guesses(missing: list[str], spare: list[str]) -> dict[str, str | None]:
    plain = {_plain(name): name for name in spare}
    near = {name: difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.7) for name in missing}
    return {name: plain[found[0]] if found else None for name, found in near.items()}


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold().replace(" ", "_").replace("-", "_")
