"""What kind of model a table makes: its task, key, time, entity, features, and whom it might identify.

Each judgement is a guess that a person can correct, so each says in a sentence what it assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from perennial.errors import NotATableError
from perennial.scaffold.inference import Column
from perennial.scaffold.naming import can_be_key, unnamed
from perennial.scaffold.persons import suspects
from perennial.spec.columns import can_name_column
from perennial.spec.draft import meant
from perennial.spec.training import Task

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CLASSES = 12
"""Whole numbers with more values than this are quantities."""
MOST_TEXT_CLASSES = 50
LEAST_ROWS = 50
FEW_NIGHTS = range(7, 14)
"""Of so many nights the 7 that the gates ask for cannot be kept back and as many be learnt from."""
LONGEST_ID = 40
"""Longer texts are sentences, not names of rows."""
MOST_TWINS = 0.02
"""Share of rows that may be like others in every column."""
SPARE_COLUMNS = 2
"""Columns in a key of values beyond those that tell today's rows apart."""
_POSITIVE = re.compile("yes|y|true|t|1|positive|pos|bad|churned|fraud|late|default|up", re.IGNORECASE)
_ID = re.compile(r"(^|_|\b)(id|key|uuid|guid|no|nr|number|code|index)$|^(row_?)?id(_|$)", re.IGNORECASE)
_BIRTH = re.compile(r"birth|dob|born", re.IGNORECASE)
_TIME = re.compile(r"time|date|day|_at$|^at_|timestamp|^ts$|when|month|week", re.IGNORECASE)


@dataclass
class Judged:
    """What was decided of a table, and every assumption in words."""

    label: Column
    task: Task
    classes: tuple[str, ...]
    key: tuple[str, ...] = ()
    time: Column | None = None
    entity: str | None = None
    pii: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    estimator: str = "gradient_boosting"
    unnamed: tuple[str, ...] = ()
    """Columns that cannot be read by their name, and are not declared."""
    assumptions: list[str] = field(default_factory=list)


def judge(
    table: pa.Table, columns: Mapping[str, Column], label: str, *, time: str | None, entity: str | None
) -> Judged:
    """Decide everything that `model.yaml` must say of a table.

    Raises:
        NotATableError: a named column is not there, or the table cannot make a model; says why.
    """
    _refuse(columns, label, time, entity)
    judged = _task(columns[label])
    judged.unnamed = unnamed(columns, {label, time, entity})
    rest = {name: each for name, each in columns.items() if name != label and name not in judged.unnamed}
    judged.time = _time(rest, time, judged)
    _few_nights(judged)
    judged.entity = entity or _entity(rest, judged)
    judged.pii = tuple(suspects(rest.values()))
    if judged.pii:
        listed = ", ".join(suspects(rest.values()).values())
        judged.assumptions.append(f"privacy: {listed} may identify a person: no feature, and never shown.")
    judged.key = _key(table, rest, judged)
    judged.features = _features(table, rest, judged)
    return judged


def _refuse(columns: Mapping[str, Column], label: str, time: str | None, entity: str | None) -> None:
    for option, name in (("label", label), ("time", time), ("entity", entity)):
        if name is not None and name not in columns:
            raise NotATableError(f"There is no column {name!r} for --{option}. {meant(name, columns)}")
    bad = [name for name in columns if not can_name_column(name)]
    if bad:
        raise NotATableError(f"Column {bad[0]!r} has no readable name. Rename it in the table.")
    if len({label, time, entity} - {None}) < sum(name is not None for name in (label, time, entity)):
        raise NotATableError("Label, time and entity must be three different columns.")
    labelled = columns[label].rows - columns[label].nulls
    if labelled < LEAST_ROWS:
        raise NotATableError(f"Only {labelled} rows have a {label}; a model needs at least {LEAST_ROWS}.")
    if columns[label].distinct < 2:  # noqa: PLR2004 - one value leaves nothing to predict
        raise NotATableError(f"Every row has the same {label}, so there is nothing to predict.")


def _task(label: Column) -> Judged:
    if label.distinct == 2:  # noqa: PLR2004 - two values are yes and no
        return _binary(label)
    if label.moments:
        raise NotATableError(f"{label.name} is a time; a label is a class or a number.")
    whole = label.kind == "integer" and label.distinct <= MOST_CLASSES
    if label.kind == "text" or whole:
        if label.distinct > MOST_TEXT_CLASSES:
            raise NotATableError(
                f"{label.name} has {label.distinct} different texts; at most 50 can be classes."
            )
        classes = tuple(sorted(label.values, key=(lambda text: (float(text), text)) if whole else None))
        note = f"task: {label.name} has {label.distinct} {'whole numbers' if whole else 'texts'}, read as classes"
        note += "; write `regression` and delete `classes` if they are a quantity." if whole else "."
        return Judged(label, "multiclass", classes, assumptions=[note])
    note = f"task: {label.name} has {label.distinct} different numbers, read as a quantity."
    return Judged(label, "regression", (), assumptions=[note])


def _binary(label: Column) -> Judged:
    if label.kind == "boolean" or set(label.values) <= {"0", "1"}:
        note = f"task: {label.name} is yes or no."
        return Judged(label, "binary", (), assumptions=[note])
    first, second = sorted(label.values)
    positive = first if _POSITIVE.fullmatch(first) and not _POSITIVE.fullmatch(second) else second
    negative = second if positive == first else first
    note = f"task: {label.name} is {negative} or {positive}; {positive} is what is predicted."
    return Judged(label, "binary", (negative, positive), assumptions=[note])


def _time(columns: Mapping[str, Column], named: str | None, judged: Judged) -> Column | None:
    if named is not None:
        chosen = columns[named]
        if not chosen.moments:
            example = chosen.values[0] if chosen.values else ""
            raise NotATableError(f"{named} holds no times that can be read (for example {example!r}).")
        judged.assumptions.append(f"time: {_written(chosen)}; nights are days in UTC.")
        return chosen
    possible = [
        each for each in columns.values() if each.moments and not each.nulls and not _BIRTH.search(each.name)
    ]
    hinted = [each for each in possible if _TIME.search(each.name)] or possible
    if len(hinted) == 1:
        judged.assumptions.append(
            f"time: {_written(hinted[0])}, the only time of the table; nights are days in UTC."
        )
        return hinted[0]
    reason = f"{', '.join(each.name for each in hinted)} could be it" if hinted else "no column is a time"
    pieces = [name for name in columns if name.lower() in {"year", "month", "day"}]
    if len(pieces) == 3:  # noqa: PLR2004 - year, month and day
        reason += f"; {', '.join(pieces)} would make one if joined"
    judged.assumptions.append(
        f"no time: {reason}. The whole table is one delivery, its rows are taken as independent, and a hashed "
        "quarter is kept back for the gates."
    )
    return None


def _few_nights(judged: Judged) -> None:
    if judged.time is not None and len(judged.time.days) in FEW_NIGHTS:
        judged.assumptions.append(
            f"nights: only {len(judged.time.days)}. The gates ask for 7 that were kept back, so a first model "
            f"waits until there are {FEW_NIGHTS.stop}."
        )


def _written(column: Column) -> str:
    return f"{column.name}" + (f", written as {column.time_format}" if column.time_format else "")


def _entity(columns: Mapping[str, Column], judged: Judged) -> str | None:
    """Take a column named like an id whose values repeat: rows of one customer are judged together."""
    for name, column in columns.items():
        filled = column.rows - column.nulls
        if name.lower().endswith(("_id", " id")) and not column.nulls and 1 < column.distinct <= filled / 2:
            judged.assumptions.append(
                f"entity: {name}, because its values repeat; rows of one {name} are judged together."
            )
            return name
    return None


def _key(table: pa.Table, columns: Mapping[str, Column], judged: Judged) -> tuple[str, ...]:
    """Find the columns that name a row; the fewest, and such as are likely to stay unique.

    Rows that are alike in everything, the label included, are copies, and no key has to tell them apart.
    """
    time = judged.time.name if judged.time else None
    whole = {
        name: each
        for name, each in columns.items()
        if not each.nulls and name not in judged.pii and can_be_key(name, judged.entity, time)
    }
    different = _count(table, (*columns, judged.label.name))
    for names in _candidates(whole, judged):
        if _count(table, names) == different:
            said = "together name" if len(names) > 1 else "names"
            _say_key(judged, f"{' and '.join(names)} {said} a row", table.num_rows - different)
            return names
    return _of_values(table, whole, judged)


def _say_key(judged: Judged, said: str, twins: int) -> None:
    copies = f"; {twins} {'row is like another and counts' if twins == 1 else 'rows are like others and count'} once"
    judged.assumptions.append(f"key: {said}{copies if twins else ''}.")


def _candidates(whole: Mapping[str, Column], judged: Judged) -> Iterator[tuple[str, ...]]:
    exact = [name for name, column in whole.items() if column.kind in {"text", "integer", "boolean"}]
    ids = [name for name in exact if _ID.search(name) or whole[name].counts_rows]
    moments = [judged.time.name] if judged.time and judged.time.name in whole else []
    yield from ((name,) for name in ids)
    if judged.entity and judged.entity in whole and moments:
        yield (judged.entity, *moments)
    yield from ((name,) for name in moments)
    yield from ((name,) for name in exact if max(map(len, whole[name].values)) <= LONGEST_ID)
    others = [name for name in exact if name not in moments][:12]
    for count in (1, 2):
        yield from ((*moments, *names) for names in combinations(others, count) if moments)
    yield from combinations(ids[:6], 2)


def _count(table: pa.Table, names: tuple[str, ...]) -> int:
    """Count the different combinations of values; under plain names, since Arrow reads `.` as a path."""
    plain = table.select(list(names)).rename_columns([f"c{i}" for i in range(len(names))])
    return int(plain.group_by(plain.column_names).aggregate([]).num_rows)


def _of_values(table: pa.Table, whole: Mapping[str, Column], judged: Judged) -> tuple[str, ...]:
    """Without an id a row is named by what it says; where rows repeat too often, that would lose some."""
    most = _count(table, tuple(whole)) if whole else 0
    twins = table.num_rows - most
    if twins > table.num_rows * MOST_TWINS:
        raise NotATableError(
            f"No column or combination of columns names a row: {twins} rows are like others in every column. "
            "Add a column that names each row for good (a row number changes with the next delivery)."
        )
    varied = sorted(whole, key=lambda name: (-whole[name].distinct, list(whole).index(name)))
    enough = next(n for n in range(1, len(varied) + 1) if _count(table, tuple(varied[:n])) == most)
    chosen = set(varied[: enough + SPARE_COLUMNS])
    names = tuple(name for name in whole if name in chosen)
    _say_key(judged, f"no id found, so a row is named by its values: {', '.join(names)}", twins)
    return names


def _features(table: pa.Table, columns: Mapping[str, Column], judged: Judged) -> tuple[str, ...]:
    chosen, left_out = [], dict.fromkeys(judged.unnamed, "its name is taken: rename it to use it")
    for name, column in columns.items():
        reason = _unfit(table, column, judged)
        if reason is None:
            chosen.append(name)
        elif reason:
            left_out[name] = reason
    if left_out:
        listed = ", ".join(f"{name} ({reason})" for name, reason in left_out.items())
        judged.assumptions.append(f"features: left out {listed}.")
    if not chosen:
        raise NotATableError("No column is left that could be a feature.")
    return tuple(chosen)


def _unfit(table: pa.Table, column: Column, judged: Judged) -> str | None:
    """Say why a column is no feature; empty where another assumption has said it."""
    if column.name in (*judged.pii, judged.entity) or column is judged.time:
        return ""
    reasons = {
        "a time": column.moments,
        "always empty": column.distinct == 0,
        "always the same": column.distinct == 1,
        "names rows": _names_rows(column, judged),
        "free text": _free_text(column),
    }
    found = next((reason for reason, holds in reasons.items() if holds), None)
    return found or ("says the same as the label" if _tells_label(table, column, judged) else None)


def _names_rows(column: Column, judged: Judged) -> bool:
    is_key = len(judged.key) <= 2 and column.name in judged.key and column.kind != "number"  # noqa: PLR2004 - a short key
    if column.counts_rows:
        return True
    return bool(is_key or _ID.search(column.name)) and column.distinct > (column.rows - column.nulls) * 0.9


def _free_text(column: Column) -> bool:
    return column.kind == "text" and column.distinct > max(
        MOST_TEXT_CLASSES, (column.rows - column.nulls) / 2
    )


def _tells_label(table: pa.Table, column: Column, judged: Judged) -> bool:
    """Whether each value goes with one label only and each label with one value: the answer, renamed."""
    if column.distinct != judged.label.distinct or judged.label.distinct > table.num_rows / 2:
        return False  # where hardly a value comes twice, any two columns go together
    pairs = _count(table, (column.name, judged.label.name))
    return bool(pairs == column.distinct and judged.label.nulls == column.nulls == 0)
