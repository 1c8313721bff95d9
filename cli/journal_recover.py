"""`journal recover`: what is left to do when a database was restored to an earlier moment."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import claims
from cli.context import Service, pass_service
from cli.exits import INTEGRITY, NOT_ALLOWED, USAGE, UsageFault
from cli.groups import Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from journal.recovery import Grounds, Recovery, Standing
    from journal.tree import TreeHead

_APPROVERS = 2
_LONGEST = 200
_NOT_BROUGHT_BACK = """\
Not brought back, and nobody can: what the replayed entries open to; messages, replies and PINs of
the lost time; spent tries, daily counts and locks, KHOA among them. What was under way has been
ended. Disclosure is stopped: `python app.py state`; two officers resume it, not before the locks
are looked after (docs/operations.md, the restore rule)."""
_REPLAY = """\
python app.py journal recover --approved-by "Tran Thi B" --approved-by "Le Van C" \\
  --reason "disk 2 of db1 failed"
python app.py journal recover --from /mnt/node2/journal --approved-by "Tran Thi B" \\
  --approved-by "Le Van C" --reason "disk 2 of db1 failed\""""
_NEW = """\
python app.py journal recover --new-log --approved-by "Tran Thi B" --approved-by "Le Van C" \\
  --reason "mirrors lost in the fire\""""


@click.command(
    "recover", cls=Verb, short_help="After a restore: the way out.", examples=(_REPLAY, _NEW)
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Folder of a mirror or export.  [this machine's mirror]",
)
@click.option("--new-log", is_flag=True, help="Begin a new log where entries stay lost.")
@click.option("--approved-by", "approvers", multiple=True, metavar="NAME", help="Twice.")
@click.option("--reason", default="", help="Stands in the entry; of no citizen.")
@click.option("--yes", is_flag=True, help="Do not have the log's name typed.")
@pass_service
def recover_command(
    service: Service,
    source: Path | None,
    approvers: tuple[str, ...],
    reason: str,
    *,
    new_log: bool,
    yes: bool,
) -> None:
    """Put back the entries that a restored database has forgotten, from the log's own files.

    Run it while no service runs. Every leaf is checked, and they must lead to exactly the
    checkpoint that the log signed. Without --approved-by it only says how things stand. Where
    entries stay lost, --new-log begins a new log, under a new name, over what is left; run it on
    every other machine too, which then follows.
    """
    grounds = _grounds(service, approvers, reason) if approvers else None
    recovery, found = _found(service, source)
    if new_log and found is None:
        _adopt(recovery)
        return
    if found is None:
        raise UsageFault(
            "this machine remembers the log of before: `journal recover --new-log` here too",
            NOT_ALLOWED,
        )
    _tell(found, err=grounds is not None)
    if grounds is None:
        click.echo(_next_step(found), err=True)
        return
    if not yes:
        _have_typed(found)
    with _alone(service):
        _recover(service, recovery, found, grounds, new_log=new_log)


@contextmanager
def _alone(service: Service) -> "Iterator[None]":
    """See that nothing else serves meanwhile, as far as can be told from here."""
    from core.leadership import Leadership

    database = service.database
    if database.dialect == "sqlite":
        with claims.whole(Path(database.url.database or "")):
            yield
        return
    leadership = Leadership(database.url, "sealing")
    try:
        if not leadership.held():
            raise UsageFault(
                "a worker still leads on this database: end every service, on every machine, first",
                NOT_ALLOWED,
            )
        yield
    finally:
        leadership.resign()


def _recover(
    service: Service, recovery: "Recovery", found: "Standing", grounds: "Grounds", *, new_log: bool
) -> None:
    if new_log:
        name = recovery.begin_anew(found, grounds, lambda session: _fence(service, session))
        click.echo(f"A NEW LOG WAS BEGUN: {name}, over {found.best.size} leaves")
        click.echo(f"the log before it, {found.keys.origin}, {_lost(found)}")
    else:
        head = recovery.replay(found, grounds, lambda session: _fence(service, session))
        click.echo(f"replayed: leaves {found.head.size} to {head.size - 1}")
    _finish(service)
    click.echo(_NOT_BROUGHT_BACK)


def _found(service: Service, source: Path | None) -> "tuple[Recovery, Standing | None]":
    """Look how things stand; None on a machine that has yet to follow a log begun anew."""
    from journal.mirror import FOLDER
    from journal.recovery import Recovery

    settings = service.settings
    _see_sound(service)
    recovery = Recovery(
        service.database, service.keyring, settings.keys_dir, settings.state_dir, service.clock
    )
    if recovery.is_left_behind():
        return recovery, None
    mirror = settings.state_dir / FOLDER
    if source is None and (mirror / "checkpoint").is_file():
        source = mirror
    return recovery, recovery.look(source)


def _see_sound(service: Service) -> None:
    """See that the file of a SQLite database was not put back beside the logs of another."""
    import sqlalchemy as sa

    if service.database.dialect != "sqlite":
        return
    check = sa.text("PRAGMA integrity_check(1)")
    found = service.database.read(lambda session: session.execute(check).scalar())
    if found != "ok":
        raise UsageFault(
            f"the database file is damaged ({found}): put the backup back again, and first remove "
            "the -wal and -shm files beside it, which belong to the file that was there before",
            INTEGRITY,
        )


def _adopt(recovery: "Recovery") -> None:
    for place in recovery.adopt():
        click.echo(f"put aside: {place}")
    click.echo("This machine follows the new log now.", err=True)


def _tell(found: "Standing", *, err: bool) -> None:
    click.echo(f"log         {found.keys.origin}", err=err)
    click.echo(f"database    {_shown(found.head)}", err=err)
    click.echo(f"remembered  {_shown(found.remembered)}", err=err)
    files = _shown(found.tail.head) if found.tail else "none that reach as far as the database"
    click.echo(f"files       {files}", err=err)
    if found.forked:
        click.echo("What is remembered is not in the database's history.", err=True)
    elif not found.is_whole:
        click.echo(_lost(found), err=True)


def _next_step(found: "Standing") -> str:
    if not found.is_whole:
        return (
            "Nothing was changed. Look on every machine for files that reach further (--from). If "
            "there are none, two people decide on a new log (--new-log, --approved-by twice)."
        )
    if found.best == found.head:
        return "The database lacks nothing that is remembered or in the files: nothing to recover."
    return "Nothing was changed: two people decide (--approved-by, twice)."


def _shown(head: "TreeHead | None") -> str:
    return "nothing" if head is None else f"{head.size} leaves, root {head.root.hex()}"


def _lost(found: "Standing") -> str:
    count = found.last_known.size - found.best.size
    return (
        f"had {found.last_known.size} leaves, root {found.last_known.root.hex()}: {count} are lost"
    )


def _grounds(service: Service, approvers: tuple[str, ...], reason: str) -> "Grounds":
    from journal.recovery import Grounds

    names = tuple(dict.fromkeys(name.strip() for name in approvers))
    if len(names) != _APPROVERS or not all(names):
        raise UsageFault("--approved-by names two people", USAGE)
    for text in (*names, reason):
        if not text.strip() or len(text) > _LONGEST or not text.isprintable():
            raise UsageFault(f"names and --reason are 1 to {_LONGEST} printable characters", USAGE)
    return Grounds(service.person, (names[0], names[1]), reason)


def _have_typed(found: "Standing") -> None:
    typed = click.prompt("Type the log's name to go on", err=True)
    if typed != found.keys.origin:
        raise UsageFault("that is not the log's name: nothing was changed", NOT_ALLOWED)


def _fence(service: Service, session: "Session") -> None:
    from sms import fence

    fence.lower(session, by=service.person, now=service.clock.now())


def _finish(service: Service) -> None:
    """Open the journal as a service does, and erase what came back with the backup."""
    from journal.returned import erase_again

    journal = service.open_journal(None)
    try:
        erase_again(service.database, journal)
    finally:
        journal.close()
