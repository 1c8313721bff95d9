"""A month's traffic and the statements of it, as tests of billing need them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from billing import acts, checks, compared, drafts, statements, tariffs, usage
from billing.acts import Act, Told
from billing.drafts import Account, Counted
from billing.lines import Line
from billing.periods import Period
from billing.statements import Done
from billing.tariffs import Tariff
from billing.usage import Direction, Usage
from core.db import Database
from core.ids import uuid7
from core.keyring import Keyring
from journal.entries import Draft, Kind, Retention
from journal.journal import Journal
from journal.leaf import PayloadValue

OCTOBER = Period(2026, 10)
NOVEMBER = OCTOBER.following
VIETTEL = Account("viettel", frozenset({1, 2}))
MAKER, CHECKER = "officer:maker", "officer:checker"
NOW = datetime(2026, 12, 20, 3, tzinfo=UTC)
PRICE = Tariff(
    operator="viettel",
    valid_from=date(2026, 1, 1),
    price_hundredths=50_000,
    vat_bp=1_000,
    share_bp=4_300,
)


def message(day: date, **changes: object) -> Usage:
    """Make a message that was carried at noon in Viet Nam."""
    values = {
        "message_id": uuid7(), "link_id": 1, "direction": Direction.MO,
        "operator_message_id": "op-1", "segments": 1, "encoding": "gsm7",
        "at": datetime(day.year, day.month, day.day, 5, tzinfo=UTC), "status": "answered",
        "reply_class": None, "is_test": False, "short_code": "1900",
    } | changes  # fmt: skip
    return Usage(**values)  # type: ignore[arg-type]  # a test names what it changes


@dataclass(frozen=True, slots=True)
class Books:
    """The billing of one database; with a journal, what is done stands in it."""

    database: Database
    account: Account = VIETTEL
    journal: Journal | None = None
    keyring: Keyring | None = None

    def carry(self, rows: Sequence[Usage]) -> None:
        self.database.write(lambda s: usage.record(s, rows))

    def price(self, *prices: Tariff) -> None:
        def work(session: Session) -> None:
            known = tariffs.load(session).all
            wanted = list(known)
            for each in prices:
                wanted = tariffs.put(wanted, each)
            tariffs.store(session, known, wanted)

        self.database.write(work)

    def compute(self, period: Period = OCTOBER) -> tuple[Line, ...]:
        return self.count(period).lines

    def count(self, period: Period = OCTOBER) -> Counted:
        return self.database.read(lambda s: drafts.compute(s, self.account, period))

    def open(self, period: Period = OCTOBER, by: str = MAKER) -> Done:
        found, whose = self.compute(period), self.account.operator
        return self._do(
            Act.OPEN, by, lambda s: statements.open_draft(s, whose, period, found, by, NOW)
        )

    def send(self, period: Period = OCTOBER, by: str = MAKER, now: datetime = NOW) -> Done:
        return self.send_counted(self.count(period), period, by, now)

    def send_counted(
        self, found: Counted, period: Period, by: str = MAKER, now: datetime = NOW
    ) -> Done:
        def work(session: Session) -> Done:
            whose, beside = self.account.operator, found.beside
            return statements.send(session, whose, period, found.lines, by, now, beside=beside)

        return self._do(Act.SEND, by, work)

    def compare(self, period: Period = OCTOBER, *, matches: bool = True) -> Done:
        whose = self.account.operator
        return self.database.write(
            lambda s: compared.note(
                s, whose, period, matches=matches, file_digest="f" * 64,
                difference_hundredths=0 if matches else -50_000, by=MAKER, now=NOW,
            )
        )  # fmt: skip

    def close(self, period: Period = OCTOBER, by: str = CHECKER, agreed: str | None = None) -> Done:
        whose, told = self.account.operator, self.told(Act.SEND, period)
        return self._do(
            Act.CLOSE, by, lambda s: checks.close(s, whose, period, agreed, by, NOW, told=told)
        )

    def settle(self, period: Period = OCTOBER, by: str = CHECKER) -> Done:
        whose, told = self.account.operator, self.told(Act.CLOSE, period)
        return self._do(
            Act.SETTLE, by, lambda s: checks.settle(s, whose, period, "UNC 7", by, NOW, told=told)
        )

    def close_month(self, period: Period = OCTOBER) -> Done:
        self.open(period)
        self.send(period)
        self.compare(period)
        return self.close(period)

    def told(self, act: Act, period: Period = OCTOBER) -> Told | None:
        """Return what the journal tells; without one, what it would if nobody deceived it."""
        whose, keyring = self.account.operator, self.keyring
        if keyring is None:
            found = self.database.read(lambda s: statements.find(s, whose, period))
            return None if found is None else Told(act, found.digest)
        return self.database.read(lambda s: acts.newest(s, keyring, period, [whose])).get(whose)

    def _do(self, act: Act, by: str, work: Callable[[Session], Done]) -> Done:
        def together(session: Session) -> Done:
            done = work(session)
            if self.journal is not None and done.is_new:
                self.journal.write(session, [entry_of(by, acts.said(act, done.statement))])
            return done

        done = self.database.write(together)
        while self.journal and self.database.read(self.journal.oldest_unsealed) is not None:
            self.journal.seal_once()
        return done


def entry_of(actor: str, said: Mapping[str, PayloadValue]) -> Draft:
    """Draft the entry of an act."""
    return Draft(
        kind=Kind.ADMIN, retention=Retention.ACT, actor=actor, actor_index=None, subject=None,
        subject_index=None, payload=said,
    )  # fmt: skip


def id_of(number: int) -> UUID:
    """Return the id of the message of this number."""
    return UUID(int=number)


def day(number: int, period: Period = OCTOBER) -> date:
    """Return a day of a month."""
    return period.first_day + timedelta(days=number - 1)
