"""The calls to one pixel of Meta's: the pixel itself, and the events it is told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from adapters.graph import Graph
from adapters.graph_refusals import Mends
from adapters.meta_conversions.account import Account
from connector.errors import TryLater
from connector.model import Json

_MENDS = Mends(
    scope="ads_management",
    thing="pixel",
    forbidden="In Meta Business settings give the system user of this token the right to manage "
    "the dataset (pixel), and the token the permission ads_management; or make the token in Events "
    "Manager > Settings > Conversions API.",
    missing="Set the destination's pixel_id to a dataset that this token may write to.",
)

# Amounts go as JSON numbers and are never floats on the way.
_write = msgspec.json.Encoder(decimal_format="number").encode


class MetaConversionsClient:
    """One pixel. Every method raises `Refused`, `TooLarge`, `TryLater` or `LaneDown`."""

    def __init__(self, account: Account, seconds: float) -> None:
        self._pixel = account.pixel_id
        self._graph = Graph(account.access, seconds, _MENDS)

    @property
    def told_at(self) -> datetime | None:
        """The time by Meta's clock when it last answered, if it said."""
        return self._graph.told_at

    def pixel(self) -> Mapping[str, Json]:
        """The pixel itself."""
        return self._graph.call("GET", (self._pixel,), {"fields": "id,name"})

    def send(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Tell of up to 1,000 events; gives how many Meta received. One bad event spoils all.

        Never as a test event: those count as well.
        https://developers.facebook.com/docs/marketing-api/conversions-api/using-the-api
        """
        self._graph.spare()
        told = {"data": _write(events).decode()}
        received = self._graph.call("POST", (self._pixel, "events"), told).get("events_received")
        if not isinstance(received, int):
            raise TryLater("Meta's answer does not say how many events it received")
        return received
