"""SMPP 3.4's packets as bytes and back.

Total: any bytes make a PDU or one PduError. Texts are read as Latin-1, which loses nothing.
Source: SMPP 3.4, sections 3.2, 4 and 5.
"""

import struct
from collections.abc import Iterator

from sms.links.smpp.pdu import (
    Address,
    Bind,
    Body,
    Bound,
    Command,
    Empty,
    Message,
    Pdu,
    PduError,
    Taken,
    Tlvs,
    UnknownCommandError,
)

HEADER = struct.Struct(">IIII")
LONGEST_PDU = 65536
_TLV = struct.Struct(">HH")
_SERVICE_TYPE, _ADDRESS, _TIME = 6, 21, 17
_SYSTEM_ID, _PASSWORD, _SYSTEM_TYPE, _RANGE = 16, 9, 13, 41
_MESSAGE_ID = 65
_BODIES: dict[Command, type[Body]] = {
    **dict.fromkeys(
        (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER), Bind
    ),
    **dict.fromkeys(
        (
            Command.BIND_RECEIVER_RESP,
            Command.BIND_TRANSMITTER_RESP,
            Command.BIND_TRANSCEIVER_RESP,
        ),
        Bound,
    ),
    **dict.fromkeys((Command.SUBMIT_SM, Command.DELIVER_SM), Message),
    **dict.fromkeys((Command.SUBMIT_SM_RESP, Command.DELIVER_SM_RESP), Taken),
}


def cut(buffer: bytearray) -> Iterator[bytes]:
    """Take the whole PDUs off the front of *buffer*; a size is looked at before it is waited for.

    Raises: PduError for a size that no PDU has; what follows it cannot be told apart.
    """
    while len(buffer) >= HEADER.size:
        length, command, _, sequence = HEADER.unpack_from(buffer)
        if not HEADER.size <= length <= LONGEST_PDU:
            raise PduError("length", command, sequence)
        if len(buffer) < length:
            return
        whole = bytes(buffer[:length])
        del buffer[:length]
        yield whole


def decode(octets: bytes) -> Pdu:
    """Read one whole PDU.

    Raises: PduError.
    """
    if len(octets) < HEADER.size:
        raise PduError("header")
    length, number, status, sequence = HEADER.unpack_from(octets)
    try:
        command = Command(number)
    except ValueError as error:
        raise UnknownCommandError("command", number, sequence) from error
    if length != len(octets):
        raise PduError("length", number, sequence)
    reader = _Reader(octets, HEADER.size)
    try:
        body = _read(command, reader)
    except (ValueError, struct.error) as error:
        raise PduError("body", number, sequence) from error
    return Pdu(command, sequence, status, body)


def encode(pdu: Pdu) -> bytes:
    """Write one PDU.

    Raises: ValueError for what no field can hold.
    """
    body = _write(pdu.body)
    return HEADER.pack(HEADER.size + len(body), pdu.command, pdu.status, pdu.sequence) + body


def _read(command: Command, reader: "_Reader") -> Body:
    kind = _BODIES.get(command, Empty)
    # An answer counts however it is written: without it, what was asked would be in doubt.
    if kind is Bound:
        return Bound(reader.rest())
    if kind is Taken:
        return Taken(reader.rest())
    if kind is Empty:
        return Empty()
    if kind is Bind:
        return Bind(
            system_id=reader.text(_SYSTEM_ID),
            password=reader.text(_PASSWORD),
            system_type=reader.text(_SYSTEM_TYPE),
            interface_version=reader.byte(),
            addr_ton=reader.byte(),
            addr_npi=reader.byte(),
            address_range=reader.text(_RANGE),
        )
    return _read_message(reader)


def _read_message(reader: "_Reader") -> Message:
    service_type, source = reader.text(_SERVICE_TYPE), reader.address()
    destination, esm_class, protocol_id = reader.address(), reader.byte(), reader.byte()
    priority, schedule, validity = reader.byte(), reader.text(_TIME), reader.text(_TIME)
    registered, replaces, coding = reader.byte(), reader.byte(), reader.byte()
    default_message = reader.byte()
    return Message(
        service_type=service_type,
        source=source,
        destination=destination,
        esm_class=esm_class,
        protocol_id=protocol_id,
        priority=priority,
        schedule=schedule,
        validity=validity,
        registered_delivery=registered,
        replace_if_present=replaces,
        data_coding=coding,
        default_message=default_message,
        short_message=reader.octets(reader.byte()),
        tlvs=reader.tlvs(),
    )


class _Reader:
    """A place within the octets of one PDU."""

    def __init__(self, octets: bytes, at: int) -> None:
        self._octets = octets
        self._at = at

    def is_over(self) -> bool:
        return self._at == len(self._octets)

    def byte(self) -> int:
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        found = self._octets[self._at : self._at + count]
        if len(found) < count:
            raise ValueError
        self._at += count
        return found

    def text(self, longest: int) -> str:
        end = self._octets.index(b"\0", self._at, self._at + longest)
        found = self._octets[self._at : end]
        self._at = end + 1
        return found.decode("latin-1")

    def rest(self) -> str:
        """Read a text of any length, up to its end or the packet's."""
        return self._octets[self._at :].partition(b"\0")[0].decode("latin-1")

    def address(self) -> Address:
        ton, npi = self.octets(2)
        return Address(self.text(_ADDRESS), ton, npi)

    def tlvs(self) -> Tlvs:
        found = []
        while not self.is_over():
            tag, length = _TLV.unpack(self.octets(_TLV.size))
            found.append((tag, self.octets(length)))
        return tuple(found)


def _write(body: Body) -> bytes:
    match body:
        case Bind():
            return b"".join(
                (
                    _text(body.system_id, _SYSTEM_ID),
                    _text(body.password, _PASSWORD),
                    _text(body.system_type, _SYSTEM_TYPE),
                    bytes((body.interface_version, body.addr_ton, body.addr_npi)),
                    _text(body.address_range, _RANGE),
                )
            )
        case Bound(system_id):
            return _text(system_id, _SYSTEM_ID)
        case Taken(message_id):
            return _text(message_id, _MESSAGE_ID)
        case Message():
            return _write_message(body)
        case Empty():
            return b""


def _write_message(body: Message) -> bytes:
    return b"".join(
        (
            _text(body.service_type, _SERVICE_TYPE),
            _address(body.source),
            _address(body.destination),
            bytes((body.esm_class, body.protocol_id, body.priority)),
            _text(body.schedule, _TIME),
            _text(body.validity, _TIME),
            bytes((body.registered_delivery, body.replace_if_present, body.data_coding)),
            bytes((body.default_message, len(body.short_message))),
            body.short_message,
            _tlvs(body.tlvs),
        )
    )


def _text(text: str, longest: int) -> bytes:
    octets = text.encode("latin-1")
    if len(octets) >= longest or b"\0" in octets:
        raise ValueError("a text does not fit its field")
    return octets + b"\0"


def _address(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + _text(address.value, _ADDRESS)


def _tlvs(tlvs: Tlvs) -> bytes:
    return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs)
