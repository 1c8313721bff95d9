"""Measures an SMPP link: one SMSC's messages through the service and through Kannel, in turn."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from benchmark import checks, peer, people, postgres, service, smsc_process
from benchmark.checks import Check
from benchmark.errors import NoPeerError, NoPostgresError
from benchmark.link_rows import Load, Order, Outcome, Round, Row, Side, row
from benchmark.lookup import Kind, Say
from benchmark.machine import Machine, describe, scratch
from benchmark.meter import metered
from benchmark.postgres import PostgresServer
from benchmark.service import Service
from benchmark.smsc_process import SmscProcess
from benchmark.summary import added

WARM_UP_SECONDS = 3.0
# An operator's link is throttled when 5,000 of its messages wait: ingest stops short of that.
WAITING = 4500
_PASSWORD = "bench"  # noqa: S105 (of an SMSC that is thrown away)
# What is measured in each round, in turn: ours, the peer, ours, the peer, ours.
_TURNS = (
    (Side.OURS, Load.HELP),
    (Side.KANNEL, Load.HELP),
    (Side.OURS, Load.LOOKUP),
    (Side.KANNEL, Load.INGEST),
    (Side.OURS, Load.INGEST),
)
_CLASSES = {"reply": "HELP", "PIN": "PIN", "RESULT": "RESULT"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Units: *seconds* a round; *at_once*, the messages that wait for a reply at most; *window*, those
    that wait for a deliver_sm_resp, and the replies that wait for a submit_sm_resp.
    """

    databases: tuple[Kind, ...]
    seconds: float
    rounds: int
    at_once: int
    window: int
    citizens: int
    seed: int
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured on one database, or why nothing was; *alone* says why without a peer."""

    database: Kind
    version: str
    rows: tuple[Row, ...] = ()
    checks: tuple[Check, ...] = ()
    left_out: str = ""
    alone: str = ""

    @property
    def faults(self) -> dict[str, int]:
        """What went wrong in our own rounds, and how often."""
        return added(found.faults for found in self.rows if found.who is Side.OURS)

    @property
    def sound(self) -> bool:
        """Whether every check held and no round of ours saw a fault."""
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

    Raises: MachineError, ServiceError, OperatorError, NoSmscError.
    """
    folder = scratch()
    machine = describe(folder)
    package = smsc_process.package_folder()
    findings = tuple(_on(kind, plan, folder, package, machine, say) for kind in plan.databases)
    return Report(plan, machine, now, findings)


def _on(kind: Kind, plan: Plan, folder: Path, package: Path, machine: Machine, say: Say) -> Finding:
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
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="tradan-bench-", dir=folder))
        )
        smsc = stack.enter_context(smsc_process.started(home, package))
        stand = _Stand(kind, plan, home, server, smsc, say)
        return stand.measure(version)


@dataclass(slots=True)
class _Stand:
    """One database's service and the peer, both bound to one SMSC, and what they came to."""

    kind: Kind
    plan: Plan
    home: Path
    postgres: PostgresServer | None
    smsc: SmscProcess
    say: Say
    alone: str = ""
    _ours: list[Outcome] = field(default_factory=list)
    _rounds: dict[tuple[Side, Load], list[Round]] = field(default_factory=dict)
    _roots: dict[Side, tuple[int, int | None]] = field(default_factory=dict)
    _done: int = 0

    def measure(self, version: str) -> Finding:
        """Set everything up as users do, run every round, and check what was left behind."""
        with ExitStack() as stack:
            self._tell("making keys, database and link")
            deployed = service.make(self.home, self.postgres)
            self._connect(deployed)
            self._tell(f"making and importing {self.plan.citizens:,} citizens")
            self._populate(deployed)
            pid = stack.enter_context(service.running(deployed))
            self._roots[Side.OURS] = pid, self.postgres.pid if self.postgres else None
            self.smsc.await_bound(Side.OURS)
            self._start_peer(stack)
            self._run()
            self._tell("checking what every message came to")
            found = checks.of_link(deployed, *self._told())
            found.append(checks.journal(deployed))
        rows = tuple(row(rounds) for rounds in self._rounds.values())
        return Finding(self.kind, version, rows, tuple(found), alone=self.alone)

    def _connect(self, deployed: Service) -> None:
        password = self.home / "password"
        password.touch(mode=0o600)
        password.write_text(f"{_PASSWORD}\n")
        deployed.verb(
            "operator", "add", service.LINK, "--kind", "smpp", "--host", "127.0.0.1",
            "--port", str(self.smsc.port), "--system-id", Side.OURS, "--password-file", password,
            "--window", str(self.plan.window), "--rate", str(service.RATE), "--mo-price", "0",
            "--test",
        )  # fmt: skip

    def _populate(self, deployed: Service) -> None:
        seed = self.plan.seed
        asking = people.read(service.populate(deployed, citizens=self.plan.citizens, seed=seed))
        asking.sort(key=lambda person: sha256(f"{seed}/{person.personal_id}".encode()).digest())
        file = self.home / "asking"
        smsc_process.write_people(file, asking)
        self.smsc.people(file)

    def _start_peer(self, stack: ExitStack) -> None:
        if self.plan.alone:
            self.alone = "not asked for"
            return
        self._tell("starting Kannel and Flask beside it")
        try:
            running = peer.running(self.home, smsc_port=self.smsc.port, window=self.plan.window)
            pid = stack.enter_context(running)
        except NoPeerError as error:
            self.alone = str(error)
            self._tell(f"KANNEL IS LEFT OUT, there is nothing to compare with: {error}")
            return
        self.smsc.await_bound(Side.KANNEL)
        self._roots[Side.KANNEL] = pid, None

    def _run(self) -> None:
        turns = [turn for turn in _TURNS if turn[0] in self._roots]
        self._tell("warming up")
        for who in self._roots:
            self._order(who, Load.HELP, min(WARM_UP_SECONDS, self.plan.seconds))
        for _ in range(self.plan.rounds):
            for who, load in turns:
                self._round(who, load, self.plan.rounds * len(turns))

    def _round(self, who: Side, load: Load, planned: int) -> None:
        (order, outcome), used = metered(
            *self._roots[who], lambda: self._order(who, load, self.plan.seconds)
        )
        measured = Round(order, outcome, used)
        self._rounds.setdefault((who, load), []).append(measured)
        self._done += 1
        faults = f", faults {outcome.faults}" if outcome.faults else ""
        ended = ", citizens used up: more --citizens" if outcome.used_up else ""
        self._tell(
            f"round {self._done} of {planned}: {who}, {load}, "
            f"{measured.per_second:,.0f} messages/s{faults}{ended}"
        )

    def _order(self, who: Side, load: Load, seconds: float) -> tuple[Order, Outcome]:
        at_once = WAITING if load is Load.INGEST else self.plan.at_once
        order = Order(who, load, seconds, at_once, self.plan.window)
        outcome = self.smsc.run(order)
        if who is Side.OURS:
            self._ours.append(outcome)
        return order, outcome

    def _told(self) -> tuple[int, Mapping[str, int]]:
        """Say how many messages were answered OK, and which replies were taken over."""
        due: Counter[str] = Counter()
        for outcome in self._ours:
            for reply, count in outcome.replies.items():
                due[_CLASSES.get(reply, reply)] += count
        return sum(outcome.accepted for outcome in self._ours), due

    def _tell(self, words: str) -> None:
        self.say(f"{self.kind}: {words}")
