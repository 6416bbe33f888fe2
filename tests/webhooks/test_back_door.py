"""Where destinations tell what people said there: by a secret in the address, and a seal."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from werkzeug.test import TestResponse

from adapters.mailchimp.seal import DOOR
from connector.errors import ConfigurationFault
from connector.model import Arrival
from webhooks.app import create_app
from webhooks.back_door import BackEntrance
from webhooks.health import Health
from webhooks.status import Counters

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TOKEN = "q7-token-of-the-audience"
SECRET = b"the audience's signing secret"
FORM = b"type=unsubscribe&data%5Bemail%5D=kari%40shop.example"
PATH = f"/webhooks/newsletter/{TOKEN}"


class House:
    """The application with a list in the place of a store."""

    def __init__(self, secrets: tuple[bytes, ...] = ()) -> None:
        self.arrivals: list[Arrival] = []
        entrance = BackEntrance(
            destination="newsletter", door=DOOR, token=TOKEN.encode(), secrets=secrets
        )
        self.counters = Counters()
        self.app = create_app(
            thresholds={},
            back_entrances={"newsletter": entrance},
            accept=self.arrivals.append,
            health=lambda: Health(ok=True, store="writable", worker="alive"),
            metrics=lambda: b"",
            clock=lambda: NOW,
            counters=self.counters,
            limit=1000,
        )

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """One request."""
        client = self.app.test_client()
        return client.open(path, method=method, data=body, headers=dict(headers or {}))


@pytest.fixture
def house() -> House:
    """A destination that has a token and no signing secret."""
    return House()


def seal(body: bytes, *, secret: bytes = SECRET, at: datetime = NOW) -> dict[str, str]:
    """The header of a sealed body."""
    moment = f"{int(at.timestamp())}"
    told = hmac.digest(secret, f"{moment}.".encode() + body, "sha256").hex()
    return {DOOR.seal_header: f"t={moment},v1={told}"}


def test_row_10_mailchimp_looks_with_a_get(house: House) -> None:
    """A GET at the destination's address is answered 200 and empty, and nothing is kept."""
    reply = house.ask("GET", PATH)
    assert (200, b"") == (reply.status_code, reply.data)
    assert [] == house.arrivals


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/newsletter",
        "/webhooks/newsletter/",
        f"/webhooks/newsletter/{TOKEN}x",
        f"/webhooks/newsletter/{TOKEN[:-1]}",
        "/webhooks/newsletter/\u00e9",
        "/webhooks/newsletter/%ff",
        f"/webhooks/other/{TOKEN}",
    ],
)
def test_a_wrong_token_is_as_an_unknown_name(house: House, path: str) -> None:
    """Threat R14: nobody learns which destinations there are; nothing is stored."""
    replies = [house.ask("POST", path, FORM), house.ask("POST", "/webhooks/nobody/x", FORM)]
    assert [404, 404] == [reply.status_code for reply in replies]
    assert 1 == len({reply.data.split(b"\n")[0] for reply in replies})
    looks = [house.ask("GET", path), house.ask("GET", "/webhooks/nobody/x")]
    assert [405, 405] == [reply.status_code for reply in looks]
    assert [] == house.arrivals


@pytest.mark.parametrize("method", ["PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"])
def test_row_10_other_methods_at_a_destination(house: House, method: str) -> None:
    """Only GET and POST."""
    assert 405 == house.ask(method, PATH, FORM).status_code
    assert [] == house.arrivals


def test_what_is_told_is_stored_before_it_is_answered(house: House) -> None:
    """Word for word, under the destination's name; the same again is the same delivery."""
    assert 200 == house.ask("POST", PATH, FORM).status_code
    assert 200 == house.ask("POST", PATH, FORM).status_code
    assert 200 == house.ask("POST", PATH, FORM + b"&x=1").status_code
    told = [(arrival.shop, arrival.topic, arrival.body) for arrival in house.arrivals]
    assert [("newsletter", "webhook", FORM)] * 2 == told[:2]
    keys = [arrival.key for arrival in house.arrivals]
    assert keys[0] == keys[1] != keys[2]
    assert not any(TOKEN in repr(arrival) for arrival in house.arrivals)


def test_what_is_sealed_must_be_sealed_rightly() -> None:
    """With a signing secret the token alone does not do; an old secret does while it is named."""
    house = House((SECRET, b"the secret before this one"))
    wrong = [
        {},
        seal(FORM + b"&"),
        seal(FORM, secret=b"another secret altogether"),
        seal(FORM, at=datetime(2026, 11, 23, 9, 54, 59, tzinfo=UTC)),
        {DOOR.seal_header: ""},
    ]
    assert [401] * len(wrong) == [
        house.ask("POST", PATH, FORM, headers).status_code for headers in wrong
    ]
    assert [] == house.arrivals
    right = [seal(FORM), seal(FORM, secret=b"the secret before this one")]
    assert [200, 200] == [house.ask("POST", PATH, FORM, one).status_code for one in right]
    assert 2 == len(house.arrivals)
    assert 200 == house.ask("GET", PATH).status_code


def test_its_bodies_have_a_limit_too(house: House) -> None:
    """Neither too large nor compressed."""
    assert 413 == house.ask("POST", PATH, b"x" * 1001).status_code
    packed = house.ask("POST", PATH, FORM, {"Content-Encoding": "gzip"})
    assert 415 == packed.status_code
    assert [] == house.arrivals


def test_an_empty_token_opens_nothing() -> None:
    """It is refused before anything starts."""
    with pytest.raises(ConfigurationFault, match="without a webhook token"):
        BackEntrance(destination="newsletter", door=DOOR, token=b"")


def test_the_token_is_in_no_log(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither when it is right nor when it is nearly so (ASVS 14.2.1)."""
    for path in (PATH, f"{PATH}x"):
        house.ask("POST", path, FORM)
        house.ask("GET", path)
    told = capsys.readouterr()
    assert TOKEN not in told.out + told.err
