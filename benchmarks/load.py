"""A shop in a hurry: posts signed orders over many connections and notes every answer."""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import select
import time
from collections.abc import Iterable, Iterator

from benchmarks.line import Line

SECRET = b"a benchmark's own secret"
SHOP = "wool"
TOPIC = "order.updated"


def order(number: int, *, lines: int = 12) -> dict[str, object]:
    """An order of about 7 KB in the shape of WooCommerce's REST API."""
    address = {
        "first_name": "Aino",
        "last_name": f"Kunde {number}",
        "company": "",
        "address_1": "Storgata 1",
        "address_2": "",
        "city": "Oslo",
        "state": "",
        "postcode": "0155",
        "country": "NO",
    }
    return {
        "id": number,
        "parent_id": 0,
        "status": "processing",
        "currency": "NOK",
        "version": "11.0.1",
        "prices_include_tax": True,
        "date_created_gmt": "2026-11-20T10:00:00",
        "date_modified_gmt": "2026-11-20T10:05:00",
        "discount_total": "0.00",
        "shipping_total": "49.00",
        "total": "1248.00",
        "total_tax": "249.60",
        "customer_id": number,
        "number": str(number),
        "billing": {**address, "email": f"kunde{number}@shop.example", "phone": "+4722000000"},
        "shipping": address,
        "payment_method": "card",
        "payment_method_title": "Card",
        "customer_note": "",
        "date_paid_gmt": "2026-11-20T10:01:00",
        "meta_data": [
            {"id": index, "key": f"_attribution_{index}", "value": "organic search, first visit"}
            for index in range(10)
        ],
        "line_items": [
            {
                "id": number * 100 + index,
                "name": f"Merino yarn, 50 g, colour {index}",
                "product_id": 100 + index,
                "variation_id": 1000 + index,
                "quantity": 1,
                "tax_class": "",
                "subtotal": "99.92",
                "subtotal_tax": "24.98",
                "total": "99.92",
                "total_tax": "24.98",
                "taxes": [{"id": 1, "total": "24.98", "subtotal": "24.98"}],
                "meta_data": [
                    {"id": index, "key": "pa_colour", "value": "moss", "display_key": "Colour"},
                ],
                "sku": f"YARN-{index:03}",
                "price": 99.92,
                "image": {"id": index, "src": f"https://shop.example/img/yarn-{index:03}.jpg"},
            }
            for index in range(lines)
        ],
        "tax_lines": [{"id": 1, "rate_code": "NO-MVA-1", "label": "MVA", "rate_percent": 25}],
        "shipping_lines": [{"id": 1, "method_title": "Posten", "total": "39.20"}],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
    }


def request(body: bytes, number: int, *, secret: bytes = SECRET, topic: str = TOPIC) -> bytes:
    """A whole signed request, head and body."""
    seal = base64.b64encode(hmac.digest(secret, body, "sha256")).decode()
    head = (
        f"POST /webhooks/{SHOP} HTTP/1.1\r\n"
        "Host: localhost\r\n"
        "User-Agent: WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)\r\n"
        "Content-Type: application/json\r\n"
        f"X-WC-Webhook-Source: https://{SHOP}.example/\r\n"
        f"X-WC-Webhook-Topic: {topic}\r\n"
        f"X-WC-Webhook-Signature: {seal}\r\n"
        "X-WC-Webhook-ID: 12\r\n"
        f"X-WC-Webhook-Delivery-ID: {number:032x}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def requests(first: int, count: int) -> list[bytes]:
    """Requests with different orders, made beforehand so that the clock does not count it."""
    pattern = json.dumps(order(987654321), separators=(",", ":")).encode()
    return [
        request(pattern.replace(b"987654321", b"%d" % number), number)
        for number in range(first, first + count)
    ]


def flood(port: int, wares: list[bytes], *, connections: int, seconds: float) -> tuple[int, float]:
    """As many requests as will go, one after another on each connection: answers and seconds."""
    lines = {line.socket.fileno(): line for line in _lines(port, connections)}
    poll = _poll(lines)
    queue = iter(wares)
    began = time.monotonic()
    for line in lines.values():
        line.socket.sendall(next(queue))
    done = 0
    end = began + seconds
    while time.monotonic() < end:
        for number, _ in poll.poll():
            line = lines[number]
            if line.is_answered():
                done += 1
                line.socket.sendall(_next(queue, wares))
    return done, time.monotonic() - began


def _next(queue: Iterator[bytes], wares: list[bytes]) -> bytes:
    found = next(queue, None)
    if found is None:
        raise SystemExit(f"the {len(wares)} prepared requests were not enough")
    return found


def pace(port: int, wares: list[bytes], *, connections: int, rate: float) -> list[float]:
    """The requests at a fixed rate; each one's seconds from when it was due to its answer."""
    idle = _lines(port, connections)
    busy: dict[int, Line] = {}
    poll = _poll(line.socket.fileno() for line in idle)
    began = time.monotonic() + 0.05
    due = [(began + index / rate, ware) for index, ware in enumerate(wares)]
    due.reverse()
    taken: list[float] = []
    while due or busy:
        now = time.monotonic()
        while due and idle and due[-1][0] <= now:
            moment, ware = due.pop()
            line = idle.pop()
            line.send(ware, since=moment)
            busy[line.socket.fileno()] = line
        wait = due[-1][0] - now if due and idle else 1.0
        for number, _ in poll.poll(max(0.0, min(wait, 1.0))):
            line = busy[number]
            if line.is_answered():
                taken.append(time.monotonic() - line.since)
                idle.append(busy.pop(number))
    return sorted(taken)


def _lines(port: int, connections: int) -> list[Line]:
    return [Line(port) for _ in range(connections)]


def _poll(numbers: Iterable[int]) -> select.epoll:
    poll = select.epoll()
    for number in numbers:
        poll.register(number, select.EPOLLIN)
    return poll


def main() -> None:
    """Run as a process of its own, so that the client's work is not the server's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--rate", type=float, default=0)
    told = parser.parse_args()
    wares = requests(told.first, told.count)
    if told.rate:
        taken = pace(told.port, wares, connections=told.connections, rate=told.rate)
        print(
            json.dumps(
                {
                    "p50": taken[len(taken) // 2],
                    "p99": taken[int(len(taken) * 0.99)],
                    "max": taken[-1],
                    "count": len(taken),
                }
            )
        )
        return
    done, seconds = flood(told.port, wares, connections=told.connections, seconds=told.seconds)
    print(json.dumps({"done": done, "rate": done / seconds, "bytes": len(wares[0])}))


if __name__ == "__main__":
    main()
