"""Reads Shopify's amounts: in the shop's own currency, digit by digit, or not at all.

Where the buyer paid in another currency, an order tells every amount twice, in a bag of
``shop_money`` and ``presentment_money``. https://shopify.dev/docs/api/admin-graphql/2026-10/objects/MoneyBag
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from connector.money import parse_currency, to_minor
from connector.shop_fields import BadFieldError, need_amount


def read_currency_of(bag: object, plain: object) -> str:
    """The shop's currency of a total, told twice: as a field and in its bag. Both must agree."""
    money = _shop_money(bag)
    told = parse_currency(plain)
    inside = parse_currency(money.get("currencyCode") or money.get("currency_code"))
    if told is None or (inside is not None and inside != told):
        raise BadFieldError("currency", "currency")
    return told


def read_amount(bag: object, plain: object, currency: str, where: str) -> int:
    """Minor units in the shop's currency: the bag's shop money, else the plain amount; empty is 0.

    What the buyer saw (presentment money) is never taken: sums would mix currencies.
    """
    shop_money = _shop_money(bag)
    told = shop_money.get("currencyCode") or shop_money.get("currency_code")
    if told != currency and parse_currency(told) not in {None, currency}:
        raise BadFieldError("currency", where)
    amount = shop_money.get("amount", plain)
    if amount is None or amount == "":
        return 0
    known = _known(amount, currency) if type(amount) is str and len(amount) < _SHORT else None
    return need_amount(amount, currency, where) if known is None else known


_SHORT = 20
_known = functools.lru_cache(maxsize=8192)(to_minor)  # what one thing costs, many orders say


def _shop_money(bag: object) -> Mapping[str, Any]:
    """The amount in the shop's currency; GraphQL spells it in its own way."""
    if not isinstance(bag, dict):
        return {}
    money = bag.get("shopMoney") or bag.get("shop_money")
    return money if isinstance(money, dict) else {}
