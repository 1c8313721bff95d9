"""What the documents tell a reader to type can be typed."""

from contextlib import suppress
from pathlib import Path

import click
import pytest

import app
from tests.docs import pages

EXAMPLES = sorted(set(pages.examples()))


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Have click read *words* as the program would, down to the verb, and run nothing."""
    context = command.make_context(command.name, list(words), parent=parent)
    rest = [*context._protected_args, *context.args]
    if isinstance(command, click.Group) and rest:
        _, verb, rest = command.resolve_command(context, rest)
        assert verb is not None
        parse(verb, rest, context)


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_an_example_is_understood(
    page: str, example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = pages.words(example)
    for word in words:
        if word.endswith((".csv", ".secret", ".toml", ".txt")):
            Path(word).touch()

    with suppress(click.exceptions.Exit):  # --help and --version are examples too
        parse(app.main, words)


def test_there_are_examples_to_try() -> None:
    assert len(EXAMPLES) > 10


def test_every_verb_is_shown_somewhere() -> None:
    shown = {pages.words(example)[0] for _, example in EXAMPLES if pages.words(example)}
    told = pages.prose(pages.ROOT / "README.md") + pages.prose(pages.ROOT / "CHANGELOG.md")

    assert [verb for verb in app._VERBS if verb not in shown and f"`{verb}`" not in told] == []


def test_what_make_is_asked_for_is_a_target() -> None:
    targets = {
        line.split(":")[0]
        for line in (pages.ROOT / "Makefile").read_text().splitlines()
        if ":" in line
    }
    asked = {
        text.split()[1]
        for page in pages.PAGES
        for text in (*pages.spans(page), *"".join(pages.fenced(page)).splitlines())
        if text.startswith("make ")
    }

    assert asked
    assert asked <= targets
