"""`journal prove`, `verify-proof`, `compare`, and `verify` of exports and of what is remembered."""

import json
import shutil
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from core import keys
from journal import receipts
from journal.checkpoint import text_of
from journal.note import Signer
from journal.tables import JOURNAL_LEAF
from journal.tree import TreeHead
from tests.cli.deployment import Deployment
from tests.verify_journal.logs import Log, key, vkey

VKEY = vkey(key(1))


def leaf(deployment: Deployment, seq: int) -> tuple[UUID, str]:
    """Return id and receipt of an entry."""
    wanted = sa.select(JOURNAL_LEAF).where(JOURNAL_LEAF.c.seq == seq)
    row = deployment.database.read(lambda session: session.execute(wanted).one())
    return row.entry_id, receipts.receipt_of(row.leaf_hash)


def test_an_entry_is_proved_by_its_receipt_its_number_or_its_id(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    entry_id, receipt = leaf(deployment, 2)
    path = deployment.home / "receipt.tlog-proof"

    proofs = {deployment.do("journal", "prove", name) for name in ("2", receipt, str(entry_id))}
    deployment.do("journal", "prove", receipt.lower(), "--out", str(path))
    told = deployment.read("journal", "verify-proof", str(path))

    assert proofs == {path.read_text()}
    assert path.read_text().startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert (told["ok"], told["seq"], told["id"]) == (True, 2, str(entry_id))
    assert told["receipt"] == receipt
    assert "Everything holds." in deployment.do("journal", "verify-proof", str(path))


def test_what_is_no_entry_is_not_proved(embedded: Deployment) -> None:
    embedded.add_http("viettel")

    assert "neither a receipt" in embedded.refused("journal", "prove", "7K3M-9QT7")
    mistyped = embedded.refused("journal", "prove", "7F3K-92TX-2VHD-WR5X")
    assert "last symbol checks the others" in mistyped
    assert "No entry" in embedded.refused("journal", "prove", "3", code=5)
    assert "No entry" in embedded.refused("journal", "prove", str(UUID(int=7)), code=5)


def test_a_proof_of_another_leaf_does_not_hold(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    text = embedded.do("journal", "prove", "2")
    other = embedded.do("journal", "prove", "1").splitlines()[1]
    forged = embedded.file(text.replace(text.splitlines()[1], other))

    done = embedded.run("journal", "verify-proof", forged, "--json")

    assert done.exit_code == 1
    assert json.loads(done.stdout)["counts"] == {"proof-differs": 1}
    assert embedded.run("journal", "verify-proof", forged, "--key", "none").exit_code == 2


def test_an_export_is_verified_as_a_third_party_does(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    folder, seen = deployment.home / "export", deployment.home / "seen"
    deployment.do("journal", "export", str(folder), "--open", "2", "--reason", "a court's order")
    options = (str(folder), "--remember", str(seen))

    told = deployment.read("journal", "verify", *options)
    live = deployment.read("journal", "verify")
    again = deployment.do("journal", "verify", *options)
    few = deployment.run("journal", "verify", str(folder), "--signatures", "none")

    assert set(live) <= set(told)
    assert (told["ok"], told["findings"], told["incomplete"]) == (True, [], [])
    assert "1 openings: commitments, erasures" in told["checked"]
    assert seen.read_bytes() == (folder / "checkpoint").read_bytes()
    assert "Everything holds." in again
    assert few.exit_code == 3
    (folder / "openings.jsonl").write_text("{}\n")
    assert deployment.run("journal", "verify", str(folder)).exit_code == 1


def test_the_live_journal_continues_what_is_remembered(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    seen = deployment.home / "seen"
    deployment.do("journal", "verify", "--remember", str(seen))
    first = seen.read_text()
    deployment.do("operator", "disable", "viettel")

    deployment.do("journal", "verify", "--remember", str(seen))

    assert seen.read_text() != first
    seen.write_text(forged(deployment, 2, "0"))
    assert codes(deployment, seen) == {"history-rewritten": 1}
    seen.write_text(forged(deployment, 99, "0"))
    assert codes(deployment, seen) == {"tail-cut": 1}
    seen.write_text(Log.begun(3).note())
    assert codes(deployment, seen) == {"memory-foreign": 1}
    seen.write_text("no checkpoint")
    assert "no checkpoint" in deployment.refused("journal", "verify", "--remember", str(seen))


def codes(deployment: Deployment, seen: Path) -> dict[str, int]:
    done = deployment.run("journal", "verify", "--json", "--remember", str(seen))
    assert done.exit_code == 1
    counts: dict[str, int] = json.loads(done.stdout)["counts"]
    return counts


def forged(deployment: Deployment, size: int, root: str) -> str:
    """Have the log's own key sign what it never should."""
    seed = keys.load(Path(deployment.environ["TRADAN_KEYS_DIR"])).logs[1]
    head = TreeHead(size, bytes.fromhex(root * 64))
    return Signer("tradan/gateway.example", seed).sign(text_of("tradan/gateway.example", head))


def test_two_states_of_the_journal_are_compared(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    old = deployment.file(deployment.do("journal", "head"))
    proof = deployment.file(deployment.do("journal", "prove", "1"))
    deployment.do("operator", "disable", "viettel")
    new = deployment.file(deployment.do("journal", "head"))
    folder, out = deployment.home / "export", deployment.home / "compared"
    deployment.do("journal", "export", str(folder))

    for pair in ((old, "live"), ("live", proof), (old, new), (str(folder), old), (new, new)):
        told = deployment.read("journal", "compare", *pair, "--out", str(out))
        assert told["consistent"] is True
        assert "Everything holds." in deployment.do("journal", "verify-proof", str(out))


def test_a_fork_is_evidence_in_anybodys_hands(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    other = deployment.file(forged(deployment, 2, "7"))
    out = deployment.home / "fork"

    done = deployment.run("journal", "compare", other, "live", "--out", str(out), "--json")
    told = deployment.run("journal", "compare", other, "live")
    checked = deployment.run("journal", "verify-proof", str(out), "--json")

    assert (done.exit_code, json.loads(done.stdout)["consistent"]) == (1, False)
    assert (told.exit_code, told.stdout.split()[0]) == (1, "FORK")
    assert (checked.exit_code, json.loads(checked.stdout)["counts"]) == (1, {"fork": 1})


def test_what_cannot_be_compared_is_said(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    foreign = embedded.file(Log.begun(3).note())

    assert "no checkpoint" in embedded.refused("journal", "compare", embedded.file("x"), "live")
    assert "not signed" in embedded.refused("journal", "compare", foreign, "live")
    longer = embedded.file(Log.begun(9).note())
    told = embedded.refused("journal", "compare", foreign, longer, "--key", VKEY)
    assert "folder" in told


def test_two_exports_by_others_are_compared_with_their_key_alone(
    embedded: Deployment, tmp_path: Path
) -> None:
    embedded.add_http("viettel")
    honest, other = Log.begun(600), Log.begun(1)
    other.add("admin")
    for _ in range(598):
        other.add()
    short = Log.begun(300).export(tmp_path / "short")
    long, forked = honest.export(tmp_path / "long"), other.export(tmp_path / "forked")
    given = ("--key", VKEY, "--out", str(tmp_path / "out"))

    fine = embedded.run("journal", "compare", str(short), str(long), *given)
    fork = embedded.run("journal", "compare", str(short), str(forked), *given)
    evidence = embedded.run("journal", "verify-proof", str(tmp_path / "out"), "--key", VKEY)
    shutil.rmtree(forked / "tile/0")
    poor = embedded.run("journal", "compare", str(short), str(forked), *given)

    assert [each.exit_code for each in (fine, fork, evidence, poor)] == [0, 1, 1, 2]
    assert "FOUND        fork at 302" in evidence.stdout
