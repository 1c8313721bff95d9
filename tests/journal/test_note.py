import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import note
from journal.errors import NoteError
from journal.note import Signer, Verifier
from journal.verifier_log import LogKey

# Source: golang.org/x/mod, sumdb/note/note_test.go (BSD-3-Clause).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETERS = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
    "6KE6RyyBwJnAM=\n"
)
ENOCHS = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTG"
    "wnWLox33WWd1RvMc+QQ=\n"
)
# Source: C2SP signed-note, the example at the head of the specification.
QUASIMODO = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU"
    "0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)


def test_a_key_is_read_and_written_in_the_form_others_use() -> None:
    peter = Verifier.parse(PETER)

    assert (peter.name, peter.key_id.hex(), str(peter)) == ("PeterNeumann", "c74f20a3", PETER)
    assert Signer("PeterNeumann", PETERS_SEED).verifier == peter


@pytest.mark.parametrize(
    "text",
    [
        *(PETER[:end] for end in range(len(PETER))),
        *(PETER[start:] for start in range(1, len(PETER))),
        *(PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :] for i in range(len(PETER))),
        # The wrong length, and an unknown algorithm, each with the id that belongs to it.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_mangled_key_is_no_key(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(text)


def test_a_signature_is_the_one_that_others_make() -> None:
    assert Signer("PeterNeumann", PETERS_SEED).sign(TEXT) == TEXT + "\n" + PETERS


@pytest.mark.parametrize("key", [PETER, ENOCH])
def test_a_note_opens_for_each_of_its_signers(key: str) -> None:
    signed = TEXT + "\n" + PETERS + ENOCHS

    assert note.open_note(signed, Verifier.parse(key)) == TEXT


def test_the_example_of_the_standard_has_the_form_of_a_note() -> None:
    salvatore = Verifier("quasimodo.example/salvatore", bytes(32))

    with pytest.raises(NoteError, match="not signed by"):
        note.open_note(QUASIMODO, salvatore)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + PETERS[:-1],
        "\x01" + TEXT + "\n" + PETERS,
        TEXT + "\n" + PETERS.replace("PeterNeumann", "Bad Name"),
        TEXT + "\n" + PETERS + "Unexpected line.\n",
        TEXT + "\n" + PETERS[:60] + "ABCD" + PETERS[60:],
        TEXT + "\n" + PETERS * 101,
        TEXT + "\n" + ENOCHS,
        TEXT + "\n" + PETERS.replace("x08g", "xxxx"),
        TEXT.replace("problem", "trouble") + "\n" + PETERS,
    ],
)
def test_a_note_that_peter_did_not_sign_does_not_open(text: str) -> None:
    with pytest.raises(NoteError):
        note.open_note(text, Verifier.parse(PETER))


def test_up_to_sixteen_signatures_by_others_do_no_harm() -> None:
    assert note.open_note(TEXT + "\n" + ENOCHS * 16 + PETERS, Verifier.parse(PETER)) == TEXT


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_a_note_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(NoteError):
        Signer(name, PETERS_SEED)


@pytest.mark.parametrize("text", ["", "no newline", "\x07\n"])
def test_a_text_that_a_note_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Signer("PeterNeumann", PETERS_SEED).sign(text)


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"])))
def test_what_is_signed_opens_again(line: str) -> None:
    signer = Signer("gateway.example", PETERS_SEED)

    assert note.open_note(signer.sign(line + "\n"), signer.verifier) == line + "\n"


@given(st.text())
def test_no_text_makes_the_reader_or_the_verifier_stumble(text: str) -> None:
    with pytest.raises(NoteError):
        note.open_note(text, Verifier.parse(PETER))

    assert LogKey("PeterNeumann", Verifier.parse(PETER).public).head_of(text) is None
