"""Channels that refuse, hang, fail or come back: nothing is lost, nobody waits, everybody hears of it."""

import json
import multiprocessing
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from tests.doubles.receivers import MailServer, WebHook, drip, free_port

from perennial.facts.alert import EVENTS, Alert
from perennial.ledger.delivery import LOG, Routes, deliver, routes
from perennial.ledger.outbox import Outbox

NOW = datetime(2013, 9, 1, 3, 0, tzinfo=UTC)
FORK = multiprocessing.get_context("fork")


@dataclass
class Declared:
    """One channel of model.yaml."""

    connection: str
    events: Collection[str] = EVENTS


def drift(number: int = 1, model: str = "delay") -> Alert:
    """Say that something moved."""
    what = f"{model} moved {number}"
    return Alert(model, "2013-09-01", "drift", what, "It moved.", "Worse soon.", "Look.", what)


def to(home: Path, **urls: str) -> Routes:
    """Give every model the log and these connections."""
    made = routes([Declared(name) for name in urls], urls, home=home)
    return lambda _: made


def logged(home: Path) -> list[str]:
    """List the titles in the log."""
    return [json.loads(line)["title"] for line in (home / "alerts.log").read_text().splitlines()]


@pytest.fixture
def hook() -> Iterator[WebHook]:
    """Listen for web hooks."""
    made = WebHook()
    yield made
    made.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """An outbox in a file."""
    return Outbox(tmp_path / "ledger.db")


def test_an_alert_reaches_log_hook_and_mail_once(outbox: Outbox, tmp_path: Path, hook: WebHook) -> None:
    """A second round finds nothing to do."""
    mail = MailServer()
    everywhere = to(tmp_path, chat=hook.url, mail=mail.url)
    outbox.put(drift())
    first, second = deliver(outbox, everywhere, NOW), deliver(outbox, everywhere, NOW)
    mail.close()
    assert (first.sent, first.silent, second.sent) == (3, {}, 0)
    assert hook.titles == logged(tmp_path) == [m["subject"] for m in mail.got] == ["delay moved 1"]


def test_a_channel_hears_only_what_it_asked_for(outbox: Outbox, tmp_path: Path, hook: WebHook) -> None:
    """The log hears everything."""
    chosen = routes([Declared("chat", ["promotion"])], {"chat": hook.url}, home=tmp_path)
    outbox.put(drift())
    assert deliver(outbox, lambda _: chosen, NOW).sent == 1
    assert (hook.titles, logged(tmp_path)) == ([], ["delay moved 1"])


@pytest.mark.parametrize("status", [500, 404])
def test_a_failing_channel_is_told_to_the_others_once(
    outbox: Outbox, tmp_path: Path, hook: WebHook, status: int
) -> None:
    """Three alerts in three rounds miss the chat; mail and log hear once that it is silent, the chat not."""
    mail, hook.status = MailServer(), status
    everywhere = to(tmp_path, chat=hook.url, mail=mail.url)
    for number in range(3):
        outbox.put(drift(number))
        report = deliver(outbox, everywhere, NOW + timedelta(minutes=number))
        assert str(status) in report.silent["chat"]
    mail.close()
    silent = "Alerts do not arrive through chat"
    assert [m["subject"] for m in mail.got].count(silent) == logged(tmp_path).count(silent) == 1
    assert {each.channel for each in outbox.pending()} == {"chat"}
    assert len(outbox.pending()) == 3


def test_a_channel_that_comes_back_gets_what_it_missed_and_says_so(
    outbox: Outbox, tmp_path: Path, hook: WebHook
) -> None:
    """The pause doubles from a minute; the recovery is told when the first alert is taken."""
    everywhere, hook.status = to(tmp_path, chat=hook.url), 503
    outbox.put(drift())
    for minutes in (0, 1, 2):
        deliver(outbox, everywhere, NOW + timedelta(minutes=minutes))
    (waiting,) = outbox.pending()
    assert (waiting.attempts, waiting.next_try) == (2, NOW + timedelta(minutes=3))
    hook.status = 200
    deliver(outbox, everywhere, NOW + timedelta(minutes=3))
    assert hook.titles == ["delay moved 1", "Alerts arrive through chat again"]
    assert outbox.pending() == []


@pytest.mark.parametrize(
    "url",
    ["json://127.0.0.1:{port}/", "mailto://127.0.0.1:{port}/?from=a@b.org&to=a@b.org&mode=insecure", ""],
)
def test_refused_and_missing_addresses_never_raise(outbox: Outbox, tmp_path: Path, url: str) -> None:
    """A connection that does not exist is a channel that fails."""
    outbox.put(drift())
    report = deliver(outbox, to(tmp_path, chat=url.format(port=free_port())), NOW)
    assert (report.failed, list(report.silent)) == (1, ["chat"])
    assert logged(tmp_path) == ["delay moved 1", "Alerts do not arrive through chat"]


def test_a_log_that_cannot_be_written_is_told_through_the_others(
    outbox: Outbox, tmp_path: Path, hook: WebHook
) -> None:
    """Also the channel that is always there may fail."""
    (tmp_path / "alerts.log").mkdir()
    outbox.put(drift())
    assert list(deliver(outbox, to(tmp_path, chat=hook.url), NOW).silent) == [LOG]
    assert hook.titles == ["delay moved 1", "Alerts do not arrive through log"]


def test_receivers_that_hang_delay_nobody_longer_than_said(
    outbox: Outbox, tmp_path: Path, hook: WebHook
) -> None:
    """Two that never answer cost one wait between them; the others are told meanwhile."""
    with drip() as one, drip() as other:
        outbox.put(drift())
        began = monotonic()
        report = deliver(outbox, to(tmp_path, a=one, b=other, chat=hook.url), NOW, within_seconds=1.0)
        assert monotonic() - began < 2.0
    assert set(report.silent) == {"a", "b"}
    assert hook.titles[0] == "delay moved 1"
    assert {each.channel for each in outbox.pending()} >= {"a", "b"}


def test_many_alerts_at_once_are_one_message(outbox: Outbox, tmp_path: Path, hook: WebHook) -> None:
    """A storm is told as one message that names them; the log keeps each by itself."""
    for number in range(25):
        outbox.put(drift(number, model=f"m{number}"))
    assert deliver(outbox, to(tmp_path, chat=hook.url), NOW).sent == 50
    assert hook.titles == ["25 alerts of 25 models at once"]
    assert "m7 moved 7" in hook.got[0]["message"]
    assert len(logged(tmp_path)) == 25


def test_of_a_thousand_alerts_none_is_lost(outbox: Outbox, tmp_path: Path, hook: WebHook) -> None:
    """The hook fails in every other round and nobody is at the mail's port; every alert still arrives."""
    nobody = f"mailto://127.0.0.1:{free_port()}/?from=a@b.org&to=a@b.org&mode=insecure"
    everywhere = to(tmp_path, chat=hook.url, mail=nobody)
    for first in range(0, 1000, 40):
        with outbox.database.writing():
            for number in range(first, first + 40):
                outbox.put(drift(number))
        hook.status = 500 if first % 80 else 200
        deliver(outbox, everywhere, NOW + timedelta(minutes=first))
    hook.status = 200
    deliver(outbox, everywhere, NOW + timedelta(days=2), within_seconds=60)
    told = "\n".join(f"{each['title']}\n{each['message']}" for each in hook.got)
    assert [n for n in range(1000) if f"delay moved {n}:" not in told] == []
    assert [title for title in logged(tmp_path) if "moved" in title] == [
        f"delay moved {n}" for n in range(1000)
    ]
    waiting = [d for d in outbox.pending(9999) if d.alert.event == "drift"]
    assert [d.channel for d in waiting] == ["mail"] * 1000


def test_a_channel_no_longer_declared_is_not_waited_for(outbox: Outbox, tmp_path: Path) -> None:
    """Its alerts are kept as failed, with the reason."""
    outbox.put(drift())
    deliver(outbox, to(tmp_path, chat=""), NOW)
    deliver(outbox, to(tmp_path), NOW + timedelta(hours=1))
    (kept,) = [each for each in outbox.deliveries("delay") if each.channel == "chat"]
    assert (kept.state, kept.problem) == ("failed", "The channel is no longer declared.")


def test_processes_delivering_at_once_tell_each_alert_once(
    outbox: Outbox, tmp_path: Path, hook: WebHook
) -> None:
    """Four callbacks that end together do not tell an alert four times."""
    for number in range(9):
        outbox.put(drift(number))
    everywhere = to(tmp_path, chat=hook.url)
    workers = [FORK.Process(target=deliver, args=(outbox, everywhere, NOW)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(hook.titles) == sorted(logged(tmp_path)) == [f"delay moved {n}" for n in range(9)]


def test_no_secret_reaches_outbox_log_or_other_channels(
    outbox: Outbox, tmp_path: Path, hook: WebHook, caplog: pytest.LogCaptureFixture
) -> None:
    """What is told of a channel that fails does not hold its address."""
    url = f"json://bot:hunter2secret@127.0.0.1:{free_port()}/s3cret-path"
    outbox.put(drift())
    deliver(outbox, to(tmp_path, bad=url, chat=hook.url), NOW)
    everything = f"{outbox.deliveries()}{hook.got}{(tmp_path / 'alerts.log').read_text()}{caplog.text}"
    assert "hunter2secret" not in everything
    assert "s3cret-path" not in everything
