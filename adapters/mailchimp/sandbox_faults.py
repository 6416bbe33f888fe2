"""How the stand-in misbehaves on request: Mailchimp's errors, and what may stand before it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adapters.town.faults import Fault, anywhere

_PROBLEM = "application/problem+json; charset=utf-8"


def _problem(status: int, title: str) -> Fault:
    said = {"title": title, "status": status, "detail": title, "instance": "stand-in"}
    return Fault(status=status, kind=_PROBLEM, body=json.dumps(said).encode())


FAULTS: Mapping[str, Fault] = {
    **anywhere("application/json"),
    "429": Fault(status=429, kind=""),
    "429 in JSON": _problem(429, "Too Many Requests"),
    "401": _problem(401, "API Key Invalid"),
    "403": _problem(403, "User Disabled"),
    "404": _problem(404, "Resource Not Found"),
    "409": _problem(409, "Conflict"),
    "500": Fault(status=500, body=b"<html>Internal Server Error</html>"),
    "502": Fault(status=502, body=b"<html>cloudflare</html>"),
    "503": Fault(status=503, kind=""),
    "redirect": Fault(status=307, headers={"Location": "http://127.0.0.1:9/elsewhere"}, kind=""),
    "half JSON": Fault(status=200, kind="application/json", body=b'{"new_members": [{"id'),
}
"""The faults that have a name."""
