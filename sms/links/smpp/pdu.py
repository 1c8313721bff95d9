"""SMPP 3.4's packets: those that an operator and we exchange.

Source: SMPP 3.4, sections 4 and 5.
"""

from dataclasses import dataclass, field
from enum import IntEnum

RESPONSE = 0x80000000
VERSION = 0x34
LONGEST_SHORT_MESSAGE = 254


class Command(IntEnum):
    """What a PDU asks or answers."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = 0x80000000
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER_RESP = 0x80000002
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM_RESP = 0x80000005
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK_RESP = 0x80000015


class Tag(IntEnum):
    """The optional parameters that are read here; all others are carried along."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_REFERENCE = 0x020C
    SAR_TOTAL = 0x020E
    SAR_NUMBER = 0x020F
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class PduError(Exception):
    """These bytes are no PDU of ours; *command* and *sequence* are its header's, if it has one."""

    def __init__(self, reason: str, command: int = 0, sequence: int = 0) -> None:
        super().__init__(reason)
        self.command = command
        self.sequence = sequence


class UnknownCommandError(PduError):
    """The header is whole, and its command is none that we know."""


@dataclass(frozen=True, slots=True)
class Address:
    """A number as SMPP writes it."""

    value: str = field(repr=False)
    ton: int = 0
    npi: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """Who wants to bind."""

    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    interface_version: int = VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """Who answers a bind; what else such an answer tells is not read."""

    system_id: str = ""


Tlvs = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The body of submit_sm and deliver_sm."""

    source: Address
    destination: Address
    short_message: bytes = field(repr=False)
    service_type: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    default_message: int = 0
    tlvs: Tlvs = field(default=(), repr=False)

    def tlv(self, tag: int) -> bytes | None:
        """Return the value of an optional parameter, if it is there."""
        return next((value for known, value in self.tlvs if known == tag), None)


@dataclass(frozen=True, slots=True)
class Taken:
    """The body of the answers to submit_sm and deliver_sm."""

    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """No body."""


Body = Bind | Bound | Message | Taken | Empty


@dataclass(frozen=True, slots=True)
class Pdu:
    """One packet."""

    command: Command
    sequence: int
    status: int = 0
    body: Body = field(default_factory=Empty)
