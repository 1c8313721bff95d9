"""The worked example of docs/journal-format.md, checked from the page by standard means alone."""

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import verify_journal

PAGE = (Path(__file__).parents[2] / "docs" / "journal-format.md").read_text()
EXAMPLE = PAGE[PAGE.index("## An example") :]
ORIGIN = "tradan/gateway.example"
E, S = b"\xee" * 32, b"\x55" * 32
LOG, WRITER, NEXT = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
LEAVES = 5


def told(name: str) -> str:
    found = re.search(rf"^{re.escape(name)} +(.+)$", EXAMPLE, re.MULTILINE)
    assert found is not None, name
    return found[1]


def block(first: str, at: int = 0) -> str:
    """Return what stands fenced and begins so."""
    found = re.findall(rf"^```\n({re.escape(first)}\n.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL)
    return str(found[at])


def leaf(number: int) -> bytes:
    form = rf"^leaf {number} +signature ([0-9a-f]+)\n +([0-9a-f]+)$"
    found = re.search(form, EXAMPLE, re.MULTILINE)
    assert found is not None
    return bytes.fromhex(found[1] + found[2]) + told(f"text {number}").encode()


def text(number: int) -> dict[str, str]:
    said: dict[str, str] = json.loads(told(f"text {number}"))
    return said


def public(secret: Ed25519PrivateKey) -> bytes:
    return secret.public_key().public_bytes_raw()


def vkey(secret: Ed25519PrivateKey) -> str:
    key = b"\x01" + public(secret)
    number = hashlib.sha256(ORIGIN.encode() + b"\n" + key).hexdigest()[:8]
    return f"{ORIGIN}+{number}+{base64.b64encode(key).decode()}"


def committed(salt: bytes, label: str, value: str) -> str:
    key = hmac.digest(salt, label.encode(), "sha256")
    return hmac.digest(key, value.encode(), "sha256").hex()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


HASHES = [hashlib.sha256(b"\x00" + leaf(number)).digest() for number in range(LEAVES)]
FIRST_TWO = node(HASHES[0], HASHES[1])
NEXT_TWO = node(HASHES[2], HASHES[3])
ROOT = node(node(FIRST_TWO, NEXT_TWO), HASHES[4])


def test_the_leaves_hash_to_the_roots() -> None:
    for number, hashed in enumerate(HASHES):
        assert told(f"leaf hash {number}") == hashed.hex()

    assert told("node 0-1") == FIRST_TWO.hex()
    assert told("root") == node(FIRST_TWO, HASHES[2]).hex()
    assert told("root of 5") == ROOT.hex()


def test_the_writer_signed_every_leaf() -> None:
    name = hashlib.sha256(public(WRITER)).hexdigest()[:16]

    for number in range(LEAVES):
        signed = f"tradan journal entry v1\n{ORIGIN}\n".encode() + leaf(number)[64:]
        WRITER.public_key().verify(leaf(number)[:64], signed)
        assert text(number)["w"] == name


def test_the_examples_commitments_open() -> None:
    said = text(2)

    assert said["ca"] == committed(S, "actor", told("actor 2"))
    assert said["cs"] == committed(S, "subject", told("subject 2"))
    for number in range(LEAVES):
        assert text(number)["cp"] == committed(E, "payload", told(f"payload {number}"))
    assert {text(number)["ca"] for number in (0, 1, 3, 4)} == {committed(E, "actor", "system")}
    assert {text(number)["cs"] for number in (0, 1, 3, 4)} == {committed(S, "subject", "")}


def test_keys_are_announced_and_signed_for() -> None:
    writer, first, new = text(0), text(1), text(3)

    assert (writer["kw"], first["kl"]) == (public(WRITER).hex(), public(LOG).hex())
    assert (told("log key"), told("next key")) == (vkey(LOG), vkey(NEXT))
    assert new["kl"] == public(NEXT).hex()
    for said, what in ((writer, "writer"), (new, "log")):
        announced = said["kw" if what == "writer" else "kl"]
        message = f"tradan journal {what} v1\n{ORIGIN}\n{announced}\n".encode()
        LOG.public_key().verify(bytes.fromhex(said["ke"]), message)


@pytest.mark.parametrize(("at", "size", "signers"), [(0, 3, (LOG,)), (1, 5, (LOG, NEXT))])
def test_the_checkpoints_are_signed(
    at: int, size: int, signers: tuple[Ed25519PrivateKey, ...]
) -> None:
    said, _, lines = block(ORIGIN, at).partition("\n\n")
    root = told("root" if size == 3 else "root of 5")

    assert said.split("\n")[1:] == [str(size), base64.b64encode(bytes.fromhex(root)).decode()]
    signatures = [base64.b64decode(line.split(" ")[2]) for line in lines.splitlines()]
    assert len(signatures) == len(signers)
    for secret, signature in zip(signers, signatures, strict=True):
        assert signature[:4].hex() == vkey(secret).split("+")[1]
        secret.public_key().verify(signature[4:], f"{said}\n".encode())


def files() -> dict[str, bytes]:
    """Return the files of the export that the page tells of."""
    leaves = [leaf(number) for number in range(LEAVES)]
    return {
        "tile/entries/000.p/5": b"".join(len(each).to_bytes(2, "big") + each for each in leaves),
        "tile/0/000.p/5": b"".join(HASHES),
        "openings.jsonl": re.search(r'^\{"act".*\n', EXAMPLE, re.MULTILINE)[0].encode(),  # type: ignore[index]  # it is there
        "checkpoint": block(ORIGIN, 1).encode(),
        "MANIFEST": block("# format tradan journal export 1").encode(),
    }


def test_bundle_and_tile_are_what_the_page_says() -> None:
    bundle, tile = files()["tile/entries/000.p/5"], files()["tile/0/000.p/5"]
    lengths = [len(leaf(number)).to_bytes(2, "big").hex() for number in range(LEAVES)]

    assert told("lengths") == " ".join(lengths)
    assert told("bundle") == f"{bundle[:18].hex()}…{bundle[-16:].hex()}"
    assert told("bundle hash") == hashlib.sha256(bundle).hexdigest()
    assert f"holds\n{len(bundle):,} bytes" in EXAMPLE
    assert f"`{hashlib.sha256(tile).hexdigest()}`" in EXAMPLE


def test_the_export_and_the_proof_of_the_page_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in files().items():
        (tmp_path / "export" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "export" / name).write_bytes(data)
    proof = tmp_path / "leaf-2.tlog-proof"
    proof.write_text(block("c2sp.org/tlog-proof@v1"))

    for target in (tmp_path / "export", proof):
        for key in (told("log key"), told("next key")):
            assert verify_journal.main([str(target), "--key", key]) == 0

    assert f"receipt      {told('receipt 2')}\n" in capsys.readouterr().out


def test_the_proof_is_the_leaf_and_the_nodes_beside_its_way() -> None:
    first, extra, index, *path = block("c2sp.org/tlog-proof@v1").partition("\n\n")[0].split("\n")

    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 2")
    assert base64.b64decode(extra.removeprefix("extra ")) == leaf(2)
    assert [base64.b64decode(each) for each in path] == [HASHES[3], FIRST_TWO, HASHES[4]]
