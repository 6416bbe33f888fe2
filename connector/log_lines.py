"""How the programs log: a line of JSON for each event, with no person and no secret in it."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog
from structlog.typing import EventDict


def speak_in_lines() -> None:
    """Log JSON lines on standard error: ids, counts, reasons, never a person or a secret."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _without_words(_logger: object, _method: str, event: EventDict) -> EventDict:
    """An exception's kind and place, without its message: that may quote a person."""
    raised = event.pop("exc_info", None)
    if raised:
        kind, _, trace = sys.exc_info() if raised is True else raised
        event["exception"] = kind.__name__ if kind else "unknown"
        event["where"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(trace)[-6:]
        ]
    return event
