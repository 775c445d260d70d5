"""Examine a run's training set for leaks, before what is trained on it counts: a step of ``train``, read by ``evaluate``.

The signs are published beside the run, so that asking again finds them; what model.yaml acknowledges is attached when
they are read, so that a person's word needs no new training.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perennial.clock import end_of
from perennial.facts.leaks import LeakSign, answered
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, serving
from perennial.stages.training_run import about_run
from perennial.stages.training_set import as_training_set
from perennial.stages.usage import recorded, run_of
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NEWEST_ROWS = 20_000
"""Training rows that are examined, beside those kept back: a leak of a year ago that is gone harms nobody."""
SAME_ROWS = 0.01
"""Share of the rows kept back that may have come before: they are left out of every comparison anyway."""
TWIN_ROWS = 0.01
TWIN_TIMES = 2.0
"""Rows kept back that have a twin in training are a sign where training rows themselves have fewer twins."""


def examine(workspace: Workspace, model: str, run: str) -> tuple[LeakSign, ...]:
    """Find the signs of a run, once; say what they are."""
    import pyarrow as pa

    dataset = datasets.leaks(model)
    if not workspace.store.version(dataset, run):
        with recorded(workspace, model, run, "leaks"):
            found = _found(workspace, model, run)
        told = [json.dumps({**vars(sign), "columns": list(sign.columns)}) for sign in found]
        workspace.store.publish(dataset, run, pa.table({"sign": pa.array(told, pa.string())}))
    signs = [json.loads(text) for text in workspace.store.read(dataset, run)["sign"].to_pylist()]
    acknowledged = workspace.spec(model).training.leaks.acknowledged
    return tuple(
        answered(LeakSign(**{**sign, "columns": tuple(sign["columns"])}), acknowledged) for sign in signs
    )


def signs_of(workspace: Workspace, version: Candidate) -> tuple[LeakSign, ...]:
    """Return the signs of the run that made a version; none where it was made elsewhere, from rows we do not have."""
    run = run_of(workspace, version.model, version.version)
    return examine(workspace, version.model, run) if run else ()


def _found(workspace: Workspace, model: str, run: str) -> list[LeakSign]:
    from perennial.engine.leak_signs import statistical_signs

    about = about_run(workspace, model, run)
    whole = workspace.store.read(datasets.training(model), run)
    newest = _newest(whole)
    rows = as_training_set(workspace, model, newest, timed=bool(about["timed"]))
    reigning = serving(workspace, model, about["night"])
    eaten = {*reigning.numeric, *reigning.categorical} if reigning else set()
    new = tuple(name for name in rows.columns.names if name not in eaten) if reigning else ()
    statistical = statistical_signs(
        rows,
        seed=workspace.spec(model).training.seed,
        new=new,
        times=_times(workspace, model, newest),
    )
    return [*_structural(workspace, model, whole, newest, about["night"]), *statistical]


def _newest(whole: pa.Table) -> pa.Table:
    """Take the rows kept back and the newest that train."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trained, held = whole.filter(pc.invert(whole["holdout"])), whole.filter(whole["holdout"])
    return pa.concat_tables([trained.slice(max(trained.num_rows - NEWEST_ROWS, 0)), held])


def _times(workspace: Workspace, model: str, rows: pa.Table) -> pd.Series[pd.Timestamp] | None:
    """Return the rows' local times, where they have any."""
    spec = workspace.spec(model)
    if spec.scored.event_time is None or "event_time" not in rows.column_names:
        return None
    return local(rows["event_time"], spec.timezone)


def local(instants: pa.ChunkedArray, timezone: str) -> pd.Series[pd.Timestamp]:
    """Say what a clock on the wall showed: an hour of the day is none of UTC's where clocks are changed.

    ``instants`` are UTC, with or without a zone of their own.
    """
    import pyarrow as pa

    told: pd.Series[pd.Timestamp] = instants.cast(pa.timestamp("us", "UTC")).to_pandas()
    return told.dt.tz_convert(timezone)


def _structural(
    workspace: Workspace, model: str, whole: pa.Table, newest: pa.Table, night: str
) -> list[LeakSign]:
    found = [_label_later(workspace, model, whole, night), _known_later(workspace, model, whole)]
    found += [_same_rows(workspace, model, whole), _twin_rows(newest)]
    return [sign for sign in found if sign is not None]


def _label_later(workspace: Workspace, model: str, whole: pa.Table, night: str) -> LeakSign | None:
    """Find labels that were not known at the end of the night on which the run was assembled."""
    import pyarrow.compute as pc

    later = pc.sum(pc.greater(whole["known_at"], end_of(night, workspace.spec(model).timezone))).as_py() or 0
    if not later:
        return None
    share = later / whole.num_rows
    return LeakSign("label_later", (), share, f"{later} labels became known only after the night of {night}")


def _known_later(workspace: Workspace, model: str, whole: pa.Table) -> LeakSign | None:
    """Find scored rows that were known only after the end of the night for which they were predicted."""
    import pyarrow.compute as pc

    from perennial.stages.tables import tables

    spec = workspace.spec(model)
    nights = sorted(set(whole.filter(whole["holdout"])["night"].to_pylist()))
    if spec.scored.static or not nights:
        return None
    later = rows = 0
    for night, table in zip(nights, tables(workspace, model, spec.rows_source, nights), strict=True):
        later += pc.sum(pc.greater(table["known_at"], end_of(night, spec.timezone))).as_py() or 0
        rows += table.num_rows
    if not later:
        return None
    said = f"{later} rows of {spec.rows_source} became known only after the night they are predicted on"
    return LeakSign("known_later", (), later / rows, said)


def _same_rows(workspace: Workspace, model: str, whole: pa.Table) -> LeakSign | None:
    """Find rows, by key and time, that train and are kept back as well."""
    from perennial.engine.duck import arrow, connect, quoted

    key = workspace.spec(model).scored.key
    names = ", ".join(quoted(n) for n in (*key, "event_time") if n in whole.column_names)
    with connect({"given": whole}) as connection:
        counted = arrow(
            connection,
            f"SELECT count(*) AS n FROM (SELECT {names} FROM given WHERE holdout) h "  # noqa: S608 - quoted names
            f"SEMI JOIN (SELECT {names} FROM given WHERE NOT holdout) t USING ({names})",
        )
    same, held = int(counted["n"][0].as_py()), whole.filter(whole["holdout"]).num_rows
    if not held or same / held <= SAME_ROWS:
        return None
    said = f"{same} of {held} rows kept back have the key and time of a row that trains"
    return LeakSign("same_rows", (), same / held, said)


def _twin_rows(newest: pa.Table) -> LeakSign | None:
    """Find rows kept back that repeat a training row in every feature and in the label."""
    import numpy as np
    import pandas as pd

    from perennial.facts.leak_measures import twins
    from perennial.stages.candidates import inputs

    frame = inputs(newest).assign(**{"@label": newest["label"].to_pandas()})
    hashes = pd.util.hash_pandas_object(frame.astype(object).astype(str), index=False).to_numpy()
    across, within = twins(np.asarray(hashes), newest["holdout"].to_numpy(zero_copy_only=False))
    if across <= TWIN_ROWS or across <= TWIN_TIMES * within:
        return None
    said = (
        f"{across:.0%} of the rows kept back repeat a training row in every feature and in the label, where "
        f"{within:.0%} of training rows have such a twin"
    )
    return LeakSign("twin_rows", (), across, said)
