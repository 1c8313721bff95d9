"""Structured logs that can hold only what is on a list.

A key that is not on the list is dropped and counted, never printed: names, numbers, texts, PINs and
keys cannot reach a log by a careless call. ADR 0011.
"""

import sys
from datetime import datetime
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from core import diary
from core.diary import Kind

ALLOWED = frozenset(
    {
        "event", "level", "module", "timestamp", "exception_type", "where", "cause",
        "link", "kind", "message_id", "reply_id", "entry_id", "reply", "state", "reason", "outcome",
        "attempt",
        "count", "size", "root", "seconds", "status", "code", "scope", "source", "stage", "process",
        "bind", "url", "database", "version", "mode", "left_out", "signal", "lines", "key_id",
        "rejected", "name",
    }
)  # fmt: skip

_LONGEST = 200
_FAULTS = frozenset({"error", "critical"})


def configure(*, json: bool, stream: TextIO | None = None) -> None:
    """Send logs to *stream* (standard error unless told): JSON in service, plain on a terminal."""
    renderer = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            _remember,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> FilteringBoundLogger:
    """Return the logger of one module."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


def failure(error: BaseException) -> dict[str, str]:
    """Say where an exception came from without its text, which may quote what it was handed."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "" if place is None else f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}"
    cause = error.__cause__ or error.__context__
    return {
        "exception_type": type(error).__name__,
        "where": where,
        "cause": type(cause).__name__ if cause is not None else "",
    }


def keep_allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop every key that is not on the list, and say how many were dropped."""
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    if len(kept) < len(event):
        kept["left_out"] = len(event) - len(kept)
    return {key: _one_line(value) for key, value in kept.items()}


def _remember(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Note a fault, for whoever looks at diagnostics."""
    if event["level"] in _FAULTS:
        detail = event.get("exception_type") or event.get("code") or event.get("reason") or ""
        at = datetime.fromisoformat(event["timestamp"])
        diary.OURS.note(Kind.FAULT, str(event["event"]), at, str(detail))
    return event


def _one_line(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = str(value)[:_LONGEST]
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
