"""A place whose content takes its time says what is computed, until something stands there."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from explorer.blocks.nothing_yet import Place

    place = Place("maps", lambda: 120)
    place.say("computing 1 of 2 …")
    place.say("computing 2 of 2 …")
    if st.session_state.get("computed"):
        place.content().markdown("the maps")


def test_a_place_says_how_far_its_content_is_only_until_it_stands_there() -> None:
    app = AppTest.from_function(page, default_timeout=180).run()
    assert [text.value for text in app.caption] == ["computing 2 of 2 …"]
    app.session_state["computed"] = True
    app.run()
    assert ([text.value for text in app.caption], [text.value for text in app.markdown]) == ([], ["the maps"])
    app.session_state["computed"] = False
    assert not app.run().caption, "what stands there stays until its successor comes"
