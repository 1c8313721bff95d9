"""Asks a witness to cosign a checkpoint, and judges what it answers.

Source: C2SP tlog-witness, v1.0 and v1.1, which differ in how a split view is refused.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import urllib3

from core import deadline
from journal import cosignature
from journal.cosignature import Cosignature
from journal.errors import UnreachableError
from journal.policy import Witness
from journal.quorum import MOST_AHEAD

SIZE_TYPE = "text/x.tlog.size"
_LONGEST_ANSWER = 65536
_LONGEST_SIZE = 19


class Refusal(StrEnum):
    """Why a witness has not cosigned."""

    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    UNTRUSTED_KEY = "untrusted-key"
    UNKNOWN_LOG = "unknown-log"
    REWRITTEN = "rewritten"
    AHEAD = "ahead"
    OVERTAKEN = "overtaken"
    NO_COSIGNATURE = "no-cosignature"
    CLOCK = "clock"
    UNEXPECTED = "unexpected"

    @property
    def contradicts(self) -> bool:
        """Whether the witness has seen another history of this log than ours."""
        return self in {Refusal.REWRITTEN, Refusal.AHEAD}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class OtherSize:
    """The witness wants the proof from this size, which it cosigned last."""

    size: int


class Post(Protocol):
    """A way to hand bytes to a witness."""

    def __call__(self, url: str, body: bytes) -> Reply:
        """Post them.

        Raises: UnreachableError.
        """
        ...


class HttpPost:
    """Posts over HTTP: to the host that is configured, whatever it answers, and to a deadline."""

    def __init__(self) -> None:
        self._pools = urllib3.PoolManager(
            num_pools=32, retries=False, timeout=urllib3.Timeout(connect=2.0, read=5.0)
        )
        self._pools.pool_classes_by_scheme = deadline.POOLS

    def __call__(self, url: str, body: bytes) -> Reply:
        """Post them.

        Raises: UnreachableError.
        """
        headers = {"content-type": "text/plain; charset=utf-8", "user-agent": "TraDan"}
        try:
            with deadline.whole_send():
                answer = self._pools.request(
                    "POST", url, body=body, headers=headers, redirect=False, preload_content=False
                )
                said = answer.read(_LONGEST_ANSWER, decode_content=False)
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError("the witness does not answer") from error
        return Reply(answer.status, answer.headers.get("content-type", ""), said)


def request(old_size: int, proof: Sequence[bytes], note: str) -> bytes:
    """Write the body that asks for a cosignature of *note*."""
    lines = "".join(f"{base64.b64encode(node).decode()}\n" for node in proof)
    return f"old {old_size}\n{lines}\n{note}".encode()


def judge(
    reply: Reply, witness: Witness, text: str, asked: OtherSize, now: datetime
) -> Cosignature | OtherSize | Refusal:
    """Say what an answer comes to, having *asked* with a proof from this size."""
    match reply.status:
        case 200:
            return _cosignature_in(reply, witness, text, now)
        case 409:
            told = _size_in(reply)
            # No size, or the one we gave: the first version's way to say that the roots differ.
            return Refusal.REWRITTEN if told is None or told == asked else told
        case 422:
            return Refusal.REWRITTEN
        case 400:
            return Refusal.MALFORMED
        case 403:
            return Refusal.UNTRUSTED_KEY
        case 404:
            return Refusal.UNKNOWN_LOG
        case _:
            return Refusal.UNEXPECTED


def _cosignature_in(
    reply: Reply, witness: Witness, text: str, now: datetime
) -> Cosignature | Refusal:
    lines = reply.body.decode(errors="replace")
    found = cosignature.verified(text, lines, [witness.key]).get(witness.key)
    if found is None:
        return Refusal.NO_COSIGNATURE
    return Refusal.CLOCK if abs(found.at - now) > MOST_AHEAD else found


def _size_in(reply: Reply) -> OtherSize | None:
    text = reply.body.decode(errors="replace")
    number = text.removesuffix("\n")
    is_size = number.isascii() and number.isdecimal() and len(number) <= _LONGEST_SIZE
    if reply.content_type != SIZE_TYPE or text == number or not is_size:
        return None
    return OtherSize(int(number)) if str(int(number)) == number else None
