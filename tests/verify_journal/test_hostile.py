"""Exports by somebody who wishes the verifier ill: refused, in few words and little memory."""

import base64
import gzip
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import verify_journal
from tests.verify_journal.conftest import Verify
from tests.verify_journal.logs import ORIGIN, Log, key, signature_line, vkey, write

KEY = vkey(key(1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound export of few leaves, to be made unsound."""
    return Log.begun(5).export(tmp_path / "export")


@pytest.mark.parametrize("share", [0, 1, 2, 3])
def test_a_truncated_export_never_holds(tmp_path: Path, verify: Verify, share: int) -> None:
    log = Log.begun(600)
    folder = log.export(tmp_path / "export")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())

    for path in paths[share::4]:
        data = path.read_bytes()
        path.unlink()
        assert verify(folder, "--signatures", "none")["exit"] in {1, 3}, path
        path.write_bytes(data[:-1])
        assert verify(folder, "--signatures", "none")["exit"] == 1, path
        path.write_bytes(data)


def test_a_truncated_tar_never_holds(tmp_path: Path, verify: Verify, folder: Path) -> None:
    with tarfile.open(tmp_path / "e.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(folder, "")
    data = (tmp_path / "e.tar").read_bytes()
    whole = len(data.rstrip(b"\0")) + 1024

    for length in (*range(512, whole, 211), whole - 512):
        (tmp_path / "e.tar").write_bytes(data[:length])
        assert verify(tmp_path / "e.tar")["exit"] in {1, 3}, length


@pytest.mark.parametrize(
    "name",
    [
        "more",
        "tile/0/001",
        "tile/0/000.p/6",
        "tile/0/000.p/8",
        "tile/0/000",
        "tile/1/000.p/1",
        "tile/entries/x000/000.p/7",
        "tile/entries/0000",
        "tile/64/000",
        "tile/00/000.p/7",
        "tsr/9.checkpoint",
        "tsr/7.tsr",
        "checkpoint.bak",
        "\n\x1b[31m",
        "MANIFEST/deep",
        "a/b/c/d/e/f/g/h/i/j/k/l",
    ],
)
def test_a_file_that_does_not_belong_is_found(verify: Verify, folder: Path, name: str) -> None:
    if name.startswith("MANIFEST"):
        (folder / "MANIFEST").unlink()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")

    report = verify(folder)

    assert report["exit"] == 1
    assert all(
        each["detail"].isascii() and "\x1b" not in each["detail"] for each in report["findings"]
    )


@pytest.mark.parametrize(
    "name", ["checkpoint", "MANIFEST", "tile/0/000.p/7", "tile/entries/000.p/7"]
)
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "socket-like", "loop"])
def test_what_is_no_plain_file_is_refused(
    verify: Verify, folder: Path, name: str, kind: str
) -> None:
    path, beside = folder / name, folder.parent / "beside"
    path.replace(beside)
    match kind:
        case "link":
            path.symlink_to(beside)
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
        case _:
            path.symlink_to("/dev/zero")

    assert verify(folder)["exit"] in {1, 3}


def test_a_folder_behind_a_link_is_not_entered(verify: Verify, folder: Path) -> None:
    (folder / "tile").rename(folder.parent / "elsewhere")
    (folder / "tile").symlink_to(folder.parent / "elsewhere")

    report = verify(folder)

    assert report["exit"] == 1
    assert "file-refused" in report["counts"]


def test_a_huge_file_is_not_read(verify: Verify, folder: Path) -> None:
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        with path.open("r+b") as file:
            file.truncate(1 << 40)

        assert verify(folder)["exit"] == 1, path
        path.write_bytes(data)


@pytest.mark.parametrize("size", [257, 10**6, 10**18, 2**63 - 1])
def test_a_huge_size_takes_no_time(verify: Verify, folder: Path, size: int) -> None:
    text = Log.begun(5).text().replace("\n7\n", f"\n{size}\n")
    (folder / "checkpoint").write_text(f"{text}\n{signature_line(key(1), text)}")

    assert verify(folder)["exit"] == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.replace(b"\n7\n", b"\n07\n"),
        lambda note: note.replace(b"\n7\n", b"\n+7\n"),
        lambda note: note.replace(b"\n7\n", f"\n{2**64}\n".encode()),
        lambda note: note.replace(b"\n7\n", "\n\u0667\n".encode()),
        lambda note: note.replace(b"\n7\n", b"\n7\nextension\n"),
        lambda note: note.replace(b"=\n\n", b"\n\n"),
        lambda note: note.replace(b"=\n\n", b"=\n\n\n"),
        lambda note: note.replace(ORIGIN.encode(), b"tradan/other.example"),
        lambda note: note.replace(b"\n", b"\r\n"),
        lambda note: note[:-1],
        lambda note: note + b"\n",
        lambda note: note + b"\xff\n",
        lambda note: b"",
        lambda note: b"\n" * 100_000,
        lambda note: note + note.splitlines(keepends=True)[-1] * 200,
        lambda note: note.replace(note[-9:-1], note[-9:-5] + b"===\n"),
    ],
    ids=range(16),
)
def test_a_checkpoint_in_another_form_is_refused(
    verify: Verify, folder: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = folder / "checkpoint"
    path.write_bytes(spoil(path.read_bytes()))

    report = verify(folder)

    assert report["exit"] == 1
    assert "checkpoint-invalid" in report["counts"]


def test_base64_that_can_be_written_another_way_is_refused(verify: Verify, folder: Path) -> None:
    note = (folder / "checkpoint").read_text()
    root = note.split("\n")[2]
    # The last symbol but the padding carries two bits that are not of the hash.
    others = [root[:-2] + symbol + "=" for symbol in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"]
    same = [each for each in others if _bits(each) == _bits(root) and each != root]

    assert same
    for other in same:
        text = note.split("\n\n")[0].replace(root, other) + "\n"
        (folder / "checkpoint").write_text(f"{text}\n{signature_line(key(1), text)}")
        assert "checkpoint-invalid" in verify(folder)["counts"]


def _bits(text: str) -> bytes:
    return base64.b64decode(text)


def test_another_key_of_the_same_name_signs_nothing(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(5)
    log.keys = [key(7)]

    report = verify(log.export(tmp_path / "export"))

    assert report["exit"] == 1
    assert "checkpoint-invalid" in report["counts"]


def test_a_key_id_that_collides_verifies_nothing(tmp_path: Path, verify: Verify) -> None:
    log = Log.begun(5)
    ours = signature_line(key(1), log.text())
    name, value = ours.removeprefix("— ").split(" ")
    forged = signature_line(key(7), log.text()).split(" ")[2]
    mixed = base64.b64encode(base64.b64decode(value)[:4] + base64.b64decode(forged)[4:]).decode()
    files = log.tiles()

    for lines in (f"— {name} {mixed}\n", f"{ours}— {name} {mixed}\n"):
        note = f"{log.text()}\n{lines}".encode()
        report = verify(write(tmp_path / "export", {**files, "checkpoint": note}, log))
        assert report["counts"] == {"checkpoint-invalid": 1}


@pytest.mark.parametrize(
    "given", ["", "x", ORIGIN, KEY[:-1], KEY.replace("+AY", "+BY"), "\udcff++"]
)
def test_a_key_that_is_none_is_not_asked_rightly(verify: Verify, folder: Path, given: str) -> None:
    assert verify(folder, given=given)["exit"] == 2


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: None, 2),
        (lambda path: path.write_bytes(b""), 2),
        (lambda path: path.write_bytes(gzip.compress(bytes(10_000))), 2),
        (lambda path: path.mkdir(), 3),
        (lambda path: path.symlink_to(path), 2),
    ],
    ids=range(5),
)
def test_what_is_no_export_is_said_to_be_none(
    tmp_path: Path, verify: Verify, make: Callable[[Path], object], code: int
) -> None:
    make(tmp_path / "nothing")

    assert verify(tmp_path / "nothing")["exit"] == code


def member(name: str, data: bytes = b"", **fields: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    header = info.tobuf(tarfile.USTAR_FORMAT)
    return header + data + bytes(-len(data) % 512)


def tar_of(folder: Path) -> bytes:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"".join(
        member(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths
    )


@pytest.mark.parametrize(
    "more",
    [
        member("../../escaped", b"x"),
        member("/escaped", b"x"),
        member("checkpoint", b"another"),
        member("tile/0/000.p/7", bytes(224)),
        member("more", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("more", type=tarfile.LNKTYPE, linkname="checkpoint"),
        member("more", type=tarfile.CHRTYPE),
        member("more", type=tarfile.FIFOTYPE),
        member("more", b"12 path=x\n", type=tarfile.XHDTYPE),
        member("more", b"name", type=tarfile.GNUTYPE_LONGNAME),
        member("more", type=tarfile.GNUTYPE_SPARSE),
        b"\x01" * 512,
        member("more")[:-1] + b"\x01",
        member("more", b"x")[:-1] + b"x",
        member("a" * 90, b"x"),
        bytes(512) + b"behind the end",
        bytes(1024) + bytes(1 << 16) + b"x",
    ],
    ids=range(17),
)
def test_a_tar_that_holds_anything_else_is_refused(
    tmp_path: Path, verify: Verify, folder: Path, more: bytes
) -> None:
    path = tmp_path / "e.tar"
    path.write_bytes(tar_of(folder) + bytes(1024))
    assert verify(path)["exit"] == 0

    path.write_bytes(tar_of(folder) + more + bytes(1024))

    assert verify(path)["exit"] == 1
    assert not (tmp_path.parent / "escaped").exists()


def test_a_member_that_claims_more_than_there_is_is_refused(
    tmp_path: Path, verify: Verify, folder: Path
) -> None:
    claim = tarfile.TarInfo("openings.jsonl")
    claim.size = 8**11 - 1
    (tmp_path / "e.tar").write_bytes(tar_of(folder) + claim.tobuf(tarfile.USTAR_FORMAT))

    assert verify(tmp_path / "e.tar")["exit"] == 1


def test_a_folder_of_very_many_files_is_not_listed(verify: Verify, folder: Path) -> None:
    (folder / "many").mkdir()
    for number in range(5000):
        (folder / "many" / str(number)).touch()

    report = verify(folder)

    assert report["counts"] == {"file-unexpected": 1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# format tradan journal export 1\n", ""),
        ("# format tradan journal export 1\n", "# format tradan journal export 2\n"),
        ("# files ", "# more 1\n# files "),
        ("# missing 0", "# missing 1"),
        ("# openings 0", "# openings 1"),
        ("# from 0", "# from x"),
        ("# size 7", "# size 8"),
        ("# bundles 0", "# bundles 0-1"),
        ("checkpoint\n", "checkpoint\n" + "0" * 64 + "  more\n"),
        ("  checkpoint\n", "  ../checkpoint\n"),
        ("  checkpoint\n", " *checkpoint\n"),
        ("  checkpoint\n", "  checkpoint"),
    ],
    ids=range(12),
)
def test_a_manifest_that_is_not_right_is_found(
    verify: Verify, folder: Path, old: str, new: str
) -> None:
    path = folder / "MANIFEST"
    path.write_text(path.read_text().replace(old, new))

    report = verify(folder)

    assert report["exit"] == 1
    assert "manifest-differs" in report["counts"]


def test_a_manifest_names_each_file_once(verify: Verify, folder: Path) -> None:
    path = folder / "MANIFEST"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join((*lines[:-1], lines[-2])))

    assert verify(folder)["counts"]["manifest-differs"] >= 1


def test_without_a_manifest_not_everything_is_checked(verify: Verify, folder: Path) -> None:
    (folder / "MANIFEST").unlink()
    (folder / "tile/0/000.p/3").write_bytes(b"as it was at another checkpoint")

    report = verify(folder)

    assert report["exit"] == 3
    assert "damage to files: there is no MANIFEST" in report["incomplete"]


def test_an_unfinished_export_is_not_complete(verify: Verify, folder: Path) -> None:
    (folder / "INCOMPLETE").write_text("")

    assert verify(folder)["exit"] == 3


def test_the_verifier_stands_alone(tmp_path: Path, folder: Path) -> None:
    alone = tmp_path / "elsewhere" / "verify.py"
    alone.parent.mkdir()
    alone.write_bytes(Path(verify_journal.__file__).read_bytes())
    command = [sys.executable, "-I", "-W", "error", str(alone), str(folder), "--key", KEY]

    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")

    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.endswith("Everything holds.\n")
    assert list(alone.parent.iterdir()) == [alone]


def test_a_tar_that_ends_in_nothing_for_ever_is_not_read_on(
    tmp_path: Path, verify: Verify, folder: Path
) -> None:
    path = tmp_path / "e.tar"
    path.write_bytes(tar_of(folder))
    with path.open("r+b") as file:
        file.truncate(1 << 40)

    assert verify(path)["counts"] == {"archive-malformed": 1}


def test_a_name_that_is_no_text_is_told_all_the_same(verify: Verify, tmp_path: Path) -> None:
    assert verify(tmp_path / "\udcff\x1b[31m")["exit"] == 2


def test_a_reader_that_goes_away_changes_nothing(folder: Path) -> None:
    command = [sys.executable, verify_journal.__file__, str(folder), "--key", KEY]
    reading, writing = os.pipe()
    os.close(reading)

    found = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)

    os.close(writing)
    assert (found.returncode, found.stderr) == (0, b"")
