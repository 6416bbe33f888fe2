"""A request that is turned away: with which status, and for which reason the metrics count."""

from __future__ import annotations


class Refused(Exception):
    """This request is answered with ``status``, for the ``reason`` that the metrics count."""

    def __init__(self, status: int, reason: str, **told: object) -> None:
        self.status = status
        self.reason = reason
        self.told = told
        super().__init__(reason)
