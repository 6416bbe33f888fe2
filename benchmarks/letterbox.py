"""The real receiver in a thread, on a household's clock, with somebody else behind the door."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from benchmarks.household import Household
from connector import health
from connector.guests import DOORS
from connector.model import Arrival
from webhooks import signatures
from webhooks.app import Threshold, create_app


@contextmanager
def receiver(house: Household, accept: Callable[[Arrival], None]) -> Iterator[str]:
    """Examine what comes as ``connector serve`` does; gives the address, before the shop's name.

    ``accept`` is given what may be written down, from several threads.
    """
    app = create_app(
        thresholds={
            name: Threshold(
                shop=name,
                door=DOORS[shop.platform](shop),
                secrets=signatures.spellings(each.get_secret_value() for each in shop.seals),
            )
            for name, shop in house.configured.settings.shops.items()
        },
        accept=accept,
        health=lambda: health.of_store(house.store, house.clock()),
        metrics=bytes,
        clock=house.clock,
    )
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        """Say nothing of each request."""
