"""The end of the demo, for what was sold: to the penny, nothing lost, nobody told too much of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from adapters.town.totals import Sale
from connector.demo.judge import Finding
from connector.demo.scene import Scene
from connector.identity import normal_email

_COMES_BACK = 2
"""How many orders make somebody one of the segment of the audience; see mapping.yaml."""


def judge_orders(scene: Scene) -> Iterator[Finding]:
    """Whether every order is known, those of the past and those of which no webhook told."""
    sold = scene.ledger.sold
    yield Finding(
        scene.known == {number: (sale.total, sale.refunded) for number, sale in sold.items()}
        and scene.accounts == scene.ledger.totals.customers,
        f"all {len(sold):,} orders and {scene.accounts:,} accounts of the shops are known, "
        f"{_money(sum(map(_left_of, sold.values())))} to the penny",
    )
    yield Finding(
        scene.dropped >= len(scene.lost) and scene.lost <= scene.known.keys(),
        f"nothing is lost although {scene.dropped} webhooks were: {len(scene.lost)} orders that "
        "none told of were found again",
    )


def judge_store(scene: Scene) -> Iterator[Finding]:
    """Whether Mailchimp's stores hold what those who may be written to bought, and no more."""
    sold, subscribed = scene.ledger.sold, scene.subscribed
    held = {
        (shop, number): order
        for shop, store in scene.stores.items()
        for number, order in store.orders.items()
    }
    wanted = {number for number, sale in sold.items() if sale.person in subscribed}
    right = all(
        number in sold and _pennies(order["order_total"]) == _left_of(sold[number])
        for number, order in held.items()
    )
    yield Finding(
        right and wanted <= held.keys(),
        f"all {len(wanted)} orders of those who are subscribed, "
        f"{_money(sum(_left_of(sold[number]) for number in wanted))} to the penny",
    )
    buyers = {
        customer["email_address"].lower()
        for store in scene.stores.values()
        for customer in store.customers.values()
    }
    yield Finding(
        buyers <= scene.ledger.permitted,
        f"{len(held.keys() - wanted)} orders of those who left since; none of who never ticked",
    )
    wool = scene.stores["wool"]
    codes = {code["code"] for rule in wool.rules.values() for code in rule["codes"].values()}
    carts = {
        token: _pennies(cart["order_total"])
        for store in scene.stores.values()
        for token, cart in store.carts.items()
    }
    waiting = {
        token: _pennies(basket["total_price"])
        for token, basket in scene.baskets.items()
        if normal_email(basket["email"]) in subscribed
    }
    yield Finding(
        carts == waiting,
        f"baskets that were left behind: {len(carts)}; none whose owner bought since",
    )
    yield Finding(
        codes == scene.ledger.codes and all(store.products for store in scene.stores.values()),
        f"the products of both shops, and discount codes: {len(codes)}",
    )
    silence = scene.silence
    yield Finding(
        len(silence.syncing) == len(scene.stores)
        and not silence.mails
        and not any(store.is_syncing for store in scene.stores.values()),
        f"the {scene.past:,} orders of the past set off {silence.mails} mails, what came since "
        f"{scene.mails - silence.mails}",
    )


def judge_audience(scene: Scene) -> Iterator[Finding]:
    """Whether Meta can find those who allowed advertising, and nobody else."""
    truth = scene.ledger.totals
    allowed = {_digest(email) for email in scene.ledger.allowed_ads}
    wanted = {
        _digest(email): truth.revenue[email]
        for email in scene.ledger.allowed_ads
        if truth.purchases.get(email, 0) >= _COMES_BACK
    }
    yield Finding(
        scene.audience.keys() <= allowed,
        f"nobody in the audience who did not allow advertisements ({len(allowed)} did)",
    )
    yield Finding(
        {digest: _worth(row) for digest, row in scene.audience.items()} == wanted,
        f"the {len(wanted)} of them who came back, hashed, each worth what they spent",
    )


def _left_of(sale: Sale) -> int:
    return sale.total - sale.refunded


def _pennies(amount: Any) -> int:
    return round(Decimal(str(amount)) * 100)


def _worth(row: Mapping[str, Any]) -> int:
    return _pennies(row["LOOKALIKE_VALUE"])


def _money(pennies: int) -> str:
    return f"{pennies / 100:,.2f} NOK"


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()
