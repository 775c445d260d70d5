"""Small projects made for a test: a landing zone of a world that we know, a model folder, and its workspace.

The world is a shop with three places: ``size`` and ``place`` of an order say how likely it is to come back.
Night D brings the orders of D+1 and what became of the orders of D. All of it follows from the seed and the night.
"""

import csv
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from perennial.clock import after, between
from perennial.workspace import Workspace

FIRST = "2024-01-01"
MODEL = "orders_model"
PLACES = ("north", "south", "west")
ORDER_COLUMNS = ("order_id", "ordered_at", "place", "size", "weight", "clicks")
TRUTH = {"binary": "returned", "regression": "days", "multiclass": "outcome"}

TIMED = """
perennial: 1
description: What becomes of an order?
task: {task}
{extra}
sources:
  orders:
    uri: data/orders/{{night}}.csv
    key: [order_id]
    event_time: ordered_at
    lead_days: 1
    columns: {{order_id: text, ordered_at: timestamp, place: text, size: number, weight: number, clicks: integer}}
    checks:
      - not_null: {{columns: [order_id, place]}}
      - between: {{column: size, low: -1e9, high: 1e9}}
  outcomes:
    uri: data/outcomes/{{night}}.csv
    key: [order_id]
    event_time: ordered_at
    columns: {{order_id: text, ordered_at: timestamp, place: text, {truth}: {kind}}}
label: {{source: outcomes, expression: {truth}, delay_days: 1}}
features:
  columns: [place, size, weight, clicks]
training:
  estimator: {estimator}
  holdout_nights: 14
  fold_nights: 14
  search: {{trials: 0}}
"""

UNTIMED = """
perennial: 1
description: What becomes of an order?
task: {task}
{extra}
sources:
  orders:
    uri: data/orders.csv
    key: [order_id]
    columns: {{order_id: text, place: text, size: number, weight: number, clicks: integer, {truth}: {kind}}}
label: {{source: orders, expression: {truth}, delay_days: 0}}
features:
  columns: [place, size, weight, clicks]
training:
  estimator: {estimator}
  search: {{trials: 0}}
"""

FEATURES = '''"""What is known of an order before it is made."""

from perennial import view


@view(entity="place", window="7d")
def known_outcomes_7d(outcomes):
    """Outcomes of this place in the last seven days."""
    return outcomes.count()


@view(entity="place", window="3d")
def size_3d(orders):
    """Sum of the sizes of this place's orders in the last three days."""
    return orders.size.sum()
'''


@dataclass
class World:
    """How orders come about; a test changes it between nights."""

    seed: int = 7
    rows: int = 60
    shift: float = 0.0
    """Added to the logit (or the number) behind each outcome."""
    steep: float = 0.35
    """What a unit of size adds to it."""
    size_unit: float = 1.0
    """What sizes are multiplied with when they are written down, and nowhere else."""
    empty: tuple[str, ...] = ()
    """Columns that are written without values."""

    def orders(self, night: str) -> list[dict[str, object]]:
        """List the orders that a night brings: those of the day after."""
        chance = np.random.default_rng([self.seed, int(night.replace("-", ""))])
        day = after(night)
        return [
            {
                "order_id": f"{day}-{number:03d}",
                "ordered_at": f"{day}T{int(chance.integers(0, 24)):02d}:{int(chance.integers(0, 60)):02d}:00Z",
                "place": PLACES[int(chance.integers(0, 3))],
                "size": round(float(chance.normal(10, 3)), 3),
                "weight": round(float(chance.gamma(2, 2)), 3),
                "clicks": int(chance.poisson(4)),
            }
            for number in range(self.rows)
        ]

    def truth(self, night: str, orders: Iterable[dict[str, object]]) -> list[dict[str, object]]:
        """Say what became of orders."""
        chance = np.random.default_rng([self.seed, int(night.replace("-", "")), 1])
        return [{**order, **self._outcome(order, chance)} for order in orders]

    def _outcome(self, order: dict[str, object], chance: np.random.Generator) -> dict[str, object]:
        height = self.steep * (float(str(order["size"])) - 10) + (order["place"] == "north") - 1 + self.shift
        drawn = float(chance.random())
        returned = int(drawn < 1 / (1 + np.exp(-height)))
        outcome = "kept" if not returned else ("lost" if drawn < 0.15 else "returned")
        return {"returned": returned, "days": round(3 * height + 8 * drawn, 3), "outcome": outcome}


@dataclass
class Project:
    """A folder with one model and its deliveries."""

    root: Path
    task: str = "binary"
    world: World = field(default_factory=World)
    name: str = MODEL

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return self.root / "include" / "models" / self.name

    def declare(
        self,
        template: str = TIMED,
        *,
        extra: str = "",
        estimator: str = "linear",
        features: str | None = FEATURES,
        more: str = "",
    ) -> "Project":
        """Write the model's folder."""
        kind = {"binary": "integer", "regression": "number", "multiclass": "text"}[self.task]
        written = template.format(
            task=self.task, truth=TRUTH[self.task], kind=kind, extra=extra, estimator=estimator
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "model.yaml").write_text(written.lstrip() + more)
        if features is not None:
            (self.folder / "features.py").write_text(features)
        return self

    def deliver(self, first: str, last: str | None = None) -> "Project":
        """Write the deliveries of a range of nights."""
        for night in between(first, last or first):
            yesterday = self._undistorted(night)
            self.write("orders", night, [self._as_written(order) for order in self.world.orders(night)])
            self.write("outcomes", night, self.world.truth(night, yesterday), drop=ORDER_COLUMNS[3:])
        return self

    def deliver_table(self, rows: int, *, begin: int = 0) -> "Project":
        """Write one table without time, with its labels."""
        whole = World(self.world.seed, rows).orders(after(FIRST, begin))
        labelled = self.world.truth(after(FIRST, begin), whole)
        numbered = [{**row, "order_id": f"o{begin}-{place}"} for place, row in enumerate(labelled)]
        self._write(self.root / "data" / "orders.csv", numbered, drop=("ordered_at",))
        return self

    def write(self, source: str, night: str, rows: list[dict[str, object]], drop: Iterable[str] = ()) -> Path:
        """Write one delivery."""
        return self._write(self.root / "data" / source / f"{night}.csv", rows, drop)

    def read(self, source: str, night: str) -> list[dict[str, object]]:
        """Read a delivery back, to change and write it again."""
        with (self.root / "data" / source / f"{night}.csv").open(newline="") as file:
            return [dict(row) for row in csv.DictReader(file)]

    def workspace(self, database: Path, home: str = "home") -> Workspace:
        """Open a workspace of its own over this project; ``database`` is an empty registry to begin with."""
        kept = self.root / home / "mlflow"
        if not kept.exists():
            kept.mkdir(parents=True)
            shutil.copy(database, kept / "mlflow.db")
        return Workspace.open(self.root / home, self.root)

    def copied_to(self, root: Path) -> "Project":
        """Copy everything, as a person copies a checkout."""
        shutil.copytree(self.root, root)
        return Project(root, self.task, self.world, self.name)

    def _undistorted(self, night: str) -> list[dict[str, object]]:
        return self.world.orders(after(night, -1))

    def _as_written(self, order: dict[str, object]) -> dict[str, object]:
        written = {**order, "size": float(str(order["size"])) * self.world.size_unit}
        return {name: "" if name in self.world.empty else value for name, value in written.items()}

    @staticmethod
    def _write(path: Path, rows: list[dict[str, object]], drop: Iterable[str] = ()) -> Path:
        gone = set(drop)
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [name for name in rows[0] if name not in gone] if rows else []
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return path
