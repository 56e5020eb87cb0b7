"""Which data sets there are at this moment, and what people call them. No streamlit here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ked.data import SOURCES, user_files


class Titles(Mapping[str, str]):
    """Name -> title of every data set: those of the table, then the visitors' own, read from the shelf each time.

    No two titles are alike, because the browser answers with the title that was chosen.
    """

    def __getitem__(self, name: str) -> str:
        return SOURCES[name].title if name in SOURCES else _own()[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*SOURCES, *user_files.listed()))

    def __len__(self) -> int:
        return len(SOURCES) + len(user_files.listed())


def _own() -> dict[str, str]:
    titles: dict[str, str] = {}
    for name, about in user_files.listed().items():
        column = f", class {user_files.harmless(about.label)[:30]}" if about.label and about.label != user_files.USUAL_LABEL else ""
        title = f"{about.file}{column}"
        titles[name] = title if title not in titles.values() else f"{title} ({name[-4:]})"
    return titles
