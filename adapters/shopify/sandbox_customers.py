"""The customers of the stand-in shop: who they are, what they permit, and what is told of it.

Every buyer is a customer; one who has opened an account is ``enabled``, others are ``disabled``.
Webhooks since version 2025-01 have neither tags nor permissions: GraphQL tells those.
https://shopify.dev/changelog/removing-some-fields-from-customer-webhook-payloads
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.shopify.sandbox_desk import Act, Desk, Missing
from adapters.shopify.sandbox_words import gid, local
from adapters.town.books import Body, opened
from connector.identity import normal_email

SUBSCRIBED, UNSUBSCRIBED, NOT_SUBSCRIBED = "subscribed", "unsubscribed", "not_subscribed"
SINGLE_OPT_IN = "single_opt_in"
_NOTHING = {"state": NOT_SUBSCRIBED, "opt_in_level": None, "consent_updated_at": None}
_NAMES = ("first_name", "last_name", "phone", "note", "email")
_ADDRESS = ("first_name", "last_name", "company", "address1", "address2", "city", "province")
_COUNTRY = ("country", "zip", "phone", "province_code", "country_code")


class Customers:
    """Everybody whom the shop knows. A record has the payload (``rest``) and what GraphQL adds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Write down somebody new: names, ``email``, ``phone``, ``address``, ``tags``, ``state``.

        ``email_consent`` (a state) is dated now. Raises `ValueError` for an address that is taken.
        """
        with self._desk.act(now) as act:
            return self.add(given, act)

    def add(self, given: Mapping[str, Any], act: Act) -> Body:
        """As `create`, as a part of something else."""
        if self.find(given.get("email")) is not None:
            raise ValueError("Email has already been taken")
        number = self._desk.number("customers")
        record = self._new(number, given, act.moment)
        self._keep(record, act.moment)
        act.tell("customers/create", record["rest"])
        if given.get("email_consent"):
            self._set_consent(record, str(given["email_consent"]), SINGLE_OPT_IN, act)
        return record

    def get(self, number: int) -> Body:
        """One customer's record. Raises `Missing`."""
        record = self._desk.books.body("customers", number)
        if record is None:
            raise Missing
        return record

    def find(self, email: Any) -> Body | None:
        """Who has this address, however it is written."""
        rows = self._desk.books.rows("customers", "email = ?", (normal_email(email),))
        return opened(rows[0]) if rows else None

    def change(self, number: int, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Change names, ``email``, ``phone``, ``note``, ``address``, ``tags`` or ``metafields``.

        A permission stays with the customer when the address changes.
        """
        with self._desk.act(now) as act:
            record = self.get(number)
            rest = record["rest"]
            rest |= {name: given[name] for name in _NAMES if name in given}
            if "address" in given:
                rest["default_address"] = self._address(number, given)
                rest["addresses"] = [rest["default_address"]]
            record["metafields"] = given.get("metafields", record["metafields"])
            before, after = record["tags"], list(given.get("tags", record["tags"]))
            record["tags"] = after
            self.touch(record, act)
            self._tell_tags(number, before, after, act)
        return record

    def enable(self, number: int, *, now: datetime | None = None) -> Body:
        """A buyer opens an account."""
        with self._desk.act(now) as act:
            record = self.get(number)
            self.open_account(record, act)
        return record

    def open_account(self, record: Body, act: Act) -> None:
        """As `enable`, as a part of something else."""
        record["rest"]["state"] = "enabled"
        self.touch(record, act)
        act.tell("customers/enable", record["rest"])

    def consent(
        self, number: int, state: str, *, level: str | None = SINGLE_OPT_IN, **when: Any
    ) -> Body:
        """Set what somebody permits for e-mail. ``now`` is when; ``dated=False`` leaves no date."""
        with self._desk.act(when.get("now")) as act:
            record = self.get(number)
            self._set_consent(record, state, level, act, dated=when.get("dated", True))
        return record

    def tick(self, record: Body, act: Act) -> None:
        """The box in the checkout: who is subscribed already stays so since then."""
        if record["email_consent"]["state"] != SUBSCRIBED:
            self._set_consent(record, SUBSCRIBED, SINGLE_OPT_IN, act)

    def sms_consent(
        self, number: int, state: str, *, level: str | None = SINGLE_OPT_IN, **when: Any
    ) -> Body:
        """Set what somebody permits for SMS."""
        with self._desk.act(when.get("now")) as act:
            record = self.get(number)
            consent = self._consent(state, level, act, dated=when.get("dated", True))
            self._tell_sms(record, consent, act)
        return record

    def state(
        self, number: int, kind: str, state: str, *, level: str | None, dated: datetime
    ) -> Body:
        """Somebody else tells what is permitted for ``email`` or ``sms``, since ``dated``."""
        with self._desk.act(None) as act:
            record = self.get(number)
            told = self._consent(state, level, replace(act, moment=dated), dated=True)
            if kind == "email":
                self._tell_consent(record, told, act)
            else:
                self._tell_sms(record, told, act)
        return record

    def withdraw(self, number: int, *, now: datetime | None = None) -> Body:
        """Somebody unsubscribes."""
        return self.consent(number, UNSUBSCRIBED, now=now)

    def merge(self, kept: int, gone: int, *, now: datetime | None = None) -> Body:
        """Two customers become one: orders and tags together, who is subscribed stays so.

        Which topics follow beside ``customers/merge`` is not documented.
        https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/customerMerge
        """
        with self._desk.act(now) as act:
            books, record, other = self._desk.books, self.get(kept), self.get(gone)
            for row in books.rows("orders", "customer_id = ?", (gone,)):
                order = opened(row) | {"customer": buyer_of(record)}
                books.keep("orders", order, customer_id=kept)
            record["tags"] = list(dict.fromkeys([*record["tags"], *other["tags"]]))
            if other["email_consent"]["state"] == SUBSCRIBED:
                record["email_consent"] = other["email_consent"]
            record["ever_subscribed"] |= other["ever_subscribed"]
            books.drop("customers", gone)
            names = {"kept": kept, "deleted": gone}
            told = {
                f"admin_graphql_api_customer_{n}_id": gid("Customer", i) for n, i in names.items()
            }
            more: Body = {"admin_graphql_api_job_id": None, "status": "completed", "errors": []}
            act.tell("customers/merge", {**told, **more})
            self.touch(record, act)
        return record

    def delete(self, number: int, *, now: datetime | None = None) -> None:
        """Remove a customer. Raises `ValueError` for one who has orders, as the shop refuses it."""
        with self._desk.act(now) as act:
            self.get(number)
            if self._desk.books.count("orders", "customer_id = ?", (number,)):
                raise ValueError("Customer can't be deleted because they have associated orders")
            self._desk.books.drop("customers", number)
            told = {"id": number, "tax_exemptions": []}
            act.tell("customers/delete", {**told, "admin_graphql_api_id": gid("Customer", number)})

    def touch(self, record: Body, act: Act) -> None:
        """Something about a customer is new: write it down and tell it."""
        record["rest"]["updated_at"] = local(act.moment, self._desk.site)
        self._keep(record, act.moment)
        act.tell("customers/update", record["rest"])

    def _set_consent(
        self, record: Body, state: str, level: str | None, act: Act, *, dated: bool = True
    ) -> None:
        self._tell_consent(record, self._consent(state, level, act, dated=dated), act)

    def _tell_sms(self, record: Body, consent: Body, act: Act) -> None:
        record["sms_consent"] = {**consent, "consent_collected_from": "other"}
        self.touch(record, act)
        told = {"id": record["id"], "phone": record["rest"]["phone"]}
        told |= {"sms_marketing_consent": record["sms_consent"]}
        act.tell("customers_marketing_consent/update", told)

    def _tell_consent(self, record: Body, consent: Body, act: Act) -> None:
        record["email_consent"] = consent
        record["ever_subscribed"] |= consent["state"] == SUBSCRIBED
        self.touch(record, act)
        told = {"customer_id": record["id"], "email_address": record["rest"]["email"]}
        told["email_marketing_consent"] = record["email_consent"]
        act.tell("customers_email_marketing_consent/update", told)

    def _consent(self, state: str, level: str | None, act: Act, *, dated: bool) -> Body:
        at = local(act.moment, self._desk.site) if dated else None
        return {"state": state, "opt_in_level": level, "consent_updated_at": at}

    def _tell_tags(
        self, number: int, before: Sequence[str], after: Sequence[str], act: Act
    ) -> None:
        for word, first, second in (("added", after, before), ("removed", before, after)):
            tags = [tag for tag in first if tag not in second]
            if tags:
                at = f"{act.moment:%Y-%m-%dT%H:%M:%S.000Z}"
                told = {"customerId": gid("Customer", number), "tags": tags, "occurredAt": at}
                act.tell(f"customer.tags_{word}", told)

    def _new(self, number: int, given: Mapping[str, Any], moment: datetime) -> Body:
        at, address = local(moment, self._desk.site), self._address(number, given)
        rest = {
            "id": number,
            "created_at": at,
            "updated_at": at,
            "first_name": given.get("first_name"),
            "last_name": given.get("last_name"),
            "state": given.get("state", "disabled"),
            "note": given.get("note"),
            "verified_email": True,
            "multipass_identifier": None,
            "tax_exempt": False,
            "email": given.get("email"),
            "phone": given.get("phone"),
            "currency": self._desk.site.currency,
            "addresses": [address] if address else [],
            "tax_exemptions": [],
            "admin_graphql_api_id": gid("Customer", number),
            "default_address": address,
        }
        return {
            "id": number,
            "rest": rest,
            "tags": list(given.get("tags", ())),
            "email_consent": dict(_NOTHING),
            "ever_subscribed": False,
            "sms_consent": None,
            "metafields": list(given.get("metafields", ())),
            "locale": given.get("locale", "nb"),
        }

    def _address(self, customer: int, given: Mapping[str, Any]) -> Body | None:
        if not given.get("address"):
            return None
        written = address_of(given["address"])
        own = {"id": self._desk.number("others"), "customer_id": customer}
        return {**own, **written, "country_name": written["country"], "default": True}

    def _keep(self, record: Body, moment: datetime) -> None:
        self._desk.books.keep(
            "customers",
            record,
            moment,
            email=normal_email(record["rest"]["email"]),
            opted_in=int(record["ever_subscribed"]),
            withdrawn=int(record["email_consent"]["state"] == UNSUBSCRIBED),
        )


def address_of(given: Mapping[str, Any]) -> Body:
    """An address as payloads have it; what is not given is nothing."""
    written = {name: given.get(name) for name in (*_ADDRESS, *_COUNTRY)}
    names = [name for name in (given.get("first_name"), given.get("last_name")) if name]
    return {**written, "name": " ".join(names)}


def buyer_of(record: Body) -> Body:
    """A customer as an order has them: all but the list of addresses."""
    return {key: value for key, value in record["rest"].items() if key != "addresses"}
