"""Tariffs: what one SMS part costs the citizen at an operator, and from which day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.errors import NoTariffError
from billing.tables import TARIFF
from billing.usage import Direction
from core.db import dialect_of, upsert


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price and the first day it holds.

    Units: hundredths of a dong for each SMS part; days are those of Viet Nam.
    """

    direction: Direction
    valid_from: date
    price_hundredths: int


def price_on(tariffs: Iterable[Tariff], day: date, direction: Direction = Direction.MO) -> int:
    """Return the price in force on *day*.

    Units: hundredths of a dong. Raises: NoTariffError if *day* precedes every tariff.
    """
    in_force = [t for t in tariffs if t.direction is direction and t.valid_from <= day]
    if not in_force:
        raise NoTariffError(day)
    return max(in_force, key=lambda tariff: tariff.valid_from).price_hundredths


def set_price(
    session: Session,
    link_id: int,
    valid_from: date,
    price_hundredths: int,
    direction: Direction = Direction.MO,
) -> None:
    """Let a price hold from a day on, in place of one that was set for the same day.

    Units: hundredths of a dong.
    """
    insert = upsert(dialect_of(session), TARIFF).values(
        link_id=link_id,
        direction=direction.value,
        valid_from=valid_from,
        price_hundredths=price_hundredths,
    )
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["link_id", "direction", "valid_from"],
            set_={"price_hundredths": insert.excluded.price_hundredths},
        )
    )


def load(session: Session) -> Mapping[int, tuple[Tariff, ...]]:
    """Return every link's tariffs, the oldest first; a link that has none is not there."""
    query = sa.select(
        TARIFF.c.link_id, TARIFF.c.direction, TARIFF.c.valid_from, TARIFF.c.price_hundredths
    ).order_by(TARIFF.c.link_id, TARIFF.c.valid_from)
    found: dict[int, tuple[Tariff, ...]] = {}
    for link_id, direction, valid_from, price in session.execute(query):
        tariff = Tariff(Direction(direction), valid_from, price)
        found[link_id] = (*found.get(link_id, ()), tariff)
    return found


def prices_on(known: Mapping[int, Iterable[Tariff]], day: date) -> dict[int, int]:
    """Return what a message to us costs on *day* on each link that has a price then.

    Units: hundredths of a dong for each SMS part.
    """
    found: dict[int, int] = {}
    for link_id, of_link in known.items():
        try:
            found[link_id] = price_on(of_link, day)
        except NoTariffError:
            continue
    return found
