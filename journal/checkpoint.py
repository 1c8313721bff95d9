"""Checkpoints: a tree head as the text that the log signs.

Source: C2SP tlog-checkpoint. No extension lines: time belongs into cosignatures and time-stamps.
"""

import base64
import binascii

from journal.errors import NoteError
from journal.tree import HASH_BYTES, TreeHead

_LINES = 3


def text_of(origin: str, head: TreeHead) -> str:
    """Write the text of a checkpoint."""
    return f"{origin}\n{head.size}\n{base64.b64encode(head.root).decode()}\n"


def parse(text: str, origin: str) -> TreeHead:
    """Read the text of a checkpoint of the log *origin*.

    Raises: NoteError if it is malformed or another log's.
    """
    lines = text.split("\n")[:-1]
    if len(lines) < _LINES or not all(lines):
        raise NoteError("a checkpoint has three lines: origin, size and root")
    if lines[0] != origin:
        raise NoteError("the checkpoint is another log's")
    size, encoded = lines[1], lines[2]
    if not (size.isascii() and size.isdecimal()) or str(int(size)) != size:
        raise NoteError("a checkpoint's size is not a plain decimal number")
    try:
        root = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("a checkpoint's root is not base64") from error
    if len(root) != HASH_BYTES:
        raise NoteError("a checkpoint's root is not a SHA-256 hash")
    return TreeHead(int(size), root)
