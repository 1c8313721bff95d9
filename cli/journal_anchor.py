"""`journal print-anchor`: the sheet of paper that remembers where the journal stood."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.groups import Verb
from core.clock import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup
    from sqlalchemy.orm import Session

    from journal.cosignature import Cosignature, WitnessKey

_PAGES = Path(__file__).with_name("pages")
_GROUP = 4


@click.command(
    "print-anchor",
    cls=Verb,
    short_help="Make the daily sheet for print.",
    examples=("python app.py journal print-anchor --out anchor-2026-11-22.html",),
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False, writable=True), metavar="FILE",
    help="Where to write it  [standard output]",
)  # fmt: skip
@pass_service
def print_anchor_command(service: Service, /, *, out: Path | None) -> None:
    """Write a sheet for A4 that remembers the journal's checkpoint, for two officers to sign.

    Once a day: print it, sign it, and keep it away from the servers. It needs nothing beside
    itself and holds nothing about anybody. Shows the newest checkpoint with a quorum of witnesses,
    unless that is late; then the newest of all.
    """
    page = _page(service.database.read(lambda session: _sheet(service, session)))
    if out is None:
        click.echo(page, nl=False)
        return
    out.write_text(page, encoding="utf-8")
    click.echo(f"Print {out} on A4, sign it, and keep it away from the servers.", err=True)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that stands on the sheet, as it is shown."""

    origin: str
    key: str
    size_shown: str
    root_groups: tuple[str, ...]
    signed_at: str
    printed_at: str
    printed_on: str
    checkpoint: str
    witnesses: tuple[tuple[str, str], ...]
    qr: "Markup"


def _sheet(service: Service, session: "Session") -> Sheet:
    from journal import checkpoint, cosignature, note, published

    journal, now = service.journal, service.clock.now()
    newest = published.newest(session)
    signed, signed_at = newest.note, newest.signed_at
    witnessed = journal.witnessed(session)
    if witnessed is not None and witnessed.size is not None and not witnessed.is_late(now):
        found = journal.signed_at(session, witnessed.size)
        signed_at = signed_at if found is None else found
        signed = witnessed.note + "".join(each.line for each in witnessed.cosignatures)
    text, signatures = note.split(signed)
    lines = [note.write_line(each.name, each.key_id, each.value) for each in signatures]
    ours = [
        line for line, each in zip(lines, signatures, strict=True) if each.name == newest.origin
    ]
    keys = [] if journal.policy is None else [each.key for each in journal.policy.witnesses]
    head = checkpoint.parse(text, newest.origin)
    root = head.root.hex()
    return Sheet(
        origin=newest.origin,
        key=journal.verifier_key,
        size_shown=f"{head.size:,}".replace(",", "."),
        root_groups=tuple(root[at : at + _GROUP] for at in range(0, len(root), _GROUP)),
        signed_at=_moment(signed_at),
        printed_at=_moment(now),
        printed_on=f"{now.astimezone(VIETNAM):%d/%m/%Y}",
        checkpoint=signed,
        witnesses=_witnesses(cosignature.verified(text, "".join(lines), keys)),
        qr=_qr(f"{text}\n{''.join(ours)}"),
    )


def _witnesses(
    found: "Mapping[WitnessKey, Cosignature]",
) -> tuple[tuple[str, str], ...]:
    return tuple((key.name, _moment(found[key].at)) for key in sorted(found, key=str))


def _qr(text: str) -> "Markup":
    import segno
    from markupsafe import Markup

    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(border=4, omitsize=True, unit=None, svgclass=None, lineclass=None)
    return Markup(drawn)  # noqa: S704 (drawn by the library, of squares alone)


def _page(sheet: Sheet) -> str:
    import jinja2

    pages = jinja2.FileSystemLoader(_PAGES)
    made = jinja2.Environment(loader=pages, autoescape=True, undefined=jinja2.StrictUndefined)
    return made.get_template("anchor.html").render(sheet=sheet)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S} (UTC+7)"
