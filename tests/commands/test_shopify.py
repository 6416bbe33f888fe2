"""The commands at a Shopify shop beside the other one: set up, listed, examined."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters.shopify.sandbox import COMPLIANCE, Sandbox
from adapters.shopify.subscriptions import TOPICS
from tests.commands.conftest import Home


@pytest.fixture
def yarn(home: Home) -> Iterator[Sandbox]:
    """A stand-in shop, added to the configuration with an app's secret and a token."""
    with Sandbox(auto=False) as yarn:
        home.env["CONNECTOR_SHOPS__YARN__CLIENT_SECRET"] = yarn.secret
        home.env["CONNECTOR_SHOPS__YARN__ACCESS_TOKEN"] = yarn.token
        home.write()
        line = (
            f"  yarn: {{platform: shopify, domain: {yarn.domain}, base_url: '{yarn.base_url}'}}\n"
        )
        text = home.config.read_text(encoding="utf-8")
        text = text.replace("destinations:\n", f"{line}destinations:\n", 1)
        both = f"base_url: '{home.audience.url}', shops: [wool, yarn]"
        text = text.replace(f"base_url: '{home.audience.url}'", both)
        home.config.write_text(text, encoding="utf-8")
        yield yarn


def test_webhooks_are_registered_and_listed(home: Home, yarn: Sandbox) -> None:
    """Each at its topic's address; again, nothing changes; the other shop has none."""
    ran = home.run("webhooks", "register", "yarn", "--json")
    assert (0, {"created"}) == (ran.exit_code, {row["done"] for row in ran.told})
    assert "yarn: without read_discounts, there are no webhooks for discounts/create" in ran.error
    assert {f"{home.public}/webhooks/yarn/{topic}" for topic in TOPICS} == {
        each["uri"] for each in yarn.subscriptions.made()
    }
    again = home.run("webhooks", "register", "yarn", "--json").told
    assert {"left as it is"} == {row["done"] for row in again}
    listed = home.run("webhooks", "list", "--json").told
    assert {("yarn", True, "active")} == {
        (row["shop"], row["ours"], row["status"]) for row in listed
    }
    assert len(TOPICS) == len(listed)
    assert [] == home.shop.books.rows("webhooks")


def test_the_doctor_examines_it(
    home: Home, yarn: Sandbox, findings: Callable[..., list[dict[str, str]]]
) -> None:
    """Without webhooks that is all that is wrong; with them nothing is, and the law is noted."""
    assert ["no webhook made by the API for"] == [
        each["what"][:30] for each in findings("shops.yarn")
    ]
    home.run("webhooks", "register", "yarn")
    assert [] == findings("shops.yarn")
    told = home.run("doctor", "--json").told["findings"]
    notes = [each["what"] for each in told if each["where"] == "shops.yarn"]
    assert "26 webhooks, all right" in notes
    assert "Shopify takes the token" in notes
    assert any(all(topic in what for topic in COMPLIANCE) for what in notes)


def test_the_doctor_sees_a_wrong_token(
    home: Home, yarn: Sandbox, findings: Callable[..., list[dict[str, str]]]
) -> None:
    """With who mends it; the token is not shown."""
    home.env["CONNECTOR_SHOPS__YARN__ACCESS_TOKEN"] = "shpat_of_somebody"
    text = home.config.read_text(encoding="utf-8")
    home.write()
    home.config.write_text(text, encoding="utf-8")
    found = findings("shops.yarn")
    assert "Shopify does not answer as it should" in {each["what"] for each in found}
    assert all(each["mend"] for each in found)
    assert "shpat_of_somebody" not in home.run("doctor").text
