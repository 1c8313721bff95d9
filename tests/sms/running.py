"""A gateway whose stages run as threads, as they do in service, on the machine's own time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.clock import SystemClock
from core.db import Database
from core.keyring import Keyring
from core.settings import PinProfile
from records.pins import PinHasher
from sms.groundwork import Preparer
from sms.halt import Halt
from sms.outbound import Dispatcher
from sms.signals import Signal
from sms.stages import Parts, Stages
from sms.trips import Trips
from tests.fakes import FixedClock
from tests.sms.gateway import Gateway, opened


class RealClock(FixedClock):
    """The machine's own time, for those who were promised a clock that can be set."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's own count."""
        return SystemClock().monotonic()


@contextmanager
def staged(database: Database, keys_dir: Path, state_dir: Path) -> Iterator[tuple[Gateway, Stages]]:
    """Make a gateway and its stages, which the test starts and drains."""
    clock = RealClock()
    keyring = Keyring.load(keys_dir, database, clock)
    with (
        opened(database, keyring, keys_dir, state_dir, clock) as gateway,
        ThreadPoolExecutor(2) as pool,
    ):
        written, hasher = Signal(), PinHasher(keyring, PinProfile.STANDARD)
        preparer = Preparer(hasher, gateway.register, pool, gateway.policy)
        gateway.handler = replace(gateway.handler, preparer=preparer, written=written)
        stages = Stages(
            Parts(
                database=database, keyring=keyring, journal=gateway.journal,
                handler=gateway.handler,
                trips=Trips(Halt(database, gateway.journal, state_dir, clock)),
                dispatcher=Dispatcher(database, gateway.delivery, clock, written, at_once=4),
                clock=clock, received=Signal(), written=written,
            )
        )  # fmt: skip
        yield gateway, stages
