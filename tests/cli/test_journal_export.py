"""`journal export`: what it writes where, what it discloses, and how it ends."""

import json
import tarfile
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

from cli.context import Service
from journal.note import Verifier
from tests.cli.deployment import Deployment
from tests.cli.test_journal import tamper
from tests.journal.independent import check_manifest, head_of, read_whole, reader

WHY = ("--reason", "order of the court")


def public(deployment: Deployment) -> bytes:
    with closing(Service(dict(deployment.environ))) as service:
        return Verifier.parse(service.journal.verifier_key).public


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def openings(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "openings.jsonl").read_text().splitlines()]


def newest_act(deployment: Deployment) -> dict[str, Any]:
    """Return what the newest entry says, by way of an export that opens it."""
    size = deployment.read("journal", "head")["size"]
    folder = deployment.home / f"look-{size}"
    deployment.do("journal", "export", str(folder), "--open", str(size - 1), *WHY)
    (line,) = openings(folder)
    said: dict[str, Any] = json.loads(line["act"]["payload"])
    return {**said, "by": line["act"]["actor"]}


def test_a_folder_is_exported_and_exported_again(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    folder = deployment.home / "export"

    told = deployment.read("journal", "export", str(folder))
    again = deployment.do("journal", "export", str(folder))

    assert set(told) == {
        "origin", "size", "root", "from", "to", "entries", "files", "openings", "missing",
    }  # fmt: skip
    head = deployment.read("journal", "head")
    assert (told["size"], told["root"]) == (head["size"], head["root"])
    assert "missing   0" in again
    assert len(read_whole(reader(folder), public(deployment))) == head["size"]
    check_manifest(reader(folder), files(folder))
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_tar_is_exported_to_a_file_and_to_a_pipe(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    path = embedded.home / "export.tar"

    embedded.do("journal", "export", "--tar", str(path))
    piped = embedded.run("journal", "export", "--tar", "-")

    assert piped.exit_code == 0
    names = []
    for data in (path.read_bytes(), piped.stdout_bytes):
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as tar:
            names.append(tar.getnames())
    assert names[0] == names[1]
    assert names[0][-2:] == ["checkpoint", "MANIFEST"]
    assert "origin" in piped.stderr
    assert "name another file" in embedded.refused("journal", "export", "--tar", str(path), code=5)
    assert [each.name for each in embedded.home.glob(".export.tar*")] == []


def test_what_is_opened_is_journalled_first(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    folder = deployment.home / "export"
    words = (
        "--open",
        "admin",
        "--open",
        "0",
        *WHY,
        "--case",
        "17/2026",
        "--receiver",
        "Toà án Hà Nội",
    )

    told = deployment.read("journal", "export", str(folder), *words)

    assert [line["seq"] for line in openings(folder)] == [0, 2]
    assert json.loads(openings(folder)[1]["act"]["payload"])["act"] == "link-add"
    # The entry of the disclosure lies under the checkpoint of what discloses.
    assert (told["size"], told["openings"]) == (5, 2)
    said = newest_act(deployment)
    assert said["by"].startswith("console:")
    del said["by"], said["digest"]
    assert said == {
        "act": "journal-open",
        "reason": "order of the court",
        "case": "17/2026",
        "receiver": "Toà án Hà Nội",
        "count": 2,
        "chosen": ["0", "2"],
        "parts": ["act", "identity"],
        "size": 3,
    }


def test_acts_alone_and_a_file_of_selections(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    listed = embedded.file("0\n\n 2 \n")
    folder = embedded.home / "export"

    embedded.do("journal", "export", str(folder), "--open", f"@{listed}", "--acts-only", *WHY)

    assert [set(line) for line in openings(folder)] == [{"act", "seq"}] * 2


def test_what_is_not_right_is_refused_and_discloses_nothing(embedded: Deployment) -> None:
    embedded.add_http("viettel")
    before = embedded.read("journal", "head")
    taken = embedded.home / "taken"
    taken.mkdir()
    (taken / "file").write_text("")
    export = ("journal", "export", str(embedded.home / "export"))
    person = embedded.file("person:001085123456\n")
    opens = (*export, *WHY, "--open")
    wrong: list[tuple[str, tuple[str, ...]]] = [
        ("say why", (*export, "--open", "0")),
        ("--open is missing", (*export, *WHY)),
        ("one line", (*export, "--open", "0", "--reason", "two\nlines")),
        ("put the line into a file", (*opens, "person:001085123456")),
        ("cannot be read", (*opens, "@/nowhere")),
        ("is selected", (*opens, f"@{person}")),
        ("selects nothing", (*opens, "all")),
        ("only what is exported", (*opens, "2", "--to", "1")),
        ("about one person", (*opens, "0", "--embargo-until", "2027-01-01")),
        ("name a range", (*export, "--from", "2", "--to", "1")),
        ("name another folder", ("journal", "export", str(taken), *WHY, "--open", "0")),
        ("give --tar", ("journal", "export", "-")),
    ]

    refusals = [(cause, embedded.refused(*words)) for cause, words in wrong]

    assert [(cause, told) for cause, told in refusals if cause not in told] == []
    assert not any("001085123456" in told for _, told in refusals)
    assert embedded.read("journal", "head") == before
    assert not (embedded.home / "export").exists()


def test_a_journal_that_is_not_sound_is_exported_all_the_same(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    tamper(deployment, "DELETE FROM journal_entry WHERE kind = 'admin'")
    folder = deployment.home / "export"

    done = deployment.run("journal", "export", str(folder), "--json")

    assert done.exit_code == 3
    assert json.loads(done.stdout)["missing"] == 1
    assert "journal verify" in done.stderr
    assert head_of((folder / "checkpoint").read_text(), public(deployment))[1] == 3
