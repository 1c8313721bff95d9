"""`case`: what is listed names nobody, and closing leaves an entry."""

from datetime import UTC, datetime
from functools import partial

from core.ids import uuid7
from journal.receipts import receipt_of
from journal.tables import JOURNAL_ENTRY
from records import cases
from records.cases import NewCase
from tests.cli.deployment import Deployment

NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def opened(deployment: Deployment, *, about: bool = False) -> NewCase:
    """Open a case, about an entry that is there if that is wanted."""
    entry_id = uuid7()
    if about:
        deployment.add_http("viettel")
        entry_id = deployment.database.read(
            lambda s: s.execute(JOURNAL_ENTRY.select().order_by(JOURNAL_ENTRY.c.id)).first().id  # type: ignore[union-attr]  # there is one
        )
    case = NewCase(
        id=uuid7(), number=cases.draw_number(), entry_id=entry_id, sender_id=11, opened_at=NOON
    )
    deployment.database.write(partial(cases.open_all, new=[case]))
    return case


def test_open_cases_are_listed_with_the_receipt_of_what_they_are_about(
    deployment: Deployment,
) -> None:
    case = opened(deployment, about=True)

    (row,) = deployment.read("case", "list")

    first = deployment.database.read(
        lambda s: s.execute(JOURNAL_ENTRY.select().order_by(JOURNAL_ENTRY.c.id)).first()
    )
    assert first is not None
    assert row == {
        "case": case.number,
        "state": "open",
        "opened_at": "2026-03-02T05:00:00Z",
        "receipt": receipt_of(first.leaf_hash),
        "closed_at": None,
        "closed_by": None,
        "closed_reason": None,
    }
    assert case.number in deployment.do("case", "list")


def test_a_closed_case_is_out_of_the_way_and_is_nobodys(deployment: Deployment) -> None:
    case = opened(deployment)
    before = deployment.acts()

    deployment.do("case", "close", case.number.lower().replace("-", ""), "--reason", "corrected")

    assert deployment.read("case", "list") == []
    (row,) = deployment.read("case", "list", "--all")
    assert (row["state"], row["closed_reason"]) == ("closed", "corrected")
    assert deployment.acts() == before + 1
    assert deployment.database.read(partial(cases.open_of, sender_ids=[11])) == {}


def test_a_case_is_closed_once(embedded: Deployment) -> None:
    deployment = embedded
    case = opened(deployment)
    deployment.do("case", "close", case.number, "--reason", "corrected")
    before = deployment.acts()

    again = deployment.refused("case", "close", case.number, "--reason", "again", code=5)
    unknown = deployment.refused(
        "case", "close", cases.draw_number(), "--reason", "corrected", code=5
    )

    assert "closed already" in again
    assert "no such case" in unknown
    assert deployment.acts() == before


def test_a_mistyped_number_is_told_from_an_unknown_one(embedded: Deployment) -> None:
    deployment = embedded
    number = cases.draw_number()
    mistyped = number[:-1] + ("0" if number[-1] != "0" else "1")

    assert "mistyped" in deployment.refused("case", "close", mistyped, "--reason", "x")
    assert "printable" in deployment.refused("case", "close", number, "--reason", " ")
