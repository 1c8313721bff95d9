"""`user`: officers of the console, for who administers them."""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from cli import acting
from cli.context import Service, pass_service
from cli.exits import FAILED, NOT_ALLOWED, UsageFault
from cli.groups import VerbGroup

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from console.access.officers import Officer
    from console.access.roles import Role

T = TypeVar("T")

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ROLES = (
    "viewer", "investigator", "approver", "operator-manager", "billing-maker", "billing-checker",
    "security-officer", "auditor", "user-admin",
)  # fmt: skip
_ROLE = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES), help="Repeatable."
)


@click.group("user", cls=VerbGroup)
def user_group() -> None:
    """Officers of the console: who they are, what they may do, where they are logged in."""


@user_group.command(
    "add",
    short_help="Add an officer, and invite them.",
    examples=(
        'python app.py user add lan --full-name "Nguyễn Thị Lan" --role security-officer',
        'python app.py user add minh --full-name "Trần Minh" --role investigator --role viewer',
    ),
)
@click.argument("name")
@click.option("--full-name", required=True, help="As colleagues know them.")
@_ROLE
@pass_service
def add(service: Service, /, *, name: str, full_name: str, roles: tuple[str, ...]) -> None:
    """Add an officer and print a link that lets them enrol, once, within 24 hours."""
    from console.access import officers

    held = _checked(name, full_name, roles)
    now = service.clock.now()

    def work(session: "Session") -> str:
        officer = officers.add(session, name, full_name.strip(), held, now)
        return _invite(service, session, officer)

    token = _acting(service, "officer-add", name, work, roles=tuple(sorted(held)))
    _tell_invitation(service, token)


@user_group.command(
    "invite",
    short_help="Let an officer enrol anew.",
    examples=("python app.py user invite lan",),
)
@click.argument("name")
@pass_service
def invite(service: Service, /, *, name: str) -> None:
    """Let an officer whose password or device is lost enrol anew; ends their session."""
    from console.access import officers, sessions
    from console.access.sessions import Ended

    now = service.clock.now()

    def work(session: "Session") -> str:
        officer = officers.by_name(session, name)
        sessions.end_all(session, officer.id, Ended.CHANGED, now)
        return _invite(service, session, officer)

    _tell_invitation(service, _acting(service, "officer-invite", name, work))


@user_group.command(
    "roles",
    short_help="Give an officer other roles.",
    examples=("python app.py user roles lan --role approver --role viewer",),
)
@click.argument("name")
@_ROLE
@pass_service
def change_roles(service: Service, /, *, name: str, roles: tuple[str, ...]) -> None:
    """Have an officer play these parts and no others; ends their session."""
    from console.access import officers, sessions
    from console.access.sessions import Ended

    held = _checked(name, name, roles)
    now = service.clock.now()

    def work(session: "Session") -> None:
        officer = officers.by_name(session, name)
        officers.set_roles(session, officer, held)
        sessions.end_all(session, officer.id, Ended.CHANGED, now)

    _acting(service, "officer-roles", name, work, roles=tuple(sorted(held)))
    click.echo(f"{name} is {', '.join(sorted(held))}")


@user_group.command(
    "lock",
    short_help="Shut an officer out.",
    examples=("python app.py user lock lan", "python app.py user lock lan --undo"),
)
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let the officer in again.")
@pass_service
def lock(service: Service, /, *, name: str, undo: bool) -> None:
    """Shut an officer out at once, and for as long as it is not undone."""
    from console.access import officers, sessions
    from console.access.sessions import Ended

    now = service.clock.now()

    def work(session: "Session") -> None:
        officer = officers.by_name(session, name)
        officers.disable(session, officer, None if undo else now)
        sessions.end_all(session, officer.id, Ended.REVOKED, now)

    _acting(service, "officer-unlock" if undo else "officer-lock", name, work)
    click.echo(f"{name} is {'let in again' if undo else 'shut out'}")


@user_group.command(
    "list",
    short_help="List the officers.",
    examples=("python app.py user list", "python app.py user list --json"),
)
@_AS_JSON
@pass_service
def list_officers(service: Service, /, *, as_json: bool) -> None:
    """List the officers, their roles, and when each was last let in."""
    from console.access import officers

    found = service.database.read(officers.everybody)
    if as_json:
        click.echo(json.dumps([_row(officer) for officer in found], ensure_ascii=False))
        return
    for officer in found:
        row = _row(officer)
        last = row["last_login_at"] or "never"
        click.echo(f"{row['name']:<16} {row['state']:<10} {last:<20} {', '.join(officer.roles)}")
    if not found:
        click.echo("no officers yet: see `python app.py user add --help`", err=True)


@user_group.command(
    "sessions",
    short_help="List who is logged in, or end a session.",
    examples=("python app.py user sessions", "python app.py user sessions --end lan"),
)
@click.option("--end", "name", metavar="NAME", help="End the session of this officer.")
@_AS_JSON
@pass_service
def list_sessions(service: Service, /, *, name: str | None, as_json: bool) -> None:
    """List the sessions in force."""
    from console.access import officers, sessions
    from console.access.sessions import Ended

    now = service.clock.now()
    if name is not None:

        def work(session: "Session") -> None:
            officer = officers.by_name(session, name)
            sessions.end_all(session, officer.id, Ended.REVOKED, now)

        _acting(service, "session-end", name, work)
    rows = [
        {"name": login.officer.name, "began_at": f"{login.began_at:%Y-%m-%dT%H:%M:%SZ}",
         "seen_at": f"{login.seen_at:%Y-%m-%dT%H:%M:%SZ}", "address": login.address}
        for login in service.database.read(lambda s: sessions.in_force(s, now))
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['name']:<16} {row['began_at']}  {row['seen_at']}  {row['address']}")
    if not rows:
        click.echo("nobody is logged in", err=True)


def _acting(
    service: Service,
    act: str,
    name: str,
    work: "Callable[[Session], T]",
    roles: tuple[str, ...] = (),
) -> T:
    from console.errors import ConsoleError

    said: dict[str, str | tuple[str, ...]] = {"officer": name}
    if roles:
        said["roles"] = roles
    try:
        return acting.perform(service, act, work, said)
    except ConsoleError as error:
        raise UsageFault(str(error), NOT_ALLOWED) from error


def _checked(name: str, full_name: str, roles: tuple[str, ...]) -> "list[Role]":
    from console.access import officers
    from console.access.roles import Role, conflict

    if not officers.is_name(name):
        raise UsageFault("a name is up to 40 small letters, digits and underscores", FAILED)
    if not full_name.strip() or not full_name.isprintable() or len(full_name) > 100:  # noqa: PLR2004 (the column's width)
        raise UsageFault("--full-name is up to 100 letters, with no control characters", FAILED)
    held = [Role(role) for role in roles]
    if fault := conflict(held):
        raise UsageFault(f"these roles do not go together: {fault}", NOT_ALLOWED)
    return held


def _invite(service: Service, session: "Session", officer: "Officer") -> str:
    from console.access import invitations
    from console.access.invitations import InvitationKind

    now = service.clock.now()
    return invitations.invite(session, officer, InvitationKind.ENROL, service.keyring, now)


def _tell_invitation(service: Service, token: str) -> None:
    click.echo(f"{service.settings.public_url}/console/invitation/{token}")
    click.echo("Hand this link to the officer in person: it opens once, for 24 hours.", err=True)
    if not sys.stdout.isatty():
        click.echo("It is a secret: whoever has it can enrol in their place.", err=True)


def _row(officer: "Officer") -> dict[str, object]:
    state = "shut out" if officer.disabled_at else "enrolled" if officer.is_enrolled else "invited"
    at = officer.last_login_at
    return {
        "name": officer.name,
        "full_name": officer.full_name,
        "roles": list(officer.roles),
        "state": state,
        "last_login_at": None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}",
    }
