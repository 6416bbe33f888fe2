"""The circuit that rests a platform that is down, and the brake on changes too large to mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.policy import breaker
from connector.policy.breaker import Circuit, Phase

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def broken(*, retry_after: float | None = None) -> Circuit:
    """A circuit after five failures."""
    circuit = Circuit()
    for _ in range(5):
        circuit = breaker.failed(circuit, NOW, retry_after=retry_after)
    return circuit


def later(seconds: float) -> datetime:
    """So many seconds after now."""
    return NOW + timedelta(seconds=seconds)


def test_it_opens_at_the_fifth_failure_in_a_row() -> None:
    """Four failures are bad luck."""
    circuit = Circuit()
    for _ in range(4):
        circuit = breaker.failed(circuit, NOW)
    assert breaker.phase(circuit, NOW) is Phase.CLOSED
    assert breaker.phase(breaker.failed(circuit, NOW), NOW) is Phase.OPEN
    mended = breaker.failed(breaker.succeeded(circuit), NOW)
    assert Circuit(failures=1) == mended


def test_one_probe_each_five_seconds() -> None:
    """While open nothing goes out; after 5 s one call, and no second beside it."""
    circuit, may = breaker.ask(broken(), later(4.9))
    assert not may
    circuit, may = breaker.ask(circuit, later(5))
    assert may
    circuit, may = breaker.ask(circuit, later(5))
    assert not may
    circuit, may = breaker.ask(circuit, later(10))
    assert may, "a probe that never reported back is repeated"


def test_a_probe_closes_or_opens_again() -> None:
    """A good probe ends the pause, a bad one begins the next."""
    circuit, _ = breaker.ask(broken(), later(5))
    assert breaker.phase(breaker.succeeded(circuit), later(5)) is Phase.CLOSED
    again = breaker.failed(circuit, later(5.5))
    assert breaker.phase(again, later(10.4)) is Phase.OPEN
    assert breaker.phase(again, later(10.5)) is Phase.HALF_OPEN


def test_a_platform_that_names_a_time_is_left_alone_until_then() -> None:
    """Retry-After opens the circuit at the first failure, for at most four hours."""
    circuit = breaker.failed(Circuit(), NOW, retry_after=90)
    assert not breaker.ask(circuit, later(89))[1]
    assert breaker.ask(circuit, later(90))[1]
    endless = breaker.failed(Circuit(), NOW, retry_after=1e9)
    assert NOW + timedelta(hours=4) == endless.next_probe_at


def test_a_clock_set_back_does_not_keep_it_open() -> None:
    """An opening that seems a day away is no opening."""
    assert breaker.phase(broken(), NOW - timedelta(days=1)) is Phase.HALF_OPEN


@given(st.lists(st.tuples(st.sampled_from(["ask", "ok", "bad"]), st.floats(0, 20)), max_size=80))
def test_while_it_fails_calls_are_five_seconds_apart(steps: list[tuple[str, float]]) -> None:
    """Whatever happens, an open circuit lets at most one call through in five seconds."""
    circuit, now, last = Circuit(), NOW, None
    for what, seconds in steps:
        now += timedelta(seconds=seconds)
        if what == "ok":
            circuit, last = breaker.succeeded(circuit), None
        elif what == "bad":
            circuit = breaker.failed(circuit, now)
        else:
            was = breaker.phase(circuit, now)
            circuit, may = breaker.ask(circuit, now)
            assert may is (was is not Phase.OPEN)
            if was is Phase.HALF_OPEN:
                assert last is None or now - last >= timedelta(seconds=5)
                last = now


@pytest.mark.parametrize(
    ("removals", "total", "expected"),
    [
        (0, 0, False),
        (20, 20, False),  # few enough, though it is all
        (21, 21, True),
        (21, 42, False),  # exactly half
        (22, 43, True),
        (500, 1000, False),
        (501, 1000, True),
        (1000, 0, True),  # more than is held at all
    ],
)
def test_half_of_everything_is_too_much(removals: int, total: int, *, expected: bool) -> None:
    """More than half, and more than a morning's work, waits for a person."""
    assert expected is breaker.too_many(removals, total)


def test_the_limit_can_be_set() -> None:
    """A tenth as the limit."""
    assert breaker.too_many(101, 1000, limit=0.1)
    assert not breaker.too_many(100, 1000, limit=0.1)
