"""The networks' side of their links."""

import stat
from dataclasses import replace
from pathlib import Path

from phone.links import LinkFolder
from tests.phone.played import LINK


def test_a_kept_link_is_read_back(tmp_path: Path) -> None:
    LinkFolder(tmp_path / "networks").keep(LINK)

    assert LinkFolder(tmp_path / "networks").links() == {LINK.code: LINK}


def test_only_its_owner_may_read_a_link(tmp_path: Path) -> None:
    LinkFolder(tmp_path / "networks").keep(LINK)

    paths = [tmp_path / "networks", *(tmp_path / "networks").iterdir()]
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in paths)


def test_what_another_process_changes_is_seen(tmp_path: Path) -> None:
    ours, theirs = LinkFolder(tmp_path), LinkFolder(tmp_path)
    theirs.keep(LINK)
    before = ours.links()

    theirs.keep(replace(LINK, title="Hồng Hà mới"))
    theirs.keep(replace(LINK, code="cuu-long"))

    assert before == {LINK.code: LINK}
    assert list(ours.links()) == ["cuu-long", "hong-ha"]
    assert ours.links()["hong-ha"].title == "Hồng Hà mới"


def test_a_folder_that_is_not_there_holds_no_links(tmp_path: Path) -> None:
    assert LinkFolder(tmp_path / "nowhere").links() == {}
