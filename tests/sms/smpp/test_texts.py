"""What octets say: alphabets, parts of long messages, and receipts."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.deliveries import Delivery
from sms.links.smpp import alphabet, parts, receipt_text
from sms.links.smpp.alphabet import Alphabet
from sms.links.smpp.parts import Carried, PartError, Piece, Place
from sms.links.smpp.pdu import Address, Message, Tag
from sms.links.smpp.receipt_text import PATTERN, STATES, ReceiptText
from sms.segments import GSM7_BASIC, GSM7_EXTENSION

VIET_NAM = timedelta(hours=7)
USUAL = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2611221535 done date:2611221536 "
    "stat:DELIVRD err:000 text:Ma PIN"
)


def message(octets: bytes = b"", esm_class: int = 0, *tlvs: tuple[int, bytes]) -> Message:
    """Make a deliver_sm that carries this."""
    return Message(
        source=Address("84912345678", 1, 1),
        destination=Address("1414"),
        short_message=octets,
        esm_class=esm_class,
        tlvs=tlvs,
    )


@given(st.binary(), st.sampled_from(Alphabet))
def test_any_octets_are_some_text(octets: bytes, kind: Alphabet) -> None:
    assert isinstance(alphabet.decode(octets, kind), str)


@given(st.text(st.sampled_from(GSM7_BASIC + GSM7_EXTENSION)))
def test_what_gsm7_holds_comes_back(text: str) -> None:
    octets = alphabet.encode(text, Alphabet.GSM7)

    assert octets is not None
    assert alphabet.decode(octets, Alphabet.GSM7) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_ucs2_holds_comes_back(text: str) -> None:
    octets = alphabet.encode(text, Alphabet.UCS2)

    assert octets is not None
    assert alphabet.decode(octets, Alphabet.UCS2) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x00\x09\x1b\x65\x1b\x28", "@Ç€{"),
        (b"A\x1b", "A "),
        (b"\x1bA", "A"),
        (b"\x1b\x1bA", " A"),
        (b"caf\xe9", "café"),
    ],
)
def test_gsm7_is_read_leniently(octets: bytes, text: str) -> None:
    assert alphabet.decode(octets, Alphabet.GSM7) == text


@pytest.mark.parametrize(
    ("text", "kind"), [("ạ", Alphabet.GSM7), ("é", Alphabet.ASCII), ("ạ", Alphabet.LATIN1)]
)
def test_what_an_alphabet_has_not_is_not_written(text: str, kind: Alphabet) -> None:
    assert alphabet.encode(text, kind) is None


@given(st.binary(max_size=60), st.booleans(), st.binary(max_size=3), st.binary(max_size=3))
def test_any_message_is_read_or_contradicts_itself(
    octets: bytes, has_header: bool, total: bytes, number: bytes
) -> None:
    tlvs = ((Tag.SAR_REFERENCE, b"\0\7"), (Tag.SAR_TOTAL, total), (Tag.SAR_NUMBER, number))
    try:
        read = parts.read(message(octets, 0x40 if has_header else 0, *tlvs))
    except PartError:
        return
    assert len(read.octets) <= len(octets)
    assert read.place is None or 1 <= read.place.number <= read.place.total


@pytest.mark.parametrize(
    ("octets", "place"),
    [
        (b"\x05\x00\x03\x07\x02\x01DC", Place("udh8", 7, 2, 1)),
        (b"\x06\x08\x04\x01\x07\x02\x01DC", Place("udh16", 263, 2, 1)),
        # Another element in front of it, and one behind (jasmin's issue 612).
        (b"\x09\x24\x01\x01\x00\x03\x07\x02\x02\x0aDC"[:9] + b"\x02DC", None),
        (b"\x0b\x05\x04\x00\x00\x00\x00\x00\x03\x07\x02\x02DC", Place("udh8", 7, 2, 2)),
        (b"\x05\x00\x03\x07\x01\x01DC", None),
        # Parts that cannot be: such an element is to be ignored (TS 23.040, 9.2.3.24.1).
        (b"\x05\x00\x03\x07\x02\x00DC", None),
        (b"\x05\x00\x03\x07\x00\x00DC", None),
        (b"\x05\x00\x03\x07\x02\x03DC", None),
        (b"\x0a\x00\x03\x07\x02\x01\x00\x03\x07\x00\x01DC", Place("udh8", 7, 2, 1)),
    ],
)
def test_a_header_tells_the_place(octets: bytes, place: Place | None) -> None:
    try:
        read = parts.read(message(octets, 0x40))
    except PartError:
        assert place is None
        return

    assert read == Carried(b"DC", place)


@pytest.mark.parametrize("octets", [b"", b"\x05", b"\x03\x00\x09\x01", b"\x01\x00"])
def test_a_header_that_contradicts_itself_is_refused(octets: bytes) -> None:
    with pytest.raises(PartError):
        parts.read(message(octets, 0x40))


def test_sar_parameters_tell_the_place() -> None:
    tlvs = (Tag.SAR_REFERENCE, b"\1\7"), (Tag.SAR_TOTAL, b"\3"), (Tag.SAR_NUMBER, b"\2")

    assert parts.read(message(b"DC", 0, *tlvs)) == Carried(b"DC", Place("sar", 263, 3, 2))


@pytest.mark.parametrize("place", range(3))
def test_sar_parameters_that_are_no_numbers_of_theirs_are_refused(place: int) -> None:
    values = [b"\1", b"\2", b"\2"]
    values[place] = b"\1" * 5000
    tags = (Tag.SAR_REFERENCE, Tag.SAR_TOTAL, Tag.SAR_NUMBER)

    with pytest.raises(PartError):
        parts.read(message(b"DC", 0, *zip(tags, values, strict=True)))


def test_sar_parameters_of_a_part_that_cannot_be_are_ignored() -> None:
    tlvs = (Tag.SAR_REFERENCE, b"\1\7"), (Tag.SAR_TOTAL, b"\2"), (Tag.SAR_NUMBER, b"\3")

    assert parts.read(message(b"DC", 0, *tlvs)) == Carried(b"DC", None)


def test_a_payload_is_the_text_where_there_is_no_other() -> None:
    assert parts.read(message(b"", 0, (Tag.MESSAGE_PAYLOAD, b"DC"))) == Carried(b"DC", None)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=3), st.data())
def test_parts_join_in_whatever_order_they_are_cut(text: str, data: st.DataObject) -> None:
    octets = text.encode("utf-16-be")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), min_size=2, max_size=2)))
    cut = [octets[: cuts[0]], octets[cuts[0] : cuts[1]], octets[cuts[1] :]]
    numbered = {number: Piece(one, Alphabet.UCS2) for number, one in enumerate(cut, 1)}
    shuffled = data.draw(st.permutations(list(numbered)))

    assert parts.join({number: numbered[number] for number in shuffled}) == text


def test_parts_in_two_alphabets_join_each_by_itself() -> None:
    pieces = {1: Piece(b"Ph\xfa ", Alphabet.LATIN1), 2: Piece(b"\x1e\xa1", Alphabet.UCS2)}

    assert parts.join(pieces) == "Phú ạ"


def read(text: str, *tlvs: tuple[int, bytes], pattern: str = PATTERN) -> ReceiptText | None:
    """Read a receipt as an SMSC in Viet Nam writes it."""
    return receipt_text.read(
        message(b"", 0x04, *tlvs),
        text,
        pattern=re.compile(pattern, re.DOTALL),
        states=STATES,
        zone=VIET_NAM,
    )


def test_a_usual_receipt_is_read() -> None:
    done_at = datetime(2026, 11, 22, 8, 36, tzinfo=UTC)

    assert read(USUAL) == ReceiptText("0123456789", Delivery.DELIVERED, "000", done_at)


def test_parameters_say_more_than_the_text() -> None:
    told = read(USUAL, (Tag.RECEIPTED_MESSAGE_ID, b"a1b2\0"), (Tag.MESSAGE_STATE, b"\5"))

    assert told is not None
    assert (told.written, told.state) == ("a1b2", Delivery.UNDELIVERED)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("id:1 stat:expired", Delivery.EXPIRED),
        ("id:1 stat:NEWWORD", Delivery.SENT),
        ("id:1 sub:1 dlvrd:1 submit date:x done date:9999999999 stat:REJECTD", Delivery.FAILED),
    ],
)
def test_receipts_of_other_kinds_are_read(text: str, state: Delivery) -> None:
    told = read(text)

    assert told is not None
    assert (told.written, told.state, told.done_at) == ("1", state, None)


@pytest.mark.parametrize("text", ["id:" * 200 + " done date:111111111111" * 20, "id:" * 330])
def test_a_text_that_is_made_to_be_read_slowly_is_read_at_once(text: str) -> None:
    began = time.process_time()

    assert read(text) is None
    # A pattern that goes back and forth takes minutes for ten of these.
    for _ in range(9):
        read(text)
    assert time.process_time() - began < 2


def test_an_operator_of_another_habit_brings_its_own_pattern() -> None:
    told = read("MSG 77 IS DELIVRD", pattern=r"MSG (?P<id>\d+) IS (?P<state>\w+)")

    assert told is not None
    assert (told.written, told.state) == ("77", Delivery.DELIVERED)


def test_a_receipt_that_says_not_whose_it_is_is_none() -> None:
    assert read("Your message was delivered") is None


@given(st.text(), st.binary(max_size=70), st.binary(max_size=3))
def test_any_receipt_is_read_or_none(text: str, stamped: bytes, state: bytes) -> None:
    told = read(text, (Tag.RECEIPTED_MESSAGE_ID, stamped), (Tag.MESSAGE_STATE, state))

    assert told is None or told.written


@pytest.mark.parametrize(
    ("esm_class", "is_one"), [(0x00, False), (0x04, True), (0x20, True), (0x40, False)]
)
def test_a_receipt_is_told_by_its_class(esm_class: int, is_one: bool) -> None:
    assert receipt_text.is_receipt(message(b"", esm_class)) is is_one


def test_a_receipt_is_told_by_the_id_that_only_an_smsc_writes() -> None:
    assert receipt_text.is_receipt(message(b"", 0, (Tag.RECEIPTED_MESSAGE_ID, b"12\0")))
    assert not receipt_text.is_receipt(message(b"", 0, (Tag.MESSAGE_STATE, b"\2")))
