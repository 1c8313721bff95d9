"""What somebody remembers of the log in a file: the last checkpoint that was verified.

It is what verify_journal.py keeps by `--remember`, so either may go on where the other was.
"""

from collections.abc import Sequence
from pathlib import Path

from core.db import Database
from journal import published
from journal.errors import NoteError
from journal.files import whole
from journal.note import Verifier, open_note
from journal.proofs import verify_consistency
from journal.stored import StoredTree
from journal.tree import TreeHead
from journal.verifier import Finding

_MODE = 0o600
_LONGEST = 1 << 20


def head_in(path: Path) -> tuple[str, TreeHead] | None:
    """Read what is remembered, as a checkpoint and its head; None if the file is not there.

    Raises: NoteError if it is no checkpoint; OSError.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            note = file.read(_LONGEST)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise NoteError(f"{path} is no checkpoint") from error
    head = published.head_of(note)
    if head is None:
        raise NoteError(f"{path} is no checkpoint: name the file of an earlier --remember")
    return note, head


def judge(
    database: Database, keys: Sequence[Verifier], note: str, old: TreeHead, new: TreeHead
) -> list[Finding]:
    """See whether a verified head continues what is remembered, under any of the log's keys."""
    if not any(_is_signed(note, key) for key in keys):
        return [Finding("memory-foreign", old.size, "what is remembered is another log's word")]
    if old.size > new.size:
        detail = f"{old.size} leaves are remembered, {new.size} are here"
        return [Finding("tail-cut", new.size, detail)]
    path = database.read(lambda session: StoredTree(session).consistency(old.size, new.size))
    if verify_consistency(old.size, old.root, new.size, new.root, path):
        return []
    return [Finding("history-rewritten", old.size, "what is remembered has another root")]


def advance(path: Path, database: Database, keys: Sequence[Verifier], verified: TreeHead) -> None:
    """Remember the newest checkpoint, if it continues the head that was verified."""
    newest = database.read(published.newest)
    if judge(database, keys, newest.note, verified, newest.head) == []:
        with whole(path, _MODE) as file:
            file.write(newest.note.encode())


def _is_signed(note: str, key: Verifier) -> bool:
    try:
        open_note(note, key)
    except NoteError:
        return False
    return True
