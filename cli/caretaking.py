"""The chores of a running process that look after the journal, each keeper a thread of its own."""

from collections.abc import Sequence
from datetime import timedelta

from cli.context import Service
from core.chores import Chore, Keeper
from journal.mirror import Mirror

_MIRROR_EVERY = timedelta(seconds=1)


def keepers_of(service: Service) -> Sequence[Keeper]:
    """Make the keepers that a worker runs beside its stages."""
    return (_mirror(service),)


def _mirror(service: Service) -> Keeper:
    mirror = Mirror(service.database, service.settings.state_dir, service.clock)
    return Keeper("mirror", (Chore(_MIRROR_EVERY, mirror.keep),), service.clock)
