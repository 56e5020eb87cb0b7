"""Words that differ in their spelling alone, in capital letters, blanks and how accents are written, are one."""

from __future__ import annotations

import unicodedata

import pandas as pd

_LETTERS = 2  # that a word has at least: a and A may be two


def key(text: str) -> str:
    """The same for all spellings of a word.

    >>> key("New  York") == key("new york"), key("a") == key("A")
    (True, False)
    """
    word = " ".join(text.split())
    if not word.isascii():  # one letter, or a letter and its accent; and signs that nobody sees
        word = "".join(sign for sign in unicodedata.normalize("NFKC", word) if unicodedata.category(sign) != "Cf")
    return word.casefold() if sum(map(str.isalpha, word)) >= _LETTERS else word


def letters(texts: pd.Series) -> tuple[str, ...]:
    """The two cases of a letter that is a text by itself in both of them; none where there is no such letter."""
    found = set(texts.dropna().unique())
    return next(((one, one.lower()) for one in sorted(found) if one != one.lower() and one.lower() in found and len(one) == 1), ())


def unified(texts: pd.Series) -> tuple[pd.Series, tuple[str, ...]]:
    """The texts of a column, each word in its most frequent spelling, and the spellings of one that has several; gaps stay None."""
    counts = texts.dropna().value_counts()
    keys = pd.Series([key(text) for text in counts.index], counts.index, dtype=object)
    if keys.nunique() == len(keys):
        return texts, ()
    usual: dict[str, str] = {}
    for text in sorted(counts.index, key=lambda text: (-counts[text], text)):
        usual.setdefault(keys[text], text)
    several = next(same.index for _, same in sorted(keys.groupby(keys), key=lambda item: str(item[0])) if len(same) > 1)
    spelt = {text: usual[word] for text, word in keys.items()}
    return texts.map(spelt, na_action="ignore").astype(object).where(texts.notna(), None), tuple(sorted(several)[:3])
