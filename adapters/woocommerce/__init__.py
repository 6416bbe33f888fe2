"""WooCommerce: its webhooks as facts, and the one door to its REST API."""
