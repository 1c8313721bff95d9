"""The verifier's own Ed25519, against published vectors and against a library."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from verify_journal import Comb, PublicKey, _unpack

VECTORS = json.loads((Path(__file__).parent / "vectors" / "ed25519.json").read_text())
ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD = 2**255 - 19
SECRET = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
PUBLIC = SECRET.public_key().public_bytes_raw()


def holds(case: dict[str, str]) -> bool:
    public, message, signature = (
        bytes.fromhex(case[n]) for n in ("public", "message", "signature")
    )
    return PublicKey(public).holds(message, signature)


@pytest.mark.parametrize("case", VECTORS["rfc8032"], ids=lambda case: case["name"])
def test_the_signatures_of_the_standard_hold(case: dict[str, str]) -> None:
    assert holds(case)
    assert not holds(case | {"message": case["message"] + "00"})


@pytest.mark.parametrize("case", VECTORS["speccheck"], ids=lambda case: case["name"])
def test_the_strict_reading_is_kept(case: dict[str, str]) -> None:
    assert holds(case) is (case["strict"] == "holds")


@pytest.mark.parametrize("encoded", VECTORS["small_order"])
def test_no_key_or_point_of_small_order_is_taken(encoded: str) -> None:
    point = bytes.fromhex(encoded)
    forged = point + bytes(32)

    assert not any(PublicKey(point).check([(b"%d" % n, forged) for n in range(16)]))
    assert not PublicKey(PUBLIC).holds(b"", forged)


@given(st.binary(max_size=100), st.integers(min_value=0, max_value=64 * 8 - 1))
def test_what_a_library_signs_holds_and_nothing_near_it(message: bytes, bit: int) -> None:
    signature = SECRET.sign(message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8

    assert PublicKey(PUBLIC).check([(message, signature), (message, bytes(flipped))]) == [
        True,
        False,
    ]


@given(st.binary(min_size=32, max_size=32))
def test_a_point_is_read_where_the_library_reads_one(encoded: bytes) -> None:
    signature = encoded + bytes(32)
    mine = PublicKey(encoded).holds(b"", signature)

    try:
        Ed25519PublicKey.from_public_bytes(encoded).verify(signature, b"")
    except (InvalidSignature, ValueError):
        assert not mine


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_a_signature_has_one_length(length: int) -> None:
    assert not PublicKey(PUBLIC).holds(b"", (SECRET.sign(b"") * 2)[:length])


def test_the_scalar_is_below_the_order() -> None:
    signature = SECRET.sign(b"entry")
    more = int.from_bytes(signature[32:], "little") + ORDER

    assert not PublicKey(PUBLIC).holds(b"entry", signature[:32] + more.to_bytes(32, "little"))


@pytest.mark.parametrize("y", [FIELD, FIELD + 1, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_a_point_is_written_in_one_way(y: int, sign: int) -> None:
    assert _unpack((y | sign << 255).to_bytes(32, "little")) is None


def test_zero_has_no_sign() -> None:
    assert _unpack((1 | 1 << 255).to_bytes(32, "little")) is None
    assert _unpack((1).to_bytes(32, "little")) == (0, 1)


def test_a_key_holds_the_same_however_often_it_is_asked() -> None:
    key = PublicKey(PUBLIC)
    good = [(b"%d" % n, SECRET.sign(b"%d" % n)) for n in range(40)]
    bad = [(message + b"!", signature) for message, signature in good]

    verdicts = [key.check(good[:1]), key.check(good + bad), key.check(good * 51 + bad)]

    assert verdicts == [[True], [True] * 40 + [False] * 40, [True] * 2040 + [False] * 40]


def test_steps_of_any_width_lead_to_the_same_point() -> None:
    point = _unpack(PUBLIC)
    assert point is not None

    sums = {len(Comb(point, bits).parts(ORDER - 1)) for bits in (2, 4, 10)}

    assert sums == {127, 64, 26}
