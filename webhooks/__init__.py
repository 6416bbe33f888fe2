"""The door: what shops and destinations call."""
