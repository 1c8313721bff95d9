"""The policy: which logs and witnesses are believed, and how many witnesses make a quorum.

Source: C2SP tlog-policy. Names are octets that mean nothing; a byte that is no UTF-8 is read as
half a character, so that every name keeps apart from every other.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from core.settings import public_url
from journal.cosignature import WitnessKey
from journal.errors import NoteError, PolicyError
from journal.note import Verifier

T = TypeVar("T", Verifier, WitnessKey)

NOBODY = "none"
_LONGEST = 1 << 20
_BLANKS = re.compile(r"[ \t]+")
_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose checkpoints are believed."""

    key: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness by the name that the policy gives it, and where it takes checkpoints."""

    name: str
    key: WitnessKey
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these members count as one."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy in which every name means something; *quorum* is None if none is demanded."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str | None

    def reached_at(self, cosigned: Mapping[WitnessKey, datetime]) -> datetime | None:
        """Return the latest moment at which these cosignatures were all made that the quorum takes.

        Shape: None if they do not reach it, or none is demanded.
        """
        times = {one.name: cosigned.get(one.key) for one in self.witnesses}
        for group in self.groups:  # members stand before their groups
            newest_first = sorted(
                (at for name in group.members if (at := times[name]) is not None), reverse=True
            )
            reached = len(newest_first) >= group.threshold
            times[group.name] = newest_first[group.threshold - 1] if reached else None
        return None if self.quorum is None else times[self.quorum]


def load(path: Path) -> Policy:
    """Read the policy file at *path*.

    Raises: PolicyError naming every fault in it.
    """
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise PolicyError([f"it cannot be read ({error.strerror})"]) from error


def unfit(policy: Policy, log_keys: Sequence[str]) -> list[str]:
    """Say why a service whose log signs by these keys, the newest last, cannot go by this policy.

    While one key follows another, either is enough.
    """
    faults = [
        f"witness {_shown(witness.name)} has no URL to ask it at"
        for witness in policy.witnesses
        if witness.url is None
    ]
    if policy.logs and not {str(log.key) for log in policy.logs}.intersection(log_keys):
        faults.append(f"no log line is ours, which would be: log {log_keys[-1]}")
    return faults


def words_of(line: str) -> list[str]:
    """Part a line into its words: by spaces and tabs, and by no other blank."""
    return _BLANKS.split(line.strip(" \t"))


def parse(octets: bytes) -> Policy:
    """Read a policy file.

    Raises: PolicyError naming every fault in it.
    """
    if len(octets) > _LONGEST:
        raise PolicyError(["the policy is larger than any policy of ours: over 1 MiB"])
    reader = _Reader()
    lines = octets.split(b"\n")
    if lines.pop():
        reader.faults.append("the last line does not end in a newline")
    for number, line in enumerate(lines, start=1):
        reader.read(number, line)
    return reader.finish()


class _Reader:
    """Takes a policy line by line, and remembers what was wrong with it."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._quorum: list[str] = []
        # Each name, and whether it is a member of a group already.
        self._names: dict[str, bool] = {}
        self._number = 0

    def read(self, number: int, octets: bytes) -> None:
        self._number = number
        if _FORBIDDEN.search(octets):
            self._fault("holds a control character (lines end in a newline alone)")
            return
        words = words_of(octets.decode(errors="surrogateescape"))
        if not words[0] or words[0].startswith("#"):
            return
        takes: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum_line,
        }
        if words[0] not in takes:
            self._fault("begins with none of log, witness, group, quorum")
            return
        takes[words[0]](words[1:])

    def finish(self) -> Policy:
        if not self._quorum:
            self.faults.append("there is no quorum line (`quorum none` demands none)")
        if self.faults:
            raise PolicyError(self.faults)
        quorum = None if self._quorum[0] == NOBODY else self._quorum[0]
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), quorum)

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            self._fault("must be: log VKEY [URL]")
            return
        key = self._key(words[0], Verifier.parse, "a log's Ed25519 key (type 01)")
        url = self._url(words[1:])
        if key is not None:
            self._logs.append(Log(key, url))

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            self._fault("must be: witness NAME VKEY [URL]")
            return
        key = self._key(words[1], WitnessKey.parse, "a witness's Ed25519 key (type 04)")
        url, is_new = self._url(words[2:]), self._name(words[0])
        if is_new and key is not None:
            self._witnesses.append(Witness(words[0], key, url))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:  # noqa: PLR2004 (name, threshold, and a member at least)
            self._fault("must be: group NAME all|any|K MEMBER...")
            return
        name, threshold, members = words[0], words[1], words[2:]
        for member in members:
            self._join(member)
        count = {"any": 1, "all": len(members)}.get(threshold)
        if count is None:
            count = int(threshold) if _THRESHOLD.fullmatch(threshold) else 0
        if not 1 <= count <= len(members):
            self._fault(f"wants all, any, or a number from 1 to {len(members)} of its members")
        if self._name(name):
            self._groups.append(Group(name, count, tuple(members)))

    def _quorum_line(self, words: list[str]) -> None:
        if len(words) != 1:
            self._fault("must be: quorum NAME")
        elif self._quorum:
            self._fault("is a second quorum line")
        elif words[0] != NOBODY and words[0] not in self._names:
            self._fault(f"names {_shown(words[0])}, which no line before it defines")
        self._quorum.extend(words[:1] or [""])

    def _join(self, member: str) -> None:
        if member not in self._names:
            self._fault(f"has the member {_shown(member)}, which no line before it defines")
        elif self._names[member]:
            self._fault(f"has the member {_shown(member)}, which is a group's member already")
        else:
            self._names[member] = True

    def _name(self, name: str) -> bool:
        if name == NOBODY or name in self._names:
            self._fault(f"defines {_shown(name)}, which is taken")
            return False
        self._names[name] = False
        return True

    def _key(self, text: str, read: Callable[[str], T], wanted: str) -> T | None:
        try:
            key = read(text)
        except NoteError:
            self._fault(f"does not hold {wanted} in the form name+id+base64")
            return None
        known = {log.key.public for log in self._logs}
        known |= {witness.key.public for witness in self._witnesses}
        if key.public in known:
            self._fault("repeats a key of a line before it")
            return None
        return key

    def _url(self, words: list[str]) -> str | None:
        try:
            return public_url(words[0]) if words else None
        except ValueError:
            self._fault("has a URL that is not https://... (http:// for loopback hosts only)")
            return None

    def _fault(self, what: str) -> None:
        self.faults.append(f"line {self._number} {what}")


def _shown(name: str) -> str:
    return f"{name.encode(errors='surrogateescape').decode(errors='replace')!r}"
