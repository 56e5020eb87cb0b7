"""Your own picture on the explain page, as a visitor without a browser meets it."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest
from visitor import address, buttons, figure, figures, sound, turn_to, visit

from explorer.components import draw
from explorer.components.draw import Sheet
from ked.data import load
from ked.data.drawing import as_sample
from ked.explanation import centre
from ked.store import load_run

PICTURES = {"draw.digits", "sample", "overlay-teacher", "overlay-student", "waterfall-teacher", "waterfall-student", "answers", "block"}
HOOK = np.zeros((96, 96), dtype=np.uint8)
HOOK[12:24, 24:72], HOOK[12:84, 60:72] = 255, 255


def drawn(pixels: np.ndarray = HOOK, **query: str) -> AppTest:
    """A visitor who has drawn this."""
    app = visit("superfeatures")
    app.session_state["ked.sheet"] = {pixels.shape: Sheet(pixels)}
    for key, text in {"what": "own", **query}.items():
        app.query_params[key] = text
    return sound(turn_to(app, "explain"), "explain")


def uploaded(app: AppTest, content: bytes, name: str = "hook.png") -> AppTest:
    app.file_uploader(key="widget.picture").set_value((name, content, "image/png"))
    return app.run()


def answered(app: AppTest) -> bool:
    """Whether the words begin with what the explaining teacher says of the drawing."""
    net, x = load_run("digits-preset").explaining(), as_sample(HOOK / 255, load("digits"))[None]
    with torch.no_grad():
        answer = int(net(x)[0, 0].argmax())
    return any(text.value.startswith(f"The explaining teacher says **{answer}** (") for text in app.markdown)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def bars(app: AppTest, key: str) -> np.ndarray:
    values = figure(app, key)["data"][0]["x"]
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]) if isinstance(values, dict) else np.array(values)


def sheet(app: AppTest) -> np.ndarray:
    found: np.ndarray = app.session_state["ked.sheet"][96, 96].pixels
    return found


def test_the_figures_show_what_the_nets_say_of_the_drawing() -> None:
    app = drawn(rep="3", c="7")
    assert figures(app) == PICTURES
    assert address(app) == {"what": "own", "rep": "3", "c": "7"}
    run, x = load_run("digits-preset"), as_sample(HOOK / 255, load("digits"))[None]
    for key, net in (("teacher", run.explaining()), ("student", run.student("ked").replica(3))):
        with torch.no_grad():
            phi = centre(net.explanations(x) - net.base)[0, :, 0, 7]
        assert bars(app, f"waterfall-{key}")[1:5] == pytest.approx(phi.numpy(), abs=1e-4)
    assert app.subheader[0].value == "Your picture"
    assert answered(app)


def test_an_empty_sheet_invites_and_is_not_explained() -> None:
    app = drawn(np.zeros_like(HOOK))
    assert figures(app) == {"draw.digits"}
    assert any("Draw something" in text.value for text in app.markdown)


def test_a_drawing_is_still_there_after_another_page() -> None:
    app = drawn()
    before = figure(app, "answers")
    turn_to(app, "train")
    app.query_params["what"] = "own"
    assert figure(sound(turn_to(app, "explain"), "explain"), "answers") == before


@pytest.mark.parametrize("dark", [True, False])
def test_an_uploaded_picture_goes_onto_the_sheet_whatever_its_ground(dark: bool) -> None:
    app = uploaded(drawn(np.zeros_like(HOOK)), png(HOOK if dark else 255 - HOOK))
    assert np.array_equal(sheet(app), HOOK)
    assert app.session_state["ked.sheet"][96, 96].version == 1  # so the browser shows it
    assert answered(app)


def test_a_visitor_can_say_that_the_ground_was_taken_wrongly() -> None:
    app = uploaded(drawn(np.zeros_like(HOOK)), png(HOOK))
    buttons(app, "widget.ground").set_value("light").run()
    assert not sheet(app).any()  # nothing is darker than the rim
    assert address(app)["paper"] == "light"


def test_an_upload_that_is_no_picture_is_a_sentence_and_the_sheet_stays() -> None:
    app = uploaded(drawn(), b"no picture at all")
    assert "PNG and JPEG" in app.toast[0].value
    assert np.array_equal(sheet(app), HOOK)
    assert not app.exception


def test_a_convolutional_run_shows_where_its_branches_look_in_the_drawing() -> None:
    app = drawn(run="digits-small-cnn-preset")
    assert {f"branch-{m}" for m in range(1, 5)} <= figures(app)
    other = drawn(HOOK.T, run="digits-small-cnn-preset")
    assert figure(app, "branch-1") != figure(other, "branch-1")


@pytest.mark.parametrize("told", [None, 7, "%%%", base64.b64encode(b"abc").decode(), {"pixels": ""}])
def test_what_is_no_sheet_of_this_size_is_passed_over(told: object) -> None:
    assert draw._pixels(told, 2, 2) is None


def test_a_sheet_comes_back_as_it_was_sent() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert np.array_equal(draw._pixels(base64.b64encode(pixels.tobytes()).decode(), 2, 3), pixels)
