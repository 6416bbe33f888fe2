"""What people say in Mailchimp reaches the ledger by its webhooks, and nothing can be forged."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from connector.store.schema import customer_addresses, deliveries, evidence
from tests.journeys.premises import TOKEN, post
from tests.journeys.town import OPT_IN, Town

KARI, OLA, NEW = "kari@shop.example", "ola@shop.example", "kari.ny@shop.example"


@pytest.fixture
def hooked(town: Town) -> Town:
    """The town, with the audience's webhook registered as an admin does it."""
    code, told = town.premises.command("webhooks", "register", "newsletter", "--json")
    assert (0, ["created"]) == (code, [row["done"] for row in told])
    return town


def said(town: Town, contact: str) -> set[tuple[str, str, str]]:
    """The newsletter's entries in the ledger about somebody: claim, method, and when."""
    with town.premises.store.read() as conn:
        rows = conn.execute(
            select(evidence.c.claim, evidence.c.method).where(
                evidence.c.contact == contact, evidence.c.source == "newsletter"
            )
        )
        return {(claim, method) for claim, method in rows}


def tell(town: Town, kind: str, email: str, **more: str) -> int:
    """A webhook that somebody makes up; gives the status of the answer."""
    told = {"list_id": town.audience.audience, "email": email, **more}
    fields = {f"data[{name}]": value for name, value in told.items()}
    moment = town.clock.now.strftime("%Y-%m-%d %H:%M:%S")
    body = urlencode({"type": kind, "fired_at": moment, **fields}).encode()
    headers = [("Host", "localhost"), ("Content-Length", str(len(body)))]
    return post(f"{town.premises.hook}/newsletter/{TOKEN}", headers, body)


def test_who_unsubscribes_there_is_withdrawn_here(hooked: Town) -> None:
    """At once, for good, with the evidence on request; the shop's old yes brings nobody back."""
    hooked.buy(KARI, ticks=True)
    hooked.pass_on()
    hooked.clock.skip(minutes=10)
    hooked.audience.unsubscribe(KARI)
    hooked.premises.work()
    assert {("withdraw", "unsubscribe_webhook")} == said(hooked, KARI)
    assert "withdrawn" == hooked.explain(KARI)["consent"]["email"]["state"]
    hooked.buy(KARI)
    hooked.pass_on()
    hooked.premises.replay()
    hooked.premises.work()
    assert "unsubscribed" == hooked.status(KARI)
    hooked.buy(KARI, ticks=True)  # a newer yes of her own: Mailchimp may ask her
    hooked.pass_on()
    assert "pending" == hooked.status(KARI)


def test_a_sign_up_there_is_a_permission(hooked: Town) -> None:
    """By Mailchimp's own form, confirmed by the API; the shop's customer may be mailed then."""
    hooked.buy(KARI)
    hooked.pass_on()
    assert hooked.held(KARI) is None
    hooked.audience.sign_up(KARI)
    hooked.premises.work()
    assert {("grant1", "form")} == said(hooked, KARI)
    assert "granted" == hooked.explain(KARI)["consent"]["email"]["state"]
    held = hooked.held(KARI)
    assert held is not None
    assert ("subscribed", ["First-time buyer"]) == (held["status"], held["tags"])


def test_a_forged_subscribe_grants_nothing(hooked: Town) -> None:
    """Threat R14: the address of the webhook is known, and somebody tells lies by it."""
    hooked.buy(KARI)
    hooked.buy(OLA, ticks=True)
    hooked.pass_on()
    hooked.audience.unsubscribe(OLA)
    hooked.premises.work()
    calls = hooked.premises.changing_calls()
    for name in (KARI, OLA, "stranger@shop.example"):
        assert 200 == tell(hooked, "subscribe", name, ip_opt="192.0.2.7")
    hooked.premises.work()
    assert set() == said(hooked, KARI)
    assert "unknown" == hooked.explain(KARI)["consent"]["email"]["state"]
    assert "withdrawn" == hooked.explain(OLA)["consent"]["email"]["state"]
    assert calls == hooked.premises.changing_calls()


def test_our_own_writing_is_no_permission(hooked: Town) -> None:
    """Whom we subscribed is subscribed there: told of it, we learn nothing new of the person."""
    account = hooked.register(KARI)
    hooked.buy(KARI, ticks=True, account=account)
    hooked.pass_on()
    assert "subscribed" == hooked.status(KARI)
    hooked.clock.skip(minutes=1)
    tell(hooked, "subscribe", KARI)
    hooked.premises.work()
    assert {("grantS", "api_state")} == said(hooked, KARI)
    hooked.withdraw(account)  # in the shop, and told late: the echo must not be the newer yes
    hooked.pass_on()
    assert "withdrawn" == hooked.explain(KARI)["consent"]["email"]["state"]
    assert "unsubscribed" == hooked.status(KARI)


@pytest.mark.parametrize("first", ["upemail", "unsubscribe"])
def test_a_withdrawal_follows_a_new_address(hooked: Town, first: str) -> None:
    """In whatever order the two are told; a permission does not follow."""
    hooked.buy(KARI, ticks=True)
    hooked.buy(NEW, ticks=True)
    hooked.pass_on()
    told = {
        "upemail": {"email": NEW, "old_email": KARI, "new_email": NEW},
        "unsubscribe": {"email": KARI, "action": "unsub"},
    }
    for kind in (first, *(told.keys() - {first})):
        hooked.clock.skip(minutes=10)
        assert 200 == tell(hooked, kind, **told[kind])
        hooked.premises.work()
    for name in (KARI, NEW):
        assert "withdrawn" == hooked.explain(name)["consent"]["email"]["state"]
    assert {"unsubscribed"} == {hooked.status(KARI), hooked.status(NEW)}


def test_a_permission_does_not_follow_an_address(hooked: Town) -> None:
    """Who changes the address in Mailchimp has said nothing for the new one."""
    hooked.buy(KARI, ticks=True)
    hooked.buy(NEW)
    hooked.pass_on()
    hooked.audience.change_address(KARI, NEW)
    hooked.premises.work()
    assert "granted" == hooked.explain(KARI)["consent"]["email"]["state"]
    assert "unknown" == hooked.explain(NEW)["consent"]["email"]["state"]


def test_what_was_heard_is_in_the_books(hooked: Town) -> None:
    """Beside the destination and not among the shops; every delivery is in one column."""
    hooked.buy(KARI, ticks=True)
    hooked.pass_on()
    hooked.audience.unsubscribe(KARI)
    tell(hooked, "profile", KARI)
    tell(hooked, "sms_unsubscribe", KARI)
    hooked.premises.work()
    books = hooked.premises.books()
    assert {"wool"} == books["shops"].keys()
    heard = books["destinations"]["newsletter"]["heard"]
    parts = ("received", "applied", "unchanged", "ignored", "waiting", "quarantined")
    assert (3, 1, 0, 1, 0, 1) == tuple(heard[part] for part in parts)
    assert books["balanced"]
    code, text = hooked.premises.command("status")
    assert 0 == code
    assert "newsletter (heard)" in text


def test_registering_again_leaves_it_as_it_is(hooked: Town) -> None:
    """One webhook, whatever often it is asked for; its address is shown without the token."""
    code, told = hooked.premises.command("webhooks", "register", "newsletter", "--json")
    assert (0, ["left as it is"]) == (code, [row["done"] for row in told])
    code, text = hooked.premises.command("webhooks", "list", "newsletter")
    assert 0 == code
    assert TOKEN not in text
    assert "subscribe, unsubscribe, cleaned, upemail" in text


def test_nothing_is_kept_of_whom_was_erased(hooked: Town) -> None:
    """What is told of an erased person is forgotten, word for word, and links nobody to them."""
    hooked.buy(KARI, ticks=True)
    hooked.pass_on()
    code, _ = hooked.premises.command("erase", KARI, "--yes")
    assert 0 == code
    hooked.premises.work()
    tell(hooked, "unsubscribe", KARI)
    tell(hooked, "subscribe", KARI)
    tell(hooked, "upemail", NEW, old_email=KARI, new_email=NEW)
    hooked.premises.work()
    with hooked.premises.store.read() as conn:
        bodies = conn.scalars(select(deliveries.c.body).where(deliveries.c.body.is_not(None))).all()
        links = conn.scalars(select(customer_addresses.c.email)).all()
    marks = (KARI.encode(), KARI.replace("@", "%40").encode())
    assert not [body for body in bodies if any(mark in body for mark in marks)]
    assert KARI not in links
    assert NEW not in links


# --- Without a webhook: the audience is asked -------------------------------------------------


def test_who_left_before_we_came_is_never_added(town: Town) -> None:
    """The audience's opt-outs are read before the first add: nobody is subscribed again."""
    people = [f"kunde{number}@shop.example" for number in range(60)]
    left = people[:20]
    for email in people:
        town.audience.sign_up(email)
    for email in left:
        town.audience.unsubscribe(email)
    before = town.audience.members()
    for email in people:  # in the shop all of them ticked the box, long before they left there
        town.shop.orders.check_out(
            {
                "customer_id": 0,
                "billing": {"email": email, "first_name": "Åse", "country": "NO"},
                "line_items": [{"name": "Garn", "quantity": 1, "subtotal": "100.00"}],
                "meta_data": [{"key": OPT_IN, "value": "1"}],
                "date_created_gmt": "2025-01-02T10:00:00",
                "status": "processing",
                "paid": True,
            }
        )
    town.pass_on()
    after = town.audience.members()
    assert {"unsubscribed"} == {after[email]["status"] for email in left}
    assert {"subscribed"} == {after[email]["status"] for email in people[20:]}
    assert all(before[email]["fields"] == after[email]["fields"] for email in left)
    assert {"withdrawn"} == {town.explain(email)["consent"]["email"]["state"] for email in left[:3]}
    # And of what it said itself it is told nothing: all the calls that changed anything.
    assert {"POST /lists/{list_id}": 1, "POST /lists/{list_id}/merge-fields": 2} == (
        town.premises.changing_calls()
    )


def test_who_left_there_and_in_the_shop_is_told(town: Town) -> None:
    """A withdrawal in the shop after the one there is brought, whatever became of that one."""
    town.audience.sign_up(KARI)
    town.audience.unsubscribe(KARI)
    account = town.register(KARI)
    town.premises.work()
    town.clock.skip(minutes=5)
    town.audience.sign_up(KARI)  # by hand again, and nobody told us yet
    town.clock.skip(minutes=5)
    town.buy(KARI, account=account)
    town.withdraw(account)
    town.pass_on()
    assert "unsubscribed" == town.status(KARI)


def test_a_lost_webhook_is_made_up_for(town: Town) -> None:
    """Who left there without our being told is known a quarter of an hour later."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    town.clock.skip(minutes=2)
    town.audience.unsubscribe(KARI)  # no webhook is registered
    town.clock.skip(minutes=16)
    town.premises.work()
    assert {("withdraw", "api_state")} == said(town, KARI)
    assert "withdrawn" == town.explain(KARI)["consent"]["email"]["state"]
    calls = dict(town.audience.calls)
    town.clock.skip(minutes=16)
    town.premises.work()
    town.clock.skip(minutes=1)
    town.premises.work()
    looks = "GET /lists/{list_id}/members"
    assert {looks: 1} == {
        name: number - calls.get(name, 0)
        for name, number in town.audience.calls.items()
        if number != calls.get(name, 0)
    }


def test_our_own_unsubscribing_is_no_news(town: Town) -> None:
    """What we wrote there comes back as nothing: a later yes in the shop is not outweighed."""
    account = town.register(KARI)
    town.buy(KARI, ticks=True, account=account)
    town.pass_on()
    town.withdraw(account)
    town.pass_on()
    assert "unsubscribed" == town.status(KARI)
    for _ in range(3):
        town.clock.skip(minutes=20)
        town.premises.work()
    assert set() == said(town, KARI)
    town.buy(KARI, ticks=True, account=account)
    town.pass_on()
    assert "granted" == town.explain(KARI)["consent"]["email"]["state"]
    assert "pending" == town.status(KARI)


def test_a_sign_up_is_found_without_a_webhook(town: Town) -> None:
    """A form of Mailchimp's own: the permission is known after the next look."""
    town.buy(KARI)
    town.pass_on()
    town.clock.skip(minutes=5)
    town.audience.sign_up(KARI)
    town.clock.skip(minutes=15)
    town.premises.work()
    assert {("grant1", "form")} == said(town, KARI)
    held = town.held(KARI)
    assert held is not None
    assert ["First-time buyer"] == held["tags"]
