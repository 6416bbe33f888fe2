"""What stands in many orders of a yarn shop: names of goods, and where a buyer came from."""

from __future__ import annotations

from collections.abc import Mapping

YARNS = (
    "Merinoull fra Rauma, håndfarget, 100 g",
    "Påskegarn «Ærlig», 50 g",
    "Silkeblanding, 50 g",
)
# What WooCommerce's order attribution leaves in every order:
# https://woocommerce.com/document/order-attribution-tracking/
ATTRIBUTION: Mapping[str, str] = {
    "source_type": "organic",
    "referrer": "https://www.google.com/",
    "utm_source": "google",
    "utm_medium": "organic",
    "session_entry": "https://shop.example/produkt/merinoull-fra-rauma-handfarget/",
    "session_start_time": "2026-10-02 09:12:44",
    "session_pages": "7",
    "session_count": "2",
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "device_type": "Mobile",
}
