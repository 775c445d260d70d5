"""What the person sees: one plain line a night, the gates' own sentences, and a summary at the end.

Every sentence that judges is the ledger's; here it is only given a place on the screen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from perennial.ledger.base import Entry, Serving
from perennial_airflow.launch.facts import NightFacts, Request

COLOURS = {"quiet": "green", "learning": "cyan", "notice": "yellow", "page": "bold red", "silent": "bold red"}
MARKS = {"pass": "[green]passed[/]", "fail": "[red]failed[/]", "hold": "[yellow]held[/]"}


class Screen:
    """The console of a story, with a live line for what runs now and a clock for each part."""

    def __init__(self, console: Console) -> None:
        """Begin to count."""
        self.console, self.begun = console, time.monotonic()
        self.spent: dict[str, float] = {}
        self._status = console.status("")
        self._depth = 0

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(escape(text))

    def step(self, text: str) -> None:
        """Print a step of the start with the seconds since the beginning."""
        self.console.print(f"[dim]{time.monotonic() - self.begun:6.1f} s[/]  {escape(text)}")

    def watch(self, text: str) -> None:
        """Say in the live line what runs now."""
        elapsed = time.monotonic() - self.begun
        self._status.update(f"[dim]{int(elapsed) // 60}:{int(elapsed) % 60:02d}[/]  {escape(text)}")

    @contextmanager
    def part(self, name: str, heading: str | None = None) -> Iterator[None]:
        """Count the seconds of a part under its name; show a live line meanwhile."""
        if heading:
            self.console.print(f"\n[bold]{escape(heading)}[/]")
        begun, before, outermost = time.monotonic(), sum(self.spent.values()), self._depth == 0
        self._depth += 1
        if outermost:
            self._status.start()
        try:
            yield
        finally:
            self._depth -= 1
            if outermost:
                self._status.stop()
            within = sum(self.spent.values()) - before  # parts of this part have counted their own
            self.spent[name] = self.spent.get(name, 0.0) + time.monotonic() - begun - within

    def night(self, facts: NightFacts) -> None:
        """Tell a night in one line, and its finding in full."""
        self.console.print(f"[bold]{facts.night}[/]  {_line(facts)}")
        if facts.verdict.get("finding"):
            self._indented(escape(facts.verdict["reason"]), 1)
            action = facts.verdict.get("action")
            if action:
                cause = str(facts.verdict.get("cause") or "unknown cause").replace("_", " ")
                self._indented(f"likely {escape(cause)}: {escape(action)}", 1)

    def request(self, request: Request) -> None:
        """Tell what became of a request for a new model, each gate by its name and in its own words."""
        for entry in (request.asked, request.trained):
            self._entry(entry)
        for gate in request.gates:
            mark = MARKS[str(gate.evidence["verdict"])]
            self._indented(f"{gate.evidence['gate']} {mark}: {escape(gate.reason)}", 2)
        for entry in (request.concluded, request.outcome):
            self._entry(entry)

    def summary(
        self, nights: Sequence[NightFacts], requests: dict[str, Request], reigns: Sequence[Serving]
    ) -> None:
        """Show every night in a table, who served when, and what was found."""
        self.console.print()
        self.console.print(_table(nights, requests))
        self.console.print("\n[bold]Who served when[/]")
        for reign in reigns:
            until = f"until {reign.until} (exclusive)" if reign.until else "and serves now"
            self._indented(
                f"version {reign.version}: from {reign.first_night} {until}. {escape(reign.reason)}", 1
            )
        self.console.print("\n[bold]What was found[/]")
        found = [one for one in nights if one.verdict.get("finding")]
        for one in found:
            answer = requests[one.night].in_a_word if one.night in requests else "no training asked for"
            reason = one.verdict["reason"].removeprefix(f"{one.night}: ")
            self._indented(f"{one.night}: {escape(reason)} -> {answer}", 1)
        if not found:
            self._indented("nothing", 1)

    def times(self) -> None:
        """Say where the time went."""
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.spent.items() if seconds)
        self.console.print(
            f"\n[bold]Where the time went[/]: {parts}; together {sum(self.spent.values()):.0f} s."
        )

    def _entry(self, entry: Entry | None) -> None:
        if entry is not None:
            self._indented(escape(entry.reason), 1)

    def _indented(self, text: str, levels: int) -> None:
        self.console.print(Padding(text, (0, 0, 0, 4 * levels)))


def _line(facts: NightFacts) -> str:
    aside = f", {facts.quarantined} set aside" if facts.quarantined else ""
    mean = "" if facts.mean is None else f", {facts.mean:.3f} on average"
    scored = f"version {facts.version} scored {facts.scored}{mean}" if facts.version else "nobody scored"
    colour = COLOURS.get(facts.state, "white")
    return f"{facts.rows_in:>5} rows in{aside}; {scored}; [{colour}]{facts.state}[/]"


def _table(nights: Sequence[NightFacts], requests: dict[str, Request]) -> Table:
    table = Table(title="The nights", title_justify="left", title_style="bold", header_style="dim")
    table.add_column("night", no_wrap=True)
    for name in ("rows in", "set aside", "scored", "by version", "mean"):
        table.add_column(name, justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("what was done")
    for one in nights:
        mean = "" if one.mean is None else f"{one.mean:.3f}"
        done = requests[one.night].in_a_word if one.night in requests else ""
        state = f"[{COLOURS.get(one.state, 'white')}]{one.state}[/]"
        table.add_row(
            one.night,
            str(one.rows_in),
            str(one.quarantined),
            str(one.scored),
            one.version or "",
            mean,
            state,
            done,
        )
    return table
