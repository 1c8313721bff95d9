"""The documents, read as the tests need them: pages, links, code, tables, examples."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PROGRAM = re.compile(r"(?:\S+/)?python3? app\.py ?(.*)")
_END_OF_COMMAND = frozenset({">", "<", "|", "&&", "&"})


def name_of(page: Path) -> str:
    """Return a page's path within the project."""
    return page.relative_to(ROOT).as_posix()


def fenced(page: Path, language: str | None = None) -> list[str]:
    """Return the blocks of code of a page, of one language if it is named."""
    blocks = _FENCED.findall(page.read_text())
    return [text for name, text in blocks if language is None or name == language]


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCED.sub("", page.read_text())


def spans(page: Path) -> list[str]:
    """Return what stands in backticks in a page's prose."""
    return _SPAN.findall(prose(page))


def links(page: Path) -> list[str]:
    """Return where a page's links lead."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the names that a page's headings have in links."""
    titles = _HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def rows(page: Path, first: str) -> list[list[str]]:
    """Return the rows of the table whose header begins with *first*."""
    table = re.search(
        rf"^\| {re.escape(first)} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE
    )
    assert table, f"{name_of(page)} has no table of {first}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def examples() -> Iterator[tuple[str, str]]:
    """Yield every `python app.py …` that a page shows, with the page's name."""
    for page in PAGES:
        shown = [line for block in fenced(page) for line in _joined(block)]
        for text in (*shown, *spans(page)):
            if found := _PROGRAM.search(text):
                yield name_of(page), found[1]


def words(example: str) -> list[str]:
    """Part an example into the words that the program gets."""
    parted = shlex.split(example, comments=True)
    ends = [place for place, word in enumerate(parted) if word in _END_OF_COMMAND]
    return parted[: min(ends, default=len(parted))]


def _joined(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()
