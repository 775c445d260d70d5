"""What the DAG files need to know of each model, kept as JSON by the hash of its folder's text.

Airflow parses every DAG file again and again, and once more in each task: a warm cache answers from
the standard library alone. The full loader is imported only for a folder that changed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from perennial.errors import BrokenModelError

if TYPE_CHECKING:
    from perennial.spec.model import ModelSpec

READ_FILES = ("model.yaml", "features.py")
"""Files of a folder whose text decides what is compiled; of ``estimator.py`` only that it exists."""
LIBRARY = Path(__file__).parents[1]
DECIDING = ("spec", "checks", "gates", "detectors", "policies", "estimators", "metrics", "engine")
"""Parts of the library that decide whether a folder is healthy."""


@dataclass(frozen=True)
class DagFacts:
    """A healthy model, as far as its DAGs go."""

    name: str
    """The folder's name, and the first part of every DAG id."""
    owner: str
    """Who answers for it."""
    description: str
    """What it predicts."""
    risk: str
    """`low` or `high`."""
    schedule: str
    """Five fields of cron, in `timezone`."""
    timezone: str
    """Time zone of its nights."""
    available_first: str | None
    """First night of the scored source, None for always."""
    available_end: str | None
    """Night after the last of the scored source, None for ever."""
    delivered_first: str | None
    """First night on which any source delivers."""
    delivered_end: str | None
    """Night after the last on which any source, labels included, delivers."""
    arrival_delay_hours: float
    """How long after its night's run begins the slowest source may take to deliver."""
    sources: tuple[str, ...]
    """Names of its sources, the scored one first."""
    gates: tuple[str, ...]
    """Names of its gates, in order."""
    trials: int
    """Trials of a tuning."""
    generations: int
    """Generations of a tuning."""
    batches: int
    """Mapped tasks of one generation; each tries its share of the trials."""
    rolls_out: bool
    """Whether steps before production, or a watch after it, are declared."""
    has_sink: bool
    """Whether predictions are delivered beyond the store."""
    retrain_after_nights: int | None
    """Age at which the champion is trained anew, None when age alone is no reason."""
    tags: tuple[str, ...]
    """Model, owner and risk, for the filter in the UI."""


@dataclass(frozen=True)
class BrokenFacts:
    """A folder that cannot be used, and why: the page of ``<model>.broken``."""

    name: str
    """The folder's name."""
    error: str
    """The whole error, one problem a line."""
    problems: tuple[str, ...]
    """Each problem with file, line, value and fix."""

    @property
    def first_problem(self) -> str:
        """The first problem, for a list of models."""
        return self.problems[0]


Facts: TypeAlias = DagFacts | BrokenFacts
_KINDS: dict[str, Callable[..., Facts]] = {"healthy": DagFacts, "broken": BrokenFacts}


def compiled(models_root: Path, cache_dir: Path) -> list[Facts]:
    """Return the facts of every folder below ``models_root``, by name."""
    outside = _outside(models_root)
    return [_facts(folder, cache_dir, outside) for folder in _folders(models_root)]


def one(models_root: Path, cache_dir: Path, name: str) -> Facts | None:
    """Return one model's facts, None if no folder has that name."""
    if name not in {folder.name for folder in _folders(models_root)}:
        return None
    return _facts(models_root / name, cache_dir, _outside(models_root))


def _folders(models_root: Path) -> list[Path]:
    try:
        found = list(os.scandir(models_root))
    except FileNotFoundError:
        return []
    names = sorted(each.name for each in found if each.is_dir() and not each.name.startswith((".", "__")))
    return [models_root / name for name in names]


def _facts(folder: Path, cache_dir: Path, outside: str) -> Facts:
    key = _key(folder, outside)
    file = cache_dir / f"{key}.json"
    return _cached(file) or _keep(file, _compile(folder))


def _key(folder: Path, outside: str) -> str:
    digest = hashlib.sha256(f"{outside}\0{folder}\0{(folder / 'estimator.py').is_file()}".encode())
    for name in READ_FILES:
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            content = f"{type(error).__name__}".encode()
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _outside(models_root: Path) -> str:
    """Identify what a folder's health depends on besides its own files."""
    try:
        settings = (models_root.absolute().parent / "perennial.toml").read_text()
    except (OSError, UnicodeDecodeError):
        settings = ""
    return "\0".join((settings, os.environ.get("PERENNIAL_DATA_ROOTS", ""), _code_version()))


@functools.cache
def _code_version() -> str:
    """Identify the library's own files by size and time of change: an upgrade compiles everything anew."""
    files = [
        (entry.path, entry.stat().st_size, entry.stat().st_mtime_ns)
        for folder in (LIBRARY, *(LIBRARY / part for part in DECIDING))
        if folder.is_dir()
        for entry in os.scandir(folder)
        if entry.name.endswith(".py")
    ]
    return hashlib.sha256(repr(sorted(files)).encode()).hexdigest()


def _cached(file: Path) -> Facts | None:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        kind = _KINDS[kept["kind"]]
        lists = {
            key: tuple(value) if isinstance(value, list) else value for key, value in kept["facts"].items()
        }
        return kind(**lists)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # absent, or written by another version: compile anew


def _keep(file: Path, facts: Facts) -> Facts:
    """Write the cache, whole or not at all; without a writable place every parse compiles."""
    kind = "healthy" if isinstance(facts, DagFacts) else "broken"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as draft:
            json.dump({"kind": kind, "facts": asdict(facts)}, draft)
        Path(draft.name).replace(file)
    except OSError:
        pass
    return facts


def _compile(folder: Path) -> Facts:
    from perennial.spec.load import load, unforeseen

    try:
        return _of_spec(load(folder))
    except BrokenModelError as error:
        return _of_error(error)
    except Exception as error:  # noqa: BLE001 - one folder must never harm another
        return _of_error(unforeseen(folder, error))


def _of_error(error: BrokenModelError) -> BrokenFacts:
    return BrokenFacts(error.name, str(error), tuple(str(problem) for problem in error.problems))


def _of_spec(spec: ModelSpec) -> DagFacts:
    from perennial.gates import gates

    names = {entry: name for name, entry in gates().items()}
    search = spec.training.search
    return DagFacts(
        name=spec.name,
        owner=spec.owner,
        description=spec.description,
        risk=spec.risk,
        schedule=spec.schedule,
        timezone=spec.timezone,
        **_nights(spec),
        arrival_delay_hours=max(source.arrival_delay_hours for source in spec.sources.values()),
        sources=(spec.rows_source, *(name for name in spec.sources if name != spec.rows_source)),
        gates=tuple(names[type(gate)] for gate in spec.all_gates),
        trials=search.trials,
        generations=search.generations,
        batches=search.batches,
        rolls_out=bool(spec.rollout.steps or spec.rollout.watch_nights),
        has_sink=spec.sink is not None,
        retrain_after_nights=spec.retraining.max_age_nights or None,
        tags=(f"model:{spec.name}", f"owner:{spec.owner}", f"risk:{spec.risk}"),
    )


def _nights(spec: ModelSpec) -> dict[str, str | None]:
    """Tell when rows are scored, and when anything is delivered: labels come later than their rows."""
    scored = spec.scored.available
    ranges = [source.available for source in spec.sources.values() if not source.static]
    known = [each for each in ranges if each is not None]
    bounded = len(known) == len(ranges)
    return {
        "available_first": scored.first if scored else None,
        "available_end": scored.end if scored else None,
        "delivered_first": min(each.first for each in known) if bounded else None,
        "delivered_end": max(each.end for each in known) if bounded else None,
    }
