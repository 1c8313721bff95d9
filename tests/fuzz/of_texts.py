"""What holds of any text that comes in over HTTP: what citizens type, and what operators post."""

import base64
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import combinations
from urllib.parse import parse_qsl, urlencode

from core import phone
from sms import commands
from sms.commands import AskLog, AskRecord, Check, Command, GivePin, Lock, SayWrong, Unlock
from sms.deliveries import LONGEST_ERROR
from sms.fold import fold
from sms.links import http, number_notices, statuses, twilio
from sms.links.errors import MalformedError, RefusedRequestError, UnauthenticatedError
from sms.links.model import Envelope, Link, LinkKind, LinkState
from sms.links.statuses import MOST_PARTS
from tests.fakes import NOON

ACCOUNT, NUMBER = "AC" + "a" * 32, "+18445550100"
TOKEN, OTHER_TOKEN = "0123456789abcdef" * 2, "fedcba9876543210" * 2
_UNSEEN = ("Mn", "Mc", "Me", "Cf", "Zs", "Pd")
# One sign can stand for eighteen (U+FDFA).
_WIDEST = 18
_DIGITS = str.maketrans("OIL", "011")
_CAPITALS = str.maketrans({chr(code): chr(code).upper() for code in range(ord("a"), ord("z") + 1)})
_URL = "https://gateway.example/sms/abroad/inbound/0123456789abcdef0123456789abcdef"
_NAMES = ("AccountSid", "Body", "From", "MessageSid", "SmsMessageSid", "SmsSid", "To")
_SEAMS = re.compile("|".join(_NAMES))
_MOST_SEAMS = 6
# What is wrong with a body is said in a fixed sentence.
_LONGEST_WORDS = 160
_VISIBLE = re.compile(r"[\x21-\x7e]{1,100}")
_MOBILE = re.compile(r"\+84[0-9]{9}")


def _link(kind: LinkKind) -> Link:
    return Link(
        id=1, code="abroad", operator="abroad", kind=kind, state=LinkState.ACTIVE, is_test=False,
        url="https://api.example", account_sid=ACCOUNT, from_number=NUMBER, prefixes="", rate=100,
        assessed_by=None, assessed_until=None, secrets=(TOKEN,), path_secret=None,
    )  # fmt: skip


HTTP, TWILIO = _link(LinkKind.HTTP), _link(LinkKind.TWILIO)


def folding(octets: bytes) -> None:
    """Fold and parse any text, alike however its signs are composed, cased and padded."""
    text = octets.decode("utf-8", "replace")
    folded = fold(text)
    assert len(folded) <= _WIDEST * len(text)
    assert folded == folded.strip()
    assert not re.search(r"  |\n\n|\n | \n|[a-z\t\r]", folded)
    assert not any(unicodedata.category(sign) in _UNSEEN for sign in folded if sign not in " -")
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == folded
    assert fold("\u200b".join(text)) == folded
    assert fold(text.translate(_CAPITALS)) == folded

    command = commands.parse(text)
    if len(text) <= commands.LONGEST_TEXT:
        assert commands.parse(text.translate(_CAPITALS)) == command
    _check_command(command, folded)


def _check_command(command: Command, folded: str) -> None:
    """See that no digit is made up, and that none is shown where a command is printed."""
    match command:
        case AskRecord() | AskLog() | Lock() | Unlock():
            number, shape = str(command.personal_id), "[0-9]{12}"
        case GivePin(pin, _):
            number, shape = pin, "[0-9]{6}"
        case SayWrong(code, _) | Check(code, _):
            number, shape = code.symbols or "", "[0-9A-Z-]*"
        case _:
            return
    assert re.fullmatch(shape, number, re.ASCII)
    assert not number or number not in repr(command)
    if not isinstance(command, SayWrong | Check):
        signs = iter(folded.translate(_DIGITS))
        assert all(digit in signs for digit in number), "digits that were not typed in this order"


def notices(octets: bytes) -> None:
    """Read any body that an operator may sign: what the contract says, or one error for it."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return
    read = {name: _outcome(reader, text) for name, reader in _READERS.items()}
    assert all(len(one) <= _LONGEST_WORDS for one in read.values() if isinstance(one, str))
    # One body is about one thing.
    assert sum(not isinstance(one, str) for one in read.values()) <= 1
    for one in read.values():
        _check_notice(one)
    try:
        again = json.dumps(json.loads(text), sort_keys=True)
    except (ValueError, RecursionError):
        assert all(isinstance(one, str) for one in read.values())
        return
    for name, one in read.items():
        # How JSON is written changes nothing.
        assert isinstance(one, str) or _outcome(_READERS[name], again) == one


_READERS: Mapping[str, Callable[[str], object]] = {
    "message": lambda text: http.read_message(text, NOON),
    "status": lambda text: statuses.read(text, NOON),
    "number": lambda text: number_notices.read(HTTP, text, NOON),
}


def _outcome(reader: Callable[[str], object], text: str) -> object:
    try:
        return reader(text)
    except MalformedError as error:
        return str(error)


def _check_notice(read: object) -> None:
    match read:
        case Envelope():
            check_envelope(read)
            assert _VISIBLE.fullmatch(read.operator_message_id)
            assert read.received_at <= NOON + timedelta(minutes=10)
        case statuses.Status(id=told, receipt=receipt):
            assert _VISIBLE.fullmatch(told)
            if receipt is not None:
                news = receipt.news
                assert str(receipt.reply_id) == told
                assert news.part is None or 1 <= news.part <= MOST_PARTS
                assert news.error is None or 1 <= len(news.error) <= LONGEST_ERROR
                assert news.at <= NOON + timedelta(minutes=10)
        case number_notices.NumberNotice(event=event, number=number):
            assert _VISIBLE.fullmatch(event.id)
            assert event.happened_at <= NOON + timedelta(minutes=10)
            assert number is None or _MOBILE.fullmatch(number)
            assert number is None or phone.parse(number) == number
            (event.to or "").encode()
        case _:
            assert isinstance(read, str)


def check_envelope(envelope: Envelope) -> None:
    """See that a message fits where it is kept."""
    assert 1 <= len(envelope.text) <= http.LONGEST_TEXT
    assert len(envelope.sender) <= 100
    for part in (envelope.sender, envelope.to, envelope.text):
        assert "\x00" not in part
        part.encode()


def forms(octets: bytes) -> None:
    """Take a form of Twilio's as it was signed and in no other reading."""
    try:
        fields = parse_qsl(
            octets.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict",
            max_num_fields=40,
        )  # fmt: skip
    except ValueError:
        assert _taken(octets, "A" * 27 + "=") is None
        return
    signature = _signature(_signed(fields))
    assert _taken(octets, _signature(_signed(fields), OTHER_TOKEN)) is None
    read = _taken(octets, signature)
    if isinstance(read, Envelope):
        assert re.fullmatch("SM[0-9a-f]{32}", read.operator_message_id)
        check_envelope(read)
    for others in _resplit(_signed(fields)):
        other = _read(others, signature)
        assert other is None or isinstance(other, str) or other == read


def _signed(fields: list[tuple[str, str]]) -> str:
    """Put together what Twilio signs behind the address; nothing parts a name from its value."""
    return "".join(f"{name}{value}" for name, value in sorted(set(fields)))


def _signature(signed: str, token: str = TOKEN) -> str:
    made = hmac.digest(token.encode(), f"{_URL}{signed}".encode(), hashlib.sha1)
    return base64.b64encode(made).decode()


def _resplit(signed: str) -> Iterator[list[tuple[str, str]]]:
    """Read the same signed text as other forms, whose parameters begin wherever a name stands."""
    places = [found.span() for found in _SEAMS.finditer(signed)][:_MOST_SEAMS]
    for count in range(1, len(places) + 1):
        for chosen in combinations(places, count):
            ends = [start for start, _ in chosen[1:]] + [len(signed)]
            fields = [
                (signed[start:named], signed[named:end])
                for (start, named), end in zip(chosen, ends, strict=True)
            ]
            if chosen[0][0] == 0 and _signed(fields) == signed:
                yield fields


def _taken(octets: bytes, signature: str) -> object:
    """Read a body as a message; None if it proves nothing, words if it is none."""
    try:
        fields = twilio.authenticate(TWILIO, _URL, signature, octets)
    except UnauthenticatedError:
        return None
    for query in ("", "id=00000000-0000-7000-8000-000000000000"):
        _outcome_of_status(fields, query)
    return _message(fields)


def _read(fields: list[tuple[str, str]], signature: str) -> object:
    return _taken(urlencode(fields).encode(), signature)


def _message(fields: list[tuple[str, str]]) -> object:
    try:
        return twilio.read_message(TWILIO, fields, NOON)
    except UnauthenticatedError:
        return None
    except MalformedError as error:
        return str(error)


def _outcome_of_status(fields: list[tuple[str, str]], query: str) -> None:
    try:
        status = statuses.read_twilio(TWILIO, fields, query, NOON)
    except RefusedRequestError:
        return
    assert re.fullmatch("SM[0-9a-f]{32}", status.id)
    assert status.receipt is None or query
