"""What happened, in plain language, while real DAG runs of the real scheduler make it happen.

History, a first model, then night by night. Nothing is told that Airflow's own runs and the ledger do not
show, and nothing is arranged: whether a night is quiet, drifts or brings a new model is the project's own word.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from perennial.clock import Night, after, between
from perennial.workspace import Workspace
from perennial_airflow.launch.chapters import NIGHTLY, Runs
from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.errors import NotDoneError, NoTurnError
from perennial_airflow.launch.facts import NightFacts, Request, night_facts, reigns, request_of
from perennial_airflow.launch.rest import Airflow, Run
from perennial_airflow.launch.screen import Screen

KINDS = (*NIGHTLY, "monitor", "retrain", "train", "evaluate", "deploy")


@dataclass(frozen=True)
class Window:
    """Which nights a story tells."""

    model: str
    history: Night
    """First night of the history that is brought in at once."""
    born: Night
    """The night on which the first champion is trained; the next one is the first live night."""
    last: Night

    @property
    def live(self) -> list[Night]:
        """List the nights that pass one by one."""
        return between(after(self.born), self.last)

    def as_json(self) -> dict[str, str]:
        """Write plain values."""
        return asdict(self)


@dataclass
class Told:
    """What a story came to."""

    nights: list[NightFacts] = field(default_factory=list)
    requests: dict[Night, Request] = field(default_factory=dict)

    @property
    def drifted(self) -> bool:
        """Tell whether a drift was found."""
        return any(night.state == "page" for night in self.nights)

    @property
    def judged(self) -> bool:
        """Tell whether a challenger was trained for a drift and judged, whatever the gates said."""
        return any(request.concluded is not None for request in self.requests.values())


class Story:
    """One telling, on a started Airflow; a second telling goes on where the first was cut off."""

    def __init__(self, launch: Launch, airflow: Airflow, window: Window, screen: Screen) -> None:
        """Remember where it happens and who is told."""
        self.workspace = Workspace.open(launch.home, launch.project)
        self.window, self.screen, self.airflow = window, screen, airflow
        self.runs = Runs(airflow, window.model, screen.watch)

    def tell(self) -> Told:
        """Let everything happen, in order.

        Raises:
            NotDoneError: a run failed or did not come; the message names it.
        """
        model, screen = self.window.model, self.screen
        self.airflow.wait_for_dags([f"{model}.{kind}" for kind in KINDS])
        if left := self.runs.go_on():
            screen.say(f"Going on where it was cut off: {left} unfinished runs begin again.")
        with screen.part("history", f"History: {self.window.history} to {self.window.born}, in one pass"):
            self._bring_in_history()
        with screen.part("first model", f"The first model of {model}, trained on {self.window.born}"):
            self._first_model()
        told = Told()
        with screen.part("nights", f"{len(self.window.live)} nights, one after another"):
            for night in self.window.live:
                self._pass(night, told)
        return told

    def _bring_in_history(self) -> None:
        born = self.window.born
        self.runs.take_in(f"history__{born}", born, conf={"since": self.window.history})
        nights = self.workspace.store.keys(f"{self.window.model}/table.{self._rows_source}")
        manifests = [
            self.workspace.store.manifest(f"{self.window.model}/table.{self._rows_source}", key)
            for key in nights
        ]
        rows = sum(one.rows for one in manifests if one)
        self.screen.say(f"{len(nights)} nights with {rows} rows are in the tables, their features are built.")

    @property
    def _rows_source(self) -> str:
        return self.workspace.spec(self.window.model).rows_source

    def _first_model(self) -> None:
        born = self.window.born
        conf = {"night": born, "trigger": "manual", "actor": "the demo"}
        run = self.runs.pass_through("retrain", f"first__{born}", conf=conf)
        request = self._renewed(run, born)
        self.screen.request(request)
        if request.outcome is None or request.outcome.kind != "promoted":
            last = request.outcome or request.concluded or request.asked
            raise NotDoneError(f"The first model did not go into production. {last.reason}")

    def _renewed(self, retrain: Run, night: Night) -> Request:
        """See through all that a request brings about: training, gates, deployment, as far as each lets it."""
        if self.runs.triggered("retrain", retrain.run_id, "train"):
            train = self.runs.see_through("train", f"retrain__{retrain.run_id}")
            evaluate = self.runs.follower(train, "evaluate")
            if self.runs.triggered("evaluate", evaluate.run_id, "conclude"):
                self.runs.follower(evaluate, "deploy")
        request = request_of(self.workspace, self.window.model, night)
        if request is None:
            raise NotDoneError(f"The ledger of {self.window.model} knows of no request on {night}")
        return request

    def _pass(self, night: Night, told: Told) -> None:
        """Let one night pass: take it in, score it, judge it, and see through what the verdict asks for."""
        self.runs.take_in(f"night__{night}", night)
        self.runs.pass_through("monitor", f"monitor__{night}", night=night)
        facts = night_facts(self.workspace, self.window.model, night)
        self._must_be_scored(facts)
        told.nights.append(facts)
        self.screen.night(facts)
        if asks := facts.verdict.get("asks"):
            with self.screen.part("new models"):
                retrain = self.runs.see_through("retrain", f"{asks}__{night}")
                told.requests[night] = self._renewed(retrain, night)
            self.screen.request(told.requests[night])

    def _must_be_scored(self, facts: NightFacts) -> None:
        serving = self.workspace.ledger.champion(self.window.model, facts.night)
        if serving is None or facts.version != serving.version or not facts.verdict:
            raise NotDoneError(f"{facts.night} was not scored by the champion, or not judged")

    def sum_up(self, told: Told) -> None:
        """Show the summary, and say it plainly when no drift was found or none led to a new model.

        Raises:
            NoTurnError: nothing drifted, or no new model came of it.
        """
        self.screen.summary(told.nights, told.requests, reigns(self.workspace, self.window.model))
        self.screen.times()
        if not told.drifted:
            raise NoTurnError(f"No drift was found in {len(told.nights)} nights")
        if not told.judged:
            raise NoTurnError("A drift was found, but no new model came of it")
