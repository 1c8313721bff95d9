"""An export where one stands already: gone on with, brought up to date, never spoilt."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from core import keys
from journal import export
from journal.errors import ExportError
from journal.export import Openings
from journal.note import Signer
from journal.sinks import DirectorySink
from tests.journal.conftest import ORIGIN, Administrator, House
from tests.journal.exporting import files, run, whole
from tests.journal.independent import (
    path,
    reader,
)


class CutError(Exception):
    """The export was broken off here."""


class CutSink(DirectorySink):
    """A folder that lets an export be broken off after so many steps."""

    def __init__(self, root: Path, steps: int) -> None:
        super().__init__(root)
        self._left = steps

    def put(self, path: str, data: bytes) -> None:
        self._step()
        super().put(path, data)

    @contextmanager
    def stream(self, path: str) -> Iterator[IO[bytes]]:
        with super().stream(path) as file:
            yield file
            self._step()

    def settle(self) -> None:
        self._step()
        super().settle()

    def end(self, belongs: Callable[[str], bool]) -> None:
        self._step()
        super().end(belongs)

    def _step(self) -> None:
        if not self._left:
            raise CutError
        self._left -= 1


class CountingSink(DirectorySink):
    """A folder that notes what is written to it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.written: list[str] = []

    def put(self, path: str, data: bytes) -> None:
        self.written.append(path)
        super().put(path, data)


def test_an_export_that_is_broken_off_anywhere_is_known_and_gone_on_with(
    house: House, tmp_path: Path
) -> None:
    house.append(260)
    steps = 0
    while True:
        folder = tmp_path / str(steps)
        try:
            run(house, CutSink(folder, steps))
        except CutError:
            left = files(folder)
            assert "INCOMPLETE" in left or not left
            assert not {"checkpoint", "MANIFEST"} <= left or "INCOMPLETE" in left
            if steps % 3 == 0:
                house.append(5, 1000 + 5 * steps)
            run(house, DirectorySink(folder))
            assert len(whole(house, folder)) == house.size()
            steps += 1
        else:
            break

    assert steps >= 9


def test_what_is_there_already_is_not_written_again(house: House, tmp_path: Path) -> None:
    house.append(520)
    folder = tmp_path / "export"
    run(house, DirectorySink(folder))
    house.append(10, 520)

    sink = CountingSink(folder)
    run(house, sink)

    size = house.size()
    assert sorted(sink.written) == sorted(
        [path(0, 2, size - 512), path("entries", 2, size - 512), "checkpoint"]
    )
    assert len(whole(house, folder)) == size


def test_what_was_exported_before_is_never_written_over(house: House, tmp_path: Path) -> None:
    house.append(300)
    folder = tmp_path / "export"
    run(house, DirectorySink(folder))
    before = {each: reader(folder)(each) for each in files(folder)}

    for name in ("tile/entries/000", "tile/0/000", "tile/entries/001.p/46"):
        damaged = before[name][:-1] + bytes([before[name][-1] ^ 1])
        (folder / name).write_bytes(damaged)
        with pytest.raises(ExportError, match=name):
            run(house, DirectorySink(folder))
        after = {each: reader(folder)(each) for each in files(folder)}
        assert after.pop("INCOMPLETE")
        assert after == {**before, name: damaged}
        (folder / name).write_bytes(before[name])


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM journal_leaf WHERE seq >= 200",
        "UPDATE journal_entry SET leaf = substr(leaf, 1, 64) WHERE kind = 'key'",
    ],
    ids=["restored", "rewritten"],
)
def test_an_earlier_export_outlives_a_database_that_does_not_continue_it(
    house: House, tmp_path: Path, administrator: Administrator, change: str
) -> None:
    house.append(300)
    folder = tmp_path / "export"
    run(house, DirectorySink(folder))
    before = {each: reader(folder)(each) for each in files(folder)}
    administrator.run(change)
    administrator.rebuild(Signer(ORIGIN, keys.load(house.keys_dir).logs[1]))

    with pytest.raises(ExportError):
        run(house, DirectorySink(folder))

    assert {each: reader(folder)(each) for each in files(folder)} == before


def test_what_the_database_has_lost_stays_in_an_earlier_export(
    house: House, tmp_path: Path, administrator: Administrator
) -> None:
    house.append(600)
    folder = tmp_path / "export"
    run(house, DirectorySink(folder))
    administrator.run("DELETE FROM journal_entry WHERE kind = 'lookup'")
    administrator.run("DELETE FROM journal_tile WHERE n > 0")

    exported = run(house, DirectorySink(folder))

    assert exported.missing == 0
    assert len(whole(house, folder)) == 602


def test_a_narrower_export_leaves_nothing_of_a_wider_one(house: House, tmp_path: Path) -> None:
    house.append(800)
    folder = tmp_path / "export"
    run(
        house,
        DirectorySink(folder),
        policy=b"quorum none\n",
        openings=Openings(1, lambda: iter([b"{}\n"])),
    )
    (folder / "notes").write_text("an auditor's own")

    run(house, DirectorySink(folder), export.decide(house.database, 600, 700))

    assert not {"policy.txt", "openings.jsonl"} & files(folder)
    assert {name for name in files(folder) if "entries" in name} == {
        path("entries", n, 256) for n in (0, 2)
    }
    assert (folder / "notes").read_text() == "an auditor's own"


def test_nothing_of_somebody_elses_is_written_over(house: House, tmp_path: Path) -> None:
    house.append(1)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.tex").write_text("years of work")
    other = tmp_path / "other"
    run(house, DirectorySink(other))
    manifest = (other / "MANIFEST").read_text()
    (other / "MANIFEST").write_text(manifest.replace(ORIGIN, "tradan/other.example"))
    (tmp_path / "file").write_text("")

    for place in (taken, other, tmp_path / "file"):
        with pytest.raises(ExportError):
            run(house, DirectorySink(place))

    assert files(taken) == {"thesis.tex"}
