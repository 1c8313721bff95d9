"""What an SMPP status says: ours to the operator, and the operator's about a reply.

Source: SMPP 3.4, 5.1.3.
"""

from enum import IntEnum


class Status(IntEnum):
    """The statuses that are said here, or acted on."""

    OK = 0x00
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    WRONG_BIND_STATE = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TEMPORARY = 0x64  # ESME_RX_T_APPN: send it again later
    PERMANENT = 0x65  # ESME_RX_P_APPN: never send it again
    REJECTED = 0x66  # ESME_RX_R_APPN


# What the operator will not take however often it is asked: lengths, addresses, types, fields.
FINAL = frozenset(
    {0x01, 0x02, 0x03, 0x0A, 0x0B, 0x15, 0x33, 0x34, 0x40, 0x42, 0x43, 0x44, 0x48, 0x49, 0x50, 0x51,
     0x53, 0x54, 0x55, 0x61, 0x62, 0x63, Status.PERMANENT, Status.REJECTED,
     0xC0, 0xC1, 0xC2, 0xC3, 0xC4}
)  # fmt: skip
