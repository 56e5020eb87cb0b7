"""The table of pages: it has all, and nobody else says where one lies."""

from __future__ import annotations

import re

from visitor import ROOT, TITLES

from explorer import navigation


def test_the_table_has_every_page_and_every_page_has_a_test() -> None:
    assert sorted(navigation.PAGES) == sorted(path.stem for path in (ROOT / "pages").glob("*.py")) == sorted(TITLES)


def test_no_other_file_leads_to_a_page_by_itself() -> None:
    by_hand = re.compile(r"pages/[\w{}]+\.py|st\.(switch_page|page_link|Page|navigation)\b")
    sources = [path for top in ("explorer", "pages") for path in (ROOT / top).rglob("*.py") if path.name != "navigation.py"]
    found = {path.relative_to(ROOT).as_posix(): by_hand.findall(path.read_text("utf-8")) for path in sources}
    assert {name for name, ways in found.items() if ways} == {"explorer/app.py"}


def test_an_address_stays_where_the_app_lies() -> None:
    assert navigation.address("train", {"run": "a&b"}) == "./train?run=a%26b"
