from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import SettingsError
from core.settings import Bind, Mode, PinProfile, Settings, is_loopback, public_url


def read(**values: str) -> Settings:
    return Settings.from_env({f"TRADAN_{name}": value for name, value in values.items()})


def faults(**values: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(**values)
    return caught.value.faults


def test_an_empty_environment_is_enough_for_a_trial() -> None:
    settings = Settings.from_env({})

    assert settings.mode is Mode.PRODUCTION
    assert settings.state_dir == Path("var")
    assert settings.keys_dir == Path("var/keys")
    assert settings.bind == Bind("127.0.0.1", 8000)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.pin_life == timedelta(minutes=5)
    assert settings.pin_spacing == timedelta(seconds=60)
    assert settings.pin_profile is PinProfile.STANDARD
    assert settings.database_url.get_backend_name() == "sqlite"
    assert Path(settings.database_url.database or "") == Path("var/tradan.db").absolute()


def test_every_fault_is_named_at_once() -> None:
    found = faults(
        MODE="rehearsal",
        DATABASE_URL="mysql://somewhere/else",
        BIND="8000",
        PUBLIC_URL="http://gateway.example",
        SHORT_CODE="call me",
        PIN_LIFE_SECONDS="9999",
        PIN_SPACING_SECONDS="-1",
        PIN_PROFILE="cheap",
        METRICS_BIND="nowhere",
        CONSOLE_REQUESTS_PER_MINUTE="29",
        BUDGET_HOUR_DONG="0",
        BUDGET_DAY_DONG="much",
        BUDGET_OPERATOR_HOUR_DONG="999",
        BUDGET_OPERATOR_DAY_DONG="1000000000001",
    )

    named = {fault.split()[0] for fault in found}
    assert named == {
        f"TRADAN_{name}"
        for name in (
            "MODE", "DATABASE_URL", "BIND", "PUBLIC_URL", "SHORT_CODE", "PIN_LIFE_SECONDS",
            "PIN_SPACING_SECONDS", "PIN_PROFILE", "METRICS_BIND",
            "CONSOLE_REQUESTS_PER_MINUTE", "BUDGET_HOUR_DONG", "BUDGET_DAY_DONG",
            "BUDGET_OPERATOR_HOUR_DONG", "BUDGET_OPERATOR_DAY_DONG",
        )
    }  # fmt: skip


def test_a_fault_quotes_nothing_of_what_was_given() -> None:
    found = faults(DATABASE_URL="mysql://admin:hunter2@db/x", SHORT_CODE="hunter2")

    assert not any("hunter2" in fault for fault in found)


@pytest.mark.parametrize("seconds", ["120", "600", " 300 "])
def test_a_pin_lives_two_to_ten_minutes(seconds: str) -> None:
    assert read(PIN_LIFE_SECONDS=seconds).pin_life == timedelta(seconds=int(seconds))


@pytest.mark.parametrize("seconds", ["119", "601", "5", "5.5", "١٢٠", "1e2", "+300", "9" * 5000])
def test_a_life_outside_the_range_stops_the_start(seconds: str) -> None:
    (fault,) = faults(PIN_LIFE_SECONDS=seconds)

    assert fault == "TRADAN_PIN_LIFE_SECONDS must be a whole number of seconds from 120 to 600"


@pytest.mark.parametrize("mode", ["demo", "test"])
def test_a_short_life_is_for_made_up_people(mode: str) -> None:
    assert read(MODE=mode, PIN_LIFE_SECONDS="5").pin_life == timedelta(seconds=5)
    assert len(faults(MODE=mode, PIN_LIFE_SECONDS="4")) == 1


@pytest.mark.parametrize(("seconds", "fine"), [("0", True), ("600", True), ("601", False)])
def test_spacing_may_be_off_and_has_an_end(seconds: str, *, fine: bool) -> None:
    if fine:
        assert read(PIN_SPACING_SECONDS=seconds).pin_spacing == timedelta(seconds=int(seconds))
    else:
        assert len(faults(PIN_SPACING_SECONDS=seconds)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://gateway.example",
        "https://gateway.example:8443/sub",
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://127.8.9.1:1",
        "http://[::1]:8000",
    ],
)
def test_a_public_url_is_https_or_on_loopback(url: str) -> None:
    assert public_url(f"{url}/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway.example",
        "http://localhost.gateway.example",
        "http://127.0.0.1.gateway.example",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://2130706433",
        "ftp://localhost",
        "https://",
        "https:///path",
        "https://gateway.example?x=1",
        "https://gateway.example#x",
        "https://user@gateway.example",
        "https://user:word@gateway.example",
        "https://:word@gateway.example",
        "https://@gateway.example",
        "https://gateway.example:0",
        "https://gateway.example:99999",
        "https://gateway.example:port",
        "https://[::1",
        "gateway.example",
    ],
)
def test_any_other_public_url_is_refused(url: str) -> None:
    assert faults(PUBLIC_URL=url) == (
        "TRADAN_PUBLIC_URL must be https://HOST (http:// for loopback)",
    )


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.2", True), ("::1", True), ("0.0.0.0", False), ("::", False)],  # noqa: S104 (told from loopback)
)
def test_loopback_is_this_machine_alone(host: str, *, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("0.0.0.0:80", Bind("0.0.0.0", 80)),  # noqa: S104 (only read)
        ("[::1]:8000", Bind("::1", 8000)),
        ("localhost:65535", Bind("localhost", 65535)),
    ],
)
def test_an_address_is_read(text: str, bind: Bind) -> None:
    assert read(BIND=text).bind == bind
    assert str(read(METRICS_BIND=text).metrics_bind) == text


@pytest.mark.parametrize("text", [":80", "host", "host:", "host:65536", "host:-1", "host:٨٠"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert faults(BIND=text) == ("TRADAN_BIND must be HOST:PORT",)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/d", "what://"])
def test_a_database_is_a_sqlite_file_or_postgresql(url: str) -> None:
    assert len(faults(DATABASE_URL=url)) == 1


@pytest.mark.parametrize("url", ["postgres://db/tradan", "postgresql://db/tradan"])
def test_both_spellings_of_postgresql_are_taken(url: str) -> None:
    assert read(DATABASE_URL=url).database_url.get_backend_name() == "postgresql"


def test_a_bare_file_name_lies_in_the_state_folder(tmp_path: Path) -> None:
    settings = read(STATE_DIR=str(tmp_path), DATABASE_URL="other.db")

    assert settings.database_url == sa.URL.create("sqlite", database=str(tmp_path / "other.db"))


def test_a_password_does_not_print_itself() -> None:
    settings = read(DATABASE_URL="postgresql://tradan:hunter2@db/tradan")

    assert "hunter2" not in repr(settings)
