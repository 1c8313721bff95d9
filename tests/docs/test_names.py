"""Names that the documents give are those of the code: functions, files, settings, metrics."""

import importlib
import re
from collections.abc import Iterator, Mapping

import pytest
from prometheus_client.metrics import MetricWrapperBase

from cli import exits
from core import log, metrics
from core.settings import PREFIX, Settings
from sms.dispatch import ReplyState
from sms.inbound import State
from tests.docs import pages

README = pages.ROOT / "README.md"
OPERATIONS = pages.ROOT / "docs/operations.md"
LIFE = pages.ROOT / "docs/life-of-a-message.md"
PACKAGES = ("benchmark", "billing", "cli", "console", "core", "journal", "phone", "records", "sms")
DOTTED = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
FILE = re.compile(rf"(?:{'|'.join(PACKAGES)}|tests|migrations|docs)/[\w/.-]*")
SOURCES = "\n".join(
    path.read_text() for package in PACKAGES for path in (pages.ROOT / package).rglob("*.py")
)
SPANS = [(pages.name_of(page), span) for page in pages.PAGES for span in pages.spans(page)]


def is_event(name: str) -> bool:
    """Tell whether the code logs an event of this name."""
    return f'"{name}"' in SOURCES


def resolve(name: str) -> object:
    """Find a module or something in one by its dotted name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize(
    ("page", "name"),
    sorted({pair for pair in SPANS if DOTTED.fullmatch(pair[1]) and not is_event(pair[1])}),
)
def test_what_is_named_in_the_code_is_there(page: str, name: str) -> None:
    assert resolve(name) is not None


def test_every_file_that_is_named_exists() -> None:
    named = {(page, span) for page, span in SPANS if FILE.fullmatch(span)}

    assert named
    assert (
        sorted(
            pair
            for pair in named
            if not (pages.ROOT / pair[1]).exists() and not (pages.ROOT / f"{pair[1]}.py").exists()
        )
        == []
    )


class Recorder(Mapping[str, str]):
    """An empty environment that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def settings_table() -> dict[str, str]:
    return {row[0].strip("`"): row[1].strip("`") for row in pages.rows(README, "variable")}


def test_the_table_of_settings_is_complete() -> None:
    environment = Recorder()
    Settings.from_env(environment)

    assert set(settings_table()) == environment.asked
    assert len(settings_table()) == len(Settings.__dataclass_fields__)


def test_the_defaults_are_those_of_the_table() -> None:
    told = {name: default for name, default in settings_table().items() if default}

    assert Settings.from_env(told) == Settings.from_env({})


def test_no_page_names_a_setting_that_is_not_there() -> None:
    known = {*settings_table(), "TRADAN_TEST_POSTGRES"}
    named = {
        name for page in pages.PAGES for name in re.findall(rf"{PREFIX}[A-Z_]+", page.read_text())
    }

    assert named <= known


def test_the_table_of_exit_codes_is_the_programs() -> None:
    told = {int(row[0]) for row in pages.rows(README, "code")}
    codes = {
        value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)
    }

    assert told == codes | {0}


def exposed() -> set[str]:
    """Return the service's metrics by the names under which Prometheus sees them."""
    ours = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for collector in ours
        for family in collector.collect()
    }


def test_the_table_of_metrics_is_complete() -> None:
    assert {row[0].strip("`") for row in pages.rows(OPERATIONS, "metric")} == exposed()


def test_no_page_names_a_metric_that_is_not_there() -> None:
    named = {
        name
        for page in pages.PAGES
        for name in re.findall(r"\btradan_[a-z_]+[a-z]\b", page.read_text())
    }

    assert named <= exposed()


def test_the_table_of_log_fields_is_the_allow_list() -> None:
    named = [
        name for row in pages.rows(OPERATIONS, "field") for name in re.findall(r"`(\w+)`", row[0])
    ]

    assert sorted(named) == sorted(log.ALLOWED)


def test_log_events_that_are_named_are_logged() -> None:
    text = pages.prose(OPERATIONS)
    named = set(re.findall(r"`((?:\w+)\.[a-z_-]+)`", text)) - {
        "pepper.key",
        "log.key",
    }
    events = {name for name in named if not (pages.ROOT / name).exists()}

    assert "disclosure.stopped" in events
    assert sorted(name for name in events if f'"{name}"' not in SOURCES) == []


def test_alarms_that_are_named_are_raised() -> None:
    kinds = [
        kind for row in pages.rows(OPERATIONS, "`kind` of an alarm") for kind in row[0].split(", ")
    ]
    raised = set(re.findall(r'ALARMS\.labels\(\s*"([\w-]+)"', SOURCES)) | {
        "journal-fault",  # the trips raise their reason
        "register-fault",
    }

    assert {kind.strip("`") for kind in kinds} == raised


def test_the_ends_are_those_of_the_rows() -> None:
    messages = {row[0].strip("`") for row in pages.rows(LIFE, "a message ends as")}
    replies = {row[0].strip("`") for row in pages.rows(LIFE, "a reply ends as")}

    assert messages == set(State) - {State.RECEIVED}
    assert replies == set(ReplyState) - {ReplyState.QUEUED, ReplyState.SENDING}


def test_nothing_is_to_be_done_by_hand_in_the_database() -> None:
    assert [page for page in pages.PAGES if pages.fenced(page, "sql")] == []
