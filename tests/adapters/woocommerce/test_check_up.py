"""The examination of a shop: what each finding says, and that nothing is changed by it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from adapters.woocommerce.check_up import reach
from adapters.woocommerce.client import WooCommerceClient
from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.shop import WooCommerceShop
from connector.ports import OPERATOR, OWNER, Finding, Grade, Letterbox

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROOT = "http://127.0.0.1:9/webhooks/wool"  # not a port that a shop calls: no ping goes out


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop that sends only when it is told to."""
    with Sandbox(auto=False, stock_ports=True) as sandbox:
        yield sandbox


def open_shop(sandbox: Sandbox, key: str | None = None) -> WooCommerceShop:
    return WooCommerceShop("wool", sandbox.base_url, key or sandbox.key, sandbox.secret, "NOK")


def grave(findings: Sequence[Finding]) -> list[Finding]:
    return [each for each in findings if each.grade in (Grade.WARNING, Grade.ALARM)]


def letterbox(*trusted: str) -> Letterbox:
    return Letterbox(root=ROOT, secret=lambda topic: topic, trusted=trusted)


def test_a_right_shop_is_fine_and_unchanged(sandbox: Sandbox) -> None:
    """Every step is told as fine; no webhook was made by trying whether one could be."""
    shop = open_shop(sandbox)
    findings = shop.check_up(now=datetime.now(UTC))
    shop.close()
    assert {Grade.FINE} == {each.grade for each in findings}
    assert 6 == len(findings)
    assert [] == sandbox.books.rows("webhooks")


def test_a_key_that_only_reads_is_enough(sandbox: Sandbox) -> None:
    """It is a note, not a warning: only registering needs more."""
    shop = open_shop(sandbox, sandbox.read_key)
    findings = shop.check_up(now=datetime.now(UTC))
    shop.close()
    assert [] == grave(findings)
    note = findings[-1]
    assert (Grade.NOTE, OWNER) == (note.grade, note.who)
    assert "only read" in note.what


def test_a_wrong_key_ends_the_examination(sandbox: Sandbox) -> None:
    """One alarm, with the owner who mends it; the key is not in it."""
    shop = open_shop(sandbox, "ck_wrong_wrong")
    findings = shop.check_up(now=datetime.now(UTC))
    shop.close()
    (alarm,) = grave(findings)
    assert (Grade.ALARM, OWNER) == (alarm.grade, alarm.who)
    assert "check the consumer key" in alarm.mend
    assert "ck_wrong" not in repr(findings)


def test_a_shop_that_is_not_there_is_one_finding() -> None:
    """No more is asked when nobody answers; an untrusted certificate is named (O4)."""
    shop = WooCommerceShop(
        "wool",
        "https://wool.example",
        "ck",
        "cs",
        "NOK",
        transport=httpx.MockTransport(_untrusted),
    )
    shop._client._retrying.sleep = lambda _: None
    (only,) = shop.check_up(now=NOW)
    assert "certificate is not to be trusted" in only.cause
    assert OPERATOR == only.who


def _untrusted(_: httpx.Request) -> httpx.Response:
    problem = ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    problem.verify_message = "self-signed certificate"
    raise httpx.ConnectError("no answer") from problem


@pytest.mark.parametrize(
    ("off", "grade"),
    [
        (timedelta(minutes=4), Grade.FINE),
        (timedelta(minutes=6), Grade.WARNING),
        (timedelta(minutes=-6), Grade.WARNING),
        (timedelta(days=1, minutes=5), Grade.ALARM),
        (timedelta(days=-2), Grade.ALARM),
    ],
)
def test_row_100_the_shops_clock_is_compared(
    sandbox: Sandbox, off: timedelta, grade: Grade
) -> None:
    """Five minutes are a warning, a day is an alarm, either way."""
    shop = open_shop(sandbox)
    findings = shop.check_up(now=datetime.now(UTC) + off)
    shop.close()
    (clock,) = [each for each in findings if "clock" in each.what]
    assert grade == clock.grade


def test_an_answer_without_a_date_says_nothing_of_clocks() -> None:
    """What is unknown is not made up."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"code": "NOK"}))
    client = WooCommerceClient("https://wool.example", "ck", "cs", transport=transport)
    client.clock()
    assert client.told_at is None


@pytest.mark.parametrize("things", ["orders", "customers", "products"])
def test_what_may_not_be_read_is_named(things: str) -> None:
    """A key of a user without rights on one of the three."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(things):
            body = {"code": "woocommerce_rest_cannot_view", "data": {"status": 403}}
            return httpx.Response(403, json=body)
        return httpx.Response(200, json=[] if request.url.query else {"code": "NOK"})

    shop = WooCommerceShop(
        "wool", "https://wool.example", "ck", "cs", "NOK", transport=httpx.MockTransport(answer)
    )
    (alarm,) = [each for each in grave(shop.check_up(now=NOW)) if "read" in each.what]
    assert things in alarm.what
    assert Grade.ALARM == alarm.grade


def test_missing_switched_off_and_foreign_webhooks(sandbox: Sandbox) -> None:
    """Each fault is one finding that names the topics; a foreign webhook is none of ours."""
    made = {}
    for topic, given in (
        ("order.created", {"status": "disabled"}),
        ("order.updated", {}),
        ("order.deleted", {"delivery_url": f"{ROOT}/order.created"}),
        ("customer.created", {"delivery_url": ROOT}),
        ("product.created", {"delivery_url": "http://127.0.0.2:9/x"}),
    ):
        wanted = {"topic": topic, "delivery_url": f"{ROOT}/{topic}", "secret": topic, **given}
        made[topic] = str(sandbox.sender.register(wanted, sandbox.clock())["id"])
    shop = open_shop(sandbox)
    findings = shop.check_webhooks(letterbox(made["order.created"]))
    shop.close()
    told = {each.what.split(" for ")[0]: each for each in findings if " for " in each.what}
    assert "product.created" in told["no webhook"].what
    assert 11 == told["no webhook"].what.count(".")
    assert told["the webhook is switched off"].what.endswith("for order.created")
    assert told["the address names another topic"].what.endswith("for order.deleted")
    assert told["the address names no topic"].what.endswith("for customer.created")
    assert Grade.NOTE == told["the address names no topic"].grade
    secret = told["nobody here set the secret of the webhook"]
    assert secret.what.endswith("for order.updated")
    assert Grade.WARNING == secret.grade


def test_all_right_is_one_line(sandbox: Sandbox) -> None:
    """After registering, with the ids known."""
    shop = open_shop(sandbox)
    done = shop.register_webhooks(letterbox())
    findings = shop.check_webhooks(letterbox(*(each.id for each in done)))
    shop.close()
    assert ["15 webhooks, all right"] == [each.what for each in findings if "webhook" in each.what]


PUBLIC, PRIVATE = ("93.184.215.14",), ("10.0.0.7",)


@pytest.mark.parametrize(
    ("address", "found", "words"),
    [
        ("https://hooks.example.org/w", PUBLIC, []),
        ("https://hooks.example.org:8080/w", PUBLIC, []),
        ("https://hooks.example.org:8443/w", PUBLIC, ["does not call port 8443"]),
        ("https://hooks.example.org/w", PRIVATE, ["no public address"]),
        ("https://hooks.example.org/w", ("169.254.169.254",), ["no public address"]),
        ("https://hooks.example.org/w", ("127.0.0.1",), ["no public address"]),
        ("https://hooks.example.org/w", (), ["leads to no IPv4 address"]),
        ("https://hooks.example.org:5000/w", PRIVATE, ["port 5000", "no public address"]),
        ("https://wool.example:8443/w", PRIVATE, []),
        ("https://wool.example/w", PRIVATE, []),
        ("https://wool.example:5000/w", PUBLIC, ["port 5000"]),
    ],
)
def test_what_wordpress_calls(address: str, found: Sequence[str], words: list[str]) -> None:
    """Ports 80, 443 and 8080 of public addresses; its own host and port excepted."""
    told = [each.what for each in reach(address, "https://wool.example:8443", lambda _: found)]
    assert len(words) == len(told)
    assert all(word in what for word, what in zip(words, told, strict=True))


def test_a_name_that_is_not_found_is_an_alarm() -> None:
    """The resolver's error is a finding, not a crash."""

    def unknown(_: str) -> Sequence[str]:
        raise OSError("no such name")

    (only,) = reach("https://hooks.example.org/w", "https://wool.example", unknown)
    assert Grade.ALARM == only.grade


def test_two_programs_on_one_machine_are_a_rehearsal() -> None:
    """A stand-in calls any port: that a stock WordPress would not is a note."""
    (only,) = reach(
        "http://127.0.0.1:5001/w", "http://127.0.0.1:5000", lambda _: pytest.fail("resolved")
    )
    assert Grade.NOTE == only.grade
