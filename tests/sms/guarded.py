"""A gateway whose replies cost money, for the tests of what guards it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from billing import guard_counts, tariffs
from billing.guard_counts import GUARD_COUNT, Count, Key
from billing.guards import Budgets
from billing.tariffs import Tariff
from billing.usage import Direction
from core import metrics
from core.db import Database
from core.keyring import Keyring
from records.register import Record
from tests.fakes import FixedClock
from tests.sms.gateway import OTHER, POLICY, REAL, Gateway, Told, opened, pin_in

PRICE = 15_000
REPLIES = 40
MUCH = 10**12
# Forty replies an hour for the one operator; everything else is out of reach.
BUDGETS = Budgets(operator_hour=REPLIES * PRICE, operator_day=MUCH, hour=MUCH, day=MUCH)


@contextmanager
def guarded(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock,
    budgets: Budgets = BUDGETS,
) -> Iterator[Gateway]:  # fmt: skip
    """Open a gateway whose two real operators charge for replies."""
    policy = replace(POLICY, budgets=budgets)
    with opened(database, keyring, keys_dir, tmp_path / "gateway", clock, policy) as made:
        charge(made, REAL, PRICE)
        charge(made, OTHER, PRICE)
        yield made


def charge(gateway: Gateway, operator: str, price: int, since: date = date(2026, 1, 1)) -> None:
    """Have an operator charge for replies from a day on."""
    wanted = Tariff(
        operator=operator, direction=Direction.MT, price_hundredths=price, valid_from=since
    )

    def work(session: sa.orm.Session) -> None:
        known = tariffs.load(session)
        tariffs.store(session, known.all, tariffs.put(known.all, wanted))

    gateway.database.write(work)


def citizens(gateway: Gateway, size: int) -> list[Record]:
    """Put so many people into the register who are not made up."""
    return gateway.population(size, is_test=False)


def ask_all(gateway: Gateway, people: Sequence[Record], word: str = "DC") -> list[Told]:
    """Have all of them ask at once, and return what they are told."""
    for person in people:
        gateway.send(person.phone, f"{word} {person.personal_id}", code=REAL)
    gateway.handle()
    return gateway.outbox()


def look_up_all(gateway: Gateway, people: Sequence[Record]) -> None:
    """Have all of them look themselves up, to the end: two replies each."""
    asked = ask_all(gateway, people)
    assert [told.reply for told in asked] == ["PIN"] * len(people)
    for told in asked:
        gateway.send(told.to, f"XN {pin_in(told.text)}", code=REAL)
    gateway.handle()
    assert [told.reply for told in gateway.outbox()] == ["RESULT"] * len(people)


def says(gateway: Gateway, person: Record, word: str, code: str = REAL) -> str | None:
    """Ask for something about oneself and return the kind of the reply."""
    return gateway.says(person.phone, f"{word} {person.personal_id}", code=code)


def put(gateway: Gateway, code: str = REAL, block: int = 0, **counts: int) -> None:
    """Count something now, as another process does."""
    since = guard_counts.bucket_of(gateway.clock.now())
    key = Key(since, gateway.link(code).id, block)
    gateway.database.write(lambda s: guard_counts.add(s, {key: Count(**counts)}))


def spent(gateway: Gateway) -> int:
    """Return what all replies have cost."""
    total = sa.select(sa.func.sum(GUARD_COUNT.c.spent))
    return int(gateway.database.read(lambda s: s.execute(total).scalar()) or 0)


def alarms(kind: str) -> float:
    """Return how often an alarm was raised."""
    return float(metrics.ALARMS.labels(kind)._value.get())
