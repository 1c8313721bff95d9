"""The links of the made-up networks: what each was given when it was made, kept for its phones.

A network keeps its side of the secret as any operator does, in a file that only its owner reads.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from phone.network import Link

_SUFFIX = ".json"


class LinkFolder:
    """A folder with one file for each link."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[Path, tuple[int, Link]] = {}

    def keep(self, link: Link) -> None:
        """Write a link down, in place of one of the same code."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {
            "code": link.code,
            "title": link.title,
            "webhook_path": link.webhook_path,
            "secret": link.secret,
        }
        draft = self._path / f"{link.code}.new"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, ensure_ascii=False, indent=2)
        draft.replace(self._path / (link.code + _SUFFIX))

    def links(self) -> Mapping[str, Link]:
        """Return the links by their codes; what has not changed is not read again."""
        found = {}
        for path in sorted(self._path.glob("*" + _SUFFIX)):
            written = path.stat().st_mtime_ns
            held = self._read.get(path)
            if held is None or held[0] != written:
                held = self._read[path] = (written, Link(**json.loads(path.read_text())))
            found[held[1].code] = held[1]
        return found
