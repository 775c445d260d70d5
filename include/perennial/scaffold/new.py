"""``perennial new``: from a table to a model's folder that runs as it is, with every assumption in words."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from perennial.engine.intake_casting import DECIMAL_COMMA
from perennial.errors import NotATableError
from perennial.scaffold.inference import Column, describe
from perennial.scaffold.judging import judge
from perennial.scaffold.table import Place, allow_folder, find, read
from perennial.scaffold.trying import suits
from perennial.scaffold.writing import model_yaml, readme
from perennial.sources.csv_file import DELIMITERS
from perennial.spec.folder import good_name, slug
from perennial.spec.load import load
from perennial.spec.places import settings_file


@dataclass(frozen=True)
class NewModel:
    """The folder that was written, and what was assumed."""

    folder: Path
    assumptions: list[str]
    """Sentences, each a guess that a person can correct in `model.yaml`."""


def new(
    name: str,
    source: str | Path,
    label: str,
    time: str | None = None,
    entity: str | None = None,
    *,
    models_root: Path,
    table: str | None = None,
) -> NewModel:
    """Write a model's folder for a CSV, Parquet, JSON lines, SQLite or DuckDB table.

    ``time`` and ``entity`` are looked for where they are not named; ``table`` names the table of a database
    that holds several.

    Raises:
        NotATableError: the name is taken or bad, or the table cannot make a model; says why and what to do.
    """
    folder = models_root / name
    if not good_name(name):
        raise NotATableError(f"{name!r} cannot name a model. Take for example {slug(name)!r}.")
    if folder.exists():
        raise NotATableError(f"There is already a folder {name}. Take another name, or remove it first.")
    place = find(source, models_root, table)
    rows = read(place)
    columns = describe(rows)
    judged = judge(rows, columns, label, time=time, entity=entity)
    judged.estimator = suits(rows, columns, judged)
    judged.assumptions += [*_delimited(place), *_decimal_commas(columns.values())]
    if place.outside:
        allow_folder(place.outside, models_root)
        said = f"place: the table lies outside the project, so {place.outside} was added to data_roots in"
        judged.assumptions.append(f"{said} include/{settings_file(models_root).name}.")
    _write(folder, model_yaml(name, place, columns, judged), readme(name, judged))
    return NewModel(folder, judged.assumptions)


def _delimited(place: Place) -> Iterator[str]:
    if place.delimiter != ",":
        yield f"delimiter: the file is separated by {DELIMITERS[place.delimiter]}."


def _decimal_commas(columns: Iterable[Column]) -> Iterator[str]:
    for column in columns:
        if column.values and all(DECIMAL_COMMA.fullmatch(value) for value in column.values):
            yield f"{column.name}: its numbers have a decimal comma, so it is text; deliver them with a point."


def _write(folder: Path, declaration: str, page: str) -> None:
    """Write the folder whole: what cannot be loaded is not left behind."""
    folder.mkdir(parents=True)
    try:
        (folder / "model.yaml").write_text(declaration, encoding="utf-8")
        (folder / "README.md").write_text(page, encoding="utf-8")
        load(folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
