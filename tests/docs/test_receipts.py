"""The receipts and case numbers that documents and help pages show are such as there can be."""

import re

from journal import receipts
from records import cases
from tests.docs import pages

_GROUP = "[0-9A-HJKMNP-TV-Z]{4}"
_RECEIPT = re.compile(rf"\b{_GROUP}(?:-{_GROUP}){{3}}\b")
_CASE = re.compile(rf"\bcase close ({_GROUP}-{_GROUP})\b")
_HELP = sorted((pages.ROOT / "cli").glob("*.py"))
TOLD = "\n".join(page.read_text() for page in (*pages.PAGES, *_HELP))
SAMPLE = "7F3K-92TX-2VHD-WR5T"


def test_every_receipt_that_is_shown_is_one() -> None:
    shown = set(_RECEIPT.findall(TOLD))

    assert SAMPLE in shown
    assert sorted(each for each in shown if receipts.read(each) != each) == []


def test_the_code_that_citizens_are_shown_is_that_of_the_sample() -> None:
    code = receipts.code_of(SAMPLE)

    assert f"KT {code}" in (pages.ROOT / "README.md").read_text()


def test_every_case_number_that_is_shown_is_one() -> None:
    shown = set(_CASE.findall(TOLD))

    assert shown
    assert sorted(each for each in shown if cases.read_number(each) != each) == []
