"""A description as a reader sees it: text without HTML."""

from __future__ import annotations

import html
import re

_HIDDEN = re.compile(r"<(script|style)\b", re.IGNORECASE)
_HIDDEN_ENDS = {
    name: re.compile(f"</{name}[^<>]*>?", re.IGNORECASE) for name in ("script", "style")
}
_BREAKS = re.compile(r"<(?:br|/p|/li|/div|/tr|/h[1-6]|/ul|/ol)\b[^<>]*>", re.IGNORECASE)
# A tag never reaches over the next "<": so a text of many "<" takes no longer than another.
_TAG = re.compile(r"<(?:[a-zA-Z/!?][^<>]*)>|<!--[^<>]*-->")
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])


def plain(text: str) -> str:
    """The text without tags, scripts, entities and control characters; paragraphs become lines."""
    if "<" in text:
        text = _TAG.sub("", _BREAKS.sub("\n", _without_hidden(text)))
    if "&" in text:
        text = html.unescape(text)
    text = text.encode("utf-8", "replace").translate(None, _CONTROLS).decode()
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _without_hidden(text: str) -> str:
    """Without scripts and styles and all that is in them; one never closed hides the rest."""
    kept: list[str] = []
    at = 0
    while begin := _HIDDEN.search(text, at):
        kept.append(text[at : begin.start()])
        end = _HIDDEN_ENDS[begin[1].lower()].search(text, begin.end())
        if end is None:
            return "".join(kept)
        at = end.end()
    return "".join((*kept, text[at:]))
