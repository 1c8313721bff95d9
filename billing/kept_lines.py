"""The lines that statements were made with, as they are stored."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.carried import Section
from billing.lines import Line, Rating, Terms
from billing.tables import STATEMENT_LINE
from billing.usage import Direction


def load(session: Session, statement_id: int) -> tuple[Line, ...]:
    """Return the lines of a statement, in their order."""
    wanted = sa.select(STATEMENT_LINE).where(STATEMENT_LINE.c.statement_id == statement_id)
    return tuple(_line(row) for row in session.execute(wanted.order_by(STATEMENT_LINE.c.place)))


def store(session: Session, statement_id: int, found: Sequence[Line]) -> None:
    """Put lines in the place of a statement's; the database refuses for one that is closed."""
    mine = STATEMENT_LINE.c.statement_id == statement_id
    session.execute(sa.delete(STATEMENT_LINE).where(mine))
    rows = [_row(statement_id, place, line) for place, line in enumerate(found)]
    if rows:
        session.execute(sa.insert(STATEMENT_LINE), rows)


def _row(statement_id: int, place: int, line: Line) -> dict[str, object]:
    terms = line.terms
    return {
        "statement_id": statement_id,
        "place": place,
        "section": terms.section.value,
        "corrects": terms.corrects,
        "short_code": terms.short_code,
        "direction": terms.direction.value,
        "encoding": terms.encoding,
        "rating": terms.rating.value,
        "valid_from": terms.valid_from,
        "price_hundredths": terms.price_hundredths,
        "vat_bp": terms.vat_bp,
        "share_bp": terms.share_bp,
        "messages": line.messages,
        "parts": line.parts,
        "amount_hundredths": line.amount,
        "vat_hundredths": line.vat,
        "share_hundredths": line.share,
    }


def _line(row: sa.Row[Any]) -> Line:
    terms = Terms(
        section=Section(row.section),
        corrects=row.corrects,
        short_code=row.short_code,
        direction=Direction(row.direction),
        encoding=row.encoding,
        rating=Rating(row.rating),
        valid_from=row.valid_from,
        price_hundredths=row.price_hundredths,
        vat_bp=row.vat_bp,
        share_bp=row.share_bp,
    )
    return Line(
        terms,
        row.messages,
        row.parts,
        row.amount_hundredths,
        row.vat_hundredths,
        row.share_hundredths,
    )
