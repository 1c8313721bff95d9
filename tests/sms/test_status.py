"""The public page: for programs, for browsers, and while nothing can be read."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.db import Database
from core.keyring import Keyring
from journal import verifications
from journal.tree import TreeHead
from journal.verifications import Due, Extent, Result, State
from records.stops import Scope
from sms import commands
from sms.commands import Language
from sms.links import registry
from sms.links.model import LinkKind, LinkState
from sms.links.registry import LinkRegistry
from sms.speech import WORDS, Speech
from sms.standing import COMMANDS
from tests.fakes import FixedClock
from tests.sms.public import BROWSER, OFFICER, Public, made

ASKED = [
    ("/status", None, "application/json"),
    ("/status", "*/*", "application/json"),
    ("/status", "application/json", "application/json"),
    ("/status", "text/plain", "application/json"),
    ("/status", BROWSER, "text/html"),
    ("/status", "text/html", "text/html"),
    ("/status", "application/json, text/html;q=0.5", "application/json"),
    ("/status?format=html", "*/*", "text/html"),
    ("/status?format=json", BROWSER, "application/json"),
    ("/status?format=xml", BROWSER, "text/html"),
]


@pytest.fixture
def public(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> Iterator[Public]:
    """The page of a deployment in production, on each kind of database."""
    yield from made(database, keyring, keys_dir, tmp_path, clock, "production")


def test_programs_get_json_and_browsers_a_page(public: Public) -> None:
    answers = [(asked, public.get(*asked[:2])) for asked in ASKED]

    assert [(*asked[:2], answer.mimetype) for asked, answer in answers] == ASKED
    assert {answer.headers["Vary"] for _, answer in answers} == {"Accept"}


def test_the_shape_for_programs_stays(public: Public) -> None:
    public.add("viettel", 50000)

    found = public.json()

    assert set(found) == {
        "state", "state_known", "mode", "short_code", "operators", "commands", "contact_officer",
        "legal_basis", "journal",
    }  # fmt: skip
    assert (found["state"], found["state_known"], found["short_code"]) == ("running", True, "12345")
    assert found["operators"] == [
        {
            "code": "viettel",
            "state": "running",
            "price_vnd": 500,
            "lookup_price_vnd": 1000,
            "third_party": None,
            "test": False,
        }
    ]
    assert found["commands"][0] == {
        "text": "DC 001085123456",
        "text_en": "INFO 001085123456",
        "vi": "Xem hồ sơ của tôi",
        "en": "Show my record",
        "state": "running",
    }
    log = found["journal"]
    assert set(log) == {
        "origin", "continues", "key", "size", "root", "checkpoint", "signed_at",
        "verified", "verified_at", "verified_size", "witnessed_at", "witnessed_size",
        "witnessed_by",
    }  # fmt: skip
    assert (log["verified"], log["verified_at"]) == (True, None)
    assert log["checkpoint"].splitlines()[:2] == ["tradan/gateway.example", str(log["size"])]
    assert re.fullmatch("[0-9a-f]{64}", log["root"])
    assert log["signed_at"].endswith("+00:00")


@pytest.mark.parametrize("text", [text for pair in COMMANDS for text in pair[:2]])
def test_every_published_command_is_understood(text: str) -> None:
    typed = text.replace("ma-6-so", "482913").replace("six-digits", "482913")

    command = commands.parse(typed)

    assert not isinstance(command, commands.NotUnderstood)


@pytest.mark.parametrize("pair", COMMANDS, ids=lambda pair: str(pair[0]))
def test_both_languages_publish_the_same_commands(pair: tuple[str, str, str, str]) -> None:
    vietnamese, english = (
        commands.parse(text.replace("ma-6-so", "482913").replace("six-digits", "482913"))
        for text in pair[:2]
    )

    assert type(vietnamese) is type(english)
    # A PIN is answered in the language of its request.
    assert vietnamese.language in {Language.VI, None}
    assert english.language in {Language.EN, None}


def test_the_page_says_everything_in_vietnamese_first(public: Public) -> None:
    public.add("viettel", 50000)
    public.add("abroad", 123456, kind=LinkKind.TWILIO)

    page = public.page()

    assert '<html lang="vi">' in page
    for said in (
        "Đang hoạt động", "12345", OFFICER, "Luật Căn cước 26/2023/QH15", "500\xa0₫", "1.000\xa0₫",
        "1.234,56\xa0₫", "Twilio Inc. (abroad)", "tradan/gateway.example", "02/03/2026 12:00:00",
        public.json()["journal"]["root"],
    ):  # fmt: skip
        assert said in page


def test_the_page_is_complete_in_english(public: Public) -> None:
    public.add("viettel", 123456)

    page = public.page("/status?lang=en")

    assert '<html lang="en">' in page
    assert "INFO 001085123456" in page
    assert "1,234.56\xa0₫" in page
    ours = {phrases[0] for phrases in WORDS.values() if phrases[0] != phrases[1]}
    assert [phrase for phrase in ours if f">{phrase}<" in page] == []


def test_what_settings_say_is_escaped(public: Public) -> None:
    raw = public.get("/status", BROWSER).text

    assert OFFICER not in raw
    assert "&lt;024 0000 0000&gt;" in raw


def test_every_phrase_has_the_same_gaps_in_both_languages() -> None:
    def gaps(phrase: str) -> set[str]:
        return set(re.findall(r"\{\w+\}", phrase))

    assert [
        key for key, (vi, en) in WORDS.items() if not vi or not en or gaps(vi) != gaps(en)
    ] == []


def test_prices_are_written_as_they_are_said() -> None:
    vietnamese, english = Speech(Language.VI), Speech(Language.EN)

    assert (vietnamese.price(None), vietnamese.price(0)) == ("cước thường", "miễn phí")
    assert (english.price(None), english.price(0)) == ("usual fee", "free")
    assert vietnamese.price(5) == "0,05\xa0₫"


@pytest.mark.parametrize("scope", [Scope.SERVICE, Scope.DISCLOSURE])
def test_a_stop_is_shown_at_once(public: Public, scope: Scope) -> None:
    public.stop(scope)

    assert public.json()["state"] == "stopped"
    assert "Đang tạm ngừng" in public.page()


def test_the_file_stop_is_shown_too(public: Public) -> None:
    (public.state_dir / "stop").touch()

    assert public.json()["state"] == "stopped"


def test_a_stop_of_one_link_or_one_command_is_shown_there_alone(public: Public) -> None:
    public.add("viettel")
    public.add("mobifone")
    public.stop(Scope.LINK, "viettel")
    public.stop(Scope.COMMAND, "KHOA")

    found = public.json()

    assert found["state"] == "running"
    states = {link["code"]: link["state"] for link in found["operators"]}
    assert states == {"mobifone": "running", "viettel": "stopped"}
    stopped = {each["text"].split()[0] for each in found["commands"] if each["state"] == "stopped"}
    assert stopped == {"KHOA"}


def test_a_link_that_may_not_carry_lookups_is_not_called_running(public: Public) -> None:
    public.add("unassessed", assessed_by=None)
    public.add("lapsed")
    public.clock.advance(timedelta(days=366))

    states = {link["code"]: link["state"] for link in public.json()["operators"]}

    assert states == {"lapsed": "stopped", "unassessed": "stopped"}


def test_ended_links_and_links_for_tests_are_not_the_publics(public: Public) -> None:
    public.add("tests", is_test=True)
    public.add("ended")
    link = LinkRegistry(public.database, public.keyring, public.clock).get("ended")
    assert link is not None
    public.database.write(lambda s: registry.terminate(s, link, "x", public.clock.now()))
    public.clock.advance(timedelta(seconds=2))

    assert public.json()["operators"] == []
    assert "Chưa nối với nhà mạng nào" in public.page()


def test_a_demonstration_says_so_and_shows_its_links(
    database: Database, keyring: Keyring, keys_dir: Path, tmp_path: Path, clock: FixedClock
) -> None:
    for demo in made(database, keyring, keys_dir, tmp_path, clock, "demo"):
        demo.add("hong-ha", 30000, is_test=True)

        assert demo.json()["operators"][0]["test"] is True
        assert "bịa ra" in demo.page()


@pytest.mark.parametrize("table", ["stop", "link", "journal_checkpoint"])
def test_what_cannot_be_read_counts_as_stopped_and_the_page_answers(
    public: Public, table: str
) -> None:
    public.add("viettel", 50000)
    public.clock.advance(timedelta(seconds=2))
    public.database.write(lambda s: s.execute(sa.text(f"ALTER TABLE {table} RENAME TO gone")))

    read, page = public.get(), public.get("/status", BROWSER)

    assert (read.status_code, page.status_code) == (503, 503)
    found = json.loads(read.data)
    assert (found["state"], found["state_known"]) == ("stopped", False)
    assert found["short_code"] == "12345"
    assert found["journal"]["root"] is None
    assert "Chưa xác định được" in page.text
    assert "Đang hoạt động" not in page.text


def test_the_page_loads_nothing_but_its_own_files(public: Public) -> None:
    raw = public.get("/status", BROWSER).text

    loaded = re.findall(r'<(?:link|script|img)[^>]*(?:href|src)="([^"]*)"', raw)
    assert loaded
    for address in loaded:
        with public.get(address) as file:
            assert file.status_code == 200
    assert "<style" not in raw
    assert " style=" not in raw
    assert "<script" not in raw


def test_nobody_posts_here(public: Public) -> None:
    assert public.client.post("/status").status_code == 405
    assert public.client.head("/status").status_code == 200


def test_a_disabled_link_is_shown_as_stopped(public: Public) -> None:
    public.add("viettel")
    link = LinkRegistry(public.database, public.keyring, public.clock).get("viettel")
    assert link is not None
    public.database.write(lambda s: registry.set_state(s, link, LinkState.DISABLED))
    public.clock.advance(timedelta(seconds=2))

    assert public.json()["operators"][0]["state"] == "stopped"


@pytest.mark.parametrize(
    ("state", "told"), [(State.OK, "2 entries, nothing amiss"), (State.FOUND, "being looked into")]
)
def test_what_the_service_verified_of_itself_is_published(
    public: Public, state: State, told: str
) -> None:
    now = public.clock.now()

    def work(session: sa.orm.Session) -> None:
        for each in (State.OK, state):
            number = verifications.begin(session, Due(Extent.ALL), now)
            head = TreeHead(2, bytes(32))
            verifications.end(session, number, Result(each, head, int(each is State.FOUND)), now)

    public.database.write(work)

    log = public.json()["journal"]
    assert (log["verified"], log["verified_size"]) == (state is State.OK, 2)
    assert log["verified_at"] == now.isoformat()
    assert told in public.page("/status?lang=en")
