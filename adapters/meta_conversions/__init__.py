"""Meta's Conversions API: purchases, told by the server, of people who allowed it."""
