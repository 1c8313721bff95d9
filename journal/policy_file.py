"""Adds a witness to a policy file, leaving everything else in it as somebody wrote it."""

import os
import secrets
from pathlib import Path

from journal import policy
from journal.errors import PolicyError
from journal.policy import Policy, Witness, words_of

_GROUP = "witnesses"
_HEADING = "# Who stands behind the exchange journal. C2SP tlog-policy; read at the start of `run`."
_WORDS = ("any", "all")


def with_witness(
    octets: bytes | None, witness: Witness, log_key: str, threshold: int | None = None
) -> bytes:
    """Return the policy with one witness more in its quorum; without *octets*, a new policy.

    Shape: unless told, so many are the quorum as are more than half, or more than that if the
    policy says so. A policy that demands no quorum goes on to demand none.
    Raises: PolicyError if there is no one group to add to, or the outcome would be no policy.
    """
    line = f"witness {witness.name} {witness.key} {witness.url}"
    if octets is None:
        rule = f"group {_GROUP} {threshold or 1} {witness.name}"
        made = f"{_HEADING}\nlog {log_key}\n{line}\n{rule}\nquorum {_GROUP}\n".encode()
    else:
        lines = octets.decode(errors="surrogateescape").split("\n")
        _extend(lines, policy.parse(octets), witness.name, line, threshold)
        made = "\n".join(lines).encode(errors="surrogateescape")
    policy.parse(made)
    return made


def replace(path: Path, octets: bytes) -> None:
    """Write a file whole or not at all."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _extend(lines: list[str], known: Policy, name: str, line: str, threshold: int | None) -> None:
    """Put the witness's line, and its name, where they belong."""
    end = _place(lines, "quorum")
    if known.quorum is None:
        lines.insert(end, line)
        return
    group = next((each for each in known.groups if each.name == known.quorum), None)
    if group is None:
        of, count = _free(known), threshold or _more_than_half(2)
        new = [line, f"group {of} {count} {known.quorum} {name}", f"quorum {of}"]
        lines[end : end + 1] = new
        return
    witnesses = {each.name for each in known.witnesses}
    if not witnesses.issuperset(group.members):
        raise PolicyError([f"its quorum is made of groups: write by hand where this goes: {line}"])
    at = _place(lines, "group", group.name)
    rule = words_of(lines[at])[2]
    if threshold or rule not in _WORDS:
        enough = max(group.threshold, _more_than_half(len(group.members) + 1))
        rule = str(threshold or enough)
    lines[at] = f"group {group.name} {rule} {' '.join((*group.members, name))}"
    lines.insert(at, line)


def _place(lines: list[str], *words: str) -> int:
    """Return the number of the line that begins with these words."""
    return next(n for n, line in enumerate(lines) if words_of(line)[: len(words)] == list(words))


def _free(known: Policy) -> str:
    taken = {each.name for each in known.witnesses} | {each.name for each in known.groups}
    name = _GROUP
    while name in taken:
        name += "-"
    return name


def _more_than_half(count: int) -> int:
    return count // 2 + 1
