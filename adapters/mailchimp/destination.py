"""The Mailchimp destination: an audience made ready, and batches of changes written to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.mailchimp import showing, subscriptions
from adapters.mailchimp.account import Account
from adapters.mailchimp.audience_client import MOST_MEMBERS, MailchimpClient
from adapters.mailchimp.confirming import weigh
from adapters.mailchimp.hearing import Listener, hear
from adapters.mailchimp.planning import Audience, plan
from adapters.mailchimp.polling import said_since
from adapters.mailchimp.push import Push
from adapters.mailchimp.refusals import Refused
from adapters.mailchimp.values import FOR_TEXT
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.model import Change, Delivery, Outcome, Record, Understanding, Wish
from connector.ports import (
    FieldType,
    Finding,
    Flaw,
    Grade,
    Introduction,
    Letterbox,
    Said,
    Shape,
    Shown,
    Subscription,
)

_TAG = re.compile(r"[A-Z][A-Z0-9_]{0,9}")
_OWN_WORDS = frozenset({"EMAIL", "UNSUB", "FORWARD", "REWARDS", "ARCHIVE", "DATE", "INTERESTS"})
_FITS: Mapping[FieldType, frozenset[str]] = {
    FieldType.TEXT: FOR_TEXT,
    FieldType.NUMBER: frozenset({"number"}),
    FieldType.DATE: frozenset({"date"}),
}


class MailchimpDestination:
    """One Mailchimp audience.

    ``api_key`` ends in the data centre (``…-us12``). ``base_url`` stands in for
    ``https://us12.api.mailchimp.com``. ``source_name`` is the name under which what Mailchimp says
    of permissions is kept as evidence (the destination's own by default). ``timeout`` is in
    seconds for a whole answer. Raises `ConfigurationFault` when one of them cannot be right.
    """

    # Four calls' worth: the more contacts leave a tag together, the fewer calls it takes.
    batch_size = 4 * MOST_MEMBERS

    def __init__(
        self,
        name: str,
        audience: str,
        api_key: str,
        base_url: str | None = None,
        source_name: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self.name = name
        account = Account.check(name, audience, api_key, base_url)
        self._client = MailchimpClient(account, timeout)
        # Who asks about a webhook is another thread than the one that sends.
        self._asks = MailchimpClient(account, timeout)
        self._listener = Listener(audience=audience, source=source_name or name)
        self._audience = Audience(source=source_name or name)
        self._tag_ids: dict[str, int] = {}
        self._is_read = False

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Check key and audience, read the merge fields, and make those of ours that are missing.

        An existing merge field is never changed or deleted. Raises `LaneDown` or `TryLater`.
        """
        self._client.ping()
        self._audience = replace(
            self._audience, purpose=shape.purpose, existing_only=shape.existing_only
        )
        self._read_audience()
        wanted = {name.upper(): kind for name, kind in shape.fields.items()}
        findings = list(self._make_fields(wanted))
        if any(tag not in self._audience.types for tag in wanted):
            self._read_fields()
        return [*findings, *self._misfits(wanted)]

    def introduce(self) -> Introduction:
        """Ask whose account the key opens. Raises `TryLater` or `LaneDown`."""
        account, told_at = self._client.account()
        return Introduction(account=account, at=told_at)

    def check_up(self, shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was."""
        return tuple(self._examine(shape, now))

    def _examine(self, shape: Shape, now: datetime) -> Iterator[Finding]:
        try:
            introduction = self.introduce()
            yield Finding(what="Mailchimp takes the key", grade=Grade.FINE)
            yield from clocks.compare(introduction.at, now, whose="Mailchimp's")
            self._read_audience()
        except (TryLater, LaneDown) as problem:
            yield Finding.of("Mailchimp cannot be used", problem)
            return
        yield Finding(what="the audience is there", grade=Grade.FINE)
        if self._audience.double_optin:
            yield Finding(
                what="the audience uses double opt-in: who is new gets a confirmation mail first",
                grade=Grade.NOTE,
            )
        wanted = {name.upper(): kind for name, kind in shape.fields.items()}
        missing = [tag for tag in wanted if tag not in self._audience.types]
        if missing:
            yield Finding(
                what=f"the merge fields {', '.join(missing)} are not there yet and will be made "
                "when the connector starts",
                grade=Grade.NOTE,
            )
        misfits = tuple(self._misfits(wanted))
        yield from misfits
        if not missing and not misfits:
            yield Finding(what="the merge fields are there", grade=Grade.FINE)

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Write the changes; one outcome for every key. Raises `TryLater` or `LaneDown`."""
        if not self._is_read:
            self._read_audience()
        outcomes: dict[str, Outcome] = {}
        for batch in _each_address_once(changes):
            plans = [plan(change, self._audience) for change in batch]
            outcomes |= Push(self._client, self._audience, self._tag_ids, now).run(plans)
        return outcomes

    def understand(self, delivery: Delivery) -> Understanding:
        """What a webhook of the audience means. Never raises, whatever was sent."""
        return hear(delivery.body, self._listener, received_at=delivery.received_at)

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """Ask the audience itself how a contact came in. Raises `TryLater` or `LaneDown`."""
        return weigh(
            wish.id,
            self._asks.opted_in(wish.id),
            self._listener,
            double_optin=self._asks.audience().get("double_optin") is True,
            received_at=delivery.received_at,
        )

    def said_since(self, cursor: str | None, *, now: datetime) -> Iterator[Said]:
        """Who left or signed up there; with no cursor, everybody who ever left."""
        if not self._is_read:
            self._read_audience()
        return said_since(
            self._client,
            self._listener,
            cursor,
            double_optin=self._audience.double_optin,
            types=self._audience.types,
            now=now,
        )

    def show(self, cursor: str | None, *, now: datetime) -> Shown:
        """A page of everybody in the audience but the archived. Raises `TryLater`, `LaneDown`."""
        del now
        if not self._is_read:
            self._read_audience()
        return showing.show(self._client, cursor, self._audience.types)

    def as_shown(self, record: Record) -> Record:
        """What `show` gives of a contact that was taken whole."""
        return showing.as_shown(record, self._audience.types)

    def list_webhooks(self) -> Sequence[Subscription]:
        """Every webhook of the audience, others' as well. Raises `TryLater` or `LaneDown`."""
        return subscriptions.every(self._client)

    def register_webhooks(self, letterbox: Letterbox) -> Sequence[Subscription]:
        """Have the audience tell us what people say there. Raises as `list_webhooks`."""
        return tuple(subscriptions.register(self._client, letterbox))

    def look_at_webhooks(self, letterbox: Letterbox) -> Sequence[Flaw]:
        """What `register_webhooks` would mend. Raises as `list_webhooks`."""
        return tuple(subscriptions.flaws(self._client, letterbox))

    def check_webhooks(self, letterbox: Letterbox) -> Sequence[Finding]:
        """Whether the audience tells us what people say there. Raises as `list_webhooks`."""
        return tuple(subscriptions.examine(self._client, letterbox))

    def flush(self) -> None:
        """Nothing is held back: every push is written when it returns."""

    def _read_audience(self) -> None:
        said = self._client.audience()
        self._audience = replace(self._audience, double_optin=said.get("double_optin") is True)
        self._read_fields()
        self._is_read = True

    def _read_fields(self) -> None:
        types = {
            str(field["tag"]).upper(): str(field["type"])
            for field in self._client.merge_fields()
            if "tag" in field and "type" in field
        }
        self._audience = replace(self._audience, types=types)

    def _make_fields(self, wanted: Mapping[str, FieldType]) -> Iterator[Finding]:
        for tag, kind in wanted.items():
            if tag in self._audience.types:
                continue
            if not _TAG.fullmatch(tag) or tag in _OWN_WORDS:
                yield Finding(
                    what=f"{tag} cannot be a merge tag in Mailchimp, so it is left out",
                    mend="Name it in the mapping with at most 10 letters and digits, beginning "
                    "with a letter, and not one of Mailchimp's own words.",
                )
                continue
            try:
                self._client.add_merge_field(
                    {"tag": tag, "name": tag.replace("_", " ").title(), "type": kind.value}
                )
            except Refused as refused:
                if refused.status in (404, 405):
                    raise LaneDown(
                        "Mailchimp's audience went away while its fields were made",
                        mend="Set the destination's audience to one that exists.",
                    ) from None
                if "already exists" not in refused.complaint.words:
                    yield Finding(
                        what=f"Mailchimp would not make the merge field {tag}, so it is left out",
                        mend="An audience holds 30 merge fields (80 on the largest plan): delete "
                        "one in Mailchimp (Audience > Settings > Audience fields), or map fewer.",
                    )

    def _misfits(self, wanted: Mapping[str, FieldType]) -> Iterator[Finding]:
        for tag, kind in wanted.items():
            held = self._audience.types.get(tag)
            if held is not None and held not in _FITS[kind]:
                yield Finding(
                    what=f"The merge field {tag} is of type {held} in Mailchimp, and what is "
                    f"mapped to it is a {kind.value}: values that do not fit are left out",
                    mend=f"Map it to another field, or delete {tag} in Mailchimp and let it be "
                    "made anew.",
                )


def _each_address_once(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The changes in their order, in batches in which no address comes twice."""
    batch: dict[str, Change] = {}
    for change in changes:
        record = change.after or change.before
        address = ((record.email if record else None) or change.key).lower()
        if address in batch:
            yield list(batch.values())
            batch = {}
        batch[address] = change
    if batch:
        yield list(batch.values())
