"""The watch over the webhooks: what fell over is put back where it may be, and told where not."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from structlog.testing import capture_logs

from adapters.shopify.sandbox import Sandbox as Yarn
from adapters.shopify.shop import ShopifyShop
from adapters.shopify.subscriptions import enum_of
from adapters.woocommerce.sandbox import Sandbox as Wool
from adapters.woocommerce.shop import WooCommerceShop
from connector.engine import Engine
from connector.errors import LaneDown, StoreUnavailable, TryLater
from connector.flow import alarms, posts, watch
from connector.flow.posts import Post
from connector.house import House
from connector.model import Delivery
from connector.ports import OPERATOR, Finding, Flaw, FlawKind, Grade, Letterbox, Subscription
from connector.store import hastened, lanes, watching
from connector.store.connect import Store
from connector.store.schema import deliveries
from connector.store.watching import Seen
from tests.flow.conftest import World

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOT = "https://hooks.example.org/webhooks/wool"
FINE = Finding(what="answers", grade=Grade.FINE)
GONE = Finding(what="nobody answers", mend="Start the proxy.", who=OPERATOR, grade=Grade.ALARM)
OFF = Flaw(topic="order.updated", kind=FlawKind.OFF, what="the webhook is disabled")


@dataclass
class Hooks:
    """The webhooks of a shop, as flaws that registering takes away."""

    flaws: list[Flaw] = field(default_factory=list)
    trouble: Exception | None = None
    refusal: Exception | None = None
    looked: int = 0
    registered: list[Letterbox] = field(default_factory=list)

    def look_at_webhooks(self, letterbox: Letterbox) -> Sequence[Flaw]:
        self.looked += 1
        if self.trouble:
            raise self.trouble
        return tuple(self.flaws)

    def register_webhooks(self, letterbox: Letterbox) -> Sequence[Subscription]:
        self.registered.append(letterbox)
        if self.refusal:
            raise self.refusal
        self.flaws = [
            flaw
            for flaw in self.flaws
            if flaw.topic in letterbox.left or flaw.kind is FlawKind.VERSION
        ]
        return ()


@dataclass
class Place:
    """One post with its store and a clock to turn."""

    store: Store
    hooks: Hooks = field(default_factory=Hooks)
    entrance: Finding = FINE
    now: datetime = NOON

    @property
    def post(self) -> Post:
        return Post(
            name="wool",
            is_shop=True,
            entrance=lambda: self.entrance,
            remember=lambda *_: None,
            guest=self.hooks,
            letterbox=lambda _: Letterbox(root=ROOT, secret=lambda topic: topic),
        )

    def look(self, minutes: int = 10, **changed: object) -> Seen:
        """Let time pass, and look."""
        self.now += minutes * MINUTE
        return watch.look(self.store, replace(self.post, **changed), now=self.now)  # type: ignore[arg-type]

    def raised(self) -> list[alarms.Alarm]:
        with self.store.read() as conn:
            return alarms.raised(conn)

    def asked_since(self) -> datetime | None:
        with self.store.read() as conn:
            return hastened.hastened(conn, "wool")

    def hear(self, *moments: datetime, topic: str = "order.updated") -> None:
        with self.store.write() as conn:
            conn.execute(
                insert(deliveries),
                [
                    {
                        "key": f"{topic} {moment} {number}".encode(),
                        "shop": "wool",
                        "topic": topic,
                        "received_at": moment,
                        "headers": {},
                        "body": b"{}",
                        "body_sha256": b"",
                        "status": "applied",
                    }
                    for number, moment in enumerate(moments)
                ],
            )


def set_up(store: Store, name: str = "wool") -> None:
    """Webhooks were registered from here once."""
    with store.write() as conn:
        known = {"1": {"topic": "order.updated", "mark": "x"}}
        lanes.put(conn, f"webhooks:{name}", known, now=NOON)


@pytest.fixture
def place(store: Store) -> Place:
    """A shop whose webhooks were set up from here, on both engines."""
    set_up(store)
    return Place(store)


def test_nothing_wrong_is_told_as_such(place: Place) -> None:
    """One look, no change, no alarm."""
    seen = place.look()
    assert (True, (), None) == (seen.ok, seen.findings, seen.silent_since)
    assert [] == place.hooks.registered
    assert [] == place.raised()
    assert place.asked_since() is None


@pytest.mark.parametrize("kind", [each for each in FlawKind if each is not FlawKind.VERSION])
def test_what_is_wrong_is_mended_and_said(place: Place, kind: FlawKind) -> None:
    """By registering, once; what was missed while it was down is asked to be read back."""
    place.look()
    fine_at = place.now
    place.hooks.flaws = [replace(OFF, kind=kind)]
    seen = place.look()
    assert seen.ok
    assert [("order.updated", OFF.what, "mended", "")] == [
        (each.topic, each.what, each.done, each.mend) for each in seen.findings
    ]
    assert 1 == len(place.hooks.registered)
    assert [] == place.raised()
    was_down = kind in (FlawKind.OFF, FlawKind.MISSING)
    assert (fine_at if was_down else None) == place.asked_since()
    assert () == place.look().findings


@pytest.mark.parametrize("came", [True, False], ids=["delivered", "stayed active"])
def test_at_the_next_look_it_is_seen_whether_it_holds(place: Place, *, came: bool) -> None:
    """By a delivery that came for it, or by its having stayed as it was put."""
    place.hooks.flaws = [OFF]
    assert {"order.updated": place.now + 10 * MINUTE} == place.look().unproven
    if came:
        place.hear(place.now + MINUTE)
    with capture_logs() as logged:
        assert {} == place.look().unproven
    (held,) = [each for each in logged if each["event"] == "webhook holds"]
    assert (came, "order.updated") == (held["has_delivered"], held["topic"])


def test_three_times_in_a_day_and_it_is_left(place: Place) -> None:
    """Then nothing is tried any more, a person is called, and the others are mended still."""
    for _ in range(3):
        place.hooks.flaws = [OFF]
        assert place.look().ok
    place.hooks.flaws = [OFF, replace(OFF, topic="order.created")]
    seen = place.look()
    assert ("order.updated",) == seen.left == place.hooks.registered[-1].left
    assert not seen.ok
    assert [OFF] == place.hooks.flaws
    (alarm,) = place.raised()
    assert ("webhook", "shops.wool", OPERATOR) == (alarm.kind, alarm.where, alarm.who)
    assert "order.updated" in alarm.what
    assert "3 times within a day" in alarm.what
    assert "connector webhooks register wool" in alarm.mend
    place.look(minutes=3 * 24 * 60)
    assert 4 == len(place.hooks.registered)
    assert 1 == len(place.raised())


def test_what_was_left_and_a_person_mended_begins_anew(place: Place) -> None:
    """It is put back again when it falls over later."""
    for _ in range(4):
        place.hooks.flaws = [OFF]
        place.look()
    place.hooks.flaws = []
    assert ((), {}) == ((seen := place.look()).left, seen.revived)
    assert [] == place.raised()
    place.hooks.flaws = [OFF]
    assert place.look().ok


def test_three_times_in_more_than_a_day_are_borne(place: Place) -> None:
    """What falls over now and then is put back each time."""
    for _ in range(6):
        place.hooks.flaws = [OFF]
        assert place.look(minutes=9 * 60).ok
    assert 6 == len(place.hooks.registered)


def test_nothing_is_revived_while_we_do_not_answer(place: Place) -> None:
    """The first delivery would fail, and count: so the address is looked at before."""
    place.hooks.flaws = [OFF]
    place.entrance = GONE
    seen = place.look()
    assert not seen.ok
    assert [] == place.hooks.registered
    assert "not mended yet: nobody answers" in seen.findings[0].done
    assert ["Start the proxy."] == [each.mend for each in place.raised()]
    place.entrance = FINE
    assert place.look().ok
    assert 1 == len(place.hooks.registered)
    assert [] == place.raised()


def test_nothing_is_revived_while_the_store_takes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would be delivered could not be kept."""
    place.hooks.flaws = [OFF]

    def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(watching, "write", full)
    with pytest.raises(StoreUnavailable):
        place.look()
    assert [] == place.hooks.registered


@pytest.mark.parametrize(
    ("holds_back", "alarming"),
    [(posts.TEST, 0), (posts.tell_only("wool"), 1)],
    ids=["test", "tell"],
)
def test_where_nothing_may_be_written_it_is_only_told(
    place: Place, holds_back: posts.HoldsBack, alarming: int
) -> None:
    """In mode test, and where the settings say so."""
    place.hooks.flaws = [OFF]
    seen = place.look(holds_back=holds_back)
    assert not seen.ok
    assert [holds_back.why] == [each.done for each in seen.findings]
    assert [] == place.hooks.registered
    assert alarming == len(place.raised())
    assert place.asked_since() is None


def test_what_nobody_set_up_from_here_is_not_set_up(store: Store) -> None:
    """A worker does not write into a shop whose owner set the webhooks up by hand, or will."""
    place = Place(store)
    place.hooks.flaws = [
        replace(OFF, kind=FlawKind.MISSING, topic="coupon.created"),
        replace(OFF, kind=FlawKind.SECRET),
        replace(OFF, kind=FlawKind.ADDRESS),
    ]
    seen = place.look()
    assert ["coupon.created"] == [each.topic for each in seen.findings]
    assert "Run `connector webhooks register wool`." == seen.findings[0].mend
    assert [] == place.hooks.registered
    assert [] == place.raised()
    place.hooks.flaws = [OFF]
    place.look()
    assert [] == place.hooks.registered
    assert 1 == len(place.raised())


def test_a_shop_that_does_not_answer_is_told_and_nothing_else(place: Place) -> None:
    """It is asked again soon; nobody is called for it."""
    place.hooks.trouble = TryLater("the shop answers 502")
    seen = place.look()
    assert not seen.ok
    assert "the shop answers 502" in seen.findings[0].what
    assert [] == place.hooks.registered
    assert [] == place.raised()
    rounds = watch.Rounds(place.store, [place.post])
    looked = place.hooks.looked
    for minute in range(10):
        rounds.walk(now=NOON + minute * MINUTE)
    assert 5 == place.hooks.looked - looked


def test_a_refused_key_is_told_once(place: Place) -> None:
    """The alarm stands, the log says it the first time only."""
    place.hooks.trouble = LaneDown(
        "WooCommerce refuses the key", mend="The shop's owner: a new key"
    )
    with capture_logs() as logged:
        for _ in range(5):
            assert not place.look().ok
    assert 1 == len(logged)
    assert [("the shop's owner", "a new key")] == [(each.who, each.mend) for each in place.raised()]


def test_a_key_that_may_not_write_is_not_tried_all_the_time(place: Place) -> None:
    """Once an hour for the same flaws; who mends it how is said; another flaw is tried at once."""
    place.hooks.flaws = [OFF]
    place.hooks.refusal = LaneDown("the key may only read", mend="The shop's owner: 'Read/Write'")
    with capture_logs() as logged:
        for _ in range(6):
            assert not place.look().ok
    assert 1 == len(place.hooks.registered)
    assert 1 == len(logged)
    assert ["'Read/Write'"] == [each.mend for each in place.raised()]
    place.hooks.flaws.append(replace(OFF, topic="order.created"))
    place.look(minutes=1)
    assert 2 == len(place.hooks.registered)
    place.look(minutes=61)
    assert 3 == len(place.hooks.registered)
    assert {} == place.look().revived
    place.hooks.refusal = None
    assert place.look(minutes=61).ok


def test_a_shop_that_fails_while_it_is_mended_is_tried_again_soon(place: Place) -> None:
    """What was not done does not count as put back."""
    place.hooks.flaws = [OFF]
    place.hooks.refusal = TryLater("the shop answers 500")
    seen = place.look()
    assert ["not mended yet: the shop answers 500"] == [each.done for each in seen.findings]
    assert {} == seen.revived
    assert [] == place.raised()


def test_a_foreign_version_is_told_and_stays(place: Place) -> None:
    """Registering could not mend it."""
    place.hooks.flaws = [replace(OFF, kind=FlawKind.VERSION, what="it comes in 2025-01")]
    seen = place.look()
    assert not seen.ok
    assert "API version" in seen.findings[0].mend
    assert [] == place.hooks.registered


def test_the_version_of_the_newest_deliveries_is_told(store: Store) -> None:
    """Where the platform does not show it, or shows another: by what came in it, once a topic."""

    class Versions(Hooks):
        written_for = "2026-10"

        def version_of(self, delivery: Delivery) -> str | None:
            return delivery.headers.get("version")

    set_up(store)
    place = Place(store, Versions([replace(OFF, kind=FlawKind.VERSION, topic="orders/create")]))
    place.hear(NOON, topic="orders/create")
    place.hear(NOON, topic="orders/paid")
    place.hear(NOON, topic="orders/edited")
    with store.write() as conn:
        conn.execute(
            update(deliveries)
            .where(deliveries.c.topic != "orders/edited")
            .values(flags=["other_api_version"], headers={"version": "2026-07"})
        )
    seen = place.look()
    assert ["orders/create", "orders/paid"] == [each.topic for each in seen.findings]
    assert "version 2026-07 of the API, 2026-10 is expected" in seen.findings[1].what
    assert [] == place.raised()


def test_another_shop_under_the_name_is_left_alone(place: Place) -> None:
    """Its webhooks are another's."""
    with place.store.write() as conn:
        pin = {"identity": "x", "currency": "NOK", "url": "x", "first_order": None}
        halted = {"halted": {"reason": "another shop answers", "mend": "Put it back."}}
        lanes.put(conn, "shop-account:wool", pin | halted, now=NOON)
    place.hooks.flaws = [OFF]
    assert not place.look().ok
    assert (0, []) == (place.hooks.looked, place.hooks.registered)


def test_what_is_watched_no_more_is_forgotten(place: Place) -> None:
    """No alarm of a shop that is configured no more."""
    place.hooks.trouble = LaneDown("refused", mend="The shop's owner: a new key")
    place.look()
    watch.Rounds(place.store, []).walk(now=NOON)
    assert [] == place.raised()


def test_a_clock_that_was_set_back_does_not_stop_the_looking(place: Place) -> None:
    """Not even by years."""
    rounds = watch.Rounds(place.store, [place.post])
    rounds.walk(now=NOON)
    rounds.walk(now=NOON - timedelta(days=700))
    assert 2 == place.hooks.looked


# --- Silence -------------------------------------------------------------------------------------


def test_a_silence_is_an_alarm_and_asks_for_a_reading(place: Place) -> None:
    """Once at its beginning; it ends with the next delivery."""
    last = NOON - 8 * 60 * MINUTE
    place.hear(*(last - each * 20 * MINUTE for each in range(3 * 24 * 28)))
    seen = place.look()
    assert last == seen.silent_since
    assert seen.ok
    (alarm,) = place.raised()
    assert ("silence", "shops.wool") == (alarm.kind, alarm.where)
    assert "2026-11-23T04:00:00Z" in alarm.what
    assert last == place.asked_since()
    with place.store.write() as conn:
        hastened.begun(conn, "wool", now=NOON)
    assert last == place.look().silent_since
    assert place.asked_since() is None
    place.hear(place.now)
    assert place.look().silent_since is None
    assert [] == place.raised()


def test_a_shop_that_was_hardly_heard_is_never_silent(place: Place) -> None:
    """49 deliveries are no rhythm; the fiftieth makes it one."""
    last = NOON - timedelta(days=30)
    place.hear(*(last - each * timedelta(hours=12) for each in range(49)))
    assert place.look().silent_since is None
    place.hear(last - MINUTE, topic="order.created")
    assert last == place.look().silent_since


# --- Real stand-ins ------------------------------------------------------------------------------


@pytest.fixture
def wool() -> Iterator[Wool]:
    """A WooCommerce that sends only when it is told to."""
    with Wool(auto=False) as shop:
        yield shop


def post_of(guest: WooCommerceShop | ShopifyShop, root: str, entrance: Finding = FINE) -> Post:
    """A post that keeps what it registered, as `connector.letterboxes` does."""
    trusted: set[str] = set()
    return Post(
        name=guest.name,
        is_shop=True,
        entrance=lambda: entrance,
        remember=lambda _store, _box, hooks, _now: trusted.update(each.id for each in hooks),
        guest=guest,
        letterbox=lambda _: Letterbox(root=root, secret=lambda topic: topic, trusted=trusted),
    )


def fail(wool: Wool, times: int) -> None:
    """Deliveries that nobody takes."""
    for _ in range(times):
        number = len(wool.sender.sent)
        wool.customers.create({"email": f"kari{number}@example.com"})
        wool.deliver()


@dataclass
class Wired:
    """A WooCommerce whose webhooks were registered from here, and lead nowhere."""

    wool: Wool
    store: Store
    guest: WooCommerceShop
    post: Post

    def down(self) -> set[str]:
        return {each.topic for each in self.guest.list_webhooks() if each.status == "disabled"}


@pytest.fixture
def wired(wool: Wool, tmp_path: Path) -> Iterator[Wired]:
    """With one webhook of somebody else, who paused it."""
    store = Store.open(f"sqlite:///{tmp_path}/connector.db")
    set_up(store)
    guest = WooCommerceShop("wool", wool.base_url, wool.key, wool.secret, "NOK")
    post = post_of(guest, "http://127.0.0.1:9/webhooks/wool")
    box = post.letterbox(store)  # type: ignore[misc]
    post.remember(store, box, guest.register_webhooks(box), NOON)
    foreign = {"topic": "order.created", "delivery_url": "http://127.0.0.1:9/x", "secret": "x" * 9}
    wool.sender.register({**foreign, "status": "paused"}, wool.clock())
    yield Wired(wool, store, guest, post)
    guest.close()
    store.close()


def test_promise_six_at_woocommerce(wired: Wired) -> None:
    """After seven failures in a row the shop is silent; within 15 minutes it is mended."""
    rounds = watch.Rounds(wired.store, [wired.post])
    rounds.walk(now=NOON)
    fail(wired.wool, 7)
    assert "customer.created" in wired.down()
    for minute in range(1, 16):
        rounds.walk(now=NOON + minute * MINUTE)
    assert set() == wired.down()
    hooks = wired.guest.list_webhooks()
    assert ["http://127.0.0.1:9/x"] == [each.address for each in hooks if each.status == "paused"]
    assert 16 == len(hooks)


def test_a_revived_webhook_falls_over_at_its_first_failure(wired: Wired) -> None:
    """The shop kept the count: three times it is put back, then a person is called."""
    fail(wired.wool, 7)
    for number in range(4):
        assert "customer.created" in wired.down()
        seen = watch.look(wired.store, wired.post, now=NOON + number * 10 * MINUTE)
        assert (number < 3) is ("customer.created" not in wired.down())
        fail(wired.wool, 1)
    assert "customer.created" in seen.left
    with wired.store.read() as conn:
        assert ["webhook"] == [each.kind for each in alarms.raised(conn)]


def test_nothing_is_written_to_a_woocommerce_in_mode_test(wired: Wired) -> None:
    """What is down stays down."""
    fail(wired.wool, 7)
    down = wired.down()
    watch.look(wired.store, replace(wired.post, holds_back=posts.TEST), now=NOON)
    assert down == wired.down() != set()


def test_promise_six_at_shopify(tmp_path: Path) -> None:
    """What Shopify deleted is made again within 15 minutes; other versions are told."""
    store = Store.open(f"sqlite:///{tmp_path}/connector.db")
    set_up(store, "yarn")
    with Yarn(auto=False) as yarn:
        guest = ShopifyShop(
            "yarn",
            yarn.domain,
            yarn.base_url,
            access_token=yarn.token,
            currency="NOK",
            timezone="Europe/Oslo",
        )
        post = post_of(guest, "https://hooks.example.org/webhooks/yarn")
        box = post.letterbox(store)  # type: ignore[misc]
        guest.register_webhooks(box)
        elsewhere = yarn.subscriptions.create(
            enum_of("orders/create"), {"uri": "https://other.example.org/x"}, yarn.clock()
        )
        rounds = watch.Rounds(store, [post])
        rounds.walk(now=NOON)
        before = {each.id: each for each in guest.list_webhooks()}
        (victim,) = [
            each
            for each in before.values()
            if each.topic == "orders/create" and each.id != str(elsewhere["id"])
        ]
        yarn.subscriptions.drop(int(victim.id))
        for minute in range(1, 16):
            rounds.walk(now=NOON + minute * MINUTE)
        after = {each.id: each for each in guest.list_webhooks()}
        assert before[str(elsewhere["id"])] == after[str(elsewhere["id"])]
        assert {victim.address} == {after[each].address for each in after.keys() - before.keys()}
        with store.read() as conn:
            assert 1 == len(watching.everything(conn)["yarn"].revived["orders/create"])
        newer = ShopifyShop(
            "yarn",
            yarn.domain,
            yarn.base_url,
            access_token=yarn.token,
            currency="NOK",
            timezone="Europe/Oslo",
            api_version="2026-07",
        )
        flaws = newer.look_at_webhooks(box)
        assert {FlawKind.VERSION} == {each.kind for each in flaws}
        newer.close()
        guest.close()
    store.close()


# --- In the worker -------------------------------------------------------------------------------


def test_a_shop_that_hangs_holds_nothing_up(make_world: Callable[..., World], store: Store) -> None:
    """While one look waits for an answer, the worker says that it lives; it stops when told to."""
    set_up(store)
    world = make_world()
    asked, answer, stop = threading.Event(), threading.Event(), threading.Event()

    class Hanging(Hooks):
        def look_at_webhooks(self, letterbox: Letterbox) -> Sequence[Flaw]:
            asked.set()
            assert answer.wait(10)
            return super().look_at_webhooks(letterbox)

    place = Place(store, Hanging([OFF]))
    clock = iter(NOON + number * timedelta(seconds=1) for number in itertools.count())
    house = House(
        store=store,
        shops={},
        destinations={"newsletter": world.destination},
        rules=world.rules,
        now=lambda: next(clock),
        posts=(place.post,),
    )
    worker = threading.Thread(target=Engine(house).run, args=(stop,))
    worker.start()
    assert asked.wait(10)
    with store.read() as conn:
        before = lanes.last_beat(conn)
    for _ in range(200):
        with store.read() as conn:
            beat = lanes.last_beat(conn)
        if beat != before:
            break
        time.sleep(0.05)
    assert beat != before
    answer.set()
    for _ in range(200):
        with store.read() as conn:
            seen = watching.read(conn, "wool")
        if seen is not None and seen.findings:
            break
        time.sleep(0.05)
    stop.set()
    worker.join(20)
    assert not worker.is_alive()
    assert 1 == len(place.hooks.registered)
