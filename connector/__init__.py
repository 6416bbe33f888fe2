"""The core: what the connector knows of customers, orders and permissions, and what follows."""
