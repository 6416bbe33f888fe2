"""What a destination should hold about one person: profile, segments and consent, put together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from zoneinfo import ZoneInfo

from connector.consent import Summary, is_sendable, newest_grant
from connector.doubts import newest
from connector.match_keys import of_person
from connector.model import ConsentState, Json, Permission, Profile, Record
from connector.money import to_major
from mappings.fields import SUBSCRIPTIONS, attribute_value
from mappings.grammar import DestinationMapping

Row: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything a projection may look at for one person. ``held`` is the acknowledged record.

    ``subscriptions`` has the words of those of `fields.SUBSCRIPTIONS` that are asked for.
    """

    profile: Profile
    segments: Collection[str]
    state: ConsentState
    summary: Summary
    held: Record | None
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    subscriptions: Mapping[str, str] = field(default_factory=dict)


def project(
    known: Known, rules: DestinationMapping, tags: Mapping[str, str], zone: ZoneInfo
) -> Record | None:
    """The record, or ``None`` when the destination should hold nothing about this person.

    ``tags`` gives the tag of each segment this destination is told of. Tables go whole and without
    regard to consent: they are the shop's own files. Everything else follows the permission.
    """
    profile = known.profile
    if rules.tables:
        rows = {name: tuple(known.tables.get(name, ())) for name in rules.tables}
        return Record(
            key=profile.person, email=profile.email, permission=Permission.SILENT, tables=rows
        )
    if rules.policy == "granted_only":
        return _granted(known, rules, tags)
    if known.summary.undeliverable and known.state not in _TAKEN_AWAY:
        return _as_it_is(known.held)  # it bounces: nothing is gained by writing to it
    permission = permit(known, rules)
    if permission is None:
        return None
    if permission is Permission.WITHDRAWN:
        return Record(key=profile.person, email=profile.email, permission=permission)
    return Record(
        key=profile.person,
        email=profile.email,
        permission=permission,
        fields={
            name: known.subscriptions[attribute]
            if attribute in SUBSCRIPTIONS
            else attribute_value(attribute, profile, zone)
            for name, attribute in rules.fields.items()
        },
        tags=tuple(sorted({tags[name] for name in known.segments if name in tags})),
    )


def _as_it_is(held: Record | None) -> Record | None:
    """What is held, as it was last sent where an answer was lost."""
    return held and replace(held, fields=newest(held.fields), doubts=())


def _granted(known: Known, rules: DestinationMapping, tags: Mapping[str, str]) -> Record | None:
    """What an advertiser holds: digests and audiences, of those who allow it and are in one.

    The digests are what is sent, so what was acknowledged is enough to take somebody away again.
    """
    profile = known.profile
    inside = {tags[name] for name in known.segments if name in tags}
    if not inside or permit(known, rules) is not Permission.SEND:
        return None
    fields: dict[str, Json] = {
        **of_person(
            {
                "email": profile.email,
                "phone": profile.phone,
                "first_name": profile.first_name,
                "last_name": profile.last_name,
                "country": profile.country,
            }
        )
    }
    if any(rules.audiences[name].valued for name in inside):
        spent = max(profile.amount_spent, 0)
        fields["value"] = str(to_major(spent, profile.currency or ""))
    return Record(
        key=profile.person,
        email=profile.email,
        permission=Permission.SEND,
        fields=fields,
        tags=tuple(sorted(inside)),
    )


def permit(known: Known, rules: DestinationMapping) -> Permission | None:
    """What the destination may do with this contact; ``None`` when it should not hold it."""
    state = known.state
    if rules.policy == "granted_only":
        return Permission.SEND if is_sendable(state, known.summary) else None
    if state in _TAKEN_AWAY:
        return Permission.WITHDRAWN
    if is_sendable(state, known.summary):
        return Permission.SEND
    if state is ConsentState.PENDING and newest_grant(known.summary) is not None:
        return Permission.CONFIRM
    # Never granted, never withdrawn. One that is held already stays, without a permission to mail.
    if rules.policy in ("everyone", "existing_only") or known.held is not None:
        return Permission.SILENT
    return None


_TAKEN_AWAY = (ConsentState.WITHDRAWN, ConsentState.SUPPRESSED)
