import json
from pathlib import Path

import pytest

from journal import checkpoint, note, published, tree
from journal.errors import NoteError
from journal.note import Signer, Verifier
from journal.tree import TreeHead
from journal.verifier_log import LogKey, Remembered

# Source: golang.org/x/mod, sumdb/tlog/note_test.go (BSD-3-Clause).
ORIGIN = "go.sum database tree"
GOLDEN = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
TESSERA = json.loads((Path(__file__).parent / "vectors" / "tessera.json").read_text())
HEAD = TreeHead(123456789012, tree.leaf_hash(b"hello world"))


def test_a_checkpoint_has_the_text_that_others_write() -> None:
    assert checkpoint.text_of(ORIGIN, HEAD) == GOLDEN
    assert checkpoint.parse(GOLDEN, ORIGIN) == HEAD


def test_lines_added_later_are_passed_over() -> None:
    assert checkpoint.parse(GOLDEN + "an extension\n", ORIGIN) == HEAD


@pytest.mark.parametrize(
    "text",
    [
        "not-" + GOLDEN,
        GOLDEN.replace("123456789012", "0xabcdef"),
        GOLDEN.replace("123456789012", "0123456789012"),
        GOLDEN.replace("123456789012", "-1"),
        GOLDEN.replace("123456789012", "１２"),
        GOLDEN.replace("wBb0=", "wBTOOBIG="),
        GOLDEN.replace("wBb0=", "w"),
        GOLDEN.replace("\n", "\n\n"),
        "go.sum database tree\n1\n",
        "",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        checkpoint.parse(text, ORIGIN)


def test_the_verifier_reads_what_the_signer_writes_and_nothing_else() -> None:
    signer = Signer("gateway.example", bytes(32))
    signed = signer.sign(checkpoint.text_of("gateway.example", HEAD))

    key = LogKey("gateway.example", signer.verifier.public)

    assert key.head_of(signed) == Remembered(HEAD.size, HEAD.root)
    assert key.head_of(signed.replace("123456789012", "123456789013")) is None
    assert LogKey("other.example", signer.verifier.public).head_of(signed) is None
    assert LogKey("gateway.example", bytes(32)).head_of(signed) is None
    assert key.head_of(signer.sign("gateway.example\nmany\n" + "A" * 44 + "\n")) is None
    assert key.head_of(signer.sign("gateway.example\n1\n!\n")) is None


@pytest.mark.parametrize("signed", TESSERA["checkpoints"], ids=lambda signed: signed.split("\n")[1])
def test_checkpoints_of_another_log_server_are_read(signed: str) -> None:
    note.open_note(signed, Verifier.parse(TESSERA["key"]))
    head = published.head_of(signed)

    assert head is not None
    leaves = [tree.leaf_hash(leaf.encode()) for leaf in TESSERA["leaves"][: head.size]]
    assert tree.root(tree.grow(0, (), leaves).edge) == head.root
