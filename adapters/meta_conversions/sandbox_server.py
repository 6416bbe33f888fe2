"""The stand-in's HTTP server: Graph API v26 over one pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from flask import Response, request

from adapters.meta_conversions.sandbox_rules import MOST_BYTES, events_in, faults
from adapters.town.graph import GraphServer, error, fields_asked, said


@dataclass(slots=True)
class Pixel:
    """One pixel. ``events`` are by name and id: told twice, an event is one. ``disliked`` are ids.

    ``received`` is what is answered instead of the number of events, if anything.
    """

    id: str
    clock: Callable[[], datetime]
    events: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    told: int = 0
    disliked: set[str] = field(default_factory=set)
    received: int | None = None


class Server(GraphServer):
    """Serves a pixel."""

    def __init__(self, pixel: Pixel, token: str, port: int) -> None:
        self.pixel = pixel
        super().__init__(
            token, port, edges=_EDGES, endpoint_of=partial(endpoint_of, pixel.id),
            largest=MOST_BYTES,
        )  # fmt: skip

    def kind_of(self, node: str) -> str | None:
        """The pixel."""
        return "pixel" if node == self.pixel.id else None

    def show(self, _node: str) -> Response:
        """The pixel itself."""
        return fields_asked({"id": self.pixel.id, "name": "Wool and yarn"})

    def take(self, _node: str) -> Response:
        """Take events: all, or none when one of them is bad."""
        form = request.form.to_dict()
        self.bodies.append(("events", form))
        events = events_in(form)
        if isinstance(events, str):
            return error(400, 100, f"(#100) {events}")
        now = self.pixel.clock()
        for number, event in enumerate(events):
            fault = next(faults(event, now), None)
            if fault is None and event.get("event_id") in self.pixel.disliked:
                fault = "Nobody knows why"
            if fault:
                return error(400, 100, "Invalid parameter", error_subcode=2804050,
                             error_user_msg=f"data[{number}]: {fault}")  # fmt: skip
        for event in events:
            self.pixel.told += 1
            self.pixel.events.setdefault((event["event_name"], event.get("event_id", "")), event)
        received = len(events) if self.pixel.received is None else self.pixel.received
        return said({"events_received": received, "messages": [], "fbtrace_id": "stand-in"})


_EDGES: dict[tuple[str, str, str], Any] = {
    ("GET", "pixel", ""): Server.show,
    ("POST", "pixel", "events"): Server.take,
}


def endpoint_of(pixel_id: str, method: str, path: str) -> str:
    """The endpoint for counting: ids are left out."""
    parts = path.strip("/").split("/")
    kind = "pixel" if pixel_id in parts else "other"
    return f"{method} {'/'.join(['', kind, *parts[2:]])}"
