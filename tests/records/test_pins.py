from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import argon2
import pytest
import sqlalchemy as sa

from core.db import Database
from core.errors import DecryptionError
from core.ids import uuid7
from core.keyring import Keyring
from core.settings import PinProfile
from records import pins
from records.pins import CHALLENGE, Challenge, ChallengeState, Closing, PinHasher
from tests.fakes import NOON

SENDER, CITIZEN, LINK = 11, 22, 3
LIFE = timedelta(minutes=5)
TICK = timedelta(microseconds=1)
ENDS = [
    state for state in ChallengeState if state not in {ChallengeState.OPEN, ChallengeState.VOID}
]


def challenge(**changes: object) -> Challenge:
    made = Challenge(
        id=uuid7(), sender_id=SENDER, citizen_id=CITIZEN, personal_id="999085000001", link_id=LINK,
        purpose="DC", fields="", language="vi", pin_hash="$argon2id$made-up", tries_left=3,
        created_at=NOON, expires_at=NOON + LIFE,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def hasher(sqlite_keyring: Keyring) -> PinHasher:
    return PinHasher(sqlite_keyring, PinProfile.STANDARD)


@pytest.fixture
def sqlite_keyring(keys_dir: object, sqlite_database: Database, clock: object) -> Keyring:
    return Keyring.load(keys_dir, sqlite_database, clock)  # type: ignore[arg-type]  # the fixtures' own types


def put(database: Database, keyring: Keyring, one: Challenge, state: ChallengeState) -> None:
    database.write(lambda s: pins.open_all(s, keyring, [(one, state)]))


def row(database: Database, which: UUID) -> sa.Row[tuple[object, ...]]:
    query = sa.select(CHALLENGE).where(CHALLENGE.c.id == which)
    return database.read(lambda s: s.execute(query).one())


def test_a_pin_is_six_digits_and_keeps_its_zeros() -> None:
    drawn = [pins.draw() for _ in range(3_000)]

    assert {len(pin) for pin in drawn} == {6}
    assert all(pin.isascii() and pin.isdecimal() for pin in drawn)
    assert any(pin.startswith("0") for pin in drawn)
    assert Counter(drawn).most_common(1)[0][1] < 5


def test_a_pin_matches_itself_and_nothing_else(hasher: PinHasher) -> None:
    bound = challenge().binding()

    hashed = hasher.hash("048213", bound)

    assert hasher.matches(hashed, "048213", bound)
    for wrong in ("048214", "48213", "0482130", "", "٠٤٨٢١٣"):
        assert not hasher.matches(hashed, wrong, bound)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": uuid7()},
        {"sender_id": SENDER + 1},
        {"citizen_id": CITIZEN + 1},
        {"link_id": LINK + 1},
        {"purpose": "MO"},
    ],
)
def test_a_pin_is_worth_nothing_for_anything_else(
    hasher: PinHasher, changes: dict[str, object]
) -> None:
    one = challenge()
    other = replace(one, **changes)  # type: ignore[arg-type]  # fields by name

    hashed = hasher.hash("482913", one.binding())

    assert one.binding() != other.binding()
    assert not hasher.matches(hashed, "482913", other.binding())


def test_a_hash_is_argon2id_and_shows_no_pin(hasher: PinHasher) -> None:
    hashed = hasher.hash("482913", challenge().binding())

    assert hashed.startswith("$argon2id$v=19$m=1024,t=1,p=1$")
    assert "482913" not in hashed
    assert hashed != hasher.hash("482913", challenge().binding())
    assert len(hashed) <= 128, "the column's width"


def test_the_dearer_profile_is_hashed_dearer(sqlite_keyring: Keyring) -> None:
    hashed = PinHasher(sqlite_keyring, PinProfile.OWASP).hash("482913", b"x")

    assert argon2.extract_parameters(hashed).memory_cost == 7 * 1024
    assert PinHasher(sqlite_keyring, PinProfile.STANDARD).matches(hashed, "482913", b"x")


def test_without_the_pepper_a_hash_is_of_no_use(hasher: PinHasher, sqlite_keyring: Keyring) -> None:
    bound = challenge().binding()
    hashed = hasher.hash("482913", bound)

    for guess in (b"482913", bound + b"|482913"):
        with pytest.raises(argon2.exceptions.VerifyMismatchError):
            argon2.PasswordHasher().verify(hashed, guess)


def test_an_open_challenge_comes_back_whole(database: Database, keyring: Keyring) -> None:
    one = challenge()

    put(database, keyring, one, ChallengeState.OPEN)

    assert database.read(lambda s: pins.open_of(s, keyring, [SENDER, 99])) == {SENDER: one}
    assert database.write(lambda s: pins.open_of(s, keyring, [SENDER], lock=True)) == {SENDER: one}
    assert one.personal_id.encode() not in row(database, one.id).blob


def test_a_challenge_prints_neither_number_nor_hash() -> None:
    assert "999085000001" not in repr(challenge())
    assert "argon2" not in repr(challenge())


def test_a_sender_has_one_open_challenge(database: Database, keyring: Keyring) -> None:
    put(database, keyring, challenge(), ChallengeState.OPEN)

    with pytest.raises(sa.exc.IntegrityError):
        put(database, keyring, challenge(), ChallengeState.OPEN)

    put(database, keyring, challenge(sender_id=SENDER + 1), ChallengeState.OPEN)
    put(database, keyring, challenge(), ChallengeState.VOID)


def test_a_void_challenge_holds_neither_hash_nor_number(
    database: Database, keyring: Keyring
) -> None:
    one = challenge()

    put(database, keyring, one, ChallengeState.VOID)

    kept = row(database, one.id)
    assert (kept.state, kept.pin_hash, kept.blob, kept.closed_at) == ("void", None, None, NOON)
    assert database.read(lambda s: pins.open_of(s, keyring, [SENDER])) == {}


@pytest.mark.parametrize("state", ENDS)
def test_an_ended_challenge_loses_hash_and_number(
    sqlite_database: Database, sqlite_keyring: Keyring, state: ChallengeState
) -> None:
    one = challenge()
    put(sqlite_database, sqlite_keyring, one, ChallengeState.OPEN)

    sqlite_database.write(lambda s: pins.close(s, [Closing(one.id, state, 2)], NOON + LIFE))

    kept = row(sqlite_database, one.id)
    assert (kept.state, kept.tries_left, kept.closed_at) == (state, 2, NOON + LIFE)
    assert (kept.pin_hash, kept.blob) == (None, None)


def test_a_lost_try_leaves_the_challenge_open(database: Database, keyring: Keyring) -> None:
    one, other = challenge(), challenge(sender_id=SENDER + 1)
    put(database, keyring, one, ChallengeState.OPEN)
    put(database, keyring, other, ChallengeState.OPEN)
    closings = [
        Closing(one.id, ChallengeState.OPEN, 1),
        Closing(other.id, ChallengeState.SPENT, 3),
    ]

    database.write(lambda s: pins.close(s, closings, NOON))

    found = database.read(lambda s: pins.open_of(s, keyring, [SENDER, SENDER + 1]))
    assert found == {SENDER: replace(one, tries_left=1)}


def test_fewer_than_no_tries_cannot_be_left(database: Database, keyring: Keyring) -> None:
    one = challenge()
    put(database, keyring, one, ChallengeState.OPEN)

    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda s: pins.close(s, [Closing(one.id, ChallengeState.OPEN, -1)], NOON))


def test_the_hash_goes_with_the_pins_life_and_the_rest_an_hour_later(
    database: Database, keyring: Keyring
) -> None:
    one = challenge()
    put(database, keyring, one, ChallengeState.OPEN)

    def after(wait: timedelta) -> tuple[object, ...]:
        database.write(lambda s: pins.expire(s, one.expires_at + wait))
        kept = row(database, one.id)
        return kept.state, kept.pin_hash is None, kept.blob is None

    assert after(timedelta()) == ("open", False, False)
    assert after(TICK) == ("open", True, False)
    assert after(timedelta(hours=1)) == ("open", True, False)
    assert after(timedelta(hours=1) + TICK) == ("expired", True, True)


def test_a_challenge_moved_to_another_row_does_not_open(
    database: Database, keyring: Keyring
) -> None:
    one, other = challenge(), challenge(sender_id=SENDER + 1)
    put(database, keyring, one, ChallengeState.OPEN)
    put(database, keyring, other, ChallengeState.OPEN)
    blob = row(database, one.id).blob

    def swap(session: sa.orm.Session) -> None:
        session.execute(sa.update(CHALLENGE).where(CHALLENGE.c.id == other.id).values(blob=blob))

    database.write(swap)

    with pytest.raises(DecryptionError):
        database.read(lambda s: pins.open_of(s, keyring, [SENDER + 1]))
