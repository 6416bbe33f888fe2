"""What people demand by law, through a shop: to be told what is held, and to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """A person asks through the shop what is held about them; the admin is owed a file of it.

    ``orders`` are the ids of the orders asked about. It is overdue after ``due_at``.
    """

    shop: str
    request_id: str
    due_at: datetime
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """The shop demands that a person be forgotten, or with ``whole_shop`` everybody it told of.

    It does not say since when: it is about everything received up to it. Overdue after ``due_at``.
    """

    shop: str
    due_at: datetime
    whole_shop: bool
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    orders: tuple[str, ...] = ()
