"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

from tests.docs import pages

SOURCES = [
    path
    for path in (*pages.ROOT.glob("*.py"), *pages.ROOT.glob("*/**/*.py"))
    if not {".venv", "node_modules", "var"}.intersection(path.relative_to(pages.ROOT).parts)
]


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in pages.links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in pages.anchors(target)):
            lost.append(link)

    assert lost == []


def test_every_decision_that_is_cited_is_written_down() -> None:
    numbers = {path.name[:4] for path in (pages.ROOT / "docs/adr").glob("*.md")}
    cited = {
        number
        for path in (*SOURCES, *pages.PAGES)
        for number in re.findall(r"ADR ([0-9]{4})", path.read_text())
    }

    assert cited
    assert cited <= numbers


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (pages.ROOT / "docs/adr").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    "part", ["Context", "Decision", "Consequences", "Alternatives", "References"]
)
def test_a_decision_has_all_its_parts(part: str) -> None:
    decisions = (pages.ROOT / "docs/adr").glob("*.md")

    assert [path.name for path in decisions if f"\n## {part}\n" not in path.read_text()] == []


def test_every_document_that_the_code_names_exists() -> None:
    named = {
        name
        for path in SOURCES
        for name in re.findall(r"\b(?:docs/)?[\w/-]+\.md\b", path.read_text())
        if "tests" not in path.parts
    }

    assert sorted(name for name in named if not (pages.ROOT / name).exists()) == []
