"""Asking why: every answer names the clause, the value, the delivery, and when it will change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from connector.moments import to_text
from connector.store.schema import deliveries
from tests.journeys.premises import post, signed
from tests.journeys.town import Town

KARI, OLA = "kari@shop.example", "ola@shop.example"

SHOP_KEYS = {
    *("received", "applied", "unchanged", "ignored", "waiting", "quarantined"),
    *("oldest_waiting_seconds", "last_received_at"),
}
DESTINATION_KEYS = {
    *("records", "settled", "due", "parked", "oldest_due_seconds", "paused_until"),
    *("last_success_at", "last_problem", "mend"),
}


def newest_delivery(town: Town, topic: str) -> tuple[int, str]:
    """Number and words of the newest delivery of a topic, as an explanation names it."""
    with town.premises.store.read() as conn:
        row = conn.execute(
            select(deliveries.c.id, deliveries.c.received_at)
            .where(deliveries.c.topic == topic)
            .order_by(deliveries.c.id.desc())
            .limit(1)
        ).one()
    return row.id, f"delivery {row.id}: {topic} of wool, {to_text(row.received_at)}"


def test_a_segment_says_which_clause_with_which_value_and_since_when(town: Town) -> None:
    """The decisive clause and its value, the delivery that moved the person, and the moves."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    first = to_text(town.clock.now)
    town.buy(KARI)
    town.pass_on()
    second, (_, cause) = to_text(town.clock.now), newest_delivery(town, "order.updated")
    code, told = town.premises.command("explain", KARI.upper(), "--json")
    assert (0, KARI) == (code, told["person"])
    returning = told["segments"]["returning"]
    assert ("number_of_orders >= 2", True, second, cause) == tuple(
        returning[key] for key in ("when", "member", "since", "decided_by")
    )
    assert [
        "In the segment.",
        "  yes: number_of_orders >= 2 (number_of_orders is 2) <",
    ] == returning["because"]
    assert [("in", first), ("out", second)] == [
        (move["moved"], move["at"]) for move in told["segments"]["first-time"]["moves"]
    ]
    big = told["segments"]["big"]["because"]
    assert "    yes: amount_spent > 200 (amount_spent is 250.00 NOK) <" in big
    assert any(line.startswith("    yes: in_segment('returning') (a member since ") for line in big)


def test_it_says_when_a_segment_will_change_by_itself(town: Town) -> None:
    """A year and a day after the last order, at midnight in the shop's zone; and so it does."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    lapsed = town.explain(KARI)["segments"]["lapsed"]
    assert (False, None, None) == (lapsed["member"], lapsed["since"], lapsed["decided_by"])
    assert "Not in the segment. This changes by itself at 2027-03-03 00:00." == lapsed["because"][0]
    town.clock.now += timedelta(days=366)
    town.premises.work()
    lapsed = town.explain(KARI)["segments"]["lapsed"]
    assert (True, "time passing, a changed mapping, or what was read of the shop") == (
        lapsed["member"],
        lapsed["decided_by"],
    )
    held = town.held(KARI)
    assert held is not None
    assert ["First-time buyer", "Lapsed"] == held["tags"]


def test_a_permission_shows_its_evidence(town: Town) -> None:
    """Who said what when, the wording that was read, and what Mailchimp holds in the end."""
    account = town.register(KARI)
    order = town.buy(KARI, ticks=True, account=account)
    placed = to_text(town.clock.now)
    town.pass_on()
    email = town.explain(KARI)["consent"]["email"]
    assert ("granted", "SUBSCRIBED", True) == tuple(
        email[key] for key in ("state", "platform_state", "sendable")
    )
    said = {key: email["evidence"][0][key] for key in ("claim", "source", "at", "reference")}
    assert {
        "claim": "grant1",
        "source": "wool",
        "at": placed,
        "reference": f"order:{order}",
    } == said
    assert ("checkout_tick", "box") == (
        email["evidence"][0]["method"],
        email["evidence"][0]["wording"],
    )
    town.withdraw(account)
    withdrawn = to_text(town.clock.now)
    town.pass_on()
    told = town.explain(KARI)
    assert ("withdrawn", False) == tuple(told["consent"]["email"][x] for x in ("state", "sendable"))
    assert [("grant1", placed), ("withdraw", withdrawn)] == [
        (item["claim"], item["at"]) for item in told["consent"]["email"]["evidence"]
    ]
    assert ("unknown", []) == tuple(told["consent"]["ads"][x] for x in ("state", "evidence"))
    newsletter = told["destinations"]["newsletter"]
    assert ("settled", "withdrawn", to_text(town.clock.now)) == (
        newsletter["status"],
        newsletter["holds"]["permission"],
        newsletter["acknowledged_at"],
    )


def test_only_what_was_asked_for_is_told(town: Town) -> None:
    """``--segment`` and ``--consent`` narrow it down; text says the same in words."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    command = town.premises.command
    assert {"person", "segments"} == command("explain", KARI, "--segment", "big", "--json")[
        1
    ].keys()
    assert "segments" not in command("explain", KARI, "--consent", "--json")[1]
    code, text = command("explain", KARI)
    assert 0 == code
    assert "number_of_orders is 1" in text
    assert "grant1" in text


def test_the_books_have_the_promised_keys_and_add_up(town: Town) -> None:
    """Received is the sum of its parts, records are the sum of theirs, before and after work."""
    town.buy(KARI, ticks=True)
    town.buy(OLA)
    town.clock.skip(minutes=1)
    town.shop.deliver()
    town.clock.skip(seconds=90)
    waiting = books(town)
    assert (4, 4, 90.0, "2026-03-02T12:21:00Z") == tuple(
        waiting["shops"]["wool"][key]
        for key in ("received", "waiting", "oldest_waiting_seconds", "last_received_at")
    )
    town.premises.work()
    done = books(town)
    assert (4, 0, None) == tuple(
        done["shops"]["wool"][key] for key in ("received", "waiting", "oldest_waiting_seconds")
    )
    assert (2, 2, "2026-03-02T12:22:30Z") == tuple(
        done["destinations"]["newsletter"][key] for key in ("records", "settled", "last_success_at")
    )


def books(town: Town) -> dict[str, Any]:
    """What ``connector status --json`` says, its promised keys and its sums checked."""
    code, told = town.premises.command("status", "--json")
    assert (0, True, "live") == (code, told["balanced"], told["mode"])
    assert {"balanced", "mode", "shops", "destinations"} <= told.keys()
    for shop in told["shops"].values():
        assert SHOP_KEYS <= shop.keys()
        parts = ("applied", "unchanged", "ignored", "waiting", "quarantined")
        assert shop["received"] == sum(shop[part] for part in parts)
    for destination in told["destinations"].values():
        assert DESTINATION_KEYS <= destination.keys()
        assert destination["records"] == sum(destination[x] for x in ("settled", "due", "parked"))
    found: dict[str, Any] = told
    return found


def test_what_is_parked_is_listed_and_can_be_released(town: Town) -> None:
    """A delivery in quarantine and a refused contact; mended, both go through."""
    body = b'{"id": 7, "code": "oops"}'
    assert 200 == post(f"{town.premises.hook}/wool", signed("order.updated", body), body)
    town.audience.refuse(KARI, "This address is strange", code="ERROR_GENERIC")
    town.buy(KARI, ticks=True)
    town.pass_on()
    code, told = town.premises.command("parked", "--json")
    assert 1 == code
    (delivery,), (record,) = told["deliveries"], told["records"]
    assert ("wool", "order.updated", "topic_mismatch") == tuple(
        delivery[key] for key in ("shop", "topic", "reason")
    )
    assert delivery["mend"]
    assert ("newsletter", KARI) == (record["destination"], record["key"])
    assert "by hand in Mailchimp" in record["mend"]

    town.audience.world.refused.clear()
    assert (0, "released: 1\n") == town.premises.command("parked", "--release", "newsletter")
    assert (0, "released: 1\n") == town.premises.command("parked", "--release", str(delivery["id"]))
    town.premises.work()
    code, told = town.premises.command("parked", "--json")
    assert (1, [delivery["id"]], []) == (
        code,
        [row["id"] for row in told["deliveries"]],
        told["records"],
    )
    assert "subscribed" == town.status(KARI)
