"""Logs made up for the verifier, by the page of the format and nothing of the service."""

import base64
import hmac
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.journal.independent import path, pieces
from tests.journal.trees import naive_root

ORIGIN = "tradan/gateway.example"
Said = str | int | bool
# 2 March 2026
BEGAN = 1_772_427_600_000_000
HOUR = 3_600_000_000


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def public(secret: Ed25519PrivateKey) -> bytes:
    return secret.public_key().public_bytes_raw()


def vkey(secret: Ed25519PrivateKey, name: str = ORIGIN, algorithm: int = 1) -> str:
    """Write a key as signed notes do."""
    encoded = bytes([algorithm]) + public(secret)
    number = sha256(name.encode() + b"\n" + encoded).hexdigest()[:8]
    return f"{name}+{number}+{base64.b64encode(encoded).decode()}"


def signature_line(secret: Ed25519PrivateKey, text: str, name: str = ORIGIN) -> str:
    number = bytes.fromhex(vkey(secret, name).split("+")[1])
    value = base64.b64encode(number + secret.sign(text.encode())).decode()
    return f"— {name} {value}\n"


def cosignature_line(secret: Ed25519PrivateKey, text: str, name: str, at: int = BEGAN) -> str:
    number = bytes.fromhex(vkey(secret, name, 4).split("+")[1])
    signed = secret.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    return f"— {name} {base64.b64encode(number + at.to_bytes(8, 'big') + signed).decode()}\n"


def commit(salt: bytes, label: str, value: str) -> str:
    inner = hmac.digest(salt, label.encode(), "sha256")
    return hmac.digest(inner, value.encode(), "sha256").hex()


def bundle(leaves: Iterable[bytes]) -> bytes:
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


@dataclass
class Log:
    """A log that may say anything: also what no honest one says."""

    origin: str = ORIGIN
    keys: list[Ed25519PrivateKey] = field(default_factory=lambda: [key(1)])
    writer: Ed25519PrivateKey = field(default_factory=lambda: key(2))
    leaves: list[bytes] = field(default_factory=list)
    openings: dict[int, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def begun(cls, entries: int = 0, origin: str = ORIGIN) -> "Log":
        """Make a log with its two first announcements, and so many entries behind them."""
        log = cls(origin=origin)
        log.announce(log.writer)
        log.add("key", kl=public(log.keys[0]).hex())
        for _ in range(entries):
            log.add()
        return log

    @property
    def size(self) -> int:
        return len(self.leaves)

    def add(self, kind: str = "lookup", **said: Said) -> int:
        """Append an entry; what is named replaces or joins what its leaf would say."""
        seq = len(self.leaves)
        e, s = (sha256(f"{label}{seq}".encode()).digest() for label in "es")
        payload, subject, actor = '{"command":"DC"}', f"person:{seq:012d}", "phone:+84901234567"
        self.openings[seq] = {
            "act": {"e": e.hex(), "payload": payload},
            "identity": {"s": s.hex(), "subject": subject, "actor": actor},
            "seq": seq,
        }
        fields: dict[str, Said] = {
            "ca": commit(s, "actor", actor),
            "cp": commit(e, "payload", payload),
            "cs": commit(s, "subject", subject),
            "id": f"019cad18-a800-7000-8000-{seq:012x}",
            "r": "lookup" if kind == "lookup" else "act",
            "t": kind,
            "ts": BEGAN + seq,
            "v": 1,
            "w": sha256(public(self.writer)).hexdigest()[:16],
        }
        fields |= said
        text = json.dumps(fields, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        context = f"tradan journal entry v1\n{self.origin}\n"
        self.leaves.append(self.writer.sign((context + text).encode()) + text.encode())
        return seq

    def endorse(self, what: str, *words: str) -> str:
        """Have the newest log key sign for an announcement."""
        lines = "\n".join((f"tradan journal {what} v1", *words))
        return self.keys[-1].sign(f"{lines}\n".encode()).hex()

    def announce(self, writer: Ed25519PrivateKey, **said: Said) -> None:
        """Let a writer write from here on."""
        self.writer, kw = writer, public(writer).hex()
        self.add("key", **{"kw": kw, "ke": self.endorse("writer", self.origin, kw)} | said)

    def rotate(self, new: Ed25519PrivateKey, **said: Said) -> None:
        """Make the next log key known."""
        kl = public(new).hex()
        fields: dict[str, Said] = {
            "kl": kl,
            "ku": BEGAN + HOUR,
            "ke": self.endorse("log", self.origin, kl),
        }
        self.add("key", **fields | said)
        self.keys.append(new)

    def retire(self, old: Ed25519PrivateKey, **said: Said) -> None:
        kr = public(old).hex()
        self.add("key", **{"kr": kr, "ke": self.endorse("retired", self.origin, kr)} | said)
        self.keys = [each for each in self.keys if public(each) != public(old)]

    def rename(self, new: str, **said: Said) -> None:
        """Go on as a new log over the same leaves."""
        names = {"ko": self.origin, "kn": new, "ke": self.endorse("name", self.origin, new)}
        self.add("key", **names | said)
        self.origin, self.keys = new, self.keys[-1:]

    def root(self, size: int | None = None) -> bytes:
        return naive_root([sha256(b"\0" + leaf).digest() for leaf in self.leaves[:size]])

    def text(self, size: int | None = None) -> str:
        """Write what a checkpoint says."""
        size = self.size if size is None else size
        return f"{self.origin}\n{size}\n{base64.b64encode(self.root(size)).decode()}\n"

    def note(self, size: int | None = None, *lines: str) -> str:
        text = self.text(size)
        own = "".join(signature_line(each, text, self.origin) for each in self.keys)
        return f"{text}\n{own}{''.join(lines)}"

    def tiles(self) -> dict[str, bytes]:
        """Return every tile and bundle by its path."""
        files, level = {}, 0
        for n, width in pieces(self.size):
            files[path("entries", n, width)] = bundle(self.leaves[n * 256 : n * 256 + width])
        hashes = [sha256(b"\0" + leaf).digest() for leaf in self.leaves]
        while hashes:
            for n, width in pieces(len(hashes)):
                files[path(level, n, width)] = b"".join(hashes[n * 256 : n * 256 + width])
            full = len(hashes) // 256
            hashes = [naive_root(hashes[n * 256 : n * 256 + 256]) for n in range(full)]
            level += 1
        return files

    def opened(self, *leaves: int) -> str:
        """Write the lines that disclose these leaves."""
        return "".join(line(self.openings[seq]) for seq in leaves)

    def export(self, folder: Path, **others: str) -> Path:
        """Write an export; *others* are files by their names, with _ for a dot."""
        files = self.tiles() | {"checkpoint": self.note().encode()}
        files |= {name.replace("_", "."): text.encode() for name, text in others.items()}
        return write(folder, files, self)


def line(said: dict[str, Any]) -> str:
    return json.dumps(said, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


def write(folder: Path, files: dict[str, bytes], log: Log, **heading: str) -> Path:
    """Write files and a MANIFEST that is right about them; *heading* replaces what it says."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    last = len(pieces(log.size)) - 1
    opened = files.get("openings.jsonl", b"").count(b"\n")
    said = {
        "format": "tradan journal export 1",
        "origin": log.origin,
        "key": vkey(log.keys[-1], log.origin),
        "size": str(log.size),
        "root": log.root().hex(),
        "from": "0",
        "to": str(log.size - 1),
        "bundles": "0" if last == 0 else f"0-{last}",
        "openings": str(opened),
        "missing": "0",
        "files": str(len(files)),
    } | heading
    lines = [f"# {name} {value}\n" for name, value in said.items()]
    lines += [f"{sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    (folder / "MANIFEST").write_text("".join(lines))
    return folder
