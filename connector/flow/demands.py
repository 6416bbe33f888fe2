"""What people demand through a shop is carried out: forgotten everywhere, or told what is held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeAlias

import structlog
from sqlalchemy import Connection

from connector.keys import NO_KEY
from connector.store import closing, erasure, requests, subjects, suppressions
from connector.store.connect import Store
from connector.store.requests import Request
from connector.store.subjects import Named, Subject

log = structlog.get_logger()


class Answers(Protocol):
    """Where the answers to data requests are put, for the shop's people to hand over."""

    def write(self, conn: Connection, named: Named, stem: str, *, now: datetime) -> str:
        """Write all that is held of somebody into a file; gives its name. Raises ``OSError``."""

    def forget(self, subject: Subject) -> int:
        """Remove the answers that name somebody; how many. Raises ``OSError``."""


def drain(store: Store, answers: Answers, *, now: datetime) -> int:
    """Carry out what is demanded, oldest first; how many. Raises `StoreUnavailable`.

    One that something is in the way of keeps its place and says so in ``connector status``.
    """
    with store.read() as conn:
        waiting = requests.open_ones(conn)
        may_erase = bool(suppressions.keyring_of(conn))
    done = 0
    for request in waiting:
        if request.kind != "data_request" and not may_erase:
            _note(store, request, NO_KEY)
            continue
        try:
            file = _CARRY_OUT[request.kind](store, request, answers, now)
        except OSError as problem:
            _note(store, request, f"the folder of exports cannot be used: {problem.strerror}")
            continue
        with store.write() as conn:
            requests.finish(conn, request.delivery_id, now=now, file=file)
        log.info("demand carried out", kind=request.kind, delivery=request.delivery_id)
        done += 1
    return done


def _answer(store: Store, request: Request, answers: Answers, now: datetime) -> str | None:
    with store.read() as conn:
        return answers.write(conn, request.named, f"request-{request.delivery_id}", now=now)


def _forget(store: Store, request: Request, answers: Answers, now: datetime) -> str | None:
    with store.read() as conn:
        subject = subjects.find(conn, request.named)
    answers.forget(subject)
    erasure.carry_out(store, request.named, at=request.received_at, reason=request.shop, now=now)
    return None


def _forget_shop(store: Store, request: Request, _answers: Answers, now: datetime) -> str | None:
    closing.carry_out(store, request.shop, at=request.received_at, now=now)
    return None


def _note(store: Store, request: Request, problem: str) -> None:
    with store.write() as conn:
        requests.note_problem(conn, request.delivery_id, problem)


_Step: TypeAlias = Callable[[Store, Request, Answers, datetime], str | None]
_CARRY_OUT: dict[str, _Step] = {
    "data_request": _answer,
    "redaction": _forget,
    "shop_redaction": _forget_shop,
}
