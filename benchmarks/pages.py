"""Tables of a benchmark on the page that explains them: written between two marks, so that they are never typed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

BEGIN, END = "<!-- printed by the benchmark -->", "<!-- end of what was printed -->"


def write(page: Path, text: str) -> None:
    """Put a text between the page's two marks, whatever stood there."""
    before, rest = page.read_text().split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a table; a number has two digits after its point, and what is none is left empty."""
    lines = [columns, ["---"] * len(columns), *([_cell(one) for one in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.2f}"
    return "" if value is None else str(value)
