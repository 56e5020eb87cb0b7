"""Every word of the field is explained in at most twenty words, in the order in which one needs it."""

from __future__ import annotations

import pytest
from visitor import visit

from explorer.words.glossary import GLOSSARY, explained, spoken


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


def test_the_words_of_a_text_are_explained_once_each_and_signs_by_their_case_alone() -> None:
    told = explained("Modularity of superfeatures, of a superfeature and of communities; W")
    assert told.split("  \n") == [f"**{term}**: {meaning}" for term, meaning in (
        ("modularity", GLOSSARY["modularity"]), ("superfeature", GLOSSARY["superfeature"]),
        ("community", GLOSSARY["community (communities)"]), ("dependency matrix", GLOSSARY["dependency matrix (W)"]),
    )]  # fmt: skip
    assert explained("w, of no word that is a term; datahint") == ""
