"""Months of billing made up in a deployment before it starts, as accountants find them."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing import checks, compared, drafts, lines, statements, tariffs, usage
from billing.acts import Act, Told
from billing.carried import Group
from billing.drafts import Account
from billing.lines import Line
from billing.periods import Period
from billing.reconciliation import results
from billing.reconciliation.reconciling import Reconciled
from billing.reconciliation.store import Note, Store
from billing.reconciliation.summary import Summary
from billing.tariffs import Tariff, Tariffs
from billing.usage import Direction, Usage
from core.ids import uuid7
from sms.tables import LINK
from tests.billing.months import NEW, NEW_PRICE_ON, OCTOBER, OLD, REPLY, Record, at, held
from tests.e2e.harness import Deployment

SHORT_CODE = "1414"
MAKER, CHECKER = "officer:lan", "officer:minh"
_DAYS = 31
_DIGEST = hashlib.sha256(b"October, as the operator has it").hexdigest()
_CLOSED_AT = datetime(2026, 10, 24, 3, tzinfo=UTC)
_SENT_AT = datetime(2026, 11, 20, 2, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Faults:
    """How many records of October differ, and how."""

    lost: int
    extra: int
    doubled: int
    longer: int
    dearer: int


def make_up(service: Deployment, code: str, busy: int, faults: Faults, folder: Path) -> None:
    """Settle September of an operator, and find that October, of about so many a day, differs."""
    ours = list(_october(busy))
    theirs = _theirs(ours, faults)
    with held(folder, ours, theirs) as found:
        summary = replace(found.summary, operator=code, files=(_DIGEST,))
        store = Store.of(service.state_dir, code)
        results.keep(store, Reconciled(summary, found.duck), _SENT_AT + timedelta(hours=1))
    _take_in(store, theirs, folder)
    engine = sa.create_engine(f"sqlite:///{service.state_dir / 'tradan.db'}")
    with Session(engine) as session, session.begin():
        link_id = session.execute(sa.select(LINK.c.id).where(LINK.c.code == code)).scalar_one()
        prices = _prices(code)
        tariffs.store(session, (), prices)
        _settle(session, code, prices, busy)
        usage.record(session, [_usage(each, link_id) for each in ours])
        _compare(session, Account(code, frozenset({link_id})), summary)
    engine.dispose()


def _take_in(store: Store, theirs: Sequence[Record], folder: Path) -> None:
    """Have the operator's file be there, as it was compared."""
    store.lay(OCTOBER, folder / "theirs-0.parquet", _DIGEST)
    note = Note(
        digest=_DIGEST, records=len(theirs), carried=len(theirs),
        parts=sum(each.parts for each in theirs),
        amount=sum(each.price if each.amount is None else each.amount for each in theirs),
        imported_at=_SENT_AT + timedelta(minutes=40), imported_by="console:lan",
    )  # fmt: skip
    store.note(OCTOBER, note)


def _october(busy: int) -> Iterable[Record]:
    for day in range(_DAYS):
        begins = OCTOBER.starts_at + timedelta(days=day)
        count = int(busy * (0.62 if begins.weekday() > 4 else 1) * (1 + 0.14 * math.sin(day * 1.9)))
        for number in range(count):
            asked = Record(
                id=f"MO-{day + 1:02}-{number:05}",
                at=begins + timedelta(hours=6) + timedelta(hours=16) * number / count,
                parts=2 if number % 9 == 4 else 1,
            )
            yield asked
            yield at(asked, id=f"MT{asked.id[2:]}", direction="mt", parts=2 - number % 2)


def _theirs(ours: Sequence[Record], faults: Faults) -> list[Record]:
    """Plant faults, each kind on days of its own."""
    step, kinds = len(ours) // 6, (faults.lost, faults.doubled, faults.longer, faults.dearer)
    lost, doubled, longer, dearer = (
        ours[step * (place + 1) : step * (place + 1) + count] for place, count in enumerate(kinds)
    )
    changed = {each.id: at(each, parts=each.parts + 1) for each in longer}
    changed |= {each.id: at(each, amount=each.price + 5_000) for each in dearer}
    gone = {each.id for each in lost}
    kept = [changed.get(each.id, each) for each in ours if each.id not in gone]
    extra = [at(each, id=f"X-{each.id}") for each in ours[step * 5 : step * 5 + faults.extra]]
    return [*kept, *doubled, *extra]


def _prices(code: str) -> list[Tariff]:
    mo = Tariff(
        operator=code, short_code=SHORT_CODE, valid_from=date(2026, 1, 1), price_hundredths=OLD,
        vat_bp=1_000, share_bp=4_300,
    )  # fmt: skip
    return [
        replace(mo, valid_to=NEW_PRICE_ON - timedelta(days=1)),
        replace(mo, valid_from=NEW_PRICE_ON, price_hundredths=NEW),
        replace(mo, direction=Direction.MT, price_hundredths=REPLY, share_bp=0),
    ]


def _settle(session: Session, code: str, prices: Sequence[Tariff], busy: int) -> None:
    """Make up a statement of September that is settled."""
    september = OCTOBER.preceding
    found = lines.of(code, (_group(way, busy * 27) for way in Direction), Tariffs(prices))
    statements.open_draft(session, code, september, found, MAKER, _CLOSED_AT)
    _send(session, code, september, found, _CLOSED_AT)
    compared.note(
        session, code, september, matches=True, file_digest="ab" * 32, difference_hundredths=0,
        by=MAKER, now=_CLOSED_AT,
    )  # fmt: skip
    sent, signed = (
        Told(act, lines.digest(code, september, found)) for act in (Act.SEND, Act.CLOSE)
    )
    checks.close(session, code, september, None, CHECKER, _CLOSED_AT, told=sent)
    checks.settle(session, code, september, "UNC 1207/2026", CHECKER, _CLOSED_AT, told=signed)


def _send(
    session: Session, code: str, period: Period, found: Sequence[Line], now: datetime
) -> None:
    beside = statements.sent_beside(session, code, period)
    statements.send(session, code, period, found, MAKER, now, beside=beside)


def _group(direction: Direction, count: int) -> Group:
    return Group(
        short_code=SHORT_CODE, direction=direction, encoding="gsm7", day=date(2026, 9, 9),
        messages=count, parts=count + count // 9,
    )  # fmt: skip


def _compare(session: Session, account: Account, summary: Summary) -> None:
    """Send a statement of October, and note on it what was compared."""
    code, found = account.operator, _with_correction(drafts.computed(session, account, OCTOBER))
    statements.open_draft(session, code, OCTOBER, found, MAKER, _SENT_AT)
    _send(session, code, OCTOBER, found, _SENT_AT)
    compared.note(
        session, code, OCTOBER, matches=False, file_digest=summary.digest,
        difference_hundredths=summary.difference.amount, by=MAKER,
        now=_SENT_AT + timedelta(hours=1),
    )  # fmt: skip


def _with_correction(found: Sequence[Line]) -> tuple[Line, ...]:
    """Add what came late of September."""
    first = found[0]
    late = lines.difference(
        [replace(first, messages=7, parts=7, amount=7 * OLD, vat=22_274, share=95_781)],
        (),
        OCTOBER.preceding,
    )
    return lines.added(found, late)


def _usage(record: Record, link_id: int) -> Usage:
    return Usage(
        message_id=uuid7(), link_id=link_id, direction=Direction(record.direction),
        operator_message_id=record.id, segments=record.parts, encoding="gsm7", at=record.at,
        status="answered", reply_class=None, is_test=False, short_code=SHORT_CODE,
    )  # fmt: skip
