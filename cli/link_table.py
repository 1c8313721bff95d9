"""What `operator list` tells of each link: none of its secrets."""

from collections.abc import Collection, Sequence
from datetime import datetime

import click

from cli.context import Service
from cli.routing import unknown
from sms.links import assessments
from sms.links.assessments import Assessment, Standing
from sms.links.model import Link, LinkKind, LinkState

_COLUMNS = (
    "code", "kind", "state", "assessed_until", "responsible", "rate", "weight", "serves",
    "webhook_path",
)  # fmt: skip


def rows_of(service: Service) -> list[dict[str, object]]:
    """Return a row for each link, with keys that stay."""
    now, links = service.clock.now(), service.links.all()
    unserved = set(unknown(service))
    made = service.database.read(lambda s: assessments.newest(s, [link.id for link in links]))
    return [
        {
            **_row(link, made.get(link.id), now),
            "serves": service.links.prefixes()[link.operator],
            "warning": _warning(link, now) or _warning_of_route(link, unserved),
        }
        for link in links
    ]


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print a table, and beside it what somebody has to do."""
    cells = [tuple(name.replace("_", " ").upper() for name in _COLUMNS)]
    cells += [tuple(_cell(name, row[name]) for name in _COLUMNS) for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(_COLUMNS))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
    for row in rows:
        if row["warning"] is not None:
            click.echo(f"{row['code']}: {row['warning']}", err=True)


def _row(link: Link, made: Assessment | None, now: datetime) -> dict[str, object]:
    until = link.assessed_until
    return {
        "code": link.code,
        "kind": link.kind,
        "state": link.state,
        "webhook_path": _webhook_path(link),
        "rate": link.rate,
        "prefixes": link.prefixes,
        "test": link.is_test,
        "live_secrets": len(link.secrets),
        "assessed": link.is_assessed(now),
        "assessed_by": link.assessed_by,
        "assessed_until": until.isoformat() if until else None,
        "assessment": assessments.standing(until, now),
        "responsible": made.responsible if made else None,
        "evidence": made.evidence if made else None,
        "operator": link.operator,
        "weight": link.weight,
        "resting_weight": link.resting_weight,
        "send_rate": link.send_rate,
    }


def _webhook_path(link: Link) -> str | None:
    """Say where the operator posts to, but for the secret in it; one that we bind to does not."""
    if link.kind is LinkKind.SMPP:
        return None
    return f"/sms/{link.code}/inbound" + ("/…" if link.path_secret else "")


def _warning(link: Link, now: datetime) -> str | None:
    until = link.assessed_until
    standing = assessments.standing(until, now)
    if until is None or not standing.is_warning or link.state is not LinkState.ACTIVE:
        return None
    left = f"ends in {(until - now).days} days"
    if standing is Standing.ENDED:
        left = "has ended, so it carries HELP and DOWN only"
    return f"its assessment {left}: `operator assess {link.code}` renews it"


def _warning_of_route(link: Link, unserved: Collection[str]) -> str | None:
    if link.operator not in unserved or link.state is not LinkState.ACTIVE:
        return None
    hint = f"`operator set {link.code} --prefixes` says which"
    return f"no numbers are known to be {link.operator}'s, so it is told nothing: {hint}"


def _cell(name: str, value: object) -> str:
    if value is None or value == "":
        return "-"
    return str(value).partition("T")[0] if name == "assessed_until" else str(value)
