"""Projects that the tests of the loader lay out."""

from pathlib import Path

import pytest

SMALLEST = """\
description: Will this ride be cancelled?
task: binary
sources:
  rides:
    uri: data/rides/{night}.csv
    key: [ride_id]
    event_time: starts_at
    columns: {ride_id: text, city: text, price: number, starts_at: timestamp}
  outcomes:
    uri: data/outcomes/{night}.csv
    key: [ride_id]
    event_time: starts_at
    columns: {ride_id: text, starts_at: timestamp, cancelled: integer}
label: {source: outcomes, expression: cancelled = 1}
features: {columns: [city, price]}
"""
"""The smallest useful file: under twenty lines."""


@pytest.fixture
def smallest() -> str:
    """Return the smallest useful model.yaml."""
    return SMALLEST


@pytest.fixture
def models_root(tmp_path: Path) -> Path:
    """Lay out a project with one healthy model, `rides`."""
    root = tmp_path / "include" / "models"
    write_model(root, "rides", SMALLEST)
    return root


def write_model(models_root: Path, name: str, text: str) -> Path:
    """Write a model's folder."""
    folder = models_root / name
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text(text, encoding="utf-8")
    return folder
