"""Bad input at the door, row by row: what is refused stores nothing, and nothing is a 5xx.

The rows that only a real server can show (13 to 16 on the wire) are in ``test_serve.py`` as well.
"""

from __future__ import annotations

import base64
import hmac
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.load import SECRET

House = Any
Sign = Callable[..., dict[str, str]]
BODY = b'{"id": 7}'


def test_row_1_no_signature(house: House, sign: Sign) -> None:
    """Without a signature: 401."""
    assert house.post(BODY, sign(BODY, signature=None)).status_code == 401
    assert house.arrivals == []


def test_row_2_empty_signature(house: House, sign: Sign) -> None:
    """With an empty signature: 401."""
    assert house.post(BODY, sign(BODY, signature="")).status_code == 401
    assert house.arrivals == []


@pytest.mark.parametrize("spoil", ["?{}", "{} ", " {}", "{}\t", "{}=", "AAAA", "{}{}"])
def test_row_3_no_strict_base64(
    house: House, sign: Sign, seal_of: Callable[..., str], spoil: str
) -> None:
    """Other letters, white space, a wrong length: 401."""
    seal = seal_of(BODY)
    environ = {"HTTP_X_WC_WEBHOOK_SIGNATURE": spoil.format(seal, seal)}
    reply = house.app.test_client().post(
        "/webhooks/wool", data=BODY, headers=sign(BODY, signature=None), environ_overrides=environ
    )
    assert reply.status_code == 401
    assert house.arrivals == []


def test_row_4_hexadecimal(
    house: House, sign: Sign, seal_of: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Hexadecimal in place of base64: 401, and the log says what it is."""
    seal = base64.b64decode(seal_of(BODY)).hex()
    assert house.post(BODY, sign(BODY, signature=seal)).status_code == 401
    assert house.arrivals == []
    told = capsys.readouterr().out
    assert "hexadecimal" in told
    assert seal not in told


@pytest.mark.parametrize("header", ["é", "\xff" * 44, "x" * 10_000])
def test_row_5_not_ascii(house: House, sign: Sign, header: str) -> None:
    """Threat R3: letters that no signature has: 401, not 500."""
    reply = house.app.test_client().post(
        "/webhooks/wool",
        data=BODY,
        headers=sign(BODY, signature=None),
        environ_overrides={"HTTP_X_WC_WEBHOOK_SIGNATURE": header},
    )
    assert reply.status_code == 401
    assert house.arrivals == []


def test_row_6_another_shops_secret(house: House, sign: Sign) -> None:
    """Threat R5: the right seal of another shop: 401, at either door."""
    theirs = sign(BODY, secret=b"another shop's own secret")
    assert house.post(BODY, theirs).status_code == 401
    assert house.post(BODY, sign(BODY), "/webhooks/yarn").status_code == 401
    assert house.arrivals == []
    assert house.post(BODY, theirs, "/webhooks/yarn").status_code == 200
    assert [arrival.shop for arrival in house.arrivals] == ["yarn"]


def test_row_7_old_secret(house: House, sign: Sign) -> None:
    """A secret that is still listed opens; one that no longer is does not."""
    assert house.post(BODY, sign(BODY, secret=b"the secret before this")).status_code == 200
    assert house.post(b"{}", sign(b"{}", secret=b"the one before that")).status_code == 401
    assert [arrival.body for arrival in house.arrivals] == [BODY]


def test_row_8_altered_by_a_proxy(
    house: House, sign: Sign, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON that was re-encoded on the way: 401, with a hint in the log."""
    sent = b'{"note":"caf\\u00e9 \\/"}'
    arrived = json.dumps(json.loads(sent), ensure_ascii=False).encode()
    assert house.post(arrived, sign(sent)).status_code == 401
    assert house.arrivals == []
    told = capsys.readouterr().out
    assert "proxy" in told
    assert "caf" not in told


def test_row_9_two_signatures(house: House, sign: Sign, seal_of: Callable[..., str]) -> None:
    """Two signature headers, even both right: 401."""
    both = f"{seal_of(BODY)},{seal_of(BODY)}"  # how WSGI hands over two of a kind
    assert house.post(BODY, sign(BODY, signature=both)).status_code == 401
    assert house.arrivals == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/webhooks/wool", "/webhooks/wool/order.updated"])
def test_row_10_other_methods(house: House, sign: Sign, method: str, path: str) -> None:
    """Only POST: 405, which says so."""
    reply = house.app.test_client().open(path, method=method, data=BODY, headers=sign(BODY))
    assert reply.status_code == 405
    assert reply.headers["Allow"] == "POST"
    assert house.arrivals == []


@pytest.mark.parametrize("shop", ["nobody", "", "wool2", "wool%00", "../metrics", "\u00e9"])
def test_row_11_unknown_shop(house: House, sign: Sign, shop: str) -> None:
    """An address that no shop has: 404, signed or not, in the same words."""
    replies = [
        house.post(BODY, headers, f"/webhooks/{shop}") for headers in (sign(BODY), {"X": "y"})
    ]
    assert [reply.status_code for reply in replies] == [404, 404]
    assert len({reply.data.split(b"\n")[0] for reply in replies}) == 1
    assert house.arrivals == []


def test_row_12_empty_and_signed(house: House) -> None:
    """An empty body with the right seal is kept, for the worker to put into quarantine."""
    assert house.post(b"").status_code == 200
    [arrival] = house.arrivals
    assert arrival.body == b""


@pytest.mark.parametrize(("size", "status"), [(999, 200), (1000, 200), (1001, 413), (20_000, 413)])
def test_row_13_chunked_over_the_limit(house: House, sign: Sign, size: int, status: int) -> None:
    """A chunked body is never cut to fit: it is whole, or 413."""
    body = b"x" * size
    reply = house.app.test_client().post(
        "/webhooks/wool",
        headers={**sign(body), "Transfer-Encoding": "chunked"},
        input_stream=io.BytesIO(body),
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert reply.status_code == status
    assert [arrival.body for arrival in house.arrivals] == ([body] if status == 200 else [])


@pytest.mark.parametrize(("size", "status"), [(999, 200), (1000, 200), (1001, 413), (20_000, 413)])
def test_row_14_length_over_the_limit(house: House, size: int, status: int) -> None:
    """A body with its length told, over the limit: 413."""
    body = b"x" * size
    assert house.post(body).status_code == status
    assert [arrival.body for arrival in house.arrivals] == ([body] if status == 200 else [])


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "+9", " 9", "9.0", "²"])
def test_row_15_impossible_length(house: House, sign: Sign, length: str) -> None:
    """A length that is no length: 400."""
    reply = house.app.test_client().post(
        "/webhooks/wool",
        headers=sign(BODY),
        input_stream=io.BytesIO(BODY),
        environ_overrides={"CONTENT_LENGTH": length},
    )
    assert reply.status_code == 400
    assert house.arrivals == []


def test_row_16_shorter_than_told(house: House, sign: Sign) -> None:
    """A body that ends before its told length: 400, though its seal is right."""
    reply = house.app.test_client().post(
        "/webhooks/wool",
        headers=sign(BODY),
        input_stream=io.BytesIO(BODY),
        environ_overrides={"CONTENT_LENGTH": str(len(BODY) + 1)},
    )
    assert reply.status_code == 400
    assert house.arrivals == []


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "GZIP"])
def test_row_17_compressed(house: House, sign: Sign, coding: str) -> None:
    """Threat R10: a compressed body: 415, and it is not unpacked."""
    packed = sign(BODY) | {"Content-Encoding": coding}
    assert house.post(BODY, packed).status_code == 415
    assert house.arrivals == []
    assert house.post(BODY, sign(BODY) | {"Content-Encoding": "identity"}).status_code == 200


def test_row_17_compressed_on_the_way(house: House, sign: Sign) -> None:
    """The same by transfer encoding."""
    packed = sign(BODY) | {"Transfer-Encoding": "gzip, chunked"}
    assert house.post(BODY, packed).status_code == 415
    assert house.arrivals == []


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "x"])
def test_row_18_other_content_type(house: House, sign: Sign, kind: str | None) -> None:
    """What a signed body calls itself does not matter."""
    assert house.post(BODY, sign(BODY, type=kind)).status_code == 200
    assert [arrival.body for arrival in house.arrivals] == [BODY]


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"],
)
@pytest.mark.parametrize("path", ["/webhooks/wool", "/webhooks/wool/order.updated"])
def test_row_19_ping(house: House, kind: str, path: str) -> None:
    """WooCommerce's ping gets exactly 200 and leaves nothing behind."""
    assert house.post(b"webhook_id=12", {"Content-Type": kind}, path).status_code == 200
    assert house.arrivals == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"webhook_id=12&x=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"webhook_id=12\n", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"webhook_id=", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"webhook_id=12345678901", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"webhook_id=12", {"Content-Type": "application/json"}),
        (b"webhook_id=12", {}),
        (
            b"webhook_id=12",
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-WC-Webhook-Signature": "AAAA",
            },
        ),
    ],
)
def test_row_19_what_is_no_ping(house: House, body: bytes, headers: dict[str, str]) -> None:
    """Threat R15: other forms, other types, and a ping with a wrong seal: 401."""
    assert house.post(body, headers).status_code == 401
    assert house.arrivals == []


def test_a_signed_form_like_a_ping_is_a_delivery(house: House, sign: Sign) -> None:
    """The seal decides, not the looks."""
    body = b"webhook_id=12"
    seal = base64.b64encode(hmac.digest(SECRET, body, "sha256")).decode()
    form = sign(body, signature=seal, type="application/x-www-form-urlencoded")
    assert house.post(body, form).status_code == 200
    assert [arrival.body for arrival in house.arrivals] == [body]
