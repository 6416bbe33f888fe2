"""How the stand-in misbehaves on request: Meta's errors, and what may stand before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.town.faults import Fault, anywhere

_JSON = "application/json; charset=UTF-8"


def error_body(code: int, message: str, **more: Any) -> dict[str, Any]:
    """An error as the Graph API writes it.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "stand-in"}
    return {"error": {**told, **more}}


def graph_error(code: int, message: str = "", status: int = 400, **more: Any) -> Fault:
    """A Graph API error as a fault."""
    body = error_body(code, message or f"(#{code}) stand-in", **more)
    return Fault(status=status, kind=_JSON, body=json.dumps(body).encode())


def busy(code: int, minutes: int) -> Fault:
    """Too many calls; the header says for how many minutes."""
    row = {"type": "catalog_batch", "call_count": 100, "total_cputime": 20, "total_time": 20}
    told = json.dumps({"123": [{**row, "estimated_time_to_regain_access": minutes}]})
    return replace(graph_error(code, status=400), headers={"X-Business-Use-Case-Usage": told})


_REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
FAULTS: Mapping[str, Fault] = {
    **anywhere(_JSON),
    **{f"error {code}": graph_error(code) for code in (2, 4, 17, 32, 100, 341, 613, 80009, 80014)},
    **{f"error {code}": graph_error(code, status=403) for code in (10, 102, 200, 275, 368)},
    "error 1": graph_error(1, "An unknown error occurred", status=500),
    "error 190": graph_error(190, "Malformed access token EAAB" + "x" * 80, status=401),
    "busy for 3 minutes": busy(80014, 3),
    "transient": graph_error(9_999, is_transient=True),
    "unknown error": graph_error(9_999, "Nobody knows"),
    "too large": graph_error(1, _REDUCE, status=500),
    "error in 200": graph_error(2, "in 200", status=200),
    "no success": Fault(status=200, kind=_JSON, body=b'{"success":false}'),
    "500": Fault(status=500, body=b"<html>Sorry, something went wrong.</html>"),
    "502": Fault(status=502, kind=""),
    "503": Fault(status=503, kind="text/plain", body=b"Service Unavailable"),
    "redirect": Fault(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}, kind=""),
    "half JSON": Fault(status=200, kind=_JSON, body=b'{"handles": ["Ac'),
    "no handle": Fault(status=200, kind=_JSON, body=b'{"handles": []}'),
}
"""The faults that have a name."""
