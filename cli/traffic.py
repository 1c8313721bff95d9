"""What `simulate traffic` does: the benchmark's operator, at a service that runs already."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmark import operator_process
from benchmark.errors import BenchmarkError
from benchmark.operator import Link
from benchmark.operator_process import OperatorProcess
from benchmark.people import Person, write
from benchmark.summary import added, together
from benchmark.tally import Order, Outcome, Percentiles, Span
from cli import sandbox
from cli.context import Service
from cli.exits import NOT_ALLOWED, UNAVAILABLE, UsageFault
from cli.invented import READ_AGAIN_SECONDS, alone
from cli.progress import Progress
from core.settings import is_loopback
from phone import subscribers
from phone.links import LinkFolder

CODE = "traffic"
TITLE = "Traffic"
_FOLDER = "phone/traffic"
_PRICE = 300
# Told so often how far it is; what is under way at its end is waited for, which takes moments.
_SLICE_SECONDS = 5.0
_CONNECTIONS = 16
_FEWEST, _MOST = 100, 20_000
_WITH_PORT = {"http": 80}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play.

    Units: *rate* in turns a second.
    """

    rate: float
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the made-up operator saw."""

    plan: Plan
    people: int
    outcomes: tuple[Outcome, ...]
    is_interrupted: bool

    @property
    def faults(self) -> dict[str, int]:
        """What was not as was due, and how often."""
        return added(outcome.faults for outcome in self.outcomes)

    @property
    def replies(self) -> dict[str, int]:
        """Which replies came, and how often."""
        return added(outcome.replies for outcome in self.outcomes)

    @property
    def messages(self) -> int:
        """How many messages were taken, repeats counted."""
        return sum(outcome.messages for outcome in self.outcomes)

    @property
    def lookups(self) -> int:
        """How many ended with a RESULT."""
        return sum(outcome.lookups for outcome in self.outcomes)

    @property
    def is_used_up(self) -> bool:
        """Whether nobody was left to ask."""
        return any(outcome.used_up for outcome in self.outcomes)

    def span(self, span: Span) -> Percentiles:
        """Return how long a stretch of a message's way took."""
        return together(self.outcomes, span)

    def as_json(self) -> dict[str, object]:
        """Shape it for programs."""
        return {
            "rate": self.plan.rate,
            "seconds": round(sum(outcome.seconds for outcome in self.outcomes), 1),
            "seed": self.plan.seed,
            "people": self.people,
            "people_used_up": self.is_used_up,
            "interrupted": self.is_interrupted,
            "messages": self.messages,
            "lookups": self.lookups,
            "replies": self.replies,
            "faults": self.faults,
            "milliseconds": {
                span: asdict(self.span(span)) for span in (Span.ACCEPT, Span.ANSWER, Span.LOOKUP)
            },
        }

    def lines(self) -> list[str]:
        """Say it to a person."""
        seconds = sum(outcome.seconds for outcome in self.outcomes)
        rate, who = f"{self.plan.rate:g} turns a second", f"{self.people} made-up people"
        found = [
            f"{seconds:.0f} s at {rate}, {who} (--seed {self.plan.seed})",
            f"  messages taken     {self.messages}",
            f"  replies            {_counted(self.replies)}",
            f"  lookups            {self.lookups}",
            f"  acknowledged after {_spread(self.span(Span.ACCEPT))}",
            f"  answered after     {_spread(self.span(Span.ANSWER))}",
            f"  not as was due     {_counted(self.faults)}",
        ]
        if self.is_used_up:
            found.append("  nobody was left to ask: add people with `demo people`")
        if self.is_interrupted:
            found.append("  interrupted")
        return found


def port_of(gateway: str) -> int | None:
    """Return the port of a service on this machine; None if it is on another, or behind TLS."""
    parts = urlsplit(gateway)
    if parts.scheme not in _WITH_PORT or not is_loopback(parts.hostname or ""):
        return None
    return parts.port or _WITH_PORT[parts.scheme]


def play(service: Service, port: int, plan: Plan) -> Seen:
    """Play an operator at the service on this *port*, until the time is over or it is interrupted.

    Raises: UsageFault when it cannot go on.
    """
    fault = "Traffic is played already: end that first."
    with (
        alone(service.settings.state_dir, CODE, fault),
        tempfile.TemporaryDirectory(prefix="tradan-traffic-") as folder,
    ):
        try:
            with operator_process.started(Path(folder)) as operator:
                people = _prepare(service, port, plan, operator, Path(folder))
                return _played(service, plan, people, operator)
        except BenchmarkError as error:
            raise UsageFault(str(error), UNAVAILABLE) from error


def _prepare(
    service: Service, port: int, plan: Plan, operator: OperatorProcess, folder: Path
) -> int:
    """Give the operator its link and its subscribers; return how many they are."""
    most = min(_MOST, max(_FEWEST, round(plan.rate * plan.seconds) + 1))
    invented = service.database.read(lambda s: subscribers.invented(s, service.keyring, most))
    if not invented:
        hint = "`import people FILE.csv --test`, or run `demo`"
        raise UsageFault(f"the register has no made-up people: {hint}", NOT_ALLOWED)
    file = folder / "people.csv"
    write(file, [Person(each.personal_id, each.number) for each in invented])
    links = LinkFolder(service.settings.state_dir / _FOLDER)
    url = f"http://127.0.0.1:{operator.port}/mt"
    if sandbox.provide(service, links, CODE, TITLE, url, _PRICE):
        time.sleep(READ_AGAIN_SECONDS)
    link = links.links()[CODE]
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text(link.secret)
    told = Link(port, link.webhook_path, str(secret))
    if service.settings.short_code:
        told = Link(port, link.webhook_path, str(secret), service.settings.short_code)
    operator.take(told)
    operator.people(file, str(plan.seed))
    return len(invented)


def _played(service: Service, plan: Plan, people: int, operator: OperatorProcess) -> Seen:
    outcomes: list[Outcome] = []
    is_interrupted = False
    try:
        with Progress("messages", round(plan.seconds), service.clock) as progress:
            done = 0.0
            for seconds in _slices(plan.seconds):
                outcomes.append(operator.run(Order(_CONNECTIONS, seconds, plan.rate)))
                done += seconds
                progress.tell(round(done), sum(outcome.messages for outcome in outcomes))
                if outcomes[-1].used_up:
                    break
    except KeyboardInterrupt:
        is_interrupted = True
    return Seen(plan, people, tuple(outcomes), is_interrupted)


def _slices(seconds: float) -> Iterator[float]:
    while seconds > 0:
        # No scrap at the end: a round of nothing measures nothing.
        part = seconds if seconds < 2 * _SLICE_SECONDS else _SLICE_SECONDS
        yield part
        seconds -= part


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _spread(found: Percentiles) -> str:
    if not found.count:
        return "nothing measured"
    return f"{found.p50:.0f} ms (p95 {found.p95:.0f}, longest {found.longest:.0f})"
