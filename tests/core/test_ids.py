import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.ids import first_uuid7, uuid7


def test_ids_are_of_version_seven_and_rise() -> None:
    made = [uuid7() for _ in range(10_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}


def test_ids_rise_within_each_thread_and_never_meet() -> None:
    runs: list[list[UUID]] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda run=run: run.extend(uuid7() for _ in range(2_000)))
        for run in runs
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(run == sorted(run) for run in runs)
    assert len({each for run in runs for each in run}) == 8_000


def test_the_first_id_of_an_instant_parts_before_from_after() -> None:
    made = uuid7()
    at = datetime.fromtimestamp((made.int >> 80) / 1000, UTC)

    assert first_uuid7(at) <= made
    assert first_uuid7(at + timedelta(milliseconds=1)) > made
    assert first_uuid7(at).version == 7
