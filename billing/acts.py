"""What officers do to statements, and what the journal's entry of each act tells of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from billing.periods import Period
from billing.statements import Statement
from core.keyring import Keyring
from journal import acts
from journal.entries import Kind

_AT_ONCE = 200


class Act(StrEnum):
    """What is done to a statement."""

    OPEN = "open"
    SEND = "send"
    CLOSE = "close"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry tells of a statement: what was done, and the digest of its lines then."""

    act: Act
    digest: str


def said(act: Act, statement: Statement) -> Mapping[str, str | int]:
    """Return what the journal's entry of an act says, the digest of the lines among it."""
    told: dict[str, str | int] = {
        "act": _NAMES[act],
        "operator": statement.operator,
        "period": str(statement.period),
        "digest": statement.digest,
        "net_hundredths": statement.net_hundredths,
    }
    if act is Act.CLOSE and statement.agreed:
        told["agreed"] = statement.agreed
    if act is Act.SETTLE and statement.reference:
        told["reference"] = statement.reference
    return told


def newest(
    session: Session, keyring: Keyring, period: Period, operators: Collection[str]
) -> dict[str, Told]:
    """Return what the newest entry about each operator's statement of a month tells.

    Whoever administers the database can change a statement's lines together with their digest, but
    not what an entry says: it opens with our keys alone, and in its own row. An operator has none
    where the journal tells nothing, or where that is not sealed yet, or where an act since then
    does not open and nobody ordered that: it may have been the newest.
    """
    wanted, found = set(operators), dict[str, Told]()
    before = None
    while wanted:
        some = acts.page(session, keyring, _AT_ONCE, before=before, kind=Kind.ADMIN)
        accounted = acts.accounted_for(session, keyring, some)
        for each in some:
            if each.act is None:
                if each.index not in accounted:
                    return found
                continue
            payload = each.act.payload
            act, operator = _ACTS.get(str(payload.get("act"))), payload.get("operator")
            if act is None or operator not in wanted or payload["period"] != str(period):
                continue
            wanted.discard(operator)
            if each.index is not None:
                found[operator] = Told(act, payload["digest"])
        # No month is sent before it is over.
        if not some or some[-1].at < period.starts_at:
            break
        before = some[-1].entry_id
    return found


_NAMES = {act: f"statement-{act}" for act in Act}
_ACTS = {name: act for act, name in _NAMES.items()}
