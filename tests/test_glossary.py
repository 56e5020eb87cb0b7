"""Every word of the field is explained in at most twenty words, in the order in which one needs it."""

from __future__ import annotations

import pytest
from visitor import visit

from explorer.words.glossary import GLOSSARY, spoken


@pytest.mark.parametrize("term", GLOSSARY)
def test_twenty_words_are_enough(term: str) -> None:
    assert len(GLOSSARY[term].split()) <= 20
    assert GLOSSARY[term].endswith(".")


def test_every_page_has_them_within_reach() -> None:
    told = "\n".join(text.value for text in visit("explain").markdown)
    assert all(f"**{term}**" in told for term in GLOSSARY)


def test_a_term_is_known_by_each_of_its_forms() -> None:
    forms = [form for found, _, _ in spoken() for form in found]
    assert {"KD", "knowledge distillation", "τ", "W", "superfeature"} <= set(forms)
    assert len(forms) == len(set(forms))
