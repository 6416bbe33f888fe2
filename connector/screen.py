"""What a person reads: the books, the reasons and the faults as plain text, safe for a terminal."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector.settings import Settings
from mappings.grammar import Mapping as MappingRules


def safe(text: object) -> str:
    """Text without what a terminal would obey: control and direction characters shown as codes."""
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
        else f"\\u{ord(character):04x}"
        for character in str(text)
    )


def checked(settings: Settings, mapping: MappingRules) -> str:
    """What a clean check found."""
    return "\n".join(
        [
            f"fine: {some(len(settings.shops), 'shop')}, "
            f"{some(len(settings.destinations), 'destination')}, "
            f"{some(len(mapping.segments), 'segment')}, mode {settings.mode}",
            *(f"  shop {name}: {shop.platform}" for name, shop in settings.shops.items()),
            *(
                f"  destination {name}: {destination.platform}"
                for name, destination in settings.destinations.items()
            ),
        ]
    )


_TOLD_ABOVE = ("shop", "reading", "destination")
"""Alarms of what is told of each shop and destination already."""


def books(told: Mapping[str, Any]) -> str:
    """The books as two tables and a verdict."""
    shops = table(
        ["shop", "received", "applied", "unchanged", "ignored", "waiting", "quarantined", "last"],
        [
            [name, *(book[part] for part in _SHOP_PARTS), book["last_received_at"] or "-"]
            for name, book in (told["shops"] | _heard(told)).items()
        ],
    )
    destinations = table(
        ["destination", "records", "settled", "due", "parked", "oldest due", "last success"],
        [
            [
                name,
                *(book[part] for part in _DESTINATION_PARTS),
                _seconds(book["oldest_due_seconds"]),
                book["last_success_at"] or "-",
            ]
            for name, book in told["destinations"].items()
        ],
    )
    problems = [
        f"{name}: {safe(book['last_problem'].rstrip('.'))}."
        + (f" {safe(book['mend'])}" if book["mend"] else "")
        + (f" Paused until {book['paused_until']}." if book["paused_until"] else "")
        for name, book in told["destinations"].items()
        if book["last_problem"]
    ]
    problems = [
        f"{name}: {safe(book['halted']['reason'])}. {safe(book['halted']['mend'])}"
        for name, book in told["shops"].items()
        if book["halted"]
    ] + problems
    problems += _agreements(told)
    problems += _webhooks(told)
    problems += _demands(told["requests"])
    problems += [
        f"ALARM: {safe(each['where'])}: {safe(each['what'])}. "
        f"{safe(each['who'])}: {safe(each['mend'])}"
        for each in told["alarms"]
        if each["kind"] not in _TOLD_ABOVE
    ]
    verdict = "The books balance." if told["balanced"] else "THE BOOKS DO NOT BALANCE."
    if told["mode"] == "test":
        verdict += " Mode test: everything is computed, nothing leaves."
    return "\n".join([*shops, "", *_read(told), *destinations, "", *problems, verdict])


def _heard(told: Mapping[str, Any]) -> dict[str, Any]:
    """What destinations told of the people there, in the same columns as what shops did."""
    return {
        f"{name} (heard)": book["heard"]
        for name, book in told["destinations"].items()
        if book["heard"]
    }


def _read(told: Mapping[str, Any]) -> list[str]:
    """What was read of the shops' pasts, if anything was, and what is in the way of the rest."""
    rows = [
        (f"{shop} {kind}", errand)
        for shop, book in told["shops"].items()
        for kind, errand in book["errands"].items()
        if " " not in kind or errand["problem"]  # passes come and go; `_agreements` sums them up
    ]
    if not rows:
        return []
    lines = table(
        ["past", "read", "applied", "unchanged", "ignored", "quarantined", "of", "finished"],
        [
            [
                name,
                *(errand[part] for part in _READ_PARTS),
                "-" if errand["total"] is None else errand["total"],
                errand["finished_at"] or "-",
            ]
            for name, errand in rows
        ],
    )
    problems = [
        f"{name}: {safe(errand['problem'].rstrip('.'))}."
        + (f" {safe(errand['mend'])}" if errand["mend"] else "")
        for name, errand in rows
        if errand["problem"]
    ]
    return [*lines, *problems, ""]


def _agreements(told: Mapping[str, Any]) -> list[str]:
    found = {
        name: book["agreement"]
        for name, book in (told["shops"] | told["destinations"]).items()
        if book.get("agreement")
    }
    return [
        *(f"{name}: {agreement(each)}" for name, each in found.items() if each["compared"]),
        *(f"{name}: {unread(each)}" for name, each in found.items() if each.get("problem")),
    ]


def agreement(told: Mapping[str, Any]) -> str:
    """``99.98 % of 51,203 agree, 3 differed, repaired``, never rounded up to all."""
    differed, compared, repaired = told["differed"], told["compared"], told["repaired"]
    share = math.floor(told["ratio"] * 10_000) / 100
    text = f"{share:g} % of {compared:,} agree"
    if differed:
        mended = "repaired" if repaired >= differed else f"{repaired:,} of them repaired"
        text += f", {differed:,} differed, {mended}"
    for number, did in ((told.get("edited"), "edited"), (told.get("gone"), "taken away")):
        text += f"; {number:,} {did} there by hand, left so" if number else ""
    return text


def unread(told: Mapping[str, Any]) -> str:
    """Why a destination could not be read back, and who mends it."""
    return safe(f"cannot be read back: {told['problem']}. {told['mend'] or 'It is tried again.'}")


def _webhooks(told: Mapping[str, Any]) -> list[str]:
    """What the watch found, but what is among the alarms."""
    alarms = {safe(each["what"]) for each in told["alarms"]}
    return [
        f"{name}: {line}"
        for name, book in (told["shops"] | told["destinations"]).items()
        if book.get("webhooks")
        for line in webhooks(book["webhooks"] | {"silent_since": None})
        if not any(line.startswith(alarm) for alarm in alarms)
    ]


def webhooks(seen: Mapping[str, Any]) -> list[str]:
    """What the watch found in the webhooks of one shop or destination, a line for each fault."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for each in seen["findings"]:
        fault = (each["what"], each["done"], each["mend"])
        alike.setdefault(fault, []).append(each["topic"])
    lines = [
        safe(f"webhooks {', '.join(topics)}: {fault[0]}; {'. '.join(filter(None, fault[1:]))}")
        for fault, topics in alike.items()
    ]
    if seen["silent_since"]:
        lines.append(f"silent since {seen['silent_since']}, which is unlike this shop")
    return lines


def _demands(told: Mapping[str, Any]) -> list[str]:
    """What people demanded that is not done yet, with the time that is left."""
    if not told["open"]:
        return []
    urgency = "ALARM" if told["alarm"] else "warning" if told["warn"] else "open"
    problem = f" {safe(told['problem'])}" if told["problem"] else ""
    number = some(told["open"], "demand")
    return [f"{urgency}: {number} of people to carry out by {told['next_due_at']}.{problem}"]


def why(told: Mapping[str, Any]) -> str:
    """An explanation, one thought a line."""
    text = [f"person {told['person']}"]
    for name, segment in told.get("segments", {}).items():
        state = f"in since {segment['since']}" if segment["member"] else "not in"
        text += ["", f"segment {name}: {state}", f"  when {segment['when']}"]
        text += [f"  {line}" for line in segment["because"]]
        text += [f"  decided by {segment['decided_by']}"] if segment["decided_by"] else []
        text += [
            f"  moved {move['moved']} at {move['at']} by {move['decided_by']}"
            for move in segment["moves"]
        ]
    for purpose, consent in told.get("consent", {}).items():
        may = "may be written to" if consent["sendable"] else "may not be written to"
        text += ["", f"consent {purpose}: {consent['state']} ({may})"]
        text += [
            f"  {item['claim']} by {item['source']} for {item['contact']} "
            f"at {item['at'] or 'an unknown time'}, received {item['received_at']}"
            f", {item['method'] or 'no method told'} {item['reference']}"
            for item in consent["evidence"]
        ]
    for name, destination in told.get("destinations", {}).items():
        text += ["", f"destination {name}: {destination['status']}"]
        if destination["holds"]:
            held = destination["holds"]
            text += [f"  holds since {destination['acknowledged_at']}: {held['permission']}"]
            text += [f"  {field} = {value}" for field, value in held["fields"].items()]
            text += [f"  tags: {', '.join(held['tags'])}"] if held["tags"] else []
        text += [f"  {destination['reason']}"] if destination["reason"] else []
        text += [f"  {destination['mend']}"] if destination["mend"] else []
    return safe("\n".join(text))


def parked(told: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """What needs a person, and what that person does."""
    text = [
        f"delivery {row['id']}: {row['topic']} of {row['shop']}: {row['reason']}"
        f"{' - ' + row['detail'] if row['detail'] else ''}. {row['mend'] or ''}"
        for row in told["deliveries"]
    ] + [
        f"record {row['destination']}/{row['key']}: {row['reason']}. {row['mend'] or ''}"
        for row in told["records"]
    ]
    return safe("\n".join(text) or "Nothing is parked, nothing is in quarantine.")


_SHOP_PARTS = ("received", "applied", "unchanged", "ignored", "waiting", "quarantined")
_READ_PARTS = ("read", "applied", "unchanged", "ignored", "quarantined")
_DESTINATION_PARTS = ("records", "settled", "due", "parked")


def some(number: int, noun: str) -> str:
    """``1 shop``, ``2 shops``; for nouns that take an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _seconds(age: float | None) -> str:
    return "-" if age is None else f"{age:.1f} s"


def table(head: Sequence[str], body: Iterable[Sequence[object]]) -> list[str]:
    """Lines of columns, the first on the left, the others on the right; safe for a terminal."""
    cells = [list(head), *([safe(cell) for cell in row] for row in body)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
