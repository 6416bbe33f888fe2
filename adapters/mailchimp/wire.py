"""The line to Mailchimp: how many calls may be open, and how much an answer may hold."""

from __future__ import annotations

from adapters.wire import Answer, Wire

__all__ = ["CONNECTIONS", "Answer", "Wire", "open_line"]

CONNECTIONS = 8
"""Mailchimp allows ten open calls for each user; two are left to the shopkeeper's other tools.

https://mailchimp.com/developer/marketing/docs/fundamentals/#throttling
"""

_LARGEST_ANSWER = 8 * 1024 * 1024  # 500 contacts, each with its links, come to about 2 MB


def open_line(*, seconds: float, through_proxies: bool) -> Wire:
    """A line on which every answer is whole within ``seconds``."""
    return Wire(
        "Mailchimp",
        connections=CONNECTIONS,
        seconds=seconds,
        largest=_LARGEST_ANSWER,
        through_proxies=through_proxies,
    )
