"""`journal verify` and `journal head`: their exit codes and the JSON that stays."""

import json

import sqlalchemy as sa

from tests.cli.deployment import Deployment


def test_a_sound_journal_verifies(deployment: Deployment) -> None:
    deployment.add_http("viettel")

    found = deployment.read("journal", "verify")

    assert {"ok", "size", "root", "entries", "findings", "incomplete"} <= set(found)
    assert (found["ok"], found["findings"], found["incomplete"]) == (True, [], [])
    assert found["size"] == found["entries"] == 3
    assert found["root"] == deployment.read("journal", "head")["root"]
    assert "Everything holds" in deployment.do("journal", "verify")


def test_the_head_is_what_was_signed(deployment: Deployment) -> None:
    deployment.add_http("viettel")

    head = deployment.read("journal", "head")

    assert set(head) == {"size", "root", "checkpoint"}
    assert head["checkpoint"].splitlines()[:2] == ["tradan/gateway.example", "3"]
    assert deployment.do("journal", "head") == head["checkpoint"]


def test_what_was_changed_is_found_and_ends_1(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    tamper(deployment, "UPDATE tree_state SET root = journal_leaf.leaf_hash FROM journal_leaf")

    done = deployment.run("journal", "verify", "--json")
    told = deployment.run("journal", "verify")

    found = json.loads(done.stdout)
    assert (done.exit_code, found["ok"]) == (1, False)
    assert found["findings"][0].keys() == {"code", "seq", "detail"}
    assert told.exit_code == 1
    assert "FOUND" in told.stdout
    assert "Everything holds" not in told.stdout


def test_what_was_left_out_ends_3(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    (deployment.home / "signer-memory").unlink()

    done = deployment.run("journal", "verify", "--json")

    found = json.loads(done.stdout)
    assert (done.exit_code, found["ok"], found["findings"]) == (3, False, [])
    assert "remembered" in found["incomplete"][0]


def test_a_journal_that_is_not_sound_is_not_written_to(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    tamper(deployment, "UPDATE tree_state SET root = journal_leaf.leaf_hash FROM journal_leaf")

    told = deployment.refused("operator", "disable", "viettel", code=3)

    assert "journal verify" in told


def tamper(deployment: Deployment, statement: str) -> None:
    """Change the database as somebody would who has it in hand."""

    def change(session: sa.orm.Session) -> None:
        for name, table in triggers(session):
            drop = f"DROP TRIGGER {name}"
            is_postgres = session.get_bind().dialect.name == "postgresql"
            session.execute(sa.text(f"{drop} ON {table}" if is_postgres else drop))
        session.execute(sa.text(statement))

    deployment.database.write(change)


def triggers(session: sa.orm.Session) -> list[tuple[str, str]]:
    if session.get_bind().dialect.name == "postgresql":
        names = (
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal"
        )
    else:
        names = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    return [(row[0], row[1]) for row in session.execute(sa.text(names))]
