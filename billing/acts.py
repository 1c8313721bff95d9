"""What officers do to statements, and what the entry of each act tells of it."""

from collections.abc import Mapping
from enum import StrEnum

from billing.statements import Statement


class Act(StrEnum):
    """What is done to a statement."""

    OPEN = "open"
    SEND = "send"
    CLOSE = "close"
    SETTLE = "settle"


def said(act: Act, statement: Statement) -> Mapping[str, str | int]:
    """Return what the journal's entry of an act says, the digest of the lines among it."""
    told: dict[str, str | int] = {
        "act": f"statement-{act}",
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
