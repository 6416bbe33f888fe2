"""How many calls Mailchimp gets for 10,000 changed contacts with tags, and for none changed."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from connector.model import Change, Permission, Record, Settled
from connector.ports import FieldType, Shape

_MOST_PER_CONTACT = 60 / 10_000
_NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
_LADDER = ("First-time buyer", "Second-time buyer", "Returning", "Regular", "VIP")


def main(contacts: int = 10_000) -> list[tuple[str, str, str, bool]]:
    """Rows of name, value, target and whether it is met."""
    most = int(contacts * _MOST_PER_CONTACT)
    what = f"Mailchimp calls for {contacts:,} contacts"
    return [
        _row(f"{what}, all from one tag to another", _changed(contacts, steps=1), most),
        _row(f"{what}, on four steps of a ladder", _changed(contacts, steps=4), most),
        _row(f"{what}, nothing changed", _unchanged(contacts), 0),
    ]


def _row(what: str, calls: int, most: int) -> tuple[str, str, str, bool]:
    return what, str(calls), f"<= {most}" if most else "0", calls <= most


def _changed(contacts: int, *, steps: int) -> int:
    """Everybody's fields change, one tag goes and one comes; ``steps`` different tags go."""
    with Sandbox() as mc:
        destination = _prepared(mc)
        before = [_record(number, number % steps, orders=1) for number in range(contacts)]
        after = [_record(number, number % steps + 1, orders=2) for number in range(contacts)]
        _push(destination, [(None, record) for record in before])
        mc.calls.clear()
        _push(destination, list(zip(before, after, strict=True)))
        held = list(mc.members().values())
        assert all(each["fields"]["ORDERS"] == 2 and len(each["tags"]) == 1 for each in held)
        assert len(held) == contacts
        return mc.calls.total()


def _unchanged(contacts: int) -> int:
    with Sandbox() as mc:
        destination = _prepared(mc)
        mc.calls.clear()
        records = [_record(number, 0, orders=1) for number in range(contacts)]
        _push(destination, [(record, record) for record in records])
        return mc.calls.total()


def _prepared(mc: Sandbox) -> MailchimpDestination:
    destination = MailchimpDestination("newsletter", mc.audience, mc.api_key, base_url=mc.url)
    assert not destination.prepare(
        Shape(fields={"FNAME": FieldType.TEXT, "ORDERS": FieldType.NUMBER}, tags=_LADDER)
    )
    return destination


def _record(number: int, stage: int, *, orders: int) -> Record:
    email = f"person{number}@shop.example"
    return Record(
        key=email,
        email=email,
        permission=Permission.SEND,
        fields={"FNAME": f"Person {number}", "ORDERS": orders},
        tags=(_LADDER[stage],),
    )


def _push(destination: MailchimpDestination, steps: list[tuple[Record | None, Record]]) -> None:
    size = destination.batch_size
    for start in range(0, len(steps), size):
        changes = [
            Change(key=after.key, before=before, after=after)
            for before, after in steps[start : start + size]
        ]
        outcomes = destination.push(changes, now=_NOW)
        assert all(outcome == Settled() for outcome in outcomes.values())


if __name__ == "__main__":
    for row in main():
        print(*row, sep=" | ")
