"""What others wrote accepts our exports: Go's x/mod/sumdb, and metamorphic-log."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

import verify_journal
from journal import export
from journal.export import Export
from journal.sinks import DirectorySink
from journal.stored import StoredTree
from journal.tree import leaf_hash
from tests.journal.conftest import House
from tests.journal.independent import leaves_of

SOURCE = Path(__file__).parent / "go" / "verify.go"
PACKAGES = Path("/usr/share/gocode")
NO_GO = "no Go with golang.org/x/mod/sumdb is installed: `make go` installs Debian's"
MANY = 100_000

Answer = subprocess.CompletedProcess[str]
Ask = Callable[..., Answer]
# It ships no types.
Library = Any


@dataclass(frozen=True)
class Exported:
    """An export of a journal, with proofs that we made about it."""

    house: House
    folder: Path
    size: int
    records: dict[int, tuple[bytes, ...]]
    trees: dict[int, tuple[bytes, tuple[bytes, ...]]]


def exported(house: House, folder: Path, entries: int) -> Exported:
    while (size := house.size()) < entries:
        house.append(min(2000, entries - size), start=size)
    plan = export.decide(house.database)
    made = Export(house.database, DirectorySink(folder), plan, lambda _done, _total: None)
    made.run(house.journal.verifier_key)
    size = plan.published.head.size
    edges = sorted({1, 2, 255, 256, 257, size // 2, size - 257, size - 256, size - 1} - {0})

    def prove(session: Session) -> Exported:
        tree = StoredTree(session)
        records = {at: tree.inclusion(at, size) for at in (0, *edges) if 0 <= at < size}
        trees = {
            at: (fold(tree.peaks(at)), tree.consistency(at, size)) for at in edges if 0 < at <= size
        }
        return Exported(house, folder, size, records, trees)

    return house.database.read(prove)


def fold(peaks: tuple[bytes, ...]) -> bytes:
    *rest, root = peaks
    for peak in reversed(rest):
        root = sha256(b"\x01" + peak + root).digest()
    return root


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the Go program against Debian's packages."""
    if shutil.which("go") is None or not (PACKAGES / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip(NO_GO)
    folder = tmp_path_factory.mktemp("go")
    environ = os.environ | {"GO111MODULE": "off", "GOPATH": str(PACKAGES), "GOFLAGS": ""}
    environ |= {"GOCACHE": str(folder / "cache"), "HOME": str(folder)}
    command = ["go", "build", "-o", str(folder / "verify"), str(SOURCE)]
    subprocess.run(command, check=True, env=environ, capture_output=True)
    return folder / "verify"


@pytest.fixture
def ask(program: Path) -> Ask:
    """Ask the Go program about an export."""

    def run(about: Exported, **other: object) -> Answer:
        encoded = {
            "Folder": str(about.folder),
            "Key": about.house.journal.verifier_key,
            "Records": [
                {"Index": at, "Path": [text(node) for node in path]}
                for at, path in about.records.items()
            ],
            "Trees": [
                {"Size": at, "Root": text(root), "Path": [text(node) for node in path]}
                for at, (root, path) in about.trees.items()
            ],
        }
        question = json.dumps(encoded | other)
        return subprocess.run(
            [str(program)], input=question, capture_output=True, text=True, check=False
        )

    return run


def text(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.fixture
def short(house: House, tmp_path: Path) -> Exported:
    """A journal of three bundles on each kind of database."""
    return exported(house, tmp_path / "export", 600)


def test_go_reads_an_export_and_agrees_on_every_proof(short: Exported, ask: Ask) -> None:
    answer = ask(short)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == f"600 leaves, {len(short.records)} records, {len(short.trees)} trees\n"


def test_go_refuses_what_was_changed(short: Exported, ask: Ask) -> None:
    index = 256
    path = [text(node) for node in short.records[index]]
    wrong = {"Records": [{"Index": index, "Path": [path[1], path[0], *path[2:]]}]}
    assert ask(short, **wrong).returncode == 1
    assert ask(short, Key=short.house.journal.verifier_key.replace("+", "x+", 1)).returncode == 1

    for name in ("checkpoint", "tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/88"):
        whole = (short.folder / name).read_bytes()
        (short.folder / name).write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
        assert ask(short).returncode == 1, name
        (short.folder / name).write_bytes(whole)
    assert ask(short).returncode == 0


@pytest.fixture
def library() -> Library:
    """The library that others wrote."""
    return pytest.importorskip("metamorphic_log", reason="metamorphic-log is not installed here")


def test_metamorphic_log_accepts_checkpoint_and_proofs(short: Exported, library: Library) -> None:
    note, keys = (short.folder / "checkpoint").read_text(), [short.house.journal.verifier_key]
    bundles = sorted((short.folder / "tile/entries").rglob("*"))
    leaves = [leaf for file in bundles if file.is_file() for leaf in leaves_of(file.read_bytes())]

    head = library.checkpoint_verify(note, keys)

    assert (head.origin, head.size) == (keys[0].partition("+")[0], short.size)
    assert library.verify_signed_note(note, keys) == 1
    for at, path in short.records.items():
        hashed = leaf_hash(leaves[at])
        library.checkpoint_verify_inclusion(note, keys, at, hashed, list(path))
        with pytest.raises(library.VerifyError):
            library.checkpoint_verify_inclusion(note, keys, at ^ 1, hashed, list(path))
    for at, (root, path) in short.trees.items():
        library.verify_consistency(at, short.size, list(path), root, head.root)
        with pytest.raises(library.VerifyError):
            library.verify_consistency(at, short.size, list(path), bytes(32), head.root)
    with pytest.raises(library.VerifyError):
        library.checkpoint_verify(note.replace("\n600\n", "\n601\n"), keys)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_hundred_thousand_entries_are_accepted_by_all(
    house: House, tmp_path: Path, ask: Ask, library: Library
) -> None:
    long = exported(house, tmp_path / "export", MANY)
    note, key = (long.folder / "checkpoint").read_text(), house.journal.verifier_key

    answer = ask(long)

    assert (answer.returncode, answer.stdout.split()[0]) == (0, str(MANY)), answer.stderr
    assert library.checkpoint_verify(note, [key]).size == MANY
    assert verify_journal.main([str(long.folder), "--key", key]) == 0
