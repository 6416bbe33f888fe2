"""Every guest, and how each is made from its settings: the one list of platforms.

Destinations are imported when one is made: the receiver, which makes none, stays small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import SecretStr

from adapters.mailchimp.seal import DOOR as MAILCHIMP_DOOR
from adapters.shopify.shop import CURRENT_VERSION, ShopifyShop, door_of
from adapters.woocommerce.authorisation import WooCommerceKeyPage
from adapters.woocommerce.politeness import Manners
from adapters.woocommerce.shop import WooCommerceShop
from connector.ports import (
    BackDoor,
    DestinationAdapter,
    Door,
    KeyPage,
    ShopAdapter,
    ShopFacts,
    StoreFacts,
)
from connector.settings import DestinationSettings, ShopSettings
from connector.token_file import TokenFile


def _woocommerce(name: str, shop: ShopSettings, facts: ShopFacts | None) -> ShopAdapter:
    return WooCommerceShop(
        name,
        base_url=shop.address,
        consumer_key=_secret(shop.consumer_key),
        consumer_secret=_secret(shop.consumer_secret),
        currency=facts.currency if facts else shop.currency,
        timezone=facts.timezone if facts else shop.timezone,
        private_network=shop.private_network,
        manners=Manners(at_once=shop.requests_at_once, a_second=shop.requests_a_second),
    )


def _shopify(name: str, shop: ShopSettings, facts: ShopFacts | None) -> ShopAdapter:
    return ShopifyShop(
        name,
        domain=shop.domain or "",
        base_url=shop.base_url,
        client_id=shop.client_id,
        client_secrets=[secret.get_secret_value() for secret in shop.client_secret],
        access_token=_secret(shop.access_token) or None,
        api_version=shop.api_version or CURRENT_VERSION,
        token_store=TokenFile(shop.token_file) if shop.token_file else None,
        currency=facts.currency if facts else shop.currency,
        timezone=facts.timezone if facts else shop.timezone,
        private_network=shop.private_network,
    )


def _mailchimp(name: str, destination: DestinationSettings) -> DestinationAdapter:
    from adapters.mailchimp.destination import MailchimpDestination

    return MailchimpDestination(
        name,
        audience=destination.audience or "",
        api_key=_secret(destination.api_key),
        base_url=destination.base_url,
    )


def _mailchimp_sales(
    name: str, destination: DestinationSettings, stores: Mapping[str, StoreFacts]
) -> DestinationAdapter:
    from adapters.mailchimp.commerce.destination import MailchimpSales

    return MailchimpSales(
        name,
        audience=destination.audience or "",
        api_key=_secret(destination.api_key),
        base_url=destination.base_url,
        stores=stores,
    )


def _files(name: str, destination: DestinationSettings) -> DestinationAdapter:
    from adapters.files.destination import FilesDestination

    return FilesDestination(name, folder=destination.folder or Path(), every=destination.every)


def _http(name: str, destination: DestinationSettings) -> DestinationAdapter:
    from adapters.http.destination import HttpDestination

    return HttpDestination(
        name,
        url=destination.url or "",
        secrets=[each.get_secret_value() for each in destination.signing_secret],
        private_network=destination.private_network,
    )


def _meta_catalog(name: str, destination: DestinationSettings) -> DestinationAdapter:
    from adapters.meta_catalog.destination import MetaCatalogDestination

    return MetaCatalogDestination(
        name,
        catalog_id=destination.catalog_id or "",
        access_token=_secret(destination.access_token),
        base_url=destination.base_url,
    )


def _meta_audiences(name: str, destination: DestinationSettings) -> DestinationAdapter:
    from adapters.meta_audiences.destination import MetaAudiencesDestination

    return MetaAudiencesDestination(
        name,
        ad_account=destination.ad_account or "",
        access_token=_secret(destination.access_token),
        base_url=destination.base_url,
    )


def _meta_conversions(name: str, destination: DestinationSettings) -> DestinationAdapter:
    from adapters.meta_conversions.destination import MetaConversionsDestination

    return MetaConversionsDestination(
        name,
        pixel_id=destination.pixel_id or "",
        access_token=_secret(destination.access_token),
        base_url=destination.base_url,
    )


def _secret(setting: SecretStr | None) -> str:
    """The secret; the settings refuse a platform without those it needs."""
    return setting.get_secret_value() if setting else ""


SHOPS: Mapping[str, Callable[[str, ShopSettings, ShopFacts | None], ShopAdapter]] = {
    "woocommerce": _woocommerce,
    "shopify": _shopify,
}
DOORS: Mapping[str, Callable[[ShopSettings], Door]] = {
    "woocommerce": lambda _: WooCommerceShop.door,
    "shopify": lambda shop: door_of(shop.domain or ""),
}
BACK_DOORS: Mapping[str, BackDoor] = {"mailchimp": MAILCHIMP_DOOR}
"""How the platforms of destinations knock, those that tell what people said there."""
STORES: Mapping[
    str,
    Callable[[str, DestinationSettings, Mapping[str, StoreFacts]], DestinationAdapter],
] = {"mailchimp": _mailchimp_sales}
"""Destinations of people that can be told of sales as well."""
KEY_PAGES: Mapping[str, KeyPage] = {"woocommerce": WooCommerceKeyPage()}
DESTINATIONS: Mapping[str, Callable[[str, DestinationSettings], DestinationAdapter]] = {
    "mailchimp": _mailchimp,
    "files": _files,
    "http": _http,
    "meta_catalog": _meta_catalog,
    "meta_audiences": _meta_audiences,
    "meta_conversions": _meta_conversions,
}
