"""Writes down for editors how a mapping is written, as a JSON Schema."""

from __future__ import annotations

from typing import Any

from mappings.shape import Document

_DIALECT = "https://json-schema.org/draft/2020-12/schema"  # what pydantic writes


def schema() -> dict[str, Any]:
    """The JSON Schema of a mapping's YAML."""
    made = Document.model_json_schema(by_alias=True)
    return {"$schema": _DIALECT, **made, "title": "A mapping", "required": ["version"]}
