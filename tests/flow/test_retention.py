"""How long words are kept: bodies go after their time, the books and what is known stay."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from connector import cli, doctor, wiring
from connector.errors import ConfigurationFault
from connector.flow import retention
from connector.settings import load_settings
from connector.store import bodies, inbox, lanes
from connector.store.connect import Store
from connector.store.schema import deliveries, orders
from connector.store.sql import insert_missing
from tests.erasure.place import Place, order

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEEP = timedelta(days=30)
MARK = "zz-marker@x.example"


def arrive(store: Store, days: float, status: str, number: int = 0, **more: Any) -> bytes:
    """A delivery that came so many days ago; its key."""
    body = f'{{"id": {number}, "days": {days}, "status": "{status}", "email": "{MARK}"}}'.encode()
    row = {
        "key": hashlib.sha256(body).digest(),
        "shop": "wool",
        "topic": "order.updated",
        "received_at": NOW - timedelta(days=days),
        "headers": {},
        "body": body,
        "body_sha256": hashlib.sha256(body).digest(),
        "status": status,
        **more,
    }
    with store.write() as conn:
        conn.execute(insert_missing(conn, deliveries), [row])
    return hashlib.sha256(body).digest()


def kept(store: Store) -> set[tuple[str, int]]:
    """Status and age in days of what still has its body."""
    with store.read() as conn:
        rows = conn.execute(
            select(deliveries.c.status, deliveries.c.received_at).where(
                deliveries.c.body.is_not(None)
            )
        )
        return {(status, (NOW - at).days) for status, at in rows}


def test_bodies_of_what_is_done_with_are_forgotten(store: Store) -> None:
    """After their time, and only theirs: what waits or is in quarantine keeps its words."""
    for status in ("applied", "unchanged", "ignored", "quarantined", "waiting"):
        for days in (29, 31, 200):
            arrive(store, days, status)
    store.untidy.clear()
    assert 6 == retention.drain(store, keep=KEEP, now=NOW)
    assert {
        *((status, 29) for status in ("applied", "unchanged", "ignored")),
        *((status, days) for status in ("quarantined", "waiting") for days in (29, 31, 200)),
    } == kept(store)
    assert store.untidy.is_set()
    with store.read() as conn:
        assert {"applied": 3, "unchanged": 3, "ignored": 3, "quarantined": 3, "waiting": 3} == (
            inbox.count(conn)["wool"]
        )
        assert 0 == conn.scalar(
            select(func.count()).select_from(deliveries).where(deliveries.c.body_sha256.is_(None))
        )
        assert {"wool": 2} == bodies.count_old_in_quarantine(conn, before=NOW - KEEP)
    with store.write() as conn:
        assert 6 == inbox.count_bodiless(conn)
        assert 6 == inbox.replay(conn)
    assert {("waiting", days) for days in (29, 31, 200)} == kept(store)


def test_what_comes_again_is_still_known(store: Store) -> None:
    """The key stays: a delivery that is repeated after its body is gone is a duplicate."""
    key = arrive(store, 90, "applied")
    assert 1 == retention.drain(store, keep=KEEP, now=NOW)
    arrive(store, 90, "applied")
    with store.read() as conn:
        rows = conn.execute(select(deliveries.c.key, deliveries.c.body)).all()
    assert [(key, None)] == [tuple(row) for row in rows]


def test_it_looks_once_an_hour_and_at_everything_once_a_day(store: Store) -> None:
    """Between looks nothing is read; what is done with late goes at the next daily look."""
    late = arrive(store, 100, "waiting")
    arrive(store, 40, "applied")
    assert 1 == retention.drain(store, keep=KEEP, now=NOW)
    arrive(store, 41, "applied")
    assert 0 == retention.drain(store, keep=KEEP, now=NOW + timedelta(minutes=59))
    arrive(store, 29.99, "applied")
    assert 1 == retention.drain(store, keep=KEEP, now=NOW + timedelta(minutes=61))
    assert {("applied", 41), ("waiting", 100)} == kept(store)
    with store.write() as conn:
        conn.execute(deliveries.update().where(deliveries.c.key == late).values(status="unchanged"))
    assert 2 == retention.drain(store, keep=KEEP, now=NOW + timedelta(hours=25))
    assert set() == kept(store)


def test_a_clock_that_was_ahead_does_not_stop_it(store: Store) -> None:
    """A look in the future is no look."""
    with store.write() as conn:
        lanes.put(conn, "bodies", {"looked_at": "2031-01-01T00:00:00Z"}, now=NOW)
    arrive(store, 31, "applied")
    assert 1 == retention.drain(store, keep=KEEP, now=NOW)


def test_many_go_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that does not come to its end goes on at once."""
    monkeypatch.setattr(retention, "_AT_ONCE", 10)
    monkeypatch.setattr(retention, "_BATCH", 4)
    for number in range(25):
        arrive(store, 31, "applied", number)
    assert [10, 10, 5, 0] == [retention.drain(store, keep=KEEP, now=NOW) for _ in range(4)]
    assert set() == kept(store)


def test_no_byte_is_left_in_the_files(tmp_path: Path) -> None:
    """P23: after its time a marker is in neither the database nor its journal."""
    store = Store.open(f"sqlite:///{tmp_path}/connector.db")
    for number in range(50):
        arrive(store, 31, "applied", number)

    def found() -> list[str]:
        files = sorted(tmp_path.glob("connector.db*"))
        return [each.name for each in files if MARK.encode() in each.read_bytes()]

    assert found()
    assert 50 == retention.drain(store, keep=KEEP, now=NOW)
    assert store.untidy.is_set()
    assert store.tidy()
    assert [] == found()
    store.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that keeps bodies for a week."""
    file = tmp_path / "connector.yaml"
    file.write_text(
        "mapping: preset:loyalty-ladder\n"
        "keep_bodies: 7d\n"
        "shops:\n"
        "  wool: {platform: woocommerce, base_url: 'http://127.0.0.1:9', url: 'https://w.example',\n"
        "         timezone: Europe/Oslo, currency: NOK}\n",
        encoding="utf-8",
    )
    env = tmp_path / ".env"
    env.touch(mode=0o600)
    env.write_text(
        "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck\n"
        "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs\n"
        f"CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET={'s' * 40}\n"
        f"CONNECTOR_CLOCK={NOW.isoformat()}\n",
        encoding="utf-8",
    )
    return file


def test_replay_and_doctor_tell_of_it(config: Path) -> None:
    """Replay says how many it leaves; the doctor warns of what is kept beyond its time."""
    store = Store.open(f"sqlite:///{config.parent}/connector.db")
    arrive(store, 8, "applied")
    arrive(store, 8, "quarantined", reason="shape")
    arrive(store, 1, "applied")
    retention.drain(store, keep=timedelta(days=7), now=NOW)
    store.close()
    (finding,) = [each for each in doctor.examine(config).findings if "bodies kept" in each.what]
    assert "bodies kept for more than 7 days because they are in quarantine: 1" == finding.what
    ran = CliRunner().invoke(cli.cli, ["replay", "--config", str(config)])
    assert (
        "to be taken up again: 2\nleft, because their bodies are no longer kept: 1\n" == ran.stdout
    )


@pytest.mark.parametrize("wrong", ["0d", "-1d", "4000d", "soon", "1.5d", "''"])
def test_how_long_is_a_number_of_days(config: Path, wrong: str) -> None:
    """At least a day; ``30d`` when nothing is said."""
    assert timedelta(days=7) == load_settings(config, environ={}).keep_bodies
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("keep_bodies: 7d\n", ""), encoding="utf-8")
    assert timedelta(days=30) == load_settings(config, environ={}).keep_bodies
    config.write_text(text.replace("7d", wrong), encoding="utf-8")
    with pytest.raises(ConfigurationFault, match="keep_bodies"):
        load_settings(config, environ={})


def test_the_worker_does_it(store: Store, tmp_path: Path, config: Path) -> None:
    """As one of the things that its clock does, after the time that the settings name."""
    place = Place(store, tmp_path)
    place.tell(order())
    place.now += timedelta(days=29)
    place.work()
    assert 1 == len(kept(store))
    place.now += timedelta(days=2)
    place.work()
    assert set() == kept(store)
    with store.read() as conn:
        assert 1 == conn.scalar(select(func.count()).select_from(orders))
    configured = wiring.configure(config)
    assert timedelta(days=7) == wiring.build_house(configured, store).keep_bodies
