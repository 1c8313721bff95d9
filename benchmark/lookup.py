"""Measures whole lookups: sets a service up, puts load on it, and checks what it left behind."""

import tempfile
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from secrets import token_bytes

from benchmark import checks, operator_process, postgres, service
from benchmark.checks import Check
from benchmark.errors import NoPostgresError
from benchmark.machine import Machine, describe, scratch
from benchmark.meter import Meter
from benchmark.operator import Link
from benchmark.operator_process import OperatorProcess
from benchmark.postgres import PostgresServer
from benchmark.summary import Measured, Mode, Row, added, row
from benchmark.tally import Order

WARM_UP_SECONDS = 3.0
IDLE_RATE = 4.0
OPEN_CLIENTS = 64
_WARM_UP_CLIENTS = 16

Say = Callable[[str], None]


class Kind(StrEnum):
    """The databases that a service can stand on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Units: *seconds* a round, *rate* in lookups a second (half the top rate if none is given).
    """

    databases: tuple[Kind, ...]
    seconds: float
    rounds: int
    clients: tuple[int, ...]
    citizens: int
    rate: float | None
    seed: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured on one database, or why nothing was."""

    database: Kind
    version: str
    rows: tuple[Row, ...] = ()
    checks: tuple[Check, ...] = ()
    left_out: str = ""

    @property
    def faults(self) -> dict[str, int]:
        """What went wrong in the rounds, and how often."""
        return added(found.faults for found in self.rows)

    @property
    def sound(self) -> bool:
        """Whether every check held and no round saw a fault."""
        return all(check.held for check in self.checks) and not self.faults


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run of the benchmark."""

    plan: Plan
    machine: Machine
    started_at: datetime
    findings: tuple[Finding, ...]


def measure(plan: Plan, *, now: datetime, say: Say) -> Report:
    """Measure each database of the plan in turn; *say* is told how far it is.

    Raises: MachineError, ServiceError, OperatorError.
    """
    folder = scratch()
    machine = describe(folder)
    findings = tuple(_on(kind, plan, folder, machine, say) for kind in plan.databases)
    return Report(plan, machine, now, findings)


def _on(kind: Kind, plan: Plan, folder: Path, machine: Machine, say: Say) -> Finding:
    with ExitStack() as stack:
        server: PostgresServer | None = None
        version = f"SQLite {machine.sqlite}"
        if kind is Kind.POSTGRESQL:
            say("postgresql: starting a server of our own")
            try:
                server = stack.enter_context(postgres.running(folder))
            except NoPostgresError as error:
                say(f"postgresql: left out, {error}")
                return Finding(kind, "", left_out=str(error))
            version = f"PostgreSQL {server.version} ({server.origin})"
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="tradan-bench-", dir=folder))
        rows, found = _deploy(_Site(kind, plan, Path(home), server, say))
        return Finding(kind, version, rows, found)


@dataclass(frozen=True, slots=True)
class _Site:
    """Where one database is measured."""

    kind: Kind
    plan: Plan
    home: Path
    postgres: PostgresServer | None
    say: Say

    def tell(self, words: str) -> None:
        self.say(f"{self.kind}: {words}")


def _deploy(site: _Site) -> tuple[tuple[Row, ...], tuple[Check, ...]]:
    """Set a service up as a user does, run every round on it, and check what it left."""
    secret_file = site.home / "secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text("whsec_" + b64encode(token_bytes(32)).decode() + "\n")
    with operator_process.started(site.home) as operator:
        site.tell("making keys, database and link")
        deployed = service.make(site.home, site.postgres)
        path = service.connect(deployed, port=operator.port, secret_file=secret_file)
        site.tell(f"making and importing {site.plan.citizens:,} citizens")
        people = service.populate(deployed, citizens=site.plan.citizens, seed=site.plan.seed)
        with service.running(deployed) as pid:
            operator.take(Link(deployed.port, path, str(secret_file)))
            operator.people(people, str(site.plan.seed))
            meter = Meter(deployed, pid, site.postgres.pid if site.postgres else None)
            rows = _Load(site, operator, meter).rows()
            accepted = site.home / "accepted.csv"
            operator.accepted(accepted)
            site.tell("checking what every message came to")
            found = checks.of(deployed, accepted)
    return rows, (*found, checks.journal(deployed))


@dataclass(slots=True)
class _Load:
    """Runs the rounds of a plan, each kind of load in its turn."""

    site: _Site
    operator: OperatorProcess
    meter: Meter
    _done: int = 0
    _measured: dict[tuple[Mode, int], list[Measured]] = field(default_factory=dict)

    def rows(self) -> tuple[Row, ...]:
        """Run everything and return a row for each kind of load."""
        plan = self.site.plan
        self.site.tell("warming up")
        self.operator.run(Order(_WARM_UP_CLIENTS, min(WARM_UP_SECONDS, plan.seconds)))
        for _ in range(plan.rounds):
            self._round(Mode.IDLE, Order(1, plan.seconds, IDLE_RATE))
            for clients in plan.clients:
                self._round(Mode.CLOSED, Order(clients, plan.seconds))
        rate = plan.rate or _half_the_top(self._measured)
        for _ in range(plan.rounds if rate else 0):
            self._round(Mode.OPEN, Order(OPEN_CLIENTS, plan.seconds, rate))
        return tuple(row(rounds) for rounds in self._measured.values())

    def _round(self, mode: Mode, order: Order) -> None:
        measured = self.meter.measure(mode, lambda: self.operator.run(order))
        self._measured.setdefault((mode, order.clients), []).append(measured)
        self._done += 1
        outcome = measured.outcome
        at = f"at {order.rate:g}/s" if order.rate else f"{order.clients} clients"
        faults = f", faults {outcome.faults}" if outcome.faults else ""
        ended = ", citizens used up: more --citizens" if outcome.used_up else ""
        self.site.tell(
            f"round {self._done} of {self._planned}: {mode}, {at}, "
            f"{outcome.lookups_per_second:.1f} lookups/s{faults}{ended}"
        )

    @property
    def _planned(self) -> int:
        return self.site.plan.rounds * (len(self.site.plan.clients) + 2)


def _half_the_top(measured: Mapping[tuple[Mode, int], Sequence[Measured]]) -> float:
    speeds = (
        row(rounds).lookups_per_second
        for (mode, _), rounds in measured.items()
        if mode is Mode.CLOSED
    )
    return round(max(speeds, default=0.0) / 2, 1)
