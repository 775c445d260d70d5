"""The table a new model is made from: found, named as ``model.yaml`` will name it, and read as the nights will."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.errors import NotATableError
from perennial.facts.batch import FileFormat, SourceRequest
from perennial.sources import source_for
from perennial.sources.csv_file import DELIMITERS
from perennial.spec.draft import holds_password
from perennial.spec.places import Roots, settings_file

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_MAGIC = {"sqlite": (0, b"SQLite format 3\x00"), "duckdb": (8, b"DUCK")}
LONGEST_HEADER = 1_000_000
_ANY_NIGHT = "2000-01-01"
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1",
    "duckdb": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1",
}


@dataclass(frozen=True)
class Place:
    """Where the table is."""

    uri: str
    """As it is written in `model.yaml`: relative to the project where it lies inside."""
    location: str
    """The same, absolute."""
    format: FileFormat | None
    """File format where the extension does not tell it."""
    table: str | None
    """Table of a database."""
    outside: Path | None
    """Folder that the project must list before the file may be read."""
    delimiter: str = ","
    """What stands between the values of a CSV file."""


def find(source: str | Path, models_root: Path, table: str | None = None) -> Place:
    """Tell what `source` is: a CSV, Parquet or JSON lines file, or a SQLite or DuckDB database.

    Raises:
        NotATableError: it is not there, of another kind, or a database whose table is not named.
    """
    written = str(source)
    if holds_password(written):
        raise NotATableError("The address holds a password. Put it in an Airflow connection.")
    path = Path(re.sub(r"^(sqlite|duckdb):///", "", written)).expanduser()
    if "://" in str(path):
        raise NotATableError(f"{written} is no file. `new` reads CSV, Parquet, SQLite and DuckDB files.")
    path = path if path.is_absolute() else Path.cwd() / path
    if not path.is_file():
        raise NotATableError(f"There is no file {path}.")
    return _placed(path, Roots.of(models_root), table)


def _placed(path: Path, roots: Roots, table: str | None) -> Place:
    inside = path.resolve().is_relative_to(roots.project.resolve())
    name = str(path.resolve().relative_to(roots.project.resolve())) if inside else str(path)
    outside = None if inside or roots.allow(path) else path.parent
    kind = _database(path)
    if kind:
        chosen = _table(path, kind, table)
        return Place(f"{kind}:///{name}", f"{kind}:///{path}", None, chosen, outside)
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        kinds = ", ".join(FORMATS)
        raise NotATableError(
            f"{path.name} is of no known kind. `new` reads {kinds}, SQLite and DuckDB files."
        )
    obvious = path.suffix in {".csv", ".parquet", ".jsonl"}
    between = delimiter_of(path) if known == "csv" else ","
    return Place(name, str(path), None if obvious else known, None, outside, between)


def delimiter_of(path: Path) -> str:
    """Tell what stands between the values of a CSV file: what divides its header into most columns."""
    with path.open("r", encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline(LONGEST_HEADER)
    columns = {between: len(next(csv.reader([line], delimiter=between), [])) for between in DELIMITERS}
    return max(columns, key=lambda between: columns[between])


def _database(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(16)
    return next((kind for kind, (at, magic) in _MAGIC.items() if head[at:].startswith(magic)), None)


def _table(path: Path, kind: str, table: str | None) -> str:
    tables = _tables(path, kind)
    if table is None and len(tables) == 1:
        return tables[0]
    if table in tables:
        return str(table)
    asked = f"has no table {table!r}" if table else "has several tables" if tables else "has no table"
    raise NotATableError(f"{path.name} {asked}. Name one with --table: {', '.join(tables)}.")


def _tables(path: Path, kind: str) -> list[str]:
    if kind == "sqlite":
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return [name for (name,) in connection.execute(_TABLES[kind])]
    import duckdb

    with duckdb.connect(str(path), read_only=True) as database:
        return [name for (name,) in database.execute(_TABLES[kind]).fetchall()]


def read(place: Place) -> pa.Table:
    """Read every row as text, by the same source that will read it every night."""
    request = SourceRequest(
        "rows",
        place.location,
        _ANY_NIGHT,
        format=place.format,
        delimiter=place.delimiter,
        table=place.table,
    )
    raw = source_for(place.location, request.format).read_whole(request)
    if raw.rejects:
        first = raw.rejects[0]
        raise NotATableError(f"Line {first.row} is no row: {first.reason}. Correct the file first.")
    return raw.table


def allow_folder(folder: Path, models_root: Path) -> None:
    """Add a folder to the project's `data_roots`."""
    file = settings_file(models_root)
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    roots = [*tomllib.loads(text).get("data_roots", []), str(folder)]
    line = f"data_roots = [{', '.join(json.dumps(root, ensure_ascii=False) for root in roots)}]"
    pattern = re.compile(r"^data_roots\s*=\s*\[[^\]]*\]", re.MULTILINE)
    if pattern.search(text):
        changed = pattern.sub(lambda _: line, text)
    else:
        comment = "# Folders outside the project that models may read files from."
        changed = f"{comment}\n{line}\n{text}"
    file.write_text(changed, encoding="utf-8")
