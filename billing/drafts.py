"""Drafts: what a statement of a period is to say now, with corrections of what is closed.

All of it is read, so that it can be made beside the service; only storing it is a write.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from billing import carried, kept_lines, lines, statements, tariffs
from billing.carried import Section
from billing.lines import Line
from billing.periods import Period
from billing.statements import Sent, State, Statement


class Carrier(Protocol):
    """A link to an operator, as billing knows it."""

    @property
    def id(self) -> int:
        """The number that usage has of it."""
        ...

    @property
    def operator(self) -> str:
        """Whose it is."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """An operator, and the links that it carries messages over."""

    operator: str
    links: frozenset[int]

    @classmethod
    def of(cls, operator: str, among: Iterable[Carrier]) -> "Account | None":
        """Return an operator with its links, the ended ones too; None if it has none."""
        links = frozenset(link.id for link in among if link.operator == operator)
        return cls(operator, links) if links else None


@dataclass(frozen=True, slots=True)
class Counted:
    """What a statement of a period is to say, and what was sent of other months before counting."""

    lines: tuple[Line, ...]
    beside: Sent


def compute(session: Session, account: Account, period: Period) -> Counted:
    """Count the lines of a period: what was carried in it, and what corrects closed months.

    A correction is for the earliest later month that is not closed; it is nowhere twice.
    """
    # Asked first: what is sent while the rest is counted has to be seen by who sends this.
    beside = statements.sent_beside(session, account.operator, period)
    ours = computed(session, account, period)
    before = [s for s in statements.listed(session, account.operator) if s.period < period]
    newest_open = max((s.period for s in before if not s.is_closed), default=None)
    ready = [s for s in before if s.is_closed and (newest_open is None or s.period > newest_open)]
    corrections = due(session, account, ready, but=period).values()
    return Counted(lines.added(ours, *corrections), beside)


def computed(session: Session, account: Account, period: Period) -> tuple[Line, ...]:
    """Return the lines of what was carried in a period, at the prices that are set now."""
    groups = carried.load(session, account.links, period)
    return lines.of(account.operator, groups, tariffs.load(session))


def due(
    session: Session,
    account: Account,
    among: Iterable[Statement],
    but: Period | None = None,
) -> Mapping[Period, tuple[Line, ...]]:
    """Return the corrections of statements that none holds yet, by period; *but* holds none."""
    corrected = _corrected(session, account.operator, but)
    found: dict[Period, tuple[Line, ...]] = {}
    for statement in among:
        if statement.forgotten_at is not None:
            continue
        period = statement.period
        signed = _of_its_own(kept_lines.load(session, statement.id))
        owing = lines.difference(computed(session, account, period), signed, period)
        taken = [line for line in corrected if line.terms.corrects == str(period)]
        if left := lines.less(owing, taken):
            found[period] = left
    return found


def _of_its_own(kept: Iterable[Line]) -> list[Line]:
    return [line for line in kept if line.terms.section is not Section.CORRECTION]


def _corrected(session: Session, operator: str, but: Period | None) -> list[Line]:
    """Return the corrections that statements hold which are sent or closed."""
    return [
        line
        for statement in statements.listed(session, operator)
        if statement.period != but and statement.state is not State.DRAFT
        for line in kept_lines.load(session, statement.id)
        if line.terms.section is Section.CORRECTION
    ]
