"""Whoever is told nothing cannot tell why, not even with a watch (security.md 3.7).

Two hundred of each class, shuffled, through the real stages; timed where the operator gets them.
"""

import math
import re
import secrets
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import pytest

from billing.tables import USAGE
from core.db import Database
from core.phone import Msisdn
from journal.tables import JOURNAL_ENTRY
from records import citizens, locks, number_events
from records.locks import Gate
from records.numbers import Event, Kind
from records.register import Record, Status
from sms.links.model import Accepted, Outcome, Outgoing
from sms.stages import Stages
from sms.tables import INBOUND
from tests.sms.gateway import TEST, Gateway, stranger
from tests.sms.running import staged

OF_EACH = 200
PACE_SECONDS = 0.03
WAIT_SECONDS = 60.0
MOST_BETWEEN_MEDIANS = 0.050
LEAST_P = 0.001


@dataclass(frozen=True, slots=True)
class Request:
    """One who asks, and about whom."""

    reason: str
    sender: str
    personal_id: str


@pytest.fixture
def running(database: Database, keys_dir: Path, tmp_path: Path) -> Iterator[tuple[Gateway, Stages]]:
    with staged(database, keys_dir, tmp_path / "gateway") as made:
        yield made


def requests(gateway: Gateway) -> list[Request]:
    """Make everybody who asks, and put those they ask about into the register."""
    now = gateway.clock.now()
    strangers = (stranger(number) for number in range(10**6))
    made: dict[str, list[tuple[Msisdn | None, str]]] = {
        "unknown-id": [(next(strangers), f"999{number:09d}") for number in range(OF_EACH)],
        "other-number": [(next(strangers), each.personal_id) for each in population(gateway)],
        "owner-locked": themselves(people := population(gateway)),
        "status-deceased": themselves(population(gateway, status=Status.DECEASED)),
        "no-number": [
            (next(strangers), each.personal_id) for each in population(gateway, phone=None)
        ],
        "number-shared": themselves(sharing(gateway)),
        "number-too-new": themselves(population(gateway, phone_verified_on=now.date())),
        "sim-changed": themselves(swapped(gateway)),
    }
    gates = [(gateway.citizen_id(each), Gate(owner_locked=True)) for each in people]
    gateway.database.write(lambda s: locks.store(s, gates))
    asked = [
        Request(reason, str(sender), number)
        for reason, pairs in made.items()
        for sender, number in pairs
    ]
    secrets.SystemRandom().shuffle(asked)
    return asked


def population(gateway: Gateway, **changes: object) -> list[Record]:
    return gateway.population(OF_EACH, **changes)


def themselves(people: list[Record]) -> list[tuple[Msisdn | None, str]]:
    return [(each.phone, each.personal_id) for each in people]


def sharing(gateway: Gateway) -> list[Record]:
    """Make citizens whose telephone three more have on file."""
    first = population(gateway)
    for _ in range(3):
        others = gateway.population(OF_EACH)
        same = [replace(one, phone=by.phone) for one, by in zip(others, first, strict=True)]
        citizens.store(gateway.database, gateway.keyring, same)
    return first


def swapped(gateway: Gateway) -> list[Record]:
    """Make citizens whose telephones have a new SIM."""
    people, now = population(gateway), gateway.clock.now()
    events = [
        number_events.prepare(
            gateway.keyring,
            1,
            Event(operator=TEST, id=f"e-{place}", kind=Kind.SIM_CHANGED, happened_at=now),
            Msisdn(str(each.phone)),
        )
        for place, each in enumerate(people)
    ]
    gateway.database.write(lambda s: number_events.take(s, events, {TEST: ""}))
    return people


@dataclass(slots=True)
class Watch:
    """Notes when each reply reached the operator, and what it said."""

    at: dict[str, float]
    texts: dict[str, str]

    def take(self, reply: Outgoing) -> Outcome:
        """Take a reply and note the time."""
        self.at[reply.in_reply_to] = time.perf_counter()
        self.texts[reply.in_reply_to] = reply.text
        return Accepted()


@pytest.mark.timing
def test_nobody_can_tell_from_time_words_or_price_why_nothing_is_told(
    running: tuple[Gateway, Stages], capsys: pytest.CaptureFixture[str]
) -> None:
    gateway, stages = running
    asked, watch, sent = requests(gateway), Watch({}, {}), dict[str, float]()
    gateway.operator.outcome = watch.take
    stages.start()
    for place, request in enumerate(asked):
        serial = f"t-{place}"
        gateway.send(request.sender, f"DC {request.personal_id}", message_id=serial)
        sent[serial] = time.perf_counter()
        stages._parts.received.ring()
        threading.Event().wait(PACE_SECONDS)
    gives_up_at = time.monotonic() + WAIT_SECONDS
    while len(watch.at) < len(asked) and time.monotonic() < gives_up_at:
        threading.Event().wait(0.05)
    stages.drain()

    reasons = {f"t-{place}": request.reason for place, request in enumerate(asked)}
    taken: dict[str, list[float]] = {reason: [] for reason in reasons.values()}
    for serial, reason in reasons.items():
        taken[reason].append(watch.at[serial] - sent[serial])
    report = figures(taken)
    with capsys.disabled():
        print(f"\n{gateway.database.dialect}\n{report}")  # noqa: T201 (the figures are what it is for)
    check_counts(gateway, reasons)
    masked = {re.sub(r"Ma GD [0-9A-Z]{6}", "Ma GD ......", text) for text in watch.texts.values()}
    assert len(masked) == 1
    medians = [statistics.median(times) for times in taken.values()]
    assert max(medians) - min(medians) < MOST_BETWEEN_MEDIANS
    assert min(holm(taken).values()) > LEAST_P


def check_counts(gateway: Gateway, reasons: dict[str, str]) -> None:
    """See that each class led to as many replies, parts, entries and charges."""
    messages = {row.id: row for row in gateway.rows(INBOUND)}
    of_class = {key: reasons[row.operator_message_id] for key, row in messages.items()}
    assert {row.reason == of_class[key] for key, row in messages.items()} == {True}
    replies = {row.id: row for row in gateway.replies()}
    entries = {row.id for row in gateway.rows(JOURNAL_ENTRY)}
    usage = gateway.rows(USAGE)
    charged = {
        "mo": Counter(of_class[row.message_id] for row in usage if row.direction == "mo"),
        "mt": Counter(
            of_class[replies[row.message_id].inbound_id] for row in usage if row.direction == "mt"
        ),
    }
    told = Counter(of_class[row.inbound_id] for row in replies.values())
    entered = Counter(of_class[key] for key, row in messages.items() if row.entry_id in entries)
    parts = Counter(dict.fromkeys(told, 0))
    for row in replies.values():
        parts[of_class[row.inbound_id]] += row.segments
    even = dict.fromkeys(told, OF_EACH)
    assert told == entered == parts == charged["mo"] == charged["mt"] == even
    assert len({(row.reply, row.state, row.encoding) for row in replies.values()}) == 1


def holm(taken: dict[str, list[float]]) -> dict[tuple[str, str], float]:
    """Compare each pair of classes and correct for how many pairs there are (Holm, 1979)."""
    from scipy.stats import mannwhitneyu  # noqa: PLC0415 (loads slowly, and only here)

    raw = {
        pair: float(mannwhitneyu(taken[pair[0]], taken[pair[1]]).pvalue)
        for pair in combinations(sorted(taken), 2)
    }
    corrected, highest = {}, 0.0
    for place, (pair, p) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, p * (len(raw) - place)))
        corrected[pair] = highest
    return corrected


def figures(taken: dict[str, list[float]]) -> str:
    """Write the times of each class, and the pair that differs most."""
    lines = [f"{'class':18} {'n':>4} {'median':>9} {'p95':>9} {'mean':>9}  (milliseconds)"]
    for reason, times in sorted(taken.items()):
        ordered = sorted(times)
        p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
        row = (statistics.median(times), p95, statistics.fmean(times))
        told = " ".join(f"{1000 * each:9.2f}" for each in row)
        lines.append(f"{reason:18} {len(times):4} {told}")
    pair, p = min(holm(taken).items(), key=lambda item: item[1])
    medians = [statistics.median(times) for times in taken.values()]
    lines.append(f"medians lie within {1000 * (max(medians) - min(medians)):.2f} ms")
    lines.append(f"least p after Holm: {p:.4f} ({pair[0]} and {pair[1]})")
    return "\n".join(lines)
