"""Making exports in tests, and reading them back by arithmetic of the tests' own."""

from pathlib import Path

from journal import export
from journal.export import Export, Exported, Plan
from journal.note import Verifier
from journal.sinks import Sink
from tests.journal.conftest import House
from tests.journal.independent import (
    check_manifest,
    expected_paths,
    read_whole,
    reader,
)


def run(house: House, sink: Sink, plan: Plan | None = None, **options: object) -> Exported:
    plan = plan or export.decide(house.database)
    made = Export(house.database, sink, plan, lambda _done, _total: None)
    return made.run(house.journal.verifier_key, **options)  # type: ignore[arg-type]  # the export's own options


def public(house: House) -> bytes:
    return Verifier.parse(house.journal.verifier_key).public


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def whole(house: House, folder: Path) -> list[bytes]:
    """Check an export of everything, and return its leaves."""
    names = files(folder)
    heading = check_manifest(reader(folder), names)
    assert names == {"checkpoint", "MANIFEST", *expected_paths(int(heading["size"]))}
    return read_whole(reader(folder), public(house))
