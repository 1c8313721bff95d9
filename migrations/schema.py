"""The schema that the revisions build: the tables of every module that has some."""

from importlib import import_module

from core.db import metadata

MODULES = (
    "core.tables",
    "journal.tables",
    "journal.auditors",
    "records.tables",
    "records.cases",
    "records.locks",
    "records.pins",
    "records.stops",
    "billing.tables",
    "billing.guard_counts",
    "sms.tables",
    "sms.links.smpp.tables",
    "sms.tally",
    "console.tables",
)

for module in MODULES:
    import_module(module)

__all__ = ["MODULES", "metadata"]
