"""The packets of SMPP 3.4: whole, in pieces, and as no SMSC would write them."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sms.links.smpp import codec
from sms.links.smpp.pdu import (
    RESPONSE,
    Address,
    Bind,
    Body,
    Bound,
    Command,
    Empty,
    Message,
    Pdu,
    PduError,
    Tag,
    Taken,
    UnknownCommandError,
)

BYTES = st.integers(0, 255)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Make texts that a field of so many octets, its end included, can hold."""
    characters = st.characters(min_codepoint=1, max_codepoint=255)
    return st.text(characters, max_size=longest - 1)


TLVS = st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=20)), max_size=4).map(tuple)
ADDRESSES = st.builds(Address, texts(21), BYTES, BYTES)
MESSAGES = st.builds(
    Message,
    source=ADDRESSES,
    destination=ADDRESSES,
    short_message=st.binary(max_size=254),
    service_type=texts(6),
    esm_class=BYTES,
    protocol_id=BYTES,
    priority=BYTES,
    schedule=texts(17),
    validity=texts(17),
    registered_delivery=BYTES,
    replace_if_present=BYTES,
    data_coding=BYTES,
    default_message=BYTES,
    tlvs=TLVS,
)
BINDS = st.builds(
    Bind,
    system_id=texts(16),
    password=texts(9),
    system_type=texts(13),
    interface_version=BYTES,
    addr_ton=BYTES,
    addr_npi=BYTES,
    address_range=texts(41),
)
BOUND = st.builds(Bound, texts(16))
TAKEN = st.builds(Taken, texts(65))
HAVING: dict[Command, st.SearchStrategy[Body]] = {
    Command.BIND_TRANSCEIVER: BINDS,
    Command.BIND_TRANSMITTER_RESP: BOUND,
    Command.SUBMIT_SM: MESSAGES,
    Command.DELIVER_SM: MESSAGES,
    Command.SUBMIT_SM_RESP: TAKEN,
    Command.DELIVER_SM_RESP: TAKEN,
}
NUMBERS = st.integers(0, 0xFFFFFFFF)
PDUS = st.sampled_from(list(Command)).flatmap(
    lambda command: st.builds(
        Pdu,
        st.just(command),
        NUMBERS,
        NUMBERS,
        HAVING.get(command, _default(command)),
    )
)


def _default(command: Command) -> st.SearchStrategy[Body]:
    if command & 0x7FFFFFFF in {1, 2, 9}:
        return BOUND if command & RESPONSE else BINDS
    return st.just(Empty())


def read(octets: bytes) -> Pdu | PduError:
    """Read one PDU, or say why it is none."""
    try:
        return codec.decode(octets)
    except PduError as error:
        return error


@given(PDUS)
def test_what_is_written_reads_as_it_was(pdu: Pdu) -> None:
    assert codec.decode(codec.encode(pdu)) == pdu


@given(st.binary(max_size=200))
@example(b"")
def test_any_bytes_are_a_pdu_or_one_error(octets: bytes) -> None:
    assert isinstance(read(octets), Pdu | PduError)


@given(st.sampled_from(list(Command)), st.binary(max_size=120))
def test_any_body_of_a_known_command_is_read_or_refused(command: Command, body: bytes) -> None:
    octets = struct.pack(">IIII", 16 + len(body), command, 0, 7) + body

    told = read(octets)

    assert (told.command, told.sequence) == (command, 7)


@given(st.lists(PDUS, max_size=5), st.lists(st.integers(1, 40), min_size=1))
def test_a_stream_is_cut_where_its_pdus_end(pdus: list[Pdu], sizes: list[int]) -> None:
    stream = b"".join(map(codec.encode, pdus))
    buffer, found, at = bytearray(), [], 0

    for size in sizes * (len(stream) + 1):
        if at >= len(stream):
            break
        buffer += stream[at : at + size]
        at += size
        found += [codec.decode(octets) for octets in codec.cut(buffer)]

    assert found == pdus
    assert not buffer


@pytest.mark.parametrize("length", [0, 15, codec.LONGEST_PDU + 1, 0xFFFFFFFF])
def test_a_size_that_no_pdu_has_is_not_waited_for(length: int) -> None:
    with pytest.raises(PduError):
        list(codec.cut(bytearray(struct.pack(">IIII", length, 5, 0, 1))))


def test_an_unknown_command_says_whose_it_was() -> None:
    with pytest.raises(UnknownCommandError) as caught:
        codec.decode(struct.pack(">IIII", 16, 0x0102, 0, 9))

    assert (caught.value.command, caught.value.sequence) == (0x0102, 9)


def test_an_unknown_parameter_is_carried_along() -> None:
    message = Message(
        source=Address("84912345678", 1, 1),
        destination=Address("1414"),
        short_message=b"HD",
        tlvs=((0x1403, b"vendor"), (Tag.RECEIPTED_MESSAGE_ID, b"12\0")),
    )

    read = codec.decode(codec.encode(Pdu(Command.DELIVER_SM, 1, body=message))).body

    assert isinstance(read, Message)
    assert read.tlv(Tag.RECEIPTED_MESSAGE_ID) == b"12\0"
    assert read.tlv(Tag.MESSAGE_PAYLOAD) is None


def test_a_refusal_needs_no_body() -> None:
    octets = struct.pack(">IIII", 16, Command.SUBMIT_SM_RESP, 0x58, 3)

    assert codec.decode(octets) == Pdu(Command.SUBMIT_SM_RESP, 3, 0x58, Taken())


@pytest.mark.parametrize(
    ("written", "body"),
    [
        (b"7" * 70 + b"\0", Taken("7" * 70)),
        (b"7", Taken("7")),  # without its end
        (b"7\0\x02\x10", Taken("7")),  # half a parameter behind it
    ],
)
def test_an_answer_is_read_however_it_is_written(written: bytes, body: Body) -> None:
    octets = struct.pack(">IIII", 16 + len(written), Command.SUBMIT_SM_RESP, 0, 3) + written

    assert codec.decode(octets) == Pdu(Command.SUBMIT_SM_RESP, 3, 0, body)


@pytest.mark.parametrize(
    "body",
    [
        Bind(system_id="a" * 16, password=""),
        Bind(system_id="a\0b", password=""),
        Message(source=Address("9" * 21), destination=Address("1"), short_message=b""),
        Message(source=Address("9"), destination=Address("1"), short_message=b"x" * 256),
        Message(source=Address("9", 256), destination=Address("1"), short_message=b""),
    ],
)
def test_what_no_field_can_hold_is_not_written(body: Body) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whichever field it is)
        codec.encode(Pdu(Command.SUBMIT_SM, 1, body=body))


def test_no_packet_prints_what_it_carries() -> None:
    message = Message(
        source=Address("84912345678", 1, 1), destination=Address("1414"), short_message=b"XN 123456"
    )

    assert "84912345678" not in repr(message)
    assert "123456" not in repr(message)
    assert "hunter2" not in repr(Bind(system_id="a", password="hunter2"))
