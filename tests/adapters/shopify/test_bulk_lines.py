"""Lines of a bulk operation's file, joined: what stands where, what breaks off, what is no line."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.line import HiccupError
from adapters.shopify.asking import recall
from adapters.shopify.bulk_lines import (
    LONGEST_LINE,
    BadLine,
    ScatteredError,
    Thing,
    in_groups,
    lines_of,
    read_line,
)
from adapters.shopify.bulk_spill import LostLineError, from_disk
from adapters.shopify.bulk_things import joined
from adapters.shopify.client import FileGoneError, Keys, ShopifyClient
from adapters.shopify.parse import Place
from connector.errors import LaneDown, TryLater
from connector.model import Kind, Product, Quarantined, Understood

Node = dict[str, Any]


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def line(kind: str, number: int, parent: str | None = None, **more: Any) -> bytes:
    node: Node = {"id": gid(kind, number), **more}
    return json.dumps(node | ({"__parentId": parent} if parent else {})).encode()


def placed(*lines: bytes) -> list[tuple[int, bytes]]:
    """Lines with the byte where each begins."""
    found, place = [], 0
    for each in lines:
        found.append((place, each))
        place += len(each) + 1
    return found


def shape(found: Any) -> list[tuple[str, list[str]]]:
    """The things with the last word of their children's names."""
    return [
        (each.gid, sorted(child["id"] for child in each.children))
        for each in found
        if isinstance(each, Thing)
    ]


ORDERS = [
    line("Order", 1, name="#1"),
    line("LineItem", 11, gid("Order", 1)),
    line("LineItem", 12, gid("Order", 1)),
    line("Order", 2, name="#2"),
    line("Order", 3, name="#3"),
    line("LineItem", 31, gid("Order", 3)),
]
JOINED = [
    (gid("Order", 1), [gid("LineItem", 11), gid("LineItem", 12)]),
    (gid("Order", 2), []),
    (gid("Order", 3), [gid("LineItem", 31)]),
]


def test_in_groups() -> None:
    """Each thing with what stands under it, and where it begins."""
    found = list(in_groups(placed(*ORDERS, b"", b" "), "Order"))
    assert JOINED == shape(found)
    starts = {place for place, text in placed(*ORDERS) if b"LineItem" not in text}
    assert starts == {each.start for each in found}


def test_children_of_children() -> None:
    """A picture stands under its variant, which stands under its product."""
    lines = placed(
        line("Product", 1),
        line("ProductVariant", 11, gid("Product", 1)),
        line("MediaImage", 111, gid("ProductVariant", 11)),
        line("ProductVariant", 12, gid("Product", 1)),
    )
    names = [gid("MediaImage", 111), gid("ProductVariant", 11), gid("ProductVariant", 12)]
    assert [(gid("Product", 1), names)] == shape(in_groups(lines, "Product"))
    assert [(gid("Product", 1), names)] == shape(from_disk(lines, "Product", skip=0))


@pytest.mark.parametrize("seed", range(20))
def test_joined_on_disk_in_any_order(seed: int) -> None:
    """Wherever children stand, before their parent too, each gets to it, by their numbers."""
    shuffled = ORDERS.copy()
    random.Random(seed).shuffle(shuffled)
    found = list(from_disk(placed(*shuffled), "Order", skip=0))
    assert sorted(JOINED) == sorted(shape(found))
    order = [json.loads(text)["id"] for text in shuffled if b"LineItem" not in text]
    assert order == [each.gid for each in found if isinstance(each, Thing)]
    children = [
        [child["id"] for child in each.children] for each in found if isinstance(each, Thing)
    ]
    assert all(sorted(each) == each for each in children)


def test_skips_what_was_given() -> None:
    """After a break, the first things are passed over, and no child is lost with them."""
    assert JOINED[2:] == shape(from_disk(placed(*ORDERS), "Order", skip=2))


def test_a_child_elsewhere_is_seen() -> None:
    """A promise that is not kept is seen at the first child."""
    scattered = [ORDERS[0], ORDERS[3], ORDERS[1]]
    with pytest.raises(ScatteredError):
        list(in_groups(placed(*scattered), "Order"))


def test_a_parent_that_cannot_be_read_adopts() -> None:
    """After a line that names nothing, children of an unknown parent show which one it was."""
    found = list(in_groups(placed(b"\xff", *ORDERS[1:]), "Order"))
    assert [BadLine(0, b"\xff")] == [each for each in found if isinstance(each, BadLine)]
    assert JOINED == shape(found)
    assert [True, False, False] == [each.doubtful for each in found if isinstance(each, Thing)]


def test_a_parent_that_is_nowhere() -> None:
    """Children whose parent is not in the file show that it is there: it is asked for."""
    found = list(from_disk(placed(*ORDERS[1:]), "Order", skip=0))
    lost = [each for each in found if isinstance(each, Thing) and each.doubtful]
    assert [(gid("Order", 1), None)] == [(each.gid, each.root) for each in lost]


def test_a_line_that_names_nothing_on_disk() -> None:
    """Without any order in the file it could belong to anything: told, and the file given up."""
    reading = from_disk(placed(ORDERS[0], b"{"), "Order", skip=0)
    assert BadLine(len(ORDERS[0]) + 1, b"{") == next(reading)
    with pytest.raises(LostLineError):
        next(reading)


@pytest.mark.parametrize(
    "text",
    [b"[]", b"7", b'"a"', b"{", b"{}x", b"\xff", b'{"a":"\xff"}', b'{"a":"\\ud800"}', b"null"],
)
def test_no_line(text: bytes) -> None:
    """What is no object in UTF-8 is no line."""
    assert read_line(text) is None


def test_deeper_than_anything() -> None:
    """A thousand levels are no line either, and do no harm."""
    assert read_line(b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}") is None


def test_numbers_stay_exact() -> None:
    """No amount becomes a float on the way."""
    found = read_line(b'{"a":0.10,"b":9007199254740993}')
    assert found is not None
    assert ("0.10", 9007199254740993) == (str(found["a"]), found["b"])


def test_memory_stays_small() -> None:
    """A file of any length is read with one thing in memory, or joined with a bounded cache."""
    many = 8_000

    def lines() -> Iterator[tuple[int, bytes]]:
        for place in range(many):
            yield place * 2000, line("Order", place + 1, note="x" * 1000)
            yield place * 2000 + 1200, line("LineItem", place + 1, gid("Order", place + 1))

    for way in (lambda: in_groups(lines(), "Order"), lambda: from_disk(lines(), "Order", skip=0)):
        tracemalloc.start()
        found = sum(len(each.children) for each in way() if isinstance(each, Thing))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert many == found
        assert peak < 4 * 1024 * 1024


# --- The stream -------------------------------------------------------------------------------


WHOLE = b"\n".join(ORDERS) + b"\n"


def streaming(*breaks: int, size: int = 7) -> Callable[[int], Iterator[bytes]]:
    """A file in pieces of ``size``, whose downloads break off after so many bytes in turn."""
    left = list(breaks)

    def fetch(after: int) -> Iterator[bytes]:
        most = left.pop(0) if left else len(WHOLE)
        part = WHOLE[after : after + most]
        for place in range(0, len(part), size):
            yield part[place : place + size]
        if after + most < len(WHOLE):
            raise HiccupError("it broke off")

    return fetch


@pytest.mark.parametrize("piece", [1, 7, 100_000])
@pytest.mark.parametrize("breaks", [(), (1,), (60, 1, 1), (5,) * 9])
def test_lines_of_a_torn_stream(piece: int, breaks: tuple[int, ...]) -> None:
    """Whatever the pieces and breaks, each line is given once with the byte where it begins."""
    slept: list[float] = []
    found = list(
        lines_of(streaming(*breaks, size=piece), after=0, size=len(WHOLE), rest=slept.append)
    )
    assert placed(*ORDERS) == found
    assert len(breaks) == len(slept)


def test_the_last_line_without_its_end() -> None:
    """A file may end without a line break."""
    found = lines_of(lambda after: iter([WHOLE[after:-1]]), after=0, size=None, rest=print)
    assert placed(*ORDERS) == list(found)


def test_begins_anywhere() -> None:
    """From the byte where a thing begins."""
    start, _ = placed(*ORDERS)[3]
    assert placed(*ORDERS)[3:] == list(
        lines_of(streaming(), after=start, size=len(WHOLE), rest=print)
    )


def test_shorter_than_said() -> None:
    """A file that ends early without a word is not taken for whole."""
    reading = lines_of(lambda _: iter([WHOLE[:-40]]), after=0, size=len(WHOLE), rest=print)
    with pytest.raises(TryLater, match="shorter"):
        list(reading)


def test_a_line_without_an_end() -> None:
    """A line that is larger than anything is not waited for."""
    endless = (b"x" * 1_000_000 for _ in range(1000))
    with pytest.raises(TryLater, match="without an end"):
        list(lines_of(lambda _: endless, after=0, size=None, rest=print))
    assert LONGEST_LINE // 1_000_000 + 1 == 1000 - sum(1 for _ in endless)


# --- Where it is fetched from -------------------------------------------------------------------


def client(
    handle: Callable[[httpx.Request], httpx.Response], base: str = "https://y.myshopify.com"
) -> ShopifyClient:
    return ShopifyClient(
        "yarn",
        base,
        Keys(access_token="shpat_x"),
        api_version="2026-10",
        transport=httpx.MockTransport(handle),
    )


@pytest.mark.parametrize(
    "address",
    [
        *("http://storage.example/f", "ftp://storage.example/f", "https://127.0.0.1/f", "/f", ""),
        *("https://localhost/f", "http://127.0.0.1:80/f", "https://10.0.0.1/f", "https://[::1]/f"),
        *("https://169.254.169.254/latest", "https:///f", "https://a\0b/"),
    ],
)
def test_only_public_and_over_https(address: str) -> None:
    """A file's address that leads anywhere else is not called."""
    called: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(200)

    with pytest.raises(LaneDown, match="public https"):
        list(client(handle).fetch_file(address, after=0))
    assert [] == called


def test_a_shop_on_this_machine_stays_here() -> None:
    """The stand-in's files are here; it leads nowhere else."""
    called: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        called.append(str(request.url))
        return httpx.Response(200, content=b"a")

    here = client(handle, "http://127.0.0.1:9")
    assert [b"a"] == list(here.fetch_file("http://127.0.0.1:9/f", after=0))
    with pytest.raises(LaneDown):
        list(here.fetch_file("https://storage.example/f", after=0))
    assert ["http://127.0.0.1:9/f"] == called


def test_fetched_without_our_token() -> None:
    """The link is all that the file's host is shown."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(206, content=b"cde")

    assert [b"cde"] == list(client(handle).fetch_file("https://storage.example/f", after=2))
    (request,) = asked
    assert "bytes=2-" == request.headers["Range"]
    assert "shpat_x" not in str(request.headers)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_link_that_has_run_out(status: int) -> None:
    """However its host says so, the file is gone."""
    with pytest.raises(FileGoneError):
        list(
            client(lambda _: httpx.Response(status)).fetch_file(
                "https://storage.example/f", after=0
            )
        )


@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_a_host_in_trouble(status: int) -> None:
    """Anything else is tried again; a redirect is not followed."""
    answer = httpx.Response(status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(HiccupError, match=str(status)):
        list(client(lambda _: answer).fetch_file("https://storage.example/f", after=0))


@pytest.mark.parametrize("after", [0, 1, 4, 5, 9])
def test_a_host_that_begins_at_the_beginning(after: int) -> None:
    """What was read already is passed over."""
    answer = httpx.Response(200, stream=_Pieces([b"ab", b"cde", b"f"]))
    found = client(lambda _: answer).fetch_file("https://storage.example/f", after=after)
    assert b"abcdef"[after:] == b"".join(found)


class _Pieces(httpx.SyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


# --- Files as others recorded them ---------------------------------------------------------------

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PLACE = Place(domain="y", api_version="2026-10", currency="USD", storefront="https://y.example")
RECORDED = [
    ("index-bulk-orders.jsonl", "Order", [("gid://shopify/Order/1", 1)]),
    (
        "index-bulk-mixed-interleaved.jsonl",
        "Product",
        [
            ("gid://shopify/Product/1", 2),
            ("gid://shopify/Product/2", 0),
            ("gid://shopify/Order/3", 1),
        ],
    ),
    (
        "index-bulk-typename-grandchild.jsonl",
        "Order",
        [("gid://shopify/Order/1234567890", 2)],
    ),
]


def recorded(corpus: Path, name: str) -> list[tuple[int, bytes]]:
    whole = (corpus / "fixtures" / "shopify" / name).read_bytes()
    pieces = lines_of(lambda after: iter([whole[after:]]), after=0, size=len(whole), rest=print)
    return list(pieces)


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "kind", "expected"), RECORDED)
def test_recorded_files(
    corpus: Path, name: str, kind: str, expected: list[tuple[str, int]]
) -> None:
    """Every line of a recorded file gets to its thing."""
    lines = recorded(corpus, name)
    found = list(in_groups(lines, kind))
    assert expected == [(each.gid, len(each.children)) for each in found if isinstance(each, Thing)]
    written = [text for _, text in lines if text.strip()]
    assert len(written) == sum(1 + count for _, count in expected)


@pytest.mark.corpus
def test_every_recorded_file_is_read(corpus: Path) -> None:
    """None is left out of the table."""
    files = {path.name for path in (corpus / "fixtures" / "shopify").glob("*bulk*.jsonl")}
    assert files == {name for name, *_ in RECORDED}


@pytest.mark.corpus
def test_recorded_things_are_understood(corpus: Path) -> None:
    """Products of a file are facts; orders without currency and total are kept as they came."""
    told: dict[str, Any] = {}
    for name, kind, *_ in RECORDED:
        for each in in_groups(recorded(corpus, name), kind):
            assert isinstance(each, Thing)
            which = Kind.PRODUCT if "/Product/" in each.gid else Kind.ORDER
            whole = joined(which, each)
            assert whole is not None
            told[each.gid.partition("shopify/")[2]] = recall(whole, which, "y", NOW, PLACE)
    reasons = {
        key: each.reason if isinstance(each, Quarantined) else "understood"
        for key, each in told.items()
    }
    assert {
        "Order/1": "currency",
        "Product/1": "understood",
        "Product/2": "understood",
        "Order/3": "currency",
        "Order/1234567890": "currency",
    } == reasons
    product = told["Product/1"]
    assert isinstance(product, Understood)
    (fact,) = product.facts
    assert isinstance(fact, Product)
    assert ["11", "12"] == [variant.id for variant in fact.variants]
