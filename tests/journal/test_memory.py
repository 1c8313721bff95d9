import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from journal.errors import Fault, JournalFault
from journal.memory import Memory
from journal.tree import TreeHead
from journal.verifier_log import Remembered, read_memory

IDENTITY = b"gateway.example+key"


def head(size: int) -> TreeHead:
    return TreeHead(size, hashlib.sha256(b"%d" % size).digest())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signer-memory"


@pytest.fixture
def memory(path: Path) -> Iterator[Memory]:
    made = Memory(path, IDENTITY)
    yield made
    made.close()


def test_a_new_memory_holds_nothing(memory: Memory, path: Path) -> None:
    assert memory.read() is None
    assert read_memory(path) is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_newest_head_is_remembered_by_everybody_who_reads(memory: Memory, path: Path) -> None:
    for size in range(1, 6):
        memory.advance(head(size), [head(size - 1)])

    another = Memory(path, IDENTITY)
    assert memory.read() == another.read() == head(5)
    assert read_memory(path) == Remembered(5, head(5).root)
    another.close()


def test_what_did_not_grow_from_the_memory_is_not_remembered(memory: Memory) -> None:
    memory.advance(head(5), [])

    memory.advance(head(4), [head(3)])
    memory.advance(TreeHead(5, bytes(32)), [head(4)])
    memory.advance(head(9), [head(8)])

    assert memory.read() == head(5)


@pytest.mark.parametrize("torn_at", range(0, 112, 7))
def test_a_torn_write_leaves_what_was_remembered_before(
    memory: Memory, path: Path, torn_at: int
) -> None:
    memory.advance(head(1), [])
    memory.advance(head(2), [head(1)])
    before = path.read_bytes()
    memory.advance(head(3), [head(2)])
    after = path.read_bytes()

    path.write_bytes(after[:torn_at] + before[torn_at:])

    read = Memory(path, IDENTITY)
    assert read.read() == head(2)
    read.close()


def test_a_memory_with_no_readable_slot_stops_the_signer(memory: Memory, path: Path) -> None:
    memory.advance(head(1), [])
    descriptor = os.open(path, os.O_WRONLY)
    os.pwrite(descriptor, b"x", 20)
    os.close(descriptor)

    with pytest.raises(JournalFault) as fault:
        memory.read()

    assert fault.value.code == Fault.MEMORY_UNREADABLE


def test_another_logs_memory_stops_the_signer(memory: Memory, path: Path) -> None:
    memory.advance(head(1), [])
    stranger = Memory(path, b"another.example+key")

    with pytest.raises(JournalFault) as fault:
        stranger.read()

    assert fault.value.code == Fault.SIGNER_REFUSES
    stranger.close()


def test_a_memory_outlives_its_flush(memory: Memory) -> None:
    memory.advance(head(1), [])

    memory.sync()

    assert memory.read() == head(1)
