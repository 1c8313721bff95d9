"""The chores of a running process that look after the journal, each keeper a thread of its own."""

from collections.abc import Sequence

from cli.context import Service
from core.chores import Keeper


def keepers_of(service: Service) -> Sequence[Keeper]:  # noqa: ARG001 (the keepers come one by one)
    """Make the keepers that a worker runs beside its stages."""
    return ()
