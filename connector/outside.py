"""Sees our own receiver as a shop sees it: at its public address."""

from __future__ import annotations

import re

import httpx

from connector.ports import OPERATOR, Finding, Grade
from connector.setting_values import is_loopback

_TIMEOUT = httpx.Timeout(5.0)
_OURS = re.compile(r"405 [A-Za-z ]+\nrequest [0-9a-f]+\n")


def look(address: str) -> Finding:
    """Whether the receiver answers at an address of a shop's webhooks; fine, or an alarm.

    A receiver of ours refuses a GET in words of its own, and nothing is counted or kept.
    """
    try:
        answer = get(address, near=is_loopback(address))
    except httpx.HTTPError as error:
        return Finding(
            where="receiver",
            what=f"{address} does not answer, seen from here",
            cause=kind_of(error),
            mend="See that the name leads to the proxy, that the proxy runs with a certificate "
            "from a public authority, and that it passes /webhooks/ on to the connector.",
            who=OPERATOR,
            grade=Grade.ALARM,
        )
    if answer.status_code == httpx.codes.METHOD_NOT_ALLOWED and _OURS.fullmatch(answer.text):
        return Finding(where="receiver", what=f"answers at {address}", grade=Grade.FINE)
    return Finding(
        where="receiver",
        what=f"{address} does not lead to the connector: it answers {answer.status_code}",
        cause="Another program answers there, or a proxy that has nobody behind it, or a login.",
        mend="Let the proxy pass /webhooks/ on to the connector, path and body as they are.",
        who=OPERATOR,
        grade=Grade.ALARM,
    )


def get(address: str, *, near: bool) -> httpx.Response:
    """Ask once, within 5 s; what is ``near`` is not asked through a proxy. Raises `HTTPError`."""
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=not near) as client:
        return client.get(address)


def kind_of(error: httpx.HTTPError) -> str:
    """Why there was no answer, in a sentence."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "Its certificate is not trusted here, so a shop will not trust it either."
    return f"No connection ({type(error).__name__})."
