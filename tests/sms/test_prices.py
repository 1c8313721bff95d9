"""What a citizen is told that it costs: the tariff in force, of their operator and our number."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing import tariffs
from billing.tables import USAGE
from billing.tariffs import Encoding, Tariff
from core.db import Database
from core.keyring import Keyring
from sms.tables import SENDER
from tests.fakes import FixedClock
from tests.sms.gateway import SHORT_CODE, TEST, Gateway, stranger
from tests.sms.public import Public, made

OLD = Tariff(
    operator=TEST, valid_from=date(2026, 1, 1), valid_to=date(2026, 3, 2), price_hundredths=50_000
)
NEW = Tariff(operator=TEST, valid_from=date(2026, 3, 3), price_hundredths=60_000)
OWN = Tariff(
    operator=TEST, short_code=SHORT_CODE, encoding=Encoding.GSM7, valid_from=date(2026, 3, 4),
    price_hundredths=70_050,
)  # fmt: skip
# The last second of the second of March in Hanoi.
LAST = datetime(2026, 3, 2, 16, 59, 59, tzinfo=UTC)


def put(database: Database, *prices: Tariff) -> None:
    database.write(lambda s: tariffs.store(s, (), prices))


def test_phi_tells_the_price_and_the_total_of_the_day_in_viet_nam(
    sqlite_gateway: Gateway,
) -> None:
    gateway = sqlite_gateway
    put(gateway.database, OLD, NEW, OWN)
    told = []

    for number, at in enumerate(
        (LAST, LAST + timedelta(seconds=1), LAST + timedelta(days=1, seconds=1))
    ):
        gateway.clock.at = at
        reply = gateway.ask(stranger(number), "PHI")
        assert reply is not None
        told.append(reply.text)

    for text, price, total in zip(
        told, ("500", "600", "700,50"), ("1.000", "1.200", "1.401"), strict=True
    ):
        assert f"{price} dong" in text
        assert f"{total} dong" in text


def test_what_is_counted_names_the_number_that_was_texted_to(gateway: Gateway) -> None:
    gateway.ask(stranger(), "HD")

    rows = [(row.direction, row.short_code) for row in gateway.rows(USAGE)]

    assert sorted(rows) == [("mo", SHORT_CODE), ("mt", SHORT_CODE)]


def test_a_message_that_is_given_up_unread_is_counted_apart(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    gateway.send(stranger(), "HD")
    gateway.database.write(lambda s: s.execute(sa.update(SENDER).values(history="not JSON")))

    gateway.handle()

    assert [(row.direction, row.status) for row in gateway.rows(USAGE)] == [("mo", "quarantined")]


@pytest.fixture
def public(
    sqlite_database: Database, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Public]:
    """The public page of a deployment."""
    keyring = Keyring.load(keys_dir, sqlite_database, clock)
    yield from made(sqlite_database, keyring, keys_dir, tmp_path, clock, "production")


def test_the_public_page_tells_the_price_of_its_own_number(public: Public) -> None:
    public.add("viettel")
    put(
        public.database,
        replace(OLD, operator="viettel"),
        replace(OWN, operator="viettel", valid_from=date(2026, 1, 1)),
    )

    (shown,) = public.json()["operators"]

    assert (shown["price_vnd"], shown["lookup_price_vnd"]) == (700.5, 1401)
