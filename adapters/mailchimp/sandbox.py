"""A stand-in for Mailchimp: one audience on this machine, as strict as the real one.

``with Sandbox() as mc:`` serves at ``mc.url``; ``python -m adapters.mailchimp.sandbox`` serves
until it is stopped. A test may look at everything, act as a person or an admin, and make it
misbehave.
"""

from __future__ import annotations

import argparse
import hmac
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from adapters.mailchimp.sandbox_answers import World
from adapters.mailchimp.sandbox_audience import hooks
from adapters.mailchimp.sandbox_faults import FAULTS
from adapters.mailchimp.sandbox_members import Rules, Trouble, member_id, stamp, write
from adapters.mailchimp.sandbox_server import Server
from adapters.mailchimp.sandbox_state import Held
from adapters.mailchimp.sandbox_store_state import Sales
from adapters.town import platform

AUDIENCE = "a1b2c3d4e5"
KEY = "0123456789abcdef0123456789abcdef-us1"


class Sandbox(platform.Platform):
    """One account with one audience, over real HTTP on loopback."""

    def __init__(
        self,
        *,
        port: int = 0,
        audience: str = AUDIENCE,
        api_key: str = KEY,
        double_optin: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.audience = audience
        self.api_key = api_key
        self.world = World(audience=audience, clock=clock, double_optin=double_optin)
        self.signing_secret: bytes | None = None
        self._server = Server(self.world, api_key, port)
        super().__init__(self._server, FAULTS)
        self.add_field("FNAME", "text")
        self.add_field("LNAME", "text")

    @property
    def sales(self) -> Sales:
        """The stores with what was sold, the batches, and the mails that were set off."""
        return self.world.sales

    @property
    def peak(self) -> int:
        """The most calls that were open at once."""
        return self._server.peak

    def delay(self, seconds: float) -> None:
        """Let every call take so much longer."""
        self._server.latency = seconds

    def change_key(self, api_key: str) -> None:
        """Take another key from now on."""
        self._server.api_key = api_key

    # --- what it holds ------------------------------------------------------------------------

    def members(self) -> dict[str, dict[str, Any]]:
        """Every contact by its address: status, fields, tags."""
        with self._lock:
            every = self.world.state.every()
            worn = self.world.state.worn([each.id for each in every])
        return {
            each.email.lower(): {
                "status": each.status,
                "fields": {name: value for name, value in each.fields.items() if value != ""},
                "tags": sorted(tag["name"] for tag in worn[each.id]),
                "last_changed": each.changed,
            }
            for each in every
        }

    def fields(self) -> dict[str, str]:
        """The type of each merge field."""
        with self._lock:
            return {each["tag"]: each["type"] for each in self.world.state.fields()}

    # --- acting as a person or an admin -------------------------------------------------------

    def unsubscribe(self, email: str, at: datetime | None = None) -> None:
        """The person unsubscribes, by the link in a mail."""
        moment = at or self.world.clock()
        with self._lock:
            self.world.state.act(member_id(email), "unsub", stamp(moment))
        self._set(email, "unsubscribed", moment)
        self._notify("unsubscribe", "user", email, {"action": "unsub", "reason": "manual"})

    def admin_unsubscribe(self, email: str, at: datetime | None = None) -> None:
        """An admin unsubscribes a contact; that is no act of the person."""
        self._set(email, "unsubscribed", at or self.world.clock())
        self._notify("unsubscribe", "admin", email, {"action": "unsub", "reason": "manual"})

    def clean(self, email: str, at: datetime | None = None) -> None:
        """The address bounced too often."""
        self._set(email, "cleaned", at or self.world.clock())
        self._notify("cleaned", "user", email, {"reason": "hard"})

    def confirm(self, email: str) -> None:
        """A pending person confirms by the link in the mail."""
        moment = self.world.clock()
        self._set(email, "subscribed", moment, opted=stamp(moment))
        self._notify("subscribe", "user", email, {})

    def sign_up(self, email: str, at: datetime | None = None) -> None:
        """A person signs up through a form of Mailchimp's own."""
        moment = at or self.world.clock()
        with self._lock:
            self.world.state.come_back(member_id(email))
            item = {"email_address": email, "status_if_new": "subscribed"}
            write(self.world.state, [item], Rules(skip_merge_validation=True), moment)
        told = stamp(moment)
        self._set(email, "subscribed", moment, opted=told, signed_up=told)
        self._notify("subscribe", "user", email, {})

    def archive(self, email: str, at: datetime | None = None) -> None:
        """An admin archives a contact."""
        self._set(email, "archived", at or self.world.clock())

    def permanently_delete(self, email: str) -> None:
        """An admin deletes a contact for good: it cannot be imported again."""
        with self._lock:
            self.world.state.forget(member_id(email))

    def admin_tag(self, email: str, tag: str) -> None:
        """An admin tags a contact."""
        with self._lock:
            tag_id = self.world.state.tag_ids([tag])[tag.lower()]
            self.world.state.join([(member_id(email), tag_id)])

    def admin_untag(self, email: str, tag: str) -> None:
        """An admin takes a tag from a contact."""
        with self._lock:
            tag_id = self.world.state.tag_ids([tag])[tag.lower()]
            self.world.state.leave([(member_id(email), tag_id)])
            (held,) = self.world.state.find([member_id(email)]).values()
            held.changed = stamp(self.world.clock())
            self.world.state.save([held])

    def delete_tag(self, tag: str) -> None:
        """An admin deletes a tag altogether."""
        with self._lock:
            self.world.state.drop_tag(self.world.state.tag_ids([tag])[tag.lower()])

    def add_field(
        self, tag: str, kind: str, *, required: bool = False, choices: Sequence[str] = ()
    ) -> None:
        """An admin makes a merge field."""
        with self._lock:
            self.world.state.add_field(tag, tag, kind, required=required, choices=list(choices))

    # --- misbehaving --------------------------------------------------------------------------

    def refuse(
        self, email: str, words: str, *, code: str = "ERROR_GENERIC", field: str = ""
    ) -> None:
        """Refuse this contact with these words from now on."""
        self.world.refused[email.lower()] = Trouble(words=words, code=code, field=field)

    def forget(self, email: str) -> None:
        """Say from now on that what is written of this contact was taken, and keep none of it."""
        self.world.forgotten.add(email.lower())

    def remember(self, email: str) -> None:
        """No more of that."""
        self.world.forgotten.discard(email.lower())

    def change_address(self, old: str, new: str) -> None:
        """A person changes their address in Mailchimp's own profile centre."""
        with self._lock:
            member = self.world.state.find([member_id(old)])[member_id(old)]
            tags = {tag["id"] for tag in self.world.state.worn([member.id])[member.id]}
            self.world.state.drop(member.id)
            member.id, member.email = member_id(new), new
            member.changed = stamp(self.world.clock())
            self.world.state.save([member])
            self.world.state.join([(member.id, tag) for tag in tags])
        told = {"old_email": old, "new_email": new, "new_id": member_id(new)[:10]}
        self._notify("upemail", "user", new, told)

    def _set(self, email: str, status: str, at: datetime, **more: Any) -> None:
        with self._lock:
            held = self.world.state.find([member_id(email)])
            member: Held = held[member_id(email)]
            member.was = member.status if status == "archived" else ""
            member.status, member.changed = status, stamp(at)
            self.world.state.save([replace(member, **more)])

    def _notify(self, event: str, source: str, email: str, more: Mapping[str, str]) -> None:
        """Tell the webhooks that asked for it.

        https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/
        """
        with self._lock:
            wanted = [
                hook["url"]
                for hook in hooks(self.world.state)
                if hook["events"].get(event) and hook["sources"].get(source)
            ]
        moment = self.world.clock().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        told = {"id": member_id(email)[:10], "list_id": self.audience, "email": email, **more}
        form = {f"data[{name}]": value for name, value in told.items()}
        body = urlencode({"type": event, "fired_at": moment, **form}).encode()
        for url in wanted:
            call = urllib.request.Request(url, body, self._seal(body))  # noqa: S310 - as we were told
            with urllib.request.urlopen(call, timeout=10):  # noqa: S310 - the same
                pass

    def _seal(self, body: bytes) -> dict[str, str]:
        """The header of an audience that has a signing secret; its time is the real one."""
        if self.signing_secret is None:
            return {}
        at = int(time.time())
        told = hmac.digest(self.signing_secret, f"{at}.".encode() + body, "sha256").hex()
        return {"X-Mailchimp-Signature": f"t={at},v1={told}"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the program is stopped."""
    options = argparse.ArgumentParser(description="A stand-in for Mailchimp on this machine.")
    options.add_argument("--port", type=int, default=8901)
    options.add_argument("--double-optin", action="store_true")
    chosen = options.parse_args(arguments)
    with Sandbox(port=chosen.port, double_optin=chosen.double_optin) as mc:
        sys.stdout.write(f"base_url {mc.url}\naudience {mc.audience}\napi_key  {mc.api_key}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
