"""The audience's webhooks: one that tells of what people do there, and never of our own writing.

https://mailchimp.com/developer/marketing/api/list-webhooks/. Mailchimp looks with a GET whether the
address answers before it takes a webhook.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from adapters.mailchimp.audience_client import MailchimpClient
from adapters.mailchimp.refusals import Refused
from connector.errors import LaneDown, TryLater
from connector.model import Json
from connector.ports import OPERATOR, Finding, Flaw, FlawKind, Grade, Letterbox, Subscription

EVENTS: Mapping[str, bool] = {
    "subscribe": True,
    "unsubscribe": True,
    "cleaned": True,
    "upemail": True,
    "profile": False,
    "campaign": False,
}
"""What we want to hear of: what people say about permission, and their new addresses."""
SOURCES: Mapping[str, bool] = {"user": True, "admin": True, "api": False}
"""Whose doing: not what comes by the API, or our own writes would come back."""
_TOPIC = ", ".join(name for name, wanted in EVENTS.items() if wanted)


def every(client: MailchimpClient) -> list[Subscription]:
    """Every webhook of the audience. Raises `TryLater` or `LaneDown`."""
    return [_read(hook) for hook in client.webhooks()]


def register(client: MailchimpClient, letterbox: Letterbox) -> Iterator[Subscription]:
    """See `connector.ports.Subscribing.register_webhooks`; each step is done when it is given."""
    there = [hook for hook in client.webhooks() if letterbox.is_ours(_read(hook).address)]
    if not there:
        yield replace(_read(_taken(client, letterbox)), done="created")
        return
    for spare in there[1:]:
        client.remove_webhook(_read(spare).id)
        yield replace(_read(spare), done="removed: a second one for the audience")
    if not _wrongs(there[0]):
        yield replace(_read(there[0]), done="left as it is")
        return
    wrong = ", ".join(_wrongs(there[0]))
    client.change_webhook(_read(there[0]).id, {"events": EVENTS, "sources": SOURCES})
    yield replace(_read(there[0]), status="active", done=f"mended: {wrong}")


def flaws(client: MailchimpClient, letterbox: Letterbox) -> Iterator[Flaw]:
    """What `register` would mend."""
    ours = [hook for hook in client.webhooks() if letterbox.is_ours(_read(hook).address)]
    if not ours:
        yield Flaw(topic=_TOPIC, kind=FlawKind.MISSING, what="there is no webhook")
    if len(ours) > 1:
        yield Flaw(topic=_TOPIC, kind=FlawKind.TWICE, what=f"there are {len(ours)} webhooks")
    for hook in ours[:1]:
        for what in _wrongs(hook):
            yield Flaw(topic=_TOPIC, kind=FlawKind.INCOMPLETE, what=f"it {what}")


def examine(client: MailchimpClient, letterbox: Letterbox) -> Iterator[Finding]:
    """Whether the audience tells us what people say there. Raises `TryLater` or `LaneDown`."""
    ours = [hook for hook in client.webhooks() if letterbox.is_ours(_read(hook).address)]
    wrong = _wrongs(ours[0]) if ours else ["there is none"]
    if not wrong:
        yield Finding(what="Mailchimp tells us what people say there", grade=Grade.FINE)
        return
    yield Finding(
        what=f"Mailchimp's webhook is not right: {', '.join(wrong)}",
        cause="Who unsubscribes in Mailchimp is heard of only when the audience is read again.",
        mend="Run `connector webhooks register` with the destination's name.",
        who=OPERATOR,
    )


def _taken(client: MailchimpClient, letterbox: Letterbox) -> Mapping[str, Json]:
    try:
        return client.make_webhook({"url": letterbox.root, "events": EVENTS, "sources": SOURCES})
    except Refused as refused:
        raise LaneDown(
            f"Mailchimp did not take the webhook ({refused.status})",
            mend=f"{OPERATOR}: the public address must lead to a running connector: Mailchimp "
            "looks whether it answers. `connector doctor` looks too.",
        ) from None


def _wrongs(hook: Mapping[str, Json]) -> Sequence[str]:
    events, sources = hook.get("events") or {}, hook.get("sources") or {}
    missing = [name for name, wanted in EVENTS.items() if wanted and not events.get(name)]
    faults = {
        f"does not tell of {', '.join(missing)}": bool(missing),
        "tells of our own writing": bool(sources.get("api")),
        "does not tell what people or admins do": not (
            sources.get("user") and sources.get("admin")
        ),
    }
    return [fault for fault, is_so in faults.items() if is_so]


def _read(hook: Mapping[str, Json]) -> Subscription:
    match hook:
        case {"id": str(number), "url": str(to)}:
            status = "active" if not _wrongs(hook) else "incomplete"
            return Subscription(id=number, topic=_TOPIC, status=status, address=to)
        case _:
            raise TryLater("Mailchimp shows a webhook without id or address")
