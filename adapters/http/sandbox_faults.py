"""How the stand-in receiver misbehaves on request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adapters.town.faults import Fault, anywhere

_JSON = "application/json"


def answer(status: int, body: Any = None, **headers: str) -> Fault:
    """An answer of this status, with a JSON body and headers (``Retry_After`` for Retry-After)."""
    return Fault(
        status=status,
        kind=_JSON if body is not None else "",
        body=b"" if body is None else json.dumps(body).encode(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


FAULTS: Mapping[str, Fault] = {
    **anywhere(_JSON),
    **{str(status): answer(status) for status in (400, 401, 403, 404, 405, 408, 409, 410, 413)},
    **{str(status): answer(status) for status in (422, 425, 429, 500, 501, 502, 503)},
    "redirect": answer(302, Location="http://127.0.0.1:9/elsewhere?secret=1"),
    "results are no list": answer(200, {"results": "all fine"}),
    "odd results": answer(200, {"results": [3, {"key": 4}, {"status": "ok"}, None]}),
    "error in 200": answer(200, {"error": "database"}),
    "says ok": answer(200, {"ok": True}),
}
"""The faults that have a name."""
