"""Measures the console's pages over as many messages and entries as a busy month brings."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from urllib.parse import urlencode
from uuid import UUID
from wsgiref.types import WSGIApplication

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmark import console_visits, postgres, service
from benchmark.bars import Bar, Verdict
from benchmark.console_filler import LINKS, MONTH, Filler
from benchmark.console_visits import Plans, Visit, Visitor
from benchmark.errors import NoPostgresError
from benchmark.lookup import Kind, Say
from benchmark.machine import Machine, describe, scratch
from benchmark.tally import Percentiles, percentiles
from console.access.roles import Role
from console.desk import Deployment
from core.clock import vietnam_day
from core.ids import first_uuid7

Site = tuple[Deployment, WSGIApplication]
OpenSite = Callable[[Mapping[str, str]], AbstractContextManager[Site]]

_LIST = Bar("list_p95", "a page of the lookup log, p95", "ms", 200)
_DEPTHS = (0.1, 0.5, 0.9, 0.999)
# Where nobody asked for a page yet, its template is not compiled: that is no page's time.
_WARM_UP = 2
_MILLI = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: on which databases, over how many rows, each page so many times."""

    databases: tuple[Kind, ...]
    rows: int
    times: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a kind of page takes.

    Units: *cpu*, the median of the process's own, in milliseconds.
    """

    latency: Percentiles
    cpu: float

    @classmethod
    def of(cls, visits: Sequence[Visit]) -> "Page":
        """Sum up visits.

        Raises: ValueError if there was none.
        """
        cpu = median(visit.cpu for visit in visits) * _MILLI
        return cls(percentiles([visit.took for visit in visits]), round(cpu, 2))


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured on one database, or why nothing was.

    Shape: *counted* and *scanned* are tables whose rows were counted, or read from end to end.
    """

    database: Kind
    version: str
    pages: Mapping[str, Page]
    listing: Page | None = None
    counted: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    left_out: str = ""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Hold the figures against the bars."""
        return (Verdict(_LIST, None if self.listing is None else self.listing.latency.p95),)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run of the benchmark."""

    plan: Plan
    machine: Machine
    started_at: datetime
    findings: tuple[Finding, ...]


def measure(plan: Plan, open_site: OpenSite, *, now: datetime, say: Say) -> Report:
    """Measure each database of the plan in turn; *say* is told how far it is.

    Raises: MachineError, ServiceError.
    """
    folder = scratch()
    machine = describe(folder)
    found = tuple(_on(kind, plan, open_site, folder, machine, say) for kind in plan.databases)
    return Report(plan, machine, now, found)


def _on(
    kind: Kind, plan: Plan, open_site: OpenSite, folder: Path, machine: Machine, say: Say
) -> Finding:
    with ExitStack() as stack:
        server, version = None, f"SQLite {machine.sqlite}"
        if kind is Kind.POSTGRESQL:
            try:
                server = stack.enter_context(postgres.running(folder))
            except NoPostgresError as error:
                return Finding(kind, "", {}, left_out=str(error))
            version = f"PostgreSQL {server.version} ({server.origin})"
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="tradan-bench-", dir=folder))
        deployed = service.make(Path(home), server)
        deployment, app = stack.enter_context(open_site(deployed.environ))
        filler = Filler(deployment, plan.rows, lambda words: say(f"{kind}: {words}"))
        filler.fill(deployment.clock.now())
        stack.enter_context(console_visits.sealing(deployment))
        return _visit(kind, version, deployment, app, plan, say)


def _visit(
    kind: Kind, version: str, deployment: Deployment, app: WSGIApplication, plan: Plan, say: Say
) -> Finding:
    reader = Visitor.enter(deployment, app, Role.SECURITY_OFFICER)
    auditor = Visitor.enter(deployment, app, Role.AUDITOR)
    pages, plans = addresses(deployment), Plans(deployment)
    visits: dict[str, list[Visit]] = {name: [] for name in pages}
    with plans.noted():
        for name, addressed in pages.items():
            for path, query in addressed:
                (auditor if name.startswith("acts") else reader).open(path, query)
    # In turn: whatever else the machine does meanwhile, it does to all of them.
    for turn in range(plan.times + _WARM_UP):
        for name, addressed in pages.items():
            path, query = addressed[turn % len(addressed)]
            took = (auditor if name.startswith("acts") else reader).open(path, query)
            if turn >= _WARM_UP:
                visits[name].append(took)
    found = {name: Page.of(measured) for name, measured in visits.items()}
    for name, page in found.items():
        say(f"{kind}: {name}: p95 {page.latency.p95:.0f} ms, {page.cpu:.1f} ms of CPU")
    lists = [each for name in visits if name.startswith("log") for each in visits[name]]
    counted, scanned = tuple(plans.counting()), tuple(plans.scanned())
    return Finding(kind, version, found, Page.of(lists), counted, scanned)


def addresses(deployment: Deployment) -> dict[str, list[tuple[str, str]]]:
    """Return the pages that are opened, by what they are an example of, with their queries."""
    now = deployment.clock.now()
    deep = [first_uuid7(now - MONTH * depth) for depth in _DEPTHS]
    day = f"{vietnam_day(now - MONTH / 2):%d/%m/%Y}"
    messages = _ids(deployment, _MESSAGE, [{"since": place} for place in deep])
    acts = _ids(deployment, _ENTRY, [{"part": part} for part in (2, 4)])
    log: dict[str, list[dict[str, str]]] = {
        "newest": [{}],
        "deep": [{"before": str(place)} for place in deep],
        "newer": [{"after": str(place)} for place in deep],
        "one link": [{"link": LINKS[1]}],
        "one link, deep": [{"link": LINKS[1], "before": str(place)} for place in deep],
        "one command": [{"command": "NK"}],
        "one kind of reply": [{"reply": "WRONG"}],
        "rare": [{"state": "quarantined"}, {"state": "expired"}],
        "rare, deep": [{"state": "quarantined", "before": str(place)} for place in deep],
        "nothing found": [{"state": "suspended"}, {"command": "KHOA", "before": str(deep[1])}],
        "a day": [{"since": day, "until": day}],
        "an operator's id": [{"text": "mo-4711"}],
    }
    return {
        "overview": [("/console/", urlencode({"since": since})) for since in ("24h", "7d", "1h")],
        **{
            f"log: {name}": [("/console/messages", urlencode(query)) for query in queries]
            for name, queries in log.items()
        },
        "message": [(f"/console/messages/{found}", "") for found in messages],
        "acts": [("/console/acts", "")],
        "acts, deep": [("/console/acts", urlencode({"before": str(found)})) for found in acts],
    }


def _ids(
    deployment: Deployment, wanted: sa.TextualSelect, places: Sequence[Mapping[str, object]]
) -> list[UUID]:
    def read(session: Session) -> list[UUID]:
        return [session.execute(wanted, place).scalar_one() for place in places]

    return deployment.database.read(read)


_MESSAGE = (
    sa.text("SELECT id FROM inbound WHERE id > :since ORDER BY id LIMIT 1")
    .bindparams(sa.bindparam("since", type_=sa.Uuid()))
    .columns(sa.column("id", sa.Uuid()))
)
_ENTRY = sa.text(
    "SELECT entry_id FROM journal_leaf WHERE seq = (SELECT max(seq) FROM journal_leaf) / :part"
).columns(sa.column("entry_id", sa.Uuid()))
