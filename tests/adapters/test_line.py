"""The line to a shop: what its headers tell, and how much of an answer is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from adapters.line import HiccupError, date_in, host_of, is_private, read_body, retry_after

SENT = "Wed, 25 Nov 2026 10:00:00 GMT"


class Pieces(httpx.SyncByteStream):
    """A body in pieces, which counts how many were taken."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.count):
            self.taken += 1
            yield b"x" * 10


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://shop.example", True),
        ("http://shop.example", False),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]", True),
        ("http://localhost", True),
        ("http://wool.localhost", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_only_https_or_this_machine_is_private(address: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """A name that only looks near is not."""
    assert expected is is_private(httpx.URL(address))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7.0),
        ("2.0", 2.0),
        ("2.5", None),
        ("99999", 86_400.0),
        ("9999999999", None),
        ("-1", None),
        ("Wed, 25 Nov 2026 10:01:30 GMT", 90.0),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0.0),
        ("Wed, 25 Nov 2026 10:01:30 -0000", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wait_is_read_from_both_forms(text: str, expected: float | None) -> None:
    """Seconds, or a date that counts from the answer's own; nonsense is no wait."""
    assert expected == retry_after(httpx.Headers({"Retry-After": text, "Date": SENT}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SENT, datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("Wed, 25 Nov 2026 11:00:00 +0100", datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("Wed, 25 Nov 2026 10:00:00 -0000", None),
        ("Fri, 31 Dec 9999 23:59:59 -0500", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_clock_that_tells_no_zone_is_not_believed(text: str, expected: datetime | None) -> None:
    """This machine's own zone says nothing of the shop's clock."""
    assert expected == date_in(httpx.Headers({"Date": text}))


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://other.example/wp-json?key=secret", "https://other.example"),
        ("/login?token=secret", "https://shop.example"),
        ("http://shop.example:port/", "nowhere"),
        (None, "nowhere"),
    ],
)
def test_a_redirect_is_told_without_its_path(location: str | None, expected: str) -> None:
    """Path and query may hold secrets."""
    response = httpx.Response(
        302,
        headers={} if location is None else {"Location": location},
        request=httpx.Request("GET", "https://shop.example/a"),
    )
    assert expected == host_of(response)


def test_a_body_is_read_up_to_its_largest() -> None:
    """A body of just that size is whole; of a larger one no more is taken than tells it."""
    whole, larger = Pieces(3), Pieces(100)
    kept = {"largest": 30, "seconds": 5.0, "since": 0.0, "ticks": lambda: 5.0}
    assert b"x" * 30 == read_body(httpx.Response(200, stream=whole), **kept)
    with pytest.raises(HiccupError, match="larger than 30 bytes"):
        read_body(httpx.Response(200, stream=larger), **kept)
    assert (3, 4) == (whole.taken, larger.taken)


def test_a_body_is_read_until_its_time_is_up() -> None:
    """A shop that sends a little now and then does not hold us for good."""
    slow = Pieces(100)
    with pytest.raises(HiccupError, match="longer than 5 s"):
        read_body(
            httpx.Response(200, stream=slow),
            largest=10_000,
            seconds=5,
            since=0,
            ticks=lambda: slow.taken * 2.0,
        )
    assert slow.taken == 3
