import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.reconciliation.errors import ReconciliationError
from billing.reconciliation.store import Note, Store
from tests.billing.months import MAPPING, OCTOBER, mapping

NOTE = Note(
    digest="5f3a",
    records=3,
    carried=2,
    parts=4,
    amount=None,
    imported_at=datetime(2026, 11, 2, tzinfo=UTC),
    imported_by="console:lan",
)


def laid(store: Store, tmp_path: Path, digest: str) -> None:
    records = tmp_path / "records"
    records.write_bytes(b"PAR1")
    store.lay(OCTOBER, records, digest)


def test_a_file_counts_once_its_note_is_there(tmp_path: Path) -> None:
    store = Store.of(tmp_path, "vina")

    laid(store, tmp_path, NOTE.digest)
    before = store.files(OCTOBER)
    store.note(OCTOBER, NOTE)

    assert before == []
    assert [path.name for path in store.files(OCTOBER)] == ["5f3a.parquet"]
    assert store.notes(OCTOBER) == {"5f3a": NOTE}
    assert store.files(OCTOBER.following) == []


def test_a_file_that_is_dropped_is_gone(tmp_path: Path) -> None:
    store = Store.of(tmp_path, "vina")
    for digest in ("5f3a", "6b2c"):
        laid(store, tmp_path, digest)
        store.note(OCTOBER, replace(NOTE, digest=digest))

    store.drop(OCTOBER, "5f3a")

    assert list(store.notes(OCTOBER)) == ["6b2c"]


def test_what_is_kept_is_closed_to_others(tmp_path: Path) -> None:
    store = Store.of(tmp_path, "vina")
    store.set_mapping(MAPPING)
    laid(store, tmp_path, NOTE.digest)

    files = [path for path in store.home.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in [store.home, *store.home.rglob("*")]} == {0}
    assert len(files) == 2
    assert store.mapping() == mapping()


@pytest.mark.parametrize("code", ["", "..", "../vina", "a/b", "-x", ".scratch", "x" * 40])
def test_no_code_leads_elsewhere(tmp_path: Path, code: str) -> None:
    with pytest.raises(ReconciliationError):
        Store.of(tmp_path, code)


def test_an_operator_without_a_mapping_is_told_of_it(tmp_path: Path) -> None:
    with pytest.raises(ReconciliationError, match="billing mapping set"):
        Store.of(tmp_path, "vina").mapping()


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    store = Store.of(tmp_path, "vina")
    with store.scratch() as ours:
        old, new = ours.parent / "old", ours.parent / "new"
        old.mkdir()
        new.mkdir()
        os.utime(old, (0, 0))

        with store.scratch() as other:
            assert {path.name for path in ours.parent.iterdir()} == {
                ours.name, other.name, "new",
            }  # fmt: skip


def test_the_files_of_an_operator_are_held_by_one_at_a_time(tmp_path: Path) -> None:
    store, order = Store.of(tmp_path, "vina"), list[str]()

    def second() -> None:
        with store.held():
            order.append("second")

    with ThreadPoolExecutor() as pool:
        with store.held():
            waits = pool.submit(second)
            with pytest.raises(TimeoutError):
                waits.result(timeout=0.1)
            order.append("first")
        waits.result(timeout=5)

    assert order == ["first", "second"]
