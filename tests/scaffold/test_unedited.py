"""From tables of different shapes to a first model and its nights, with the folder just as `perennial new` writes it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.doubles.projects import Project

from perennial.clock import after
from perennial.scaffold.new import new
from perennial.stages.replay import load_history, pass_night, renew

MODEL = "mine"


def rare_positives() -> tuple[pd.DataFrame, str]:
    """Draw 141 nights of payments, one in twenty of them a fraud, with days before months."""
    rng, rows = np.random.default_rng(4), 141 * 30
    at = pd.Timestamp("2023-03-01") + pd.to_timedelta(np.sort(rng.integers(0, 141 * 86_400, rows)), unit="s")
    amount, channel = rng.lognormal(3, 1, rows), rng.choice(["web", "shop", "phone"], rows, p=[0.6, 0.3, 0.1])
    height = -3.6 + 1.3 * (np.log(amount) - 3) + 1.2 * (channel == "phone")
    fraud = rng.random(rows) < 1 / (1 + np.exp(-height))
    table = {"payment_id": np.arange(rows), "time": at.strftime("%d/%m/%Y %H:%M"), "amount": amount.round(2)}
    return pd.DataFrame(table | {"channel": channel, "fraud": np.where(fraud, "yes", "no")}), "fraud"


def rare_class() -> tuple[pd.DataFrame, str]:
    """Draw 60 nights of parcels of four outcomes, the rarest one in a hundred."""
    rng, rows = np.random.default_rng(2), 60 * 60
    at = pd.Timestamp("2024-02-01") + pd.to_timedelta(np.sort(rng.integers(0, 60 * 86_400, rows)), unit="s")
    weight, depot = rng.normal(size=rows), rng.choice(list("ABCD"), rows)
    late = weight + rng.normal(size=rows) > 0.8
    early = (depot == "A") & (rng.random(rows) < 0.6)
    outcome = np.where(late, "late", np.where(early, "early", "on time"))
    outcome = np.where(rng.random(rows) < 0.01, "damaged", outcome)
    table = {"parcel": [f"P{100_000 + number}" for number in range(rows)], "sent_at": at, "depot": depot}
    return pd.DataFrame(table | {"weight kg": np.exp(weight).round(3), "outcome": outcome}), "outcome"


def panel() -> tuple[pd.DataFrame, str]:
    """Draw 20 nights of a hundred shops' sales, a row a shop and day."""
    rng, days, shops = np.random.default_rng(3), 20, 100
    day, shop = np.repeat(np.arange(days), shops), np.tile(np.arange(shops), days)
    promoted = rng.random(days * shops) < 0.2
    sales = 100 + rng.normal(0, 20, shops)[shop] + 25 * promoted + rng.normal(0, 8, days * shops)
    date = (pd.Timestamp("2024-05-01") + pd.to_timedelta(day, unit="D")).strftime("%Y-%m-%d")
    table = {"date": date, "shop_id": [f"S{number:03d}" for number in shop], "promoted": promoted.astype(int)}
    return pd.DataFrame(table | {"sales": sales.round(2)}), "sales"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("drawn", "verdict"),
    [
        (rare_positives, "beats the constant baseline"),
        (rare_class, "beats the constant baseline"),
        (panel, "beats the constant baseline"),
    ],
)
def test_a_table_becomes_a_model_that_is_judged_and_its_nights_pass(
    drawn, verdict: str, tmp_path: Path, registry_database: Path
) -> None:
    """Nothing is edited: what can be judged serves, and what cannot is told how many nights it lacks."""
    table, label = drawn()
    project = Project(tmp_path, name=MODEL)
    (tmp_path / "include" / "models").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    table.to_csv(tmp_path / "data" / "table.csv", index=False)
    new(MODEL, tmp_path / "data" / "table.csv", label, models_root=tmp_path / "include" / "models")
    workspace = project.workspace(registry_database)
    available = workspace.spec(MODEL).scored.available
    assert available is not None
    last = after(available.end, -3)
    load_history(workspace, MODEL, available.first, last)
    renewal = renew(workspace, MODEL, last)
    told = [entry.reason for entry in workspace.ledger.entries(MODEL, {"gate"})]
    assert any(verdict in reason for reason in told), told
    passed = pass_night(workspace, MODEL, after(last))
    assert passed.taken_in["quarantined"] == 0
    assert (passed.scored is not None) is renewal.promoted
