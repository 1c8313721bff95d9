"""The bars that every verb keeps: help, examples, exit codes, errors in one sentence."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app import main
from cli.exits import MEANINGS, UsageFault, told_plainly
from cli.groups import LazyGroup, Program, Verb, VerbGroup
from core.errors import DecryptionError, UnavailableError
from core.settings import Settings
from journal.errors import Fault, JournalError, JournalFault

ROOT = Path(__file__).parents[2]
# What takes long to load, and no help page needs.
HEAVY = {"sqlalchemy", "alembic", "flask", "twilio", "granian", "rich", "urllib3", "cryptography"}


def verbs(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from verbs(command, (*words, name))


VERBS = dict(verbs(main))


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the real program."""
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environ}
    return subprocess.run(
        [sys.executable, "app.py", *words],
        cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_says_what_it_does_and_gives_an_example(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"])

    assert shown.exit_code == 0
    assert shown.stdout.startswith("Usage: ")
    if not isinstance(VERBS[words], VerbGroup) or words == ("demo",):
        assert f"python app.py {' '.join(words)}" in shown.stdout


@pytest.mark.parametrize(
    "words", [words for words, verb in VERBS.items() if isinstance(verb, Verb)], ids=" ".join
)
def test_every_example_can_be_copied(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"]).stdout

    examples = shown.partition("Examples:\n")[2].replace("\\\n", " ")
    lines = [line for line in examples.splitlines() if "app.py " in line]
    commands = [line.split("app.py ")[1].split() for line in lines]
    assert commands
    for given in commands:
        assert tuple(given[: len(words)]) == words
        known = {name for parameter in VERBS[words].params for name in parameter.opts}
        assert {word for word in given if word.startswith("--")} <= known


@pytest.mark.parametrize("words", [(), ("operator",), ("import",), ("journal",)], ids=str)
def test_a_group_alone_shows_its_help_and_ends_0(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, words)

    assert shown.exit_code == 0
    assert shown.stdout == CliRunner().invoke(main, [*words, "--help"]).stdout


def test_the_main_help_tells_every_setting_and_every_exit_code() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout

    for field in dataclasses.fields(Settings):
        assert f"TRADAN_{field.name.upper()}" in shown
    for code, _ in MEANINGS:
        assert f"\n  {code} " in shown


@pytest.mark.parametrize("words", [("nonsense",), ("operator", "nonsense"), ("init", "--nonsense")])
def test_what_is_not_a_verb_or_an_option_ends_2(words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(main, words)

    assert told.exit_code == 2
    assert "nonsense" in told.stderr
    assert "--help" in told.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UnavailableError("the database cannot be read"), 69, "TRADAN_DATABASE_URL"),
        (DecryptionError("a value does not open"), 3, "TRADAN_KEYS_DIR"),
        (JournalFault(Fault.TREE_MISMATCH, "the tree differs: see"), 3, "The tree differs"),
        (JournalError("it cannot"), 1, "It cannot"),
        (PermissionError(13, "Permission denied", "/srv/x"), 1, "/srv/x (Permission denied)"),
        (ValueError("0912345678"), 1, "ValueError"),
    ],
)
def test_whatever_goes_wrong_is_one_sentence(error: Exception, code: int, said: str) -> None:
    with pytest.raises(UsageFault) as caught, told_plainly():
        raise error

    assert caught.value.exit_code == code
    assert said in caught.value.message
    assert "0912345678" not in caught.value.message


def test_the_trace_is_shown_where_it_is_asked_for() -> None:
    def fail() -> None:
        message = "a bug"
        raise ValueError(message)

    broken = LazyGroup(name="x", verbs={})
    broken.add_command(click.Command("break", callback=fail))
    program = Program(name="x", verbs={}, params=[click.Option(["--debug"], is_flag=True)])
    program.add_command(broken)

    plain = CliRunner().invoke(program, ["x", "break"])
    traced = CliRunner().invoke(program, ["--debug", "x", "break"])

    assert (plain.exit_code, traced.exit_code) == (1, 1)
    assert "Traceback" not in plain.stderr
    assert "--debug" in plain.stderr
    assert "ValueError: a bug" in traced.stderr


@pytest.mark.parametrize(
    "words", [*sorted({words[:1] for words in VERBS}), ("demo", "people")], ids=" ".join
)
def test_no_help_page_waits_for_a_library(words: tuple[str, ...]) -> None:
    looked = (
        "import sys; sys.argv[0] = 'app.py'; import app\n"
        "from click.testing import CliRunner\n"
        f"assert CliRunner().invoke(app.main, {[*words, '--help']!r}).exit_code == 0\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )

    done = subprocess.run(
        [sys.executable, "-c", looked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert HEAVY & set(done.stdout.split()) == set()


def test_the_real_program_ends_as_it_says(tmp_path: Path) -> None:
    state = {"TRADAN_STATE_DIR": str(tmp_path / "var")}

    usage = run("nonsense")
    setting = run("init", TRADAN_BIND="nowhere", TRADAN_MODE="party", **state)
    wrong_state = run("operator", "list", **state)
    group = run("operator")

    codes = [done.returncode for done in (usage, setting, wrong_state, group)]
    assert codes == [2, 2, 5, 0]
    assert "TRADAN_BIND" in setting.stderr
    assert "TRADAN_MODE" in setting.stderr
    assert "init" in wrong_state.stderr
    for done in (usage, setting, wrong_state):
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "app.py", "--help"],
        cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)

    assert done.stderr == ""
