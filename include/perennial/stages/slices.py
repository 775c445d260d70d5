"""Which rows of a night belong to which declared slice: asked once, when the night is scored."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from perennial.clock import Night
from perennial.engine.duck import arrow, connect, quoted
from perennial.spec.expression import parse
from perennial.stages import datasets
from perennial.stages.tables import tables
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Inside = NDArray[np.bool_]


def slices_of(workspace: Workspace, model: str, night: Night, rows: pa.Table) -> dict[str, Inside]:
    """Say for each declared slice which rows lie in it; a row that the source no longer holds lies in none."""
    import numpy as np

    spec = workspace.spec(model)
    source = datasets.table(model, spec.rows_source)
    if not spec.slices or not workspace.store.version(source, night):
        return {name: np.zeros(rows.num_rows, dtype=bool) for name in spec.slices}
    keys = [quoted(key) for key in spec.scored.key]
    parsed = [_parsed(text, tuple(spec.scored.columns)) for text in spec.slices.values()]
    conditions = [
        f"coalesce({text}, false) AS {quoted(name)}" for name, text in zip(spec.slices, parsed, strict=True)
    ]
    (given,) = tables(workspace, model, spec.rows_source, [night])
    with connect({"given": given}) as connection:
        found = arrow(connection, f"SELECT {', '.join([*keys, *conditions])} FROM given")  # noqa: S608 - quoted names
    place = {key: number for number, key in enumerate(_keys(found, len(keys)))}
    places = np.array(
        [place.get(key, -1) for key in _keys(rows.select(list(spec.scored.key)), len(keys))], int
    )
    return {
        name: found.column(len(keys) + number).to_numpy(zero_copy_only=False)[places] & (places >= 0)
        for number, name in enumerate(spec.slices)
    }


@cache
def _parsed(text: str, columns: tuple[str, ...]) -> str:
    """Parse an expression once a process: that takes longer than asking a night's rows."""
    return parse(text, columns)


def _keys(table: pa.Table, columns: int) -> list[tuple[object, ...]]:
    return list(zip(*(table.column(number).to_pylist() for number in range(columns)), strict=True))
