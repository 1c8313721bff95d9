"""Measures the journal: how fast it seals, proves and verifies, on each database."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmark import journal_filler, postgres, processes, service
from benchmark.errors import NoPostgresError, ServiceError
from benchmark.journal_filler import JournalFiller
from benchmark.journal_rows import Load, Round, Size, Verification, Verified, summed
from benchmark.lookup import Kind, Say
from benchmark.machine import Machine, describe, scratch
from benchmark.postgres import PostgresServer
from benchmark.service import Service
from benchmark.tally import Percentiles

PROOFS = 200
_HOUSE = Path(__file__).resolve().parents[1]
_APP, _VERIFIER = _HOUSE / "app.py", _HOUSE / "verify_journal.py"
_KIBIBYTE = 1024
_WORDS = {
    Verification.TREE: ("--signatures", "none", "--no-openings"),
    Verification.OPENED: ("--signatures", "none"),
    Verification.ALL: (),
}
# Everything held; something was found; something was left out, as it was asked to.
_ENDED = (0, 1, 3)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Units: *seconds* a round; *entries* are the sizes at which proofs and verifications are taken.
    """

    databases: tuple[Kind, ...]
    seconds: float
    rounds: int
    clients: tuple[int, ...]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured on one database, or why nothing was.

    Units: *start* in seconds, what `journal verify` takes where there is nothing to verify.
    """

    database: Kind
    version: str
    loads: tuple[Load, ...] = ()
    sizes: tuple[Size, ...] = ()
    start: float = 0.0
    left_out: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing was found by any verification."""
        return not any(
            found.findings for size in self.sizes for found in size.verifications.values()
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run of the benchmark."""

    plan: Plan
    machine: Machine
    started_at: datetime
    findings: tuple[Finding, ...]


def measure(plan: Plan, *, now: datetime, say: Say) -> Report:
    """Measure each database of the plan in turn; *say* is told how far it is.

    Raises: MachineError, ServiceError.
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
        deployed = service.make(Path(home), server)
        filler = stack.enter_context(journal_filler.started(deployed))
        bench = _Bench(kind, plan, deployed, filler, server, say)
        start = bench.start()
        first, *others = plan.entries
        sizes = [bench.at(first)]
        loads = bench.loads()
        sizes += [bench.at(entries) for entries in others]
        return Finding(kind, version, loads, tuple(sizes), start)


@dataclass(frozen=True, slots=True)
class _Bench:
    """One deployment that is measured."""

    kind: Kind
    plan: Plan
    service: Service
    filler: JournalFiller
    postgres: PostgresServer | None
    say: Say

    def start(self) -> float:
        """Verify a journal that is all but empty: how long that takes is no work on entries.

        Units: seconds.
        """
        extent = Verification.TREE
        words = ("journal", "verify", *_WORDS[extent])
        return min(self._verified(extent, _APP, *words).seconds for _ in range(2))

    def at(self, entries: int) -> Size:
        """Fill the journal up to a size, and measure proofs and verifications there."""
        self._tell(f"filling the journal up to {entries:,} entries")
        filled = self.filler.ask("fill", size=entries)
        proof = Percentiles(**self.filler.ask("prove", count=PROOFS)["latency"])
        self._tell(f"{entries:,} entries: an inclusion proof takes {proof.p50:g} ms")
        return Size(
            entries=entries,
            filled=round(filled["entries"] / filled["seconds"], 1),
            proof=proof,
            verifications=dict(self._verifications()),
        )

    def loads(self) -> tuple[Load, ...]:
        """Run every round, the kinds of load in turn."""
        rounds: dict[int, list[Round]] = {clients: [] for clients in self.plan.clients}
        for number in range(self.plan.rounds):
            for clients, done in rounds.items():
                done.append(self._round(clients))
                rate = done[-1].entries / done[-1].seconds
                self._tell(
                    f"round {number + 1} of {self.plan.rounds}, {clients} clients: "
                    f"{rate:.0f} sealed/s, p99 {done[-1].latency.p99:g} ms"
                )
        return tuple(summed(clients, done) for clients, done in rounds.items())

    def _round(self, clients: int) -> Round:
        before, busy = self._database_cpu(), processes.machine()
        told = self.filler.ask("load", clients=clients, seconds=self.plan.seconds)
        database_cpu = self._database_cpu() - before
        spent, whole = (late - early for early, late in zip(busy, processes.machine(), strict=True))
        return Round(
            entries=told["entries"],
            seconds=told["seconds"],
            cpu=told["cpu"],
            database_cpu=database_cpu,
            latency=Percentiles(**told["latency"]),
            resident=told["resident"],
            others=max(0.0, spent - told["cpu"] - database_cpu) / whole if whole else 0.0,
        )

    def _verifications(self) -> Iterator[tuple[Verification, Verified]]:
        """Verify as an auditor does: the live journal, and an export of it."""
        for extent, words in _WORDS.items():
            yield extent, self._verified(extent, _APP, "journal", "verify", *words)
        with tempfile.TemporaryDirectory(dir=self.service.folder) as folder:
            self._tell("exporting")
            self.service.verb("journal", "export", f"{folder}/export")
            words = (f"{folder}/export", "--key", self.filler.key, "--signatures", "none")
            yield Verification.EXPORT, self._verified(Verification.EXPORT, _VERIFIER, *words)

    def _verified(self, extent: Verification, program: Path, *words: str) -> Verified:
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 (our own programs)
            [sys.executable, str(program), *words, "--json"],
            env=dict(self.service.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            said = process.stdout.read() if process.stdout else b""
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in _ENDED:
            raise ServiceError(f"{program.name} ended {process.returncode} where it verifies")
        found = Verified(
            seconds=round(time.monotonic() - began, 3),
            cpu=round(used.ru_utime + used.ru_stime, 3),
            resident=used.ru_maxrss * _KIBIBYTE,
            findings=len(json.loads(said)["findings"]),
        )
        self._tell(f"verified ({extent}) in {found.seconds:.1f} s, findings: {found.findings}")
        return found

    def _database_cpu(self) -> float:
        return processes.usage(self.postgres.pid).cpu if self.postgres else 0.0

    def _tell(self, words: str) -> None:
        self.say(f"{self.kind}: {words}")
