"""Discount codes as Mailchimp takes them: a rule that says how much, and the code people type.

https://mailchimp.com/developer/marketing/api/ecommerce-promo-rules/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from adapters.mailchimp.commerce import plain
from adapters.mailchimp.commerce.operations import Steps, delete, patch, path, post
from adapters.mailchimp.commerce.verdicts import gone, settled
from connector.model import Json, Settled

_TARGETS = frozenset({"per_item", "total", "shipping"})
_PERCENT = Decimal(100)


def write_promotion(store: str, domain: str, fields: Mapping[str, Json]) -> Steps:
    """Bring a rule and its code; both have the shop's id of the promotion."""
    promotion = str(fields["id"])
    what = f"promotion {promotion}"
    for where, body in (
        (("promo-rules",), rule(fields)),
        (("promo-rules", promotion, "promo-codes"), _code(fields, domain)),
    ):
        [reply] = yield [post(path(store, *where), {"id": promotion, **body})]
        if reply.is_taken:
            [reply] = yield [patch(path(store, *where, promotion), body)]
        if reply.refused is not None:
            return settled([reply], what)
    return Settled()


def remove_promotion(store: str, promotion: str) -> Steps:
    """Take a rule away, and its code with it."""
    [reply] = yield [delete(path(store, "promo-rules", promotion))]
    return gone(reply, f"promotion {promotion}")


def rule(fields: Mapping[str, Json]) -> dict[str, Json]:
    """How much is off, and when.

    A percentage is a share from 0 to 1 in Mailchimp; ours is in hundredths, as people say it.
    """
    code, target = str(fields["code"]), fields.get("target")
    value = plain.amount(fields.get("amount")) or Decimal(0)
    is_share = fields.get("type") == "percentage"
    return plain.known(
        {
            "title": code,
            "description": code,
            "starts_at": plain.moment(fields.get("starts_at")),
            "ends_at": plain.moment(fields.get("ends_at")),
            "amount": min(abs(value) / _PERCENT, Decimal(1)) if is_share else abs(value),
            "type": "percentage" if is_share else "fixed",
            "target": target if target in _TARGETS else "total",
            "enabled": fields.get("enabled") is not False,
        }
    )


def _code(fields: Mapping[str, Json], domain: str) -> dict[str, Json]:
    return plain.known(
        {
            "code": str(fields["code"]),
            "redemption_url": plain.url(fields.get("url")) or f"https://{domain}/",
            "usage_count": fields.get("usage_count"),
            "enabled": fields.get("enabled") is not False,
        }
    )
