"""The verifier's notes, trees and proofs against published vectors."""

import json
from pathlib import Path

import pytest

from tests.journal.test_note import ENOCH, ENOCHS, PETER, PETERS, QUASIMODO, TEXT
from tests.journal.test_proofs import (
    CONSISTENCIES,
    INCLUSIONS,
    Consistency,
    Inclusion,
    broken_consistencies,
    broken_inclusions,
)
from tests.journal.trees import leaf_hashes, naive_root
from verify_journal import (
    Head,
    MalformedError,
    leaf_hash,
    read_head,
    read_key,
    read_note,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[1] / "journal" / "vectors"
RFC6962 = json.loads((VECTORS / "rfc6962.json").read_text())
TESSERA = json.loads((VECTORS / "tessera.json").read_text())


def included(case: Inclusion) -> bool:
    """Judge a case as who has read its hashes from base64, which are of 32 bytes or refused."""
    if any(len(each) != 32 for each in (case.leaf_hash, case.root, *case.path)):
        return False
    head = Head("", case.size, case.root)
    return verify_inclusion(case.leaf_hash, case.index, head, case.path)


def consistent(case: Consistency) -> bool:
    if any(len(each) != 32 for each in (case.old_root, case.root, *case.path)):
        return False
    head = Head("", case.size, case.root)
    return verify_consistency(case.old_size, case.old_root, head, case.path)


def root_over(hashes: list[bytes]) -> bytes | None:
    """Compute a root of up to 65,535 leaves as the verifier does from tiles."""
    full = [naive_root(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
    edge = {0: b"".join(hashes[len(full) * 256 :]), 1: b"".join(full)}
    return root_of(edge, len(hashes))


def test_the_roots_of_the_standard_are_computed() -> None:
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in RFC6962["leaves"]]

    roots = [root_over(hashes[:size]) for size in range(1, 9)]

    assert roots == [bytes.fromhex(root) for root in RFC6962["roots"]]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 700, 1025])
def test_a_root_is_that_of_the_definition(size: int) -> None:
    hashes = leaf_hashes(size)

    assert root_over(hashes) == naive_root(hashes)


def test_published_proofs_hold_and_broken_ones_do_not() -> None:
    assert all(map(included, INCLUSIONS))
    assert all(map(consistent, CONSISTENCIES))
    assert not any(included(bad) for case in INCLUSIONS for bad in broken_inclusions(case))
    assert not any(
        consistent(bad) for case in CONSISTENCIES if case.path for bad in broken_consistencies(case)
    )


def test_proofs_of_a_real_log_of_a_billion_leaves_hold() -> None:
    argon = RFC6962["argon2020"]
    head = Head("", argon["size"], bytes.fromhex(argon["root"]))
    paths = {
        name: [bytes.fromhex(each) for each in argon[name]] for name in ("inclusion", "consistency")
    }
    hashed, old_root = (bytes.fromhex(argon[name]) for name in ("leaf_hash", "old_root"))

    assert verify_inclusion(hashed, argon["index"], head, paths["inclusion"])
    assert verify_consistency(argon["old_size"], old_root, head, paths["consistency"])
    assert not verify_inclusion(hashed, argon["index"] + 1, head, paths["inclusion"])
    assert not verify_consistency(argon["old_size"] + 1, old_root, head, paths["consistency"])


@pytest.mark.parametrize("text", [PETER, ENOCH])
def test_notes_by_others_are_read(text: str) -> None:
    note, key = read_note(f"{TEXT}\n{PETERS}{ENOCHS}".encode()), read_key(text, 1)

    assert (note.text, note.judge(key)) == (TEXT, True)
    assert read_note(f"{TEXT}more\n\n{PETERS}{ENOCHS}".encode()).judge(key) is False
    assert read_note(f"{TEXT}\n{ENOCHS if text == PETER else PETERS}".encode()).judge(key) is None


def test_the_example_of_the_standard_is_a_note() -> None:
    note = read_note(QUASIMODO.encode())

    assert note.text.endswith("\n\ned è subito sera.\n")
    assert [name for name, _, _ in note.signatures] == ["quasimodo.example/salvatore"]


@pytest.mark.parametrize(
    "text",
    [
        *(PETER[:end] for end in range(len(PETER))),
        *(PETER[start:] for start in range(1, len(PETER))),
        *(PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :] for i in range(len(PETER))),
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_mangled_key_is_no_key(text: str) -> None:
    with pytest.raises(MalformedError):
        read_key(text, 1)


@pytest.mark.parametrize("signed", TESSERA["checkpoints"], ids=lambda signed: signed.split("\n")[1])
def test_checkpoints_of_another_log_server_are_read(signed: str) -> None:
    note = read_note(signed.encode())
    head = read_head(note)

    assert note.judge(read_key(TESSERA["key"], 1)) is True
    assert head.root == root_over(
        [leaf_hash(leaf.encode()) for leaf in TESSERA["leaves"][: head.size]]
    )
