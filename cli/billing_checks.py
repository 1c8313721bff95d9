"""`billing close` and `settle`: statements as somebody else than their maker checks them."""

from typing import TYPE_CHECKING

import click

from cli.billing_acts import perform, period_of, told_of
from cli.billing_statements import AS_JSON, OFFICER, OPERATOR, tell
from cli.context import Service, pass_service
from cli.exits import USAGE, UsageFault
from cli.groups import Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from billing.statements import Done
    from console.access.officers import Officer


@click.command(
    "close",
    cls=Verb,
    examples=(
        "python app.py billing close 2026-10 --operator viettel --officer minh",
        'python app.py billing close 2026-10 --operator vina --officer minh --agreed "minutes 7"',
    ),
)
@click.argument("period")
@OPERATOR
@OFFICER
@click.option("--agreed", metavar="TEXT", help="What was agreed on, where the operator differs.")
@AS_JSON
@pass_service
def close_command(
    service: Service, /, *, period: str, operator: str, name: str, agreed: str | None, as_json: bool
) -> None:
    """Sign a statement that was compared with the operator's, for billing checkers; for good.

    Whoever made it cannot. Closed twice is closed once.
    """
    from billing import checks
    from billing.acts import Act
    from console.access.roles import Right

    month, now = period_of(period), service.clock.now()
    said = _checked("--agreed", agreed, checks.LONGEST_REASON)

    def prepare() -> "Callable[[Session, Officer], Done]":
        told = told_of(service, operator, month)

        def work(session: "Session", officer: "Officer") -> "Done":
            return checks.close(session, operator, month, said, officer.actor, now, told=told)

        return work

    done = perform(service, name, Right.CHECK_STATEMENTS, Act.CLOSE, prepare)
    tell(done.statement, as_json=as_json)


@click.command(
    "settle",
    cls=Verb,
    examples=(
        'python app.py billing settle 2026-10 --operator vina --officer minh --reference "UNC 7"',
    ),
)
@click.argument("period")
@OPERATOR
@OFFICER
@click.option("--reference", metavar="TEXT", required=True, help="The payment or offset it is.")
@AS_JSON
@pass_service
def settle_command(
    service: Service, /, *, period: str, operator: str, name: str, reference: str, as_json: bool
) -> None:
    """Note that what a signed statement comes to was paid or set off, for billing checkers."""
    from billing import checks
    from billing.acts import Act
    from console.access.roles import Right

    month, now = period_of(period), service.clock.now()
    said = _checked("--reference", reference, checks.LONGEST_REFERENCE) or ""

    def prepare() -> "Callable[[Session, Officer], Done]":
        told = told_of(service, operator, month)

        def work(session: "Session", officer: "Officer") -> "Done":
            return checks.settle(session, operator, month, said, officer.actor, now, told=told)

        return work

    done = perform(service, name, Right.CHECK_STATEMENTS, Act.SETTLE, prepare)
    tell(done.statement, as_json=as_json)


def _checked(option: str, text: str | None, longest: int) -> str | None:
    if text is None:
        return None
    said = text.strip()
    if not (0 < len(said) <= longest and said.isprintable()):
        raise UsageFault(f"{option} is one line of 1 to {longest} characters", USAGE)
    return said
