"""Where npm's `smpp` and ours both take bytes for a packet, they read the same in it."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sms.links.smpp import codec
from sms.links.smpp.pdu import Bound, Message, Pdu, PduError, Tag, Taken
from tests.fuzz.mutating import mutants
from tests.fuzz.targets import TARGETS
from tests.sms.smpp.smsc import install

READER = Path(__file__).with_name("npm.js")
SCRIPTS = 300
_SEVEN_BITS = 0x7F


@pytest.fixture(scope="session")
def smpp_folder(request: pytest.FixtureRequest) -> Path:
    """A folder with npm's smpp."""
    return install(request.config)


def read_by_npm(folder: Path, packets: list[bytes]) -> list[dict[str, Any] | None]:
    """Have npm read packets; None for what it does not take."""
    done = subprocess.run(
        ["node", str(READER)],
        env={"NODE_PATH": str(folder / "node_modules"), "PATH": "/usr/bin:/bin"},
        input="\n".join(packet.hex() for packet in packets),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    read: list[dict[str, Any] | None] = json.loads(done.stdout)
    return read


def decoded(octets: bytes) -> Pdu | None:
    try:
        return codec.decode(octets)
    except PduError:
        return None


def shown(pdu: Pdu, theirs: dict[str, Any]) -> dict[str, Any]:
    """Say of our packet what npm says of its own."""
    body = pdu.body
    ours: dict[str, Any] = {"command": pdu.command, "status": pdu.status, "sequence": pdu.sequence}
    if isinstance(body, Message):
        ours |= {
            "source": ascii_of(body.source.value), "source_ton": body.source.ton,
            "destination": ascii_of(body.destination.value), "esm_class": body.esm_class,
            "coding": body.data_coding,
        }  # fmt: skip
        tags = [tag for tag, _ in body.tlvs]
        if tags.count(Tag.MESSAGE_STATE) == 1 and len(body.tlv(Tag.MESSAGE_STATE) or b"") == 1:
            ours["state"] = (body.tlv(Tag.MESSAGE_STATE) or b"")[0]
    elif isinstance(body, Taken) and body.message_id:
        ours["message_id"] = ascii_of(body.message_id)
    elif isinstance(body, Bound) and body.system_id:
        ours["system_id"] = ascii_of(body.system_id)
    return ours


def ascii_of(text: str) -> str:
    """Write a text of octets as npm does, which forgets their first bit."""
    return "".join(chr(ord(sign) & _SEVEN_BITS) for sign in text)


def test_npm_reads_the_same(smpp_folder: Path) -> None:
    pool = TARGETS["pdus"].pool()
    # The same on every run, and like nothing in particular.
    scripts = [hashlib.sha512(b"%d" % number).digest() for number in range(SCRIPTS)]
    changed = [octets for script in scripts for octets in mutants(pool, script)]
    ours = [(octets, decoded(octets)) for octets in {*pool.seeds, *changed}]
    taken = [(octets, pdu) for octets, pdu in ours if pdu is not None]

    read = read_by_npm(smpp_folder, [octets for octets, _ in taken])

    both = [
        (octets, shown(pdu, theirs), theirs)
        for (octets, pdu), theirs in zip(taken, read, strict=True)
        if theirs is not None
    ]
    assert len(both) > 100
    differing = [
        (octets, name, value, theirs[name])
        for octets, mine, theirs in both
        for name, value in mine.items()
        if theirs[name] != value
    ]
    assert differing == []
