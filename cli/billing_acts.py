"""Acts on statements: by an officer, each with its entry, which holds the digest of the lines."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cli import acting
from cli.confirming import confirmed
from cli.context import Service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.drafts import Account
    from billing.periods import Period
    from billing.statements import Done, Statement
    from console.access.officers import Officer
    from console.access.roles import Right
    from journal.leaf import PayloadValue


def account_of(service: Service, operator: str) -> "Account":
    """Return an operator with its links, the ended ones too.

    Raises: UsageFault if no link is its.
    """
    from billing.drafts import Account

    links = frozenset(link.id for link in service.links.all() if link.operator == operator)
    if not links:
        raise UsageFault(f"no link is of an operator called {operator}: see `operator list`", USAGE)
    return Account(operator, links)


def period_of(text: str) -> "Period":
    """Read a period.

    Raises: UsageFault.
    """
    from billing.errors import PeriodError
    from billing.periods import Period

    try:
        return Period.parse(text)
    except PeriodError as error:
        raise UsageFault(str(error), USAGE) from error


def perform(
    service: Service,
    name: str,
    right: "Right",
    act: str,
    work: "Callable[[Session, Officer], Done]",
) -> "Done":
    """Have an officer do something to a statement, with an entry if that changed it.

    Raises: UsageFault if it may not be done.
    """
    from billing.errors import StatementError

    officer = confirmed(service, name, right, f"{act} statements")

    def together(session: "Session") -> "tuple[Done, dict[str, PayloadValue] | None]":
        done = work(session, officer)
        return done, _said(act, done.statement) if done.is_new else None

    try:
        return acting.perform_told(service, officer.actor, together)
    except StatementError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error


def _said(act: str, statement: "Statement") -> "dict[str, PayloadValue]":
    said: dict[str, PayloadValue] = {
        "act": f"statement-{act}",
        "operator": statement.operator,
        "period": str(statement.period),
        "digest": statement.digest,
        "net_hundredths": statement.net_hundredths,
    }
    if act == "close" and statement.agreed:
        said["agreed"] = statement.agreed
    if act == "settle" and statement.reference:
        said["reference"] = statement.reference
    return said
