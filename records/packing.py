"""How a record becomes the bytes that are encrypted, and back.

Shape: a fixed head (version, flags, personal number, telephone, four dates, two provinces), then
the texts, parted by line feeds, which no text holds. Some 70 bytes for most people, as text twice
that: a register is as large as its rows.
"""

import struct
from datetime import date

from core.phone import COUNTRY, Msisdn
from records.personal_id import PersonalId, Sex
from records.provinces import NEW, OLD
from records.register import Record, Status

_VERSION = 1
_HEAD = struct.Struct(">BB5sI3s3s3s3sBB")
_STATUSES = tuple(Status)
_IS_FEMALE, _IS_TEST, _STATUS_SHIFT = 0b01, 0b10, 2
# One byte for a province: the old table's code, or the new table's with the top bit set.
_NEW_TABLE = 0x80
_NAME_OF = {int(code): province.name for code, province in OLD.items()}
_NAME_OF |= {_NEW_TABLE | int(code): province.name for code, province in NEW.items()}
_BYTE_OF = {name: byte for byte, name in _NAME_OF.items()}


def pack(record: Record) -> bytes:
    """Write a record as bytes, equal records as equal bytes."""
    flags = _STATUSES.index(record.status) << _STATUS_SHIFT
    flags |= _IS_FEMALE if record.sex is Sex.FEMALE else 0
    flags |= _IS_TEST if record.is_test else 0
    head = _HEAD.pack(
        _VERSION,
        flags,
        int(record.personal_id).to_bytes(5, "big"),
        int(record.phone.removeprefix(COUNTRY)) if record.phone else 0,
        _day(record.date_of_birth),
        _day(record.phone_verified_on),
        _day(record.card_issued_on),
        _day(record.card_expires_on),
        _BYTE_OF[record.province],
        _BYTE_OF[record.current_province] if record.current_province else 0,
    )
    texts = (record.full_name, record.commune, record.current_commune or "")
    return head + "\n".join(texts).encode()


def unpack(packed: bytes) -> Record:
    """Read a record back.

    Raises: ValueError if these are not the bytes of a record.
    """
    try:
        return _unpack(packed)
    except (struct.error, LookupError, OverflowError) as error:
        raise ValueError("not a packed record") from error


def _unpack(packed: bytes) -> Record:
    version, flags, number, phone, *days, province, current = _HEAD.unpack_from(packed)
    if version != _VERSION:
        raise ValueError("packed by another version")
    born, verified, issued, expires = (int.from_bytes(day, "big") for day in days)
    full_name, commune, current_commune = packed[_HEAD.size :].decode().split("\n")
    return Record(
        personal_id=PersonalId(f"{int.from_bytes(number, 'big'):012}"),
        full_name=full_name,
        sex=Sex.FEMALE if flags & _IS_FEMALE else Sex.MALE,
        date_of_birth=date.fromordinal(born),
        phone=Msisdn(f"{COUNTRY}{phone}") if phone else None,
        phone_verified_on=date.fromordinal(verified) if verified else None,
        commune=commune,
        province=_NAME_OF[province],
        card_issued_on=date.fromordinal(issued) if issued else None,
        card_expires_on=date.fromordinal(expires) if expires else None,
        status=_STATUSES[flags >> _STATUS_SHIFT],
        current_commune=current_commune or None,
        current_province=_NAME_OF[current] if current else None,
        is_test=bool(flags & _IS_TEST),
    )


def _day(day: date | None) -> bytes:
    return (day.toordinal() if day else 0).to_bytes(3, "big")
