"""What a destination should hold about one person: profile, segments and consent, put together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from zoneinfo import ZoneInfo

from connector.consent import Summary, is_sendable, newest_grant
from connector.model import ConsentState, Json, Permission, Profile, Record
from mappings.fields import attribute_value
from mappings.grammar import DestinationMapping

Row: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything a projection may look at for one person. ``held`` is the acknowledged record."""

    profile: Profile
    segments: Collection[str]
    state: ConsentState
    summary: Summary
    held: Record | None
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)


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
    if known.summary.undeliverable and known.state not in _TAKEN_AWAY:
        return known.held  # the address bounces: nothing is gained by writing to it
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
            name: attribute_value(attribute, profile, zone)
            for name, attribute in rules.fields.items()
        },
        tags=tuple(sorted({tags[name] for name in known.segments if name in tags})),
    )


def permit(known: Known, rules: DestinationMapping) -> Permission | None:
    """What the destination may do with this contact; ``None`` when it should not hold it."""
    state = known.state
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
