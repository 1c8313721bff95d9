"""An export is the log at one checkpoint, whatever happens while it is made."""

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from journal import export
from journal.errors import ExportError
from journal.export import Export
from journal.sinks import DirectorySink, TarSink
from tests.journal.conftest import ORIGIN, Administrator, House
from tests.journal.exporting import files, public, run, whole
from tests.journal.independent import (
    check_manifest,
    path,
    read_range,
    reader,
)


def test_an_export_is_the_whole_log(house: House, tmp_path: Path) -> None:
    made = house.append(600)

    exported = run(house, DirectorySink(tmp_path / "export"))

    leaves = whole(house, tmp_path / "export")
    assert leaves[2:] == [entry.leaf for entry in made]
    assert (exported.plan.entries, exported.missing) == (602, 0)
    assert check_manifest(reader(tmp_path / "export"), files(tmp_path / "export")) == {
        "format": "tradan journal export 1",
        "origin": ORIGIN,
        "key": house.journal.verifier_key,
        "size": "602",
        "root": exported.plan.published.head.root.hex(),
        "from": "0",
        "to": "601",
        "bundles": "0-2",
        "openings": "0",
        "missing": "0",
        "files": str(exported.files),
    }


def test_an_export_of_full_tiles_and_one_more(house: House, tmp_path: Path) -> None:
    for size, more in ((256, 254), (257, 1), (512, 255)):
        house.append(more, size)

        run(house, DirectorySink(tmp_path / "export"))

        assert len(whole(house, tmp_path / "export")) == size


def test_a_tar_holds_what_a_folder_does(house: House, tmp_path: Path) -> None:
    house.append(300)
    plan = export.decide(house.database)
    run(house, DirectorySink(tmp_path / "export"), plan)
    stream = BytesIO()

    run(house, TarSink(stream, house.clock.now()), plan, policy=b"quorum none\n")

    members = unpacked(stream)
    assert list(members)[-2:] == ["checkpoint", "MANIFEST"]
    check_manifest(members.__getitem__, set(members))
    del members["MANIFEST"]
    assert members.pop("policy.txt") == b"quorum none\n"
    folder = {name: reader(tmp_path / "export")(name) for name in files(tmp_path / "export")}
    assert members == {name: data for name, data in folder.items() if name != "MANIFEST"}


def test_what_comes_while_it_is_exported_is_not_in_it(house: House, tmp_path: Path) -> None:
    house.append(2300)
    folder = tmp_path / "export"
    plan = export.decide(house.database)
    came = []

    def meanwhile(done: int, total: int) -> None:
        came.extend(house.append(30, 10_000 + done))

    Export(house.database, DirectorySink(folder), plan, meanwhile).run(house.journal.verifier_key)

    assert len(came) == 60
    assert len(whole(house, folder)) == 2302


RANGES: list[tuple[int, int | None, list[int]]] = [
    (600, 700, [0, 2]),
    (0, 0, [0]),
    (255, 256, [0, 1]),
    (1290, None, [0, 5]),
    (1023, 1023, [0, 3]),
]


def test_a_range_can_be_proved(house: House, tmp_path: Path) -> None:
    house.append(1300)

    for number, (first, last, numbers) in enumerate(RANGES):
        folder = tmp_path / str(number)
        exported = run(house, DirectorySink(folder), export.decide(house.database, first, last))

        heading = check_manifest(reader(folder), files(folder))
        assert (int(heading["from"]), int(heading["to"])) == (first, 1301 if last is None else last)
        bundles = {name for name in files(folder) if name.startswith("tile/entries/")}
        assert bundles == {path("entries", n, 256 if n < 5 else 22) for n in numbers}
        leaves = read_range(reader(folder), public(house), numbers)
        assert len(leaves) == exported.plan.entries


def test_a_range_that_is_none_is_refused(house: House) -> None:
    house.append(10)

    for first, last in ((5, 4), (0, 12), (12, None), (-1, 3), (3, -1)):
        with pytest.raises(ExportError):
            export.decide(house.database, first, last)


def test_what_the_database_lacks_is_counted_and_the_rest_is_given(
    house: House, tmp_path: Path, administrator: Administrator
) -> None:
    house.append(800)
    administrator.run(
        "DELETE FROM journal_entry WHERE id = (SELECT entry_id FROM journal_leaf WHERE seq = 300)"
    )
    administrator.run("DELETE FROM journal_tile WHERE level = 0 AND n = 2")

    exported = run(house, DirectorySink(tmp_path / "export"))

    assert exported.missing == 2
    names = files(tmp_path / "export")
    assert check_manifest(reader(tmp_path / "export"), names)["missing"] == "2"
    assert names >= {path("entries", n, 256) for n in (0, 2)}
    assert not names & {path("entries", 1, 256), path(0, 2, 256)}


def test_cosignatures_and_time_stamps_go_with_it(
    house: House, tmp_path: Path, administrator: Administrator
) -> None:
    house.append(3)
    administrator.run(
        "UPDATE journal_checkpoint SET cosignatures = :line, timestamp_token = :token",
        line="— w.example AAAA\n",
        token=b"token",
    )

    run(house, DirectorySink(tmp_path / "export"))

    read = reader(tmp_path / "export")
    assert read("checkpoint").endswith("— w.example AAAA\n".encode())
    assert read("tsr/5.checkpoint") == read("checkpoint")
    assert read("tsr/5.tsr") == b"token"
    check_manifest(read, files(tmp_path / "export"))


def unpacked(stream: BytesIO) -> dict[str, bytes]:
    stream.seek(0)
    with tarfile.open(fileobj=stream, mode="r:") as tar:
        return {each.name: file.read() for each in tar if (file := tar.extractfile(each))}
