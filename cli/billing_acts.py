"""Acts on statements: by an officer, each with its entry, which holds the digest of the lines."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cli import acting
from cli.confirming import confirmed
from cli.context import Service
from cli.exits import NOT_ALLOWED, USAGE, UsageFault

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.acts import Act, Told
    from billing.drafts import Account
    from billing.periods import Period
    from billing.statements import Done
    from console.access.officers import Officer
    from console.access.roles import Right
    from journal.leaf import PayloadValue


def account_of(service: Service, operator: str) -> "Account":
    """Return an operator with its links, the ended ones too.

    Raises: UsageFault if no link is its.
    """
    from billing.drafts import Account

    account = Account.of(operator, service.links.all())
    if account is None:
        raise UsageFault(f"no link is of an operator called {operator}: see `operator list`", USAGE)
    return account


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


def told_of(service: Service, operator: str, period: "Period") -> "Told | None":
    """Return the newest that the journal tells of a statement."""
    from billing import acts

    found = service.database.read(lambda s: acts.newest(s, service.keyring, period, [operator]))
    return found.get(operator)


def perform(
    service: Service,
    name: str,
    right: "Right",
    act: "Act",
    prepare: "Callable[[], Callable[[Session, Officer], Done]]",
) -> "Done":
    """Have an officer do something to a statement, with an entry if that changed it.

    Shape: *prepare* reads what the work needs, once the officer has confirmed: what is counted
    while somebody looks for a device may be old. Raises: UsageFault if it may not be done.
    """
    from billing import acts
    from billing.errors import StatementError

    officer = confirmed(service, name, right, f"{act} statements")
    work = prepare()

    def together(session: "Session") -> "tuple[Done, Mapping[str, PayloadValue] | None]":
        done = work(session, officer)
        return done, acts.said(act, done.statement) if done.is_new else None

    try:
        return acting.perform_told(service, officer.actor, together)
    except StatementError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error
