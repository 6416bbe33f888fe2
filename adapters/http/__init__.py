"""Signed JSON batches for any CRM or call centre that can be posted to."""
