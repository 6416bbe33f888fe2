"""What people demand through a shop is carried out, in time, and is never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connector.flow import books
from connector.model import Claim
from connector.store import inbox, schema
from tests.erasure.place import (
    EMAIL,
    MARK,
    NAME,
    NOON,
    SECRET,
    Place,
    account,
    data_request,
    order,
    redaction,
    said,
)


def demands_of(place: Place) -> dict[str, Any]:
    """What ``connector status`` shows of them."""
    with place.store.read() as conn:
        told = books.draw_up(
            conn, shops=["wool"], destinations=["newsletter"], mode="live", now=place.now
        )
    assert told["balanced"]
    return dict(told["requests"])


def test_the_shop_demands_that_somebody_be_forgotten(place: Place) -> None:
    """Everywhere, as of when the demand came; what demanded it names nobody any more either."""
    place.tell(account(), order(1, minutes=1), said(Claim.GRANT, minutes=1))
    place.tell(redaction(customer_id="7", orders=("1",)), minutes=5)
    assert [] == place.holding()
    assert {} == place.newsletter.held
    assert {"open": 0, "done": 1, "warn": 0, "alarm": 0, "next_due_at": None, "problem": None} == (
        demands_of(place)
    )
    place.now += timedelta(minutes=20)
    place.tell(order(2, minutes=10))  # after the demand, before it was carried out
    assert "orders" in place.holding()


def test_forgetting_a_stranger_leaves_a_digest(place: Place) -> None:
    """Nothing to forget is no trouble, and they are recognised when their order comes late."""
    number = place.tell(redaction(), minutes=5)
    with place.store.read() as conn:
        status = conn.scalars(
            select(schema.deliveries.c.status).where(schema.deliveries.c.id == number)
        ).one()
    assert "applied" == status
    assert [] == place.newsletter.pushed
    place.tell(order(1, minutes=1), said(Claim.GRANT, minutes=1))
    assert [] == place.holding()
    assert [] == place.newsletter.pushed


def test_without_a_key_it_waits_where_it_can_be_seen(open_place: Callable[..., Place]) -> None:
    """In quarantine with the mend, and open in the books; done as soon as there is a key."""
    place = open_place()
    place.tell(order(1))
    number = place.tell(redaction(), minutes=5)
    assert {"customers", "orders"} & set(place.holding())
    with place.store.read() as conn:
        (waiting,) = inbox.quarantined(conn, limit=5)
    assert (number, "no_secret_key") == (waiting.id, waiting.reason)
    assert "CONNECTOR_SECRET_KEY" in waiting.mend
    told = demands_of(place)
    assert (1, 0) == (told["open"], told["done"])
    assert "CONNECTOR_SECRET_KEY" in told["problem"]
    keyed = open_place(SECRET)
    keyed.work()
    assert [] == keyed.holding()
    assert (0, 1) == (demands_of(keyed)["open"], demands_of(keyed)["done"])
    with keyed.store.read() as conn:
        assert [] == inbox.quarantined(conn, limit=5)


def test_released_with_a_key_it_is_carried_out_once(open_place: Callable[..., Place]) -> None:
    """``connector parked --release`` takes the delivery up again, which changes nothing more."""
    place = open_place()
    place.tell(order(1))
    number = place.tell(redaction(), minutes=5)
    keyed = open_place(SECRET)
    keyed.shops = place.shops
    with keyed.store.write() as conn:
        assert 1 == inbox.replay(conn, delivery=number)
    keyed.work()
    assert [] == keyed.holding()
    assert (0, 1) == (demands_of(keyed)["open"], demands_of(keyed)["done"])


def test_time_runs_and_is_told(open_place: Callable[..., Place]) -> None:
    """Warned after twenty days of thirty, alarmed after twenty-seven."""
    place = open_place()
    place.tell(redaction())
    seen = []
    for days in (19, 20, 26, 27, 31):
        place.now = NOON + timedelta(days=days, minutes=1)
        told = demands_of(place)
        seen.append((days, told["warn"], told["alarm"]))
    assert [(19, 0, 0), (20, 1, 0), (26, 1, 0), (27, 0, 1), (31, 0, 1)] == seen


def test_a_person_asks_what_is_held(place: Place) -> None:
    """A file in the folder of exports, for our user alone, its name without a person."""
    place.tell(account(), order(1, minutes=1), said(Claim.GRANT, minutes=1))
    number = place.tell(data_request(customer_id="7", orders=("1",)), minutes=5)
    exports = place.folder / "exports"
    names = sorted(file.name for file in exports.iterdir())
    assert [f"request-{number}.csv", f"request-{number}.json"] == names
    assert {0o600} == {file.stat().st_mode & 0o777 for file in exports.iterdir()}
    told = json.loads((exports / f"request-{number}.json").read_text("utf-8"))
    assert [EMAIL] == told["contact_points"]["emails"]
    assert NAME == told["orders"][0]["first_name"]
    with place.store.read() as conn:
        row = conn.execute(select(schema.requests)).mappings().one()
    assert (None, f"request-{number}.json") == (row["subject"], row["file"])
    assert 1 == demands_of(place)["done"]


def test_a_stranger_is_told_that_nothing_is_held(place: Place) -> None:
    """The file says so; it holds what they were named by, for they did ask."""
    number = place.tell(data_request("stranger@x.example"), words="7")
    told = json.loads((place.folder / "exports" / f"request-{number}.json").read_text("utf-8"))
    assert ([], [], []) == (told["orders"], told["accounts"], told["evidence"])


def test_a_folder_that_cannot_be_used_is_no_loss(place: Place) -> None:
    """The demand stays open and says why; when the folder is mended it is carried out."""
    (place.folder / "exports").write_text("in the way")
    place.tell(data_request())
    told = demands_of(place)
    assert (1, 0) == (told["open"], told["done"])
    assert "the folder of exports cannot be used" in told["problem"]
    (place.folder / "exports").unlink()
    place.work()
    assert (0, 1) == (demands_of(place)["open"], demands_of(place)["done"])


def test_asked_and_then_forgotten_before_the_answer(place: Place) -> None:
    """Erased while the question is open: it is closed, and names nobody."""
    (place.folder / "exports").write_text("in the way")
    place.tell(data_request())
    place.erase()
    assert [] == place.holding()
    assert 0 == demands_of(place)["open"]


def test_a_whole_shop_goes(place: Place) -> None:
    """Everybody only it told of is erased; who is known by another shop too stays as that told."""
    place.tell(account(), order(1, minutes=1), said(Claim.GRANT, minutes=1))
    place.tell(order(2, None, 1, phone=None), order(3, None, 1))
    place.tell(account(8, None, 1))
    both = f"both-{MARK}@y.example"
    place.tell(account(9, both, first_name="Told", last_name="By", company="Wool"))
    place.tell(order(4, both, 1), said(Claim.GRANT, both))
    place.tell(
        order(5, both, 2, shop="yarn", first_name="Kari", last_name="", company="", phone=None,
              meta={}, refunds=()),
        shop="yarn",
    )  # fmt: skip
    place.now += timedelta(minutes=5)
    place.tell(redaction(None, whole_shop=True), minutes=1)
    assert [] == place.holding(EMAIL, NAME, "Told")
    assert {both} == place.newsletter.held.keys()
    assert ("Kari", 1) == (
        place.newsletter.held[both].fields["FNAME"],
        place.newsletter.held[both].fields["ORDERS"],
    )
    with place.store.read() as conn:
        bodies = conn.execute(
            select(schema.deliveries.c.shop).where(schema.deliveries.c.body.is_not(None))
        ).scalars()
        assert {"yarn"} == set(bodies)
    assert 1 == demands_of(place)["done"]
    before = place.rows()
    place.work()
    assert before == place.rows()


@pytest.mark.parametrize("people", [450])
def test_a_whole_shop_goes_in_steps(open_place: Callable[..., Place], people: int) -> None:
    """More people than one transaction takes: none is left."""
    place = open_place(SECRET)
    place.tell(*(order(n, f"p{n}-{MARK}@x.example") for n in range(people)), words="-")
    place.tell(redaction(None, whole_shop=True), minutes=1)
    assert [] == place.holding()
    with place.store.read() as conn:
        assert people == len(conn.scalars(select(schema.orders.c.order_id)).all())
