"""The stand-in receiver's server: proves signatures with code of its own, keeps what it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from adapters.town import platform

_TOLERANCE = 300  # seconds, both ways
_LARGEST = 2 * 2**20


class Server(platform.Server):
    """One receiver at ``/hooks``. What a repeated id brings is answered as before, and not done."""

    def __init__(self, secret: str, port: int) -> None:
        self.secret = secret
        self.clock: Callable[[], float] = time.time
        self.account: str | None = None
        self.most: int | None = None
        self.batches: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.erased: set[str] = set()
        self.refused: dict[str, tuple[str, str]] = {}
        self.choked: set[str] = set()
        self._answered: dict[str, Response] = {}
        app = Flask(__name__)
        app.config["MAX_CONTENT_LENGTH"] = _LARGEST
        app.add_url_rule("/hooks", "hooks", self._hook, methods=["POST"])
        super().__init__(app, lambda method, path: f"{method} {path}", port)

    def _hook(self) -> Response:
        body = request.get_data()
        if not self._is_signed(body):
            return Response("bad signature", 401)
        message_id = request.headers["webhook-id"]
        self.ids.append(message_id)
        if message_id in self._answered:
            return self._answered[message_id]
        told = json.loads(body)
        self.bodies.append((message_id, told))
        if told["type"] == "ping":
            return _said({} if self.account is None else {"account": self.account})
        return self._take(message_id, told)

    def _take(self, message_id: str, told: dict[str, Any]) -> Response:
        entries = told["data"]
        if self.most is not None and len(entries) > self.most:
            return Response("too much", 413)
        if any(entry["key"] in self.choked for entry in entries):
            return Response("something in it is wrong", 422)
        self.batches.append(told)
        results = []
        for entry in entries:
            key = entry["key"]
            if key in self.refused:
                status, reason = self.refused[key]
                results.append({"key": key, "status": status, "reason": reason})
                continue
            results.append({"key": key, "status": "ok"})
            self._keep(entry)
        answer = _said({"results": results} if self.refused else None)
        if not any(row["status"] == "later" for row in results):
            self._answered[message_id] = answer
        return answer

    def _keep(self, entry: dict[str, Any]) -> None:
        match entry["action"]:
            case "upsert":
                self.records[entry["key"]] = entry["record"]
            case "erase":
                self.records.pop(entry["key"], None)
                self.erased.add(entry["key"])
            case "remove":
                self.records.pop(entry["key"], None)

    def _is_signed(self, body: bytes) -> bool:
        try:
            at = int(request.headers["webhook-timestamp"])
            given = request.headers["webhook-signature"].split(" ")
            signed = f"{request.headers['webhook-id']}.{at}.".encode() + body
        except (KeyError, ValueError):
            return False
        plain = self.secret.partition("whsec_")[2]
        key = base64.b64decode(plain) if plain else self.secret.encode()
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        fresh = abs(self.clock() - at) <= _TOLERANCE
        return fresh and any(hmac.compare_digest(f"v1,{right}", each) for each in given)


def _said(body: Any) -> Response:
    if body is None:
        return Response(status=204)
    return Response(json.dumps(body), mimetype="application/json")
