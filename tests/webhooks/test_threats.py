"""Threats at the door that are no single bad request: a flood, and where somebody says they are."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Protocol

import pytest


class Real(Protocol):
    """As in conftest: a receiver with a store of its own."""

    path: Path

    def ask(self, *parts: bytes | float, patience: float = 8.0) -> bytes:
        """Speak to it in bytes."""
        ...

    def bodies(self) -> list[bytes]:
        """What it took."""
        ...


def request(body: bytes, headers: dict[str, str], *, last: bool) -> bytes:
    """A POST of this body on a kept connection, or the last on it."""
    lines = [
        "POST /webhooks/wool HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(body)}",
        f"Connection: {'close' if last else 'keep-alive'}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_threat_r13_a_flood_of_bad_signatures(real: Real, sign: Any) -> None:
    """Threat R13: 2,000 forgeries leave no byte behind and keep no true delivery waiting."""
    forged = b'{"id": 1, "forged": "' + b"x" * 700 + b'"}'
    headers = sign(forged, signature="A" * 43 + "=")
    flood = b"".join(request(forged, headers, last=False) for _ in range(199))
    flood += request(forged, headers, last=True)
    answers: list[bytes] = []

    def pour() -> None:
        answers.extend(real.ask(flood, patience=60.0) for _ in range(5))

    before = real.bodies()
    size = sum(each.stat().st_size for each in real.path.parent.glob("connector.db*"))
    pourers = [threading.Thread(target=pour) for _ in range(2)]
    for each in pourers:
        each.start()
    waited = []
    for number in range(20):
        true = b'{"id": %d, "true": "during a flood"}' % number
        since = time.monotonic()
        assert b" 200 " in real.ask(request(true, sign(true), last=True)).splitlines()[0]
        waited.append(time.monotonic() - since)
    for each in pourers:
        each.join()
    assert 2000 == sum(answer.count(b"HTTP/1.1 401 ") for answer in answers)
    assert 20 == len(real.bodies()) - len(before)
    assert not any(b"forged" in body for body in real.bodies())
    grown = sum(each.stat().st_size for each in real.path.parent.glob("connector.db*")) - size
    assert grown < 1_000_000
    assert max(waited) < 2.0  # the promise of a second is for a machine with nothing else to do


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_threat_r17_where_somebody_says_they_are(
    house: Any, sign: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Threat R17: it opens nothing, closes nothing, and is written nowhere."""
    body = b'{"id": 7}'
    assert 200 == house.post(body, {**sign(body), name: "127.0.0.1"}).status_code
    assert not any("127.0.0.1" in str(each) for each in house.arrivals)
    forged = {**sign(body, signature="AAAA"), name: "203.0.113.77"}
    assert 401 == house.post(body, forged).status_code
    assert "203.0.113.77" not in capsys.readouterr().out
