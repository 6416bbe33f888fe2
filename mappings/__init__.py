"""The mapping layer: the YAML a shop admin writes, and what it means."""
