"""The demo's configuration: the files that ``connector init`` would write."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.mailchimp.sandbox import Sandbox as Mailchimp
from adapters.meta_audiences.sandbox import Sandbox as Audiences
from adapters.meta_catalog.sandbox import Sandbox as Catalog
from adapters.shopify.sandbox import Sandbox as Shopify
from adapters.woocommerce.sandbox import Sandbox as WooCommerce

_POINTS, _POINTS_A_SECOND = 20_000, 1_000
"""What may be asked of a shop on Shopify Plus.

https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits
"""


@dataclass(kw_only=True)
class Places:
    """The stand-ins: two shops, and three platforms that receive. ``seed`` is the shops' chance."""

    seed: int
    wool: WooCommerce = field(init=False)
    yarn: Shopify = field(init=False)
    mailchimp: Mailchimp = field(init=False)
    catalog: Catalog = field(init=False)
    audiences: Audiences = field(init=False)

    def __post_init__(self) -> None:
        self.wool = WooCommerce(seed=self.seed, keep_alive=True).start()
        self.yarn = Shopify(
            seed=self.seed, keep_alive=True, points=_POINTS, restore=_POINTS_A_SECOND
        ).start()
        self.mailchimp = Mailchimp().start()
        self.catalog = Catalog().start()
        self.audiences = Audiences().start()

    def close(self) -> None:
        """Close them all."""
        self.wool.close()
        self.yarn.close()
        self.mailchimp.stop()
        self.catalog.stop()
        self.audiences.stop()


def write(folder: Path, places: Places) -> str:
    """Write settings, mapping and secrets; gives the address that the receiver will have."""
    address = f"127.0.0.1:{_free_port()}"
    shutil.copy(Path(__file__).with_name("mapping.yaml"), folder / "mapping.yaml")
    (folder / "connector.yaml").write_text(_settings(address, places), encoding="utf-8")
    env = folder / ".env"
    env.touch(mode=0o600)
    told = "".join(f"CONNECTOR_{name}={value}\n" for name, value in _secrets(places).items())
    env.write_text(told, encoding="utf-8")
    return f"http://{address}"


def _settings(address: str, places: Places) -> str:
    return f"""\
store: sqlite:///connector.db
mapping: mapping.yaml
listen: {address}
public_url: http://{address}
shops:
  wool:
    platform: woocommerce
    url: {places.wool.base_url}
    reconcile: 1m  # how often to ask what changed; 10m where this is not there
  yarn:
    platform: shopify
    domain: {places.yarn.domain}
    base_url: {places.yarn.base_url}
    reconcile: 1m
destinations:
  newsletter:
    platform: mailchimp
    audience: {places.mailchimp.audience}
    base_url: {places.mailchimp.url}
    shops: [wool, yarn]
  catalog:
    platform: meta_catalog
    catalog_id: "{places.catalog.catalog_id}"
    base_url: {places.catalog.url}
  lookalikes:
    platform: meta_audiences
    ad_account: {places.audiences.ad_account}
    base_url: {places.audiences.url}
  exports:
    platform: files
    folder: exports
"""


def _secrets(places: Places) -> Mapping[str, str]:
    return {
        "SHOPS__WOOL__CONSUMER_KEY": places.wool.key,
        "SHOPS__WOOL__CONSUMER_SECRET": places.wool.secret,
        "SHOPS__WOOL__WEBHOOK_SECRET": secrets.token_hex(24),
        "SHOPS__YARN__CLIENT_SECRET": places.yarn.secret,
        "SHOPS__YARN__ACCESS_TOKEN": places.yarn.token,
        "DESTINATIONS__NEWSLETTER__API_KEY": places.mailchimp.api_key,
        "DESTINATIONS__NEWSLETTER__WEBHOOK_TOKEN": secrets.token_hex(24),
        "DESTINATIONS__CATALOG__ACCESS_TOKEN": places.catalog.access_token,
        "DESTINATIONS__LOOKALIKES__ACCESS_TOKEN": places.audiences.access_token,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
