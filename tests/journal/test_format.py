"""The worked example of docs/journal-format.md, checked from the page by standard means alone."""

import base64
import hashlib
import hmac
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PAGE = (Path(__file__).parents[2] / "docs" / "journal-format.md").read_text()
ORIGIN = "tradan/gateway.example"
E, S = b"\xee" * 32, b"\x55" * 32


def told(name: str) -> str:
    found = re.search(rf"^{re.escape(name)} +(.+)$", PAGE, re.MULTILINE)
    assert found is not None, name
    return found[1]


def leaf(number: int) -> bytes:
    found = re.search(rf"^leaf {number} +signature ([0-9a-f]+)\n +([0-9a-f]+)$", PAGE, re.MULTILINE)
    assert found is not None
    return bytes.fromhex(found[1] + found[2]) + told(f"text {number}").encode()


def committed(salt: bytes, label: str, value: str) -> str:
    key = hmac.digest(salt, label.encode(), "sha256")
    return hmac.digest(key, value.encode(), "sha256").hex()


def test_the_example_can_be_followed_from_the_page() -> None:
    log = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key()
    writer = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32).public_key()

    hashes = [hashlib.sha256(b"\x00" + leaf(number)).digest() for number in range(3)]
    node = hashlib.sha256(b"\x01" + hashes[0] + hashes[1]).digest()
    root = hashlib.sha256(b"\x01" + node + hashes[2]).digest()

    assert [told(f"leaf hash {number}") for number in range(3)] == [h.hex() for h in hashes]
    assert (told("node 0-1"), told("root")) == (node.hex(), root.hex())
    for number in range(3):
        signed = f"tradan journal entry v1\n{ORIGIN}\n".encode() + leaf(number)[64:]
        writer.verify(leaf(number)[:64], signed)
    assert told("log key").endswith(base64.b64encode(b"\x01" + log.public_bytes_raw()).decode())
    assert f'"kl":"{log.public_bytes_raw().hex()}"' in told("text 1")
    assert f'"kw":"{writer.public_bytes_raw().hex()}"' in told("text 0")
    name = hashlib.sha256(writer.public_bytes_raw()).hexdigest()[:16]
    assert all(f'"w":"{name}"' in told(f"text {number}") for number in range(3))


def test_the_examples_commitments_open() -> None:
    text = told("text 2")

    assert f'"ca":"{committed(S, "actor", told("actor 2"))}"' in text
    assert f'"cs":"{committed(S, "subject", told("subject 2"))}"' in text
    assert f'"cp":"{committed(E, "payload", told("payload 2"))}"' in text


def test_the_examples_writer_is_endorsed_and_its_checkpoint_signed() -> None:
    log: Ed25519PublicKey = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key()
    found = re.search(r'"ke":"([0-9a-f]+)","kw":"([0-9a-f]+)"', told("text 0"))
    assert found is not None
    note = PAGE[PAGE.rindex(f"```\n{ORIGIN}\n") + 4 :]
    text, _, rest = note.partition("\n\n— ")

    log.verify(
        bytes.fromhex(found[1]), f"tradan journal writer v1\n{ORIGIN}\n{found[2]}\n".encode()
    )

    signature = base64.b64decode(rest.split()[1])
    log.verify(signature[4:], (text + "\n").encode())
    identity = ORIGIN.encode() + b"\n\x01" + log.public_bytes_raw()
    assert signature[:4] == hashlib.sha256(identity).digest()[:4]
    assert text.splitlines()[1:] == ["3", base64.b64encode(bytes.fromhex(told("root"))).decode()]
