"""What every channel keeps to, whoever adds it."""

import pytest

from perennial.channels import channels
from perennial.channels.base import Channel
from perennial.errors import NotDeliveredError
from perennial.facts.alert import Alert

CHANNELS = channels()
UNREACHABLE = {"path": "/dev/null/alerts.log", "url": "json://bot:hunter2secret@127.0.0.1:9/s3cretpath"}


def unreachable(channel: type[Channel]) -> Channel:
    """Make the channel with an address at which nothing can be."""
    fields = channel.model_fields
    return channel.model_validate({name: value for name, value in UNREACHABLE.items() if name in fields})


def test_the_catalogue_holds_the_log_and_apprise() -> None:
    """The log is always there."""
    assert set(CHANNELS) >= {"log", "apprise_url"}


@pytest.mark.parametrize("name", CHANNELS)
def test_every_parameter_is_described(name: str) -> None:
    """The reference is made of these descriptions."""
    fields = CHANNELS[name].model_fields
    assert [field for field, about in fields.items() if not about.description] == []


@pytest.mark.parametrize("name", CHANNELS)
def test_what_cannot_be_delivered_is_raised_without_its_address(name: str) -> None:
    """Only so does the outbox know that it must try again; and an address may be a secret."""
    alert = Alert("delay", None, "drift", "It moved.", "It moved.", "Worse soon.", "Look.", "f")
    with pytest.raises(NotDeliveredError) as caught:
        unreachable(CHANNELS[name]).tell(alert)
    assert "s3cretpath" not in str(caught.value)
    assert "hunter2secret" not in str(caught.value)


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_does_not_show_its_secrets(name: str) -> None:
    """A channel may be printed in a log."""
    assert "hunter2secret" not in repr(unreachable(CHANNELS[name]))
