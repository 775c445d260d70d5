"""Where rows may be read from and written to: below the project and its declared roots, never by web address.

The loader asks here before anything is opened; a source asks again for the very path it opens, since a
link may have changed in between.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from perennial.errors import Problem
from perennial.spec.draft import Draft, holds_password, shown
from perennial.spec.reading_yaml import KeyPath

FILE_DATABASES = ("sqlite", "duckdb")
DATABASES = (
    *FILE_DATABASES,
    *("postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle", "snowflake", "trino", "bigquery"),
    *("redshift", "clickhouse", "databricks"),
)
REFUSED = {"http", "https", "ftp", "ftps", "sftp", "file", "data", "s3", "gs", "abfs", "abfss"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_PLACEHOLDER = re.compile(r"\$?\{[^}]*\}?")
_OPEN_END = re.compile(r"[{*?]")


@dataclass(frozen=True)
class Roots:
    """The folders below which files may be read and written."""

    project: Path
    """Relative paths start here."""
    data: tuple[Path, ...] = ()
    """Folders outside the project, from `include/perennial.toml` and `PERENNIAL_DATA_ROOTS`."""

    @classmethod
    def of(cls, models_root: Path) -> Roots:
        """Return the roots of the project that keeps its models in ``models_root``."""
        project = project_of(models_root)
        return cls(project, tuple(Path(root).expanduser() for root in _declared(models_root)))

    def path(self, text: str) -> Path | None:
        """Return the absolute path, with ``{night}`` left in it; None when it lies outside every root."""
        path = self.project / text
        if ".." in Path(text).parts and _OPEN_END.search(text):
            return None
        return path if self.allow(Path(_OPEN_END.split(str(path))[0])) else None

    def allow(self, path: Path) -> bool:
        """Tell whether a path, its links followed, lies below a root."""
        real = path.resolve()
        return any(real.is_relative_to(root.resolve()) for root in (self.project, *self.data))


def project_of(models_root: Path) -> Path:
    """Return the project's folder: the parent of ``include/models``, or of the models' folder itself."""
    here = models_root.absolute()
    return here.parents[1] if here.parts[-2:] == ("include", "models") else here.parent


def settings_file(models_root: Path) -> Path:
    """Return where the project's own settings stand, beside the models' folder."""
    return models_root.absolute().parent / "perennial.toml"


def _declared(models_root: Path) -> list[str]:
    file = settings_file(models_root)
    try:
        listed = tomllib.loads(file.read_text()).get("data_roots", []) if file.is_file() else []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        listed = []  # `_settings` says so to the person
    more = os.environ.get("PERENNIAL_DATA_ROOTS", "").split(os.pathsep)
    return [root for root in (*listed, *more) if isinstance(root, str) and Path(root).is_absolute()]


def place_problems(draft: Draft) -> Iterator[Problem]:
    """Find addresses with passwords, of refused kinds, or outside the project."""
    roots = Roots.of(draft.folder.parent)
    yield from _settings(draft)
    bases: list[KeyPath] = [("sources", name) for name in draft.mapping("sources")]
    for base in (*bases, ("sink",)):
        yield from _one_place(draft, base)
        uri = draft.text(*base, "uri")
        if uri:
            yield from _address(draft, base, uri, roots)
        yield from _connection(draft, (*base, "connection"))
    for path, _ in draft.items("alerts"):
        yield from _connection(draft, (*path, "connection"))


def _one_place(draft: Draft, base: KeyPath) -> Iterator[Problem]:
    """Find rows that come from, or predictions that go, nowhere or to two places."""
    if not isinstance(draft.document.at(base), dict):
        return  # what it is instead, the spec says
    given = [field for field in ("uri", "connection") if draft.mapping(*base).get(field) is not None]
    if not given:
        message = "is missing, and no connection is named."
        fix = (
            "Add `uri: …`, or `connection: …` and `table: …` for a database that Airflow has a connection to."
        )
        yield draft.problem((*base, "uri"), message, fix, code="PER-1042")
    elif len(given) > 1:
        message = "takes the place of `uri`, which is given as well."
        yield draft.problem((*base, "connection"), message, "Keep one of the two.", code="PER-1053")
    elif given == ["connection"] and not draft.text(*base, "table"):
        yield _no_table(draft, base, "connection")


def _no_table(draft: Draft, base: KeyPath, named_by: str) -> Problem:
    message = f"is missing: the {named_by} names a database."
    return draft.problem((*base, "table"), message, "Add `table: name`.", code="PER-1042")


def _settings(draft: Draft) -> Iterator[Problem]:
    file = settings_file(draft.folder.parent)
    try:
        if file.is_file():
            tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"the project's settings cannot be read: {error}."
        yield Problem(f"include/{file.name}", 1, 1, "", "", message, "Correct the TOML.", "PER-1048")


def _address(draft: Draft, base: KeyPath, uri: str, roots: Roots) -> Iterator[Problem]:
    path = (*base, "uri")
    if holds_password(uri):
        message = f"a password stands in plain text: {shown(uri)}."
        fix = "Put it in an Airflow connection and name that under `connection`."
        yield draft.problem(path, message, fix, code="PER-1049")
        return
    wrong = _placeholder_mistake(uri)
    if wrong:
        yield draft.problem(path, *wrong, code="PER-1048")
        return
    scheme = _SCHEME.match(uri)
    kind = scheme[1].lower().partition("+")[0] if scheme else ""
    file = _file_part(uri, kind)
    mistake = _kind_mistake(kind) if kind else None
    if mistake:
        yield draft.problem(path, *mistake, code="PER-1048")
    elif file is not None and roots.path(file) is None:
        yield draft.problem(path, f"{shown(uri)} lies outside the project.", _way_in(file), code="PER-1048")
    elif kind in DATABASES and not draft.text(*base, "table"):
        yield _no_table(draft, base, "address")


def _placeholder_mistake(uri: str) -> tuple[str, str] | None:
    for written in _PLACEHOLDER.findall(uri):
        if written.startswith("$"):
            return f"{written} is not filled in: variables are not read here.", "Use an Airflow connection."
        if written != "{night}":
            return f"{written} is not known in an address.", "The only placeholder is {night}."
    return None


def _kind_mistake(kind: str) -> tuple[str, str] | None:
    known = ", ".join(DATABASES)
    if kind in REFUSED:
        message = f"{kind}: addresses are not opened in this version."
        return message, "Name a file below the project, or a database."
    if kind not in DATABASES:
        return f"{kind}: is not a known kind of address.", f"Known: {known}."
    return None


def _file_part(uri: str, kind: str) -> str | None:
    """Return the file an address names, None for servers."""
    if not kind:
        return uri
    if kind in FILE_DATABASES:
        return re.sub(r"^[^:]+:(///|//)?", "", uri).partition("?")[0]
    return None


def _way_in(file: str) -> str:
    if Path(file).is_absolute():
        return "List its folder under `data_roots` in include/perennial.toml, or move the file."
    return "Relative paths start at the project's folder and stay below it."


def _connection(draft: Draft, path: KeyPath) -> Iterator[Problem]:
    name = draft.text(*path)
    if name is None:
        return
    if "://" in name:
        message = f"{shown(name)} is an address; a connection is named, and kept by Airflow."
        code = "PER-1049" if holds_password(name) else "PER-1048"
        yield draft.problem(path, message, "Put it in an Airflow connection and write its id.", code=code)
    elif not re.fullmatch(r"[\w.-]{1,250}", name):
        message = f"{shown(name)} cannot be the id of an Airflow connection."
        yield draft.problem(path, message, "Use letters, digits, `_`, `.` and `-`.", code="PER-1048")
