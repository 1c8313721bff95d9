"""Attacks on the journal while an answer is on its way: without its seal it does not leave."""

import sqlalchemy as sa

from journal.audit import verify_live
from tests.sms.gateway import Gateway


def test_a_pending_row_deleted_before_sealing_lets_no_answer_out(
    postgres_gateway: Gateway,
) -> None:
    gateway = postgres_gateway
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handler.run_once()

    behind_the_back(gateway, "DELETE FROM journal_pending")
    gateway.seal()

    assert [reply.reply for reply in gateway.replies()] == ["PIN"]
    assert gateway.outbox() == []
    assert found(gateway) == {"entry-outside"}


def test_a_leaf_deleted_after_sealing_lets_no_answer_out(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    person = gateway.person()
    gateway.send(person.phone, f"DC {person.personal_id}")
    gateway.handler.run_once()

    behind_the_back(
        gateway,
        "DROP TRIGGER journal_leaf_delete",
        "DELETE FROM journal_leaf WHERE seq = (SELECT max(seq) FROM journal_leaf)",
    )

    assert [reply.reply for reply in gateway.replies()] == ["PIN"]
    assert gateway.outbox() == []
    assert found(gateway) >= {"entry-outside", "size-differs"}


def behind_the_back(gateway: Gateway, *statements: str) -> None:
    """Run statements as somebody does who has the database in hand."""
    engine = sa.create_engine(gateway.database.url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def found(gateway: Gateway) -> set[str]:
    """Verify and return the codes of what was found."""
    state_dir = gateway.state_dir
    keys_dir = state_dir.parent / "keys"
    now = gateway.clock.now()
    report = verify_live(gateway.database, gateway.keyring, keys_dir, state_dir, now=now)
    return set(report.counts)
