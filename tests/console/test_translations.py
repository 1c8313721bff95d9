"""The console in English: every word that is marked, and nothing else left on a page."""

import io
import re
import unicodedata
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from console.access.invitations import InvitationKind
from console.access.roles import GRANTED, Role
from tests.console.conftest import FROM_HERE, House
from tests.console.test_guard import ONE_DATABASE, pages

CONSOLE = Path(__file__).parents[2] / "console"
CATALOGUE = CONSOLE / "translations" / "en" / "LC_MESSAGES" / "messages.po"
REFRESH = "`make translations` takes new words in; then give their English in messages.po"
# What stays as it is: the name of the language itself, and what is quoted in it.
_IN_VIETNAMESE = re.compile(r'<(\w+)[^<>]*\blang="vi"[^<>]*>.*?</\1>', re.DOTALL)


def in_english() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def foreign_words(page: str) -> list[str]:
    """Find what is still Vietnamese on a page: words with its letters."""
    words = re.findall(r"[^\W\d_]+", _IN_VIETNAMESE.sub("", page))
    return [word for word in words if "đ" in word.lower() or is_marked(word)]


def is_marked(word: str) -> bool:
    return any(unicodedata.combining(letter) for letter in unicodedata.normalize("NFD", word))


def test_every_word_that_is_marked_is_in_the_catalogue_and_no_other() -> None:
    with (CONSOLE / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel's
    found = extract_from_dir(CONSOLE, methods, options)

    marked = {message for _file, _line, message, _comments, _context in found}

    assert marked == {message.id for message in in_english() if message.id}, REFRESH


def test_every_word_has_its_english_with_the_same_gaps() -> None:
    catalogue = in_english()

    assert [message.id for message in catalogue if not message.string] == [], REFRESH
    assert [message.id for message, faults in catalogue.check() if faults] == []
    assert not any(message.fuzzy for message in catalogue if message.id)
    assert [m.id for m in catalogue if m.id and foreign_words(str(m.string))] == []


def test_what_is_compiled_is_current() -> None:
    compiled = io.BytesIO()

    write_mo(compiled, in_english())

    assert compiled.getvalue() == CATALOGUE.with_suffix(".mo").read_bytes(), REFRESH


@ONE_DATABASE
def test_a_page_in_english_is_in_english(house: House) -> None:
    visits = {role: house.entered(role.replace("-", "_"), role) for role in Role}
    for path, method, right in pages(house):
        if method != "GET":
            continue
        role = next(role for role in Role if right is None or right in GRANTED[role])

        _status, page = visits[role].get(f"{path}?lang=en")

        assert ("<html" in page) is ('<html lang="en"' in page), path
        assert foreign_words(page) == [], path


@ONE_DATABASE
@pytest.mark.parametrize("kind", list(InvitationKind))
def test_whoever_comes_in_may_do_so_in_english(house: House, kind: InvitationKind) -> None:
    client, token = house.app.test_client(), house.invited(house.officer("lan", Role.VIEWER), kind)
    for path in ("/console/login", f"/console/invitation/{token}", "/console/invitation/none"):
        page = client.get(f"{path}?lang=en").get_data(as_text=True)
        refused = client.post(path, headers=FROM_HERE).get_data(as_text=True)

        assert foreign_words(page) == []
        assert foreign_words(refused) == []


@ONE_DATABASE
def test_a_language_once_chosen_stays(house: House) -> None:
    visit = house.entered("lan", Role.VIEWER)

    _status, chosen = visit.get("/console/messages?command=DC&lang=en")
    _status, kept = visit.get("/console/control")

    assert "Lookup log" in chosen
    assert 'href="/console/messages?command=DC&amp;lang=vi"' in chosen
    assert "Service control" in kept


@ONE_DATABASE
def test_a_language_that_there_is_not_is_no_language(house: House) -> None:
    status, page = house.entered("lan", Role.VIEWER).get('/console/?lang="><script>')

    assert status == 200
    assert '<html lang="vi"' in page
    assert "<script>" not in page
