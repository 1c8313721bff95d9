"""Cosignatures: those that witnesses of the world made, and everything that is none."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import cosignature, note
from journal.cosignature import Cosigner, WitnessKey
from journal.errors import NoteError
from tests.fakes import NOON

# Source: C2SP tlog-cosignature, the example at its head. Its keys were never published.
EXAMPLE = (
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
EXAMPLE_TIME = 1679315147
# Source: transparency-dev/formats, note/note_cosigv1_test.go (Apache-2.0).
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
# Source: a tree head of the Sigsum log 0ec7e168…, cosigned by Glasklar Teknik's and Mullvad's
# witnesses on 1 August 2025, as published; a Sigsum cosignature is a C2SP cosignature in hex.
SIGSUM_LOG = "0ec7e16843119b120377a73913ac6acbc2d03d82432e2c36b841b09a95841f25"
SIGSUM_ROOT = "4ccedda0c3e6afc83cfcddfad7df3d95cbd1e857ecf3cf0569b8f69ce32727f8"
SIGSUM_TIME = 1754020861
GLASKLAR = (
    "witness.glasklar.is",
    "b2106db9065ec97f25e09c18839216751a6e26d8ed8b41e485a563d3d1498536",
    (
        "9ab58c0f6cbfd02549891b3b9d7e68fd7fefd42b6dc22fbbee7ed3119d1ed1807edc74c8b12fd430e4ee6084b59077"
        "d4c8eafe09eefdbbe31666828c34d24702"
    ),
)
MULLVAD = (
    "witness.mullvad.net",
    "15d6d0141543247b74bab3c1076372d9c894f619c376d64b29aa312cc00f61ad",
    (
        "82f16ff572ba54e6f0b2f27e0e34fa729ab42d566b1d54a0b689d345c373fd0d87a61a6b6e81b4d17b3ca9f13f01a6"
        "c1325d701e6350ecddfa54b6b453691d0f"
    ),
)
SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
TEXT = "tradan/gateway.example\n3\n2DgJXiClH7VrLG2US6zTSZS5lGyMs5NXbX4+B3he5UI=\n"


def sigsum_text() -> str:
    origin = f"sigsum.org/v1/tree/{hashlib.sha256(bytes.fromhex(SIGSUM_LOG)).hexdigest()}"
    return f"{origin}\n12851\n{base64.b64encode(bytes.fromhex(SIGSUM_ROOT)).decode()}\n"


def line_of(who: tuple[str, str, str]) -> tuple[WitnessKey, str]:
    name, public, signature = who
    key = WitnessKey(name, bytes.fromhex(public))
    value = SIGSUM_TIME.to_bytes(8, "big") + bytes.fromhex(signature)
    return key, note.write_line(name, key.key_id, value)


def test_cosignatures_of_the_world_hold() -> None:
    pairs = [line_of(GLASKLAR), line_of(MULLVAD)]
    keys, lines = [key for key, _ in pairs], "".join(line for _, line in pairs)

    found = cosignature.verified(sigsum_text(), lines, keys)

    at = datetime.fromtimestamp(SIGSUM_TIME, UTC)
    assert {key.name: each.at for key, each in found.items()} == {
        "witness.glasklar.is": at,
        "witness.mullvad.net": at,
    }
    assert [each.line for each in found.values()] == [line for _, line in pairs]


def test_the_example_of_the_specification_is_read() -> None:
    (line,) = note.read_lines(EXAMPLE)

    assert (line.name, line.key_id.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert int.from_bytes(line.value[:8], "big") == EXAMPLE_TIME
    assert len(line.value) == 72


def test_a_witnesss_key_is_read_and_written_in_the_form_others_use() -> None:
    key = WitnessKey.parse(REMORA)

    assert (key.name, key.key_id.hex(), str(key)) == ("remora.n621.de", "da77ade7", REMORA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        REMORA[:-1],
        REMORA.replace("da77ade7", "da77ade8"),
        REMORA.replace("remora", "remorb"),
        # A log's key, type 01, with the id that belongs to it.
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_another_key_is_no_witnesss(text: str) -> None:
    with pytest.raises(NoteError):
        WitnessKey.parse(text)


def test_what_is_cosigned_holds_for_that_text_and_key_alone() -> None:
    cosigner, other = Cosigner("w1.example", SEED), Cosigner("w1.example", OTHER_SEED)
    line = cosigner.cosign(TEXT, NOON)

    found = cosignature.verified(TEXT, line, [cosigner.key])

    assert found[cosigner.key].at == NOON
    assert cosignature.verified(TEXT.replace("\n3\n", "\n4\n"), line, [cosigner.key]) == {}
    assert cosignature.verified(TEXT, line, [other.key]) == {}
    assert cosignature.verified(TEXT, line, [WitnessKey("w2", cosigner.key.public)]) == {}
    assert cosignature.verified(TEXT, None, [cosigner.key]) == {}


def test_the_time_is_signed_too() -> None:
    cosigner = Cosigner("w1.example", SEED)
    (line,) = note.read_lines(cosigner.cosign(TEXT, NOON))
    later = (int(NOON.timestamp()) + 3600).to_bytes(8, "big") + line.value[8:]

    forged = note.write_line(line.name, line.key_id, later)

    assert cosignature.verified(TEXT, forged, [cosigner.key]) == {}


@given(at=st.integers(min_value=0, max_value=64 + 8 + 4 - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found(at: int, bit: int) -> None:
    cosigner = Cosigner("w1.example", SEED)
    (line,) = note.read_lines(cosigner.cosign(TEXT, NOON))
    whole = bytearray(line.key_id + line.value)
    whole[at] ^= 1 << bit

    flipped = note.write_line(line.name, bytes(whole[:4]), bytes(whole[4:]))

    assert cosignature.verified(TEXT, flipped, [cosigner.key]) == {}


@given(st.text())
def test_no_text_of_others_breaks_the_reading(lines: str) -> None:
    assert cosignature.verified(TEXT, lines, [Cosigner("w1.example", SEED).key]) == {}


def test_a_newer_cosignature_takes_the_place_of_the_same_witnesss() -> None:
    one, two = Cosigner("w1.example", SEED), Cosigner("w2.example", OTHER_SEED)
    keys = [one.key, two.key]
    later = NOON + timedelta(minutes=1)
    old = one.cosign(TEXT, NOON) + two.cosign(TEXT, NOON)
    new = cosignature.verified(TEXT, one.cosign(TEXT, later), keys)

    merged = cosignature.merged(old, new.values())

    found = cosignature.verified(TEXT, merged, keys)
    assert {key.name: each.at for key, each in found.items()} == {
        "w1.example": later,
        "w2.example": NOON,
    }
    assert len(merged.splitlines()) == 2
    assert cosignature.merged("nonsense", new.values()) == one.cosign(TEXT, later)


def test_a_time_beyond_all_calendars_is_no_time() -> None:
    cosigner = Cosigner("w1.example", SEED)
    seconds = 2**63 - 1
    signed = cosigner._key.sign(cosignature._message(seconds, TEXT))
    line = note.write_line("w1.example", cosigner.key.key_id, seconds.to_bytes(8, "big") + signed)

    assert cosignature.verified(TEXT, line, [cosigner.key]) == {}
