"""The page of the journal: its head, its verifications, its checkpoints, who vouches for them."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from console.access.roles import Role
from console.acts import Act
from journal import verifications
from journal.tree import TreeHead
from journal.verifications import Result, State
from journal.witnessing import Witnessing
from tests.console.conftest import FROM_HERE, House
from tests.journal.bodies import gather

PAGE = "/console/journal"


def begin(house: House) -> int:
    """Begin what was asked for, as the worker does."""
    now = house.clock.now()

    def work(session: Session) -> int:
        due = verifications.due(session, now, timedelta())
        assert due is not None
        return verifications.begin(session, due, now)

    return house.database.write(work)


def test_it_tells_size_root_and_age(house: House) -> None:
    visit = house.entered("ha", Role.AUDITOR)
    head = house.database.read(house.journal.head)
    house.clock.advance(timedelta(minutes=5))

    status, text = visit.get(PAGE)

    assert status == 200
    assert head.root.hex() in text
    assert "5 phút" in text
    assert "Chưa có lần kiểm nào" in text
    assert "không có chính sách nơi chứng" in text


def test_an_auditor_has_it_verified_once_at_a_time_and_sees_how_far_that_is(house: House) -> None:
    visit, now = house.entered("ha", Role.AUDITOR), house.clock.now()
    assert "Kiểm ngay" in visit.get(PAGE)[1]

    asked, again = visit.post(f"{PAGE}/verify"), visit.post(f"{PAGE}/verify")
    waiting = visit.get(PAGE)[1]
    number = begin(house)
    house.database.write(lambda s: verifications.tell(s, number, 1234, 5000, now))
    running = visit.client.get(f"{PAGE}/verifications").get_data(as_text=True)
    result = Result(State.OK, TreeHead(5000, bytes(32)))
    house.database.write(lambda s: verifications.end(s, number, result, now))
    over = visit.client.get(f"{PAGE}/verifications").get_data(as_text=True)

    assert asked == (303, PAGE)
    assert again[0] == 409
    assert "Chờ máy chủ bắt đầu" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert "Kiểm ngay" not in waiting
    assert "1.234 trong 5.000 mục" in running
    assert 'value="1234"' in running
    assert "officer:ha" in over
    assert "đúng hết" in over
    assert "hx-trigger" not in over
    assert "<html" not in over
    told = visit.get("/console/acts")[1]
    assert told.count(">verify-journal<") == 1


def test_a_finding_is_told_in_red_with_what_to_do(house: House) -> None:
    visit, now = house.entered("ha", Role.AUDITOR), house.clock.now()
    visit.post(f"{PAGE}/verify")
    number = begin(house)
    found = Result(State.FOUND, TreeHead(5, bytes(32)), 2, "leaf-hash at 3: <it> differs")
    house.database.write(lambda s: verifications.end(s, number, found, now))

    text = visit.get(PAGE)[1]

    assert 'role="alert"' in text
    assert "2 sai lệch" in text
    assert "leaf-hash at 3: &lt;it&gt; differs" in text
    assert "journal verify" in text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_that_was_broken_off_stands_in_nobodys_way(house: House) -> None:
    visit = house.entered("ha", Role.AUDITOR)
    visit.post(f"{PAGE}/verify")
    begin(house)
    house.clock.advance(timedelta(minutes=4))

    assert "bị ngắt" in visit.get(PAGE)[1]
    assert visit.post(f"{PAGE}/verify") == (303, PAGE)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_checkpoint_and_key_are_handed_over_as_files(house: House) -> None:
    client = house.entered("ha", Role.AUDITOR).client

    checkpoint, key = client.get(f"{PAGE}/checkpoint"), client.get(f"{PAGE}/key")

    head = house.database.read(house.journal.head)
    assert checkpoint.get_data(as_text=True) == head.checkpoint
    assert checkpoint.headers["Content-Disposition"].startswith("attachment")
    assert key.get_data(as_text=True) == f"{house.journal.verifier_key}\n"
    assert key.mimetype == "text/plain"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_checkpoints_are_told_a_page_at_a_time(house: House) -> None:
    visit = house.entered("ha", Role.AUDITOR)
    for _ in range(51):  # one is kept for each minute
        house.clock.advance(timedelta(minutes=1))
        house.guard._desk.acts.record(visit.officer(), Act(name="see-acts"))
    visit = house.entered_again(visit)

    first = visit.get(PAGE)[1]
    size = house.database.read(house.journal.head).size
    below = first.partition(f"{PAGE}?below=")[2].partition('"')[0]
    rest = visit.get(f"{PAGE}?below={below}")[1]

    assert first.count('data-label="Gốc"') == 50
    assert int(below) < size
    assert rest.count('data-label="Gốc"') > 0
    assert "Mới nhất" in rest
    for nonsense in ("x", "-1", "9" * 40, "²"):
        assert visit.client.get(PAGE, query_string={"below": nonsense}).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_witnesses_are_told_with_their_lag(house: House, tmp_path: Path) -> None:
    visit = house.entered("ha", Role.AUDITOR)
    bodies = gather(tmp_path / "bodies", house.journal.verifier_key, house.clock)
    house.journal.policy = bodies.policy
    bodies.away("c")
    Witnessing(house.database, bodies.policy, house.clock, bodies.post).push()
    visit.get("/console/acts")
    house.clock.advance(timedelta(minutes=3))

    text = visit.get(PAGE)[1]

    assert text.count("✓ ký") == 2
    assert "không ký: unreachable" in text
    assert "1 mục · 3 phút" in text
    assert "a.example/w" in text, "who cosigned a checkpoint is named beside it"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_viewer_sees_it_and_has_nothing_verified(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)

    assert "Kiểm ngay" not in visit.get(PAGE)[1]
    answer = visit.client.post(
        f"{PAGE}/verify", data={"form_token": visit.form_token}, headers=FROM_HERE
    )
    assert answer.status_code == 403
