"""Alerts reach a web hook and a mailbox as a person would read them, and addresses stay secret."""

import pytest
from tests.doubles.receivers import MailServer, WebHook, drip, free_port

from perennial.channels.apprise_url import AppriseUrl, masked
from perennial.errors import NotDeliveredError
from perennial.facts.alert import Alert

ALERT = Alert(
    model="delay",
    night="2013-09-01",
    event="drift",
    title="delay: something moved on 2013-09-01",
    what_happened="The share of late flights fell from 0.30 to 0.13.",
    what_it_means="Predictions may be worse than they were.",
    what_to_do="perennial explain delay --night 2013-09-01",
    link="http://localhost:8080/dags/delay.monitor",
    fingerprint="f1",
)


@pytest.fixture
def hook():
    """Listen for web hooks."""
    made = WebHook()
    yield made
    made.close()


def test_a_web_hook_gets_title_text_and_severity(hook: WebHook) -> None:
    """Model, night, what happened, what it means, what to do and a link: all are there."""
    AppriseUrl(url=hook.url).tell(ALERT)
    (got,) = hook.got
    assert (got["title"], got["type"]) == (ALERT.title, "warning")
    for said in (ALERT.what_happened, ALERT.what_it_means, ALERT.what_to_do, ALERT.link, "night 2013-09-01"):
        assert said in got["message"]


def test_a_mailbox_gets_subject_and_text() -> None:
    """The title is the subject; the text can be read in any mail reader."""
    server = MailServer()
    AppriseUrl(url=server.url).tell(ALERT)
    server.close()
    (mail,) = server.got
    assert mail["subject"] == ALERT.title
    assert mail.get_content().replace("\r\n", "\n").strip() == ALERT.as_text()


def test_a_hook_that_answers_with_an_error_has_not_taken_the_alert(hook: WebHook) -> None:
    """A status of 500 raises and is named."""
    hook.status = 500
    with pytest.raises(NotDeliveredError, match="500"):
        AppriseUrl(url=hook.url).tell(ALERT)


def test_nobody_listening_has_not_taken_the_alert() -> None:
    """A refused connection raises, for hooks and for mail."""
    for scheme in ("json", "mailto"):
        url = f"{scheme}://127.0.0.1:{free_port()}/?from=a@example.org&to=b@example.org&mode=insecure"
        with pytest.raises(NotDeliveredError, match=scheme):
            AppriseUrl(url=url).tell(ALERT)


def test_a_slow_hook_is_left_after_the_timeout(hook: WebHook) -> None:
    """Whether it took the alert is not known, so it counts as not taken."""
    hook.wait_seconds = 2.0
    with pytest.raises(NotDeliveredError):
        AppriseUrl(url=hook.url, timeout_seconds=0.3).tell(ALERT)


@pytest.mark.parametrize("url", ["", "nonsense", "noservice://host"])
def test_an_address_that_is_none_is_said_to_be_none(url: str) -> None:
    """A missing connection is a channel that fails, not a crash."""
    with pytest.raises(NotDeliveredError, match="empty or not one"):
        AppriseUrl(url=url).tell(ALERT)


@pytest.mark.parametrize("part", ["hunter2!x", "s3cr3t-path", "s3cr3t-key"])
def test_no_part_of_an_address_is_ever_shown(part: str, caplog: pytest.LogCaptureFixture) -> None:
    """User, password, path and query may be secrets: neither error, repr nor log shows them."""
    url = f"json://bot:hunter2%21x@127.0.0.1:{free_port()}/s3cr3t-path?+X-Key=s3cr3t-key"
    channel = AppriseUrl(url=url)
    with pytest.raises(NotDeliveredError) as caught:
        channel.tell(ALERT)
    assert part not in f"{caught.value}{channel!r}{caplog.text}"


def test_masking_blots_out_tokens_that_stand_where_a_host_would() -> None:
    """In a Slack address the host is a token."""
    assert masked("bad TokenAAA, TokenBBB", "slack://TokenAAA/TokenBBB/TokenCCC") == "bad ***, ***"


def test_a_hook_that_drips_is_left_to_the_round(hook: WebHook) -> None:
    """A receiver that never ends its answer holds no lock on the next one."""
    with drip():
        AppriseUrl(url=hook.url).tell(ALERT)
    assert hook.titles == [ALERT.title]
