"""What every channel is: parameters, and one call that delivers an alert or raises."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pydantic import BaseModel, ConfigDict

from perennial.facts.alert import Alert


class Channel(BaseModel, ABC):
    """A way of telling somebody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def tell(self, alert: Alert) -> None:
        """Deliver the alert; return only when it was taken.

        Raises:
            NotDeliveredError: it was not taken; the message never shows the channel's address.
        """
