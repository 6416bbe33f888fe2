"""A Shopify shop: its webhooks, and the Admin GraphQL API to ask it."""
