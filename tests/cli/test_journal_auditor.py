"""`journal auditor`: a token printed once, kept as its hash, and an entry for each act."""

import hashlib

import sqlalchemy as sa

from journal import auditors
from journal.auditors import JOURNAL_AUDITOR
from tests.cli.deployment import Deployment


def test_an_auditor_is_let_in_listed_and_let_in_no_more(deployment: Deployment) -> None:
    added = deployment.read("journal", "auditor", "add", "kiem-toan")
    second = deployment.do("journal", "auditor", "add", "bo-tu-phap").strip()

    listed = deployment.read("journal", "auditor", "list")
    deployment.do("journal", "auditor", "remove", "kiem-toan")

    assert [each["name"] for each in listed] == ["bo-tu-phap", "kiem-toan"]
    assert all(each["added_by"].startswith("console:") for each in listed)
    assert added["token"] not in str(listed)
    named = [
        deployment.database.read(lambda s, shown=shown: auditors.named_by(s, shown))  # type: ignore[misc]  # mypy does not infer a lambda's default
        for shown in (added["token"], second)
    ]
    assert named == [None, "bo-tu-phap"]
    assert deployment.acts() == 3


def test_a_token_is_long_and_stored_as_its_hash_alone(deployment: Deployment) -> None:
    token = deployment.do("journal", "auditor", "add", "kiem-toan").strip()

    rows = deployment.database.read(lambda s: s.execute(sa.select(JOURNAL_AUDITOR)).all())

    assert token.startswith("tradan-auditor-")
    assert len(token.removeprefix("tradan-auditor-")) == 43
    assert rows[0].token_hash == hashlib.sha256(token.encode()).digest()
    assert token not in str(rows[0])


def test_what_is_not_right_is_refused(deployment: Deployment) -> None:
    deployment.do("journal", "auditor", "add", "kiem-toan")

    taken = deployment.refused("journal", "auditor", "add", "kiem-toan", code=5)
    unknown = deployment.refused("journal", "auditor", "remove", "nobody", code=5)

    assert "already" in taken
    assert "journal auditor list" in unknown
    for name in ("", "Kiem Toan", "-x", "x" * 65):
        assert "NAME must be" in deployment.refused("journal", "auditor", "add", "--", name)
    assert deployment.acts() == 1
