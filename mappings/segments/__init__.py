"""The segment language: Shopify's way of saying who belongs to a group of customers."""
