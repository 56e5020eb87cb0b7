"""Charts state facts: sums that add up, and colours that mean what they say for every kind of eye."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from explorer.pictures import bars, charts, theme
from explorer.pictures.curves import band, learning_curves, spread
from ked.methods import METHODS

# What a person without the red or the green cone sees, on linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def oklab(colour: str, vision: np.ndarray) -> np.ndarray:
    """Place of a #RRGGBB colour in Oklab (Ottosson 2020), where Euclidean distance is perceived difference."""
    share = np.array(theme.rgb(colour)) / 255
    linear = np.clip(vision @ np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4), 0, 1)
    cones = np.array([[0.4122215, 0.5363325, 0.0514460], [0.2119035, 0.6806995, 0.1073970], [0.0883025, 0.2817188, 0.6299787]])
    axes = np.array(
        [[0.2104543, 0.7936178, -0.0040720], [1.9779985, -2.4285922, 0.4505937], [0.0259040, 0.7827718, -0.8086758]]
    )
    return axes @ np.cbrt(cones @ linear)


def distance(a: str, b: str, vision: np.ndarray) -> float:
    return float(np.linalg.norm(oklab(a, vision) - oklab(b, vision)))


def luminance(colour: str) -> float:
    share = np.array(theme.rgb(colour)) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# The palette


@pytest.mark.parametrize("vision", VISION)
def test_superfeature_colours_differ_pairwise_for_every_vision(vision: str) -> None:
    pairs = itertools.combinations(theme.SUPERFEATURES, 2)
    assert min(distance(a, b, VISION[vision]) for a, b in pairs) > 0.07
    assert min(distance(a, b, VISION[vision]) for a, b in itertools.combinations(theme.SUPERFEATURES[:8], 2)) > 0.09


def test_hues_are_superfeatures_alone() -> None:
    inks = {*(net.colour for net in theme.METHODS.values()), *(colour for colour, _ in theme.ATTRIBUTIONS.values()), *theme.SPLITS.values()}
    assert inks == {theme.INK, theme.MUTED, theme.GREY}
    assert np.ptp(theme.rgb(theme.GREY)) < 20


def test_the_diverging_scale_is_clear_at_zero_and_symmetric() -> None:
    middle = [re.findall(r"[\d.]+", colour)[3] for place, colour in theme.DIVERGING if place == 0.5]
    assert middle == ["0", "0"]
    for value in (0.1, 0.7, 2.0, 5.0):
        against, favour = theme.diverging(-value, 2.0), theme.diverging(value, 2.0)
        assert against[3] == favour[3] == min(value / 2, 1)
        assert against[:3] == theme.NEGATIVE
        assert favour[:3] == theme.POSITIVE
    assert theme.diverging(0.0, 2.0)[3] == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_of_the_theme_passes_wcag_aa(scheme: str) -> None:
    settings = tomllib.loads((Path(__file__).parents[1] / "explorer/.streamlit/config.toml").read_text(encoding="utf-8"))["theme"][
        scheme
    ]
    grounds = [settings["backgroundColor"], settings["secondaryBackgroundColor"], settings["sidebar"]["backgroundColor"]]
    for text, ground in itertools.product(("textColor", "grayTextColor", "linkColor"), grounds):
        dark, light = sorted((luminance(settings[text]), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
    assert 1.05 / (luminance(settings["primaryColor"]) + 0.05) >= 4.5, "white text on a primary button"


def test_labels_are_moved_apart_and_stay_inside() -> None:
    values, sizes = [5.0, 5.1, 9.9, 0.0], [2.0, 1.0, 1.0, 1.0]
    places = spread(values, sizes, 0.0, 10.0)
    edges = sorted((place - size / 2, place + size / 2) for place, size in zip(places, sizes, strict=True))
    assert all(below[1] <= above[0] + 1e-9 for below, above in itertools.pairwise(edges))
    assert edges[0][0] >= 0
    assert edges[-1][1] <= 10
    assert sorted(range(4), key=lambda i: places[i]) == sorted(range(4), key=lambda i: values[i])


# One sample


@pytest.mark.parametrize("members", [None, (True, False, True), (False, False, False)])
def test_the_waterfall_adds_up_to_the_final_log_probability(members: tuple[bool, ...] | None) -> None:
    rng = np.random.default_rng(1)
    base = np.log(rng.dirichlet(np.ones(5)))
    phi = np.log(rng.dirichlet(np.ones(5), 3)) - base
    on = np.ones(3) if members is None else np.array(members, dtype=float)
    logits = base + (on[:, None] * phi).sum(0)
    expected = logits[2] - np.log(np.exp(logits).sum())
    bar = bars.waterfall(phi, base, 2, members=members).data[0]
    assert sum(bar.x[:-1]) == pytest.approx(expected, abs=1e-12)
    assert bar.x[-1] == pytest.approx(expected, abs=1e-12)
    for i in range(1, len(bar.x) - 1):
        assert bar.base[i] == pytest.approx(bar.base[i - 1] + bar.x[i - 1], abs=1e-12)


def test_the_empty_coalition_ends_where_it_began() -> None:
    base = np.log(np.array([0.2, 0.5, 0.3]))
    steps, final = bars.waterfall_steps(np.ones((4, 3)), base, 1, [False] * 4)
    assert final == pytest.approx(np.log(0.5))
    assert steps[1:] == pytest.approx(np.zeros(5), abs=1e-12)


def test_the_waterfall_of_two_classes_adds_up_to_the_difference_of_their_log_probabilities() -> None:
    rng = np.random.default_rng(2)
    phi, base = rng.normal(size=(4, 5)), np.log(rng.dirichlet(np.ones(5)))
    members = [True, False, True, True]
    log_p = base + phi[members].sum(0)
    log_p = log_p - np.log(np.exp(log_p).sum())
    steps, final = bars.waterfall_steps(phi, base, 3, members, against=1)
    assert len(steps) == 5  # no normaliser: it is the same for both classes
    assert steps.sum() == pytest.approx(final)
    assert final == pytest.approx(log_p[3] - log_p[1])
    figure = bars.waterfall(phi, base, 3, against=1, members=members)
    assert len(figure.data[0].x) == len(figure.layout.yaxis.ticktext) == 6
    assert f"{np.exp(final):.3g}×" in figure.layout.yaxis.ticktext[-1]


def test_a_lit_superfeature_keeps_its_colour_and_the_others_pale() -> None:
    bar = bars.waterfall(np.zeros((3, 4)), np.log(np.full(4, 0.25)), 0, selected=1).data[0]
    lit, others = theme.superfeature_colour(1), [theme.superfeature_colour(m) for m in (0, 2)]
    assert list(bar.marker.color)[1:4] == [theme.faded(others[0], 0.25), lit, theme.faded(others[1], 0.25)]
    assert list(bar.customdata) == [0, 1, 2, 3, 0, 0]


def test_waterfall_bars_have_their_superfeature_s_colour() -> None:
    bar = bars.waterfall(np.zeros((3, 4)), np.log(np.full(4, 0.25)), 0).data[0]
    assert list(bar.marker.color[1:4]) == [theme.superfeature_colour(m) for m in range(3)]


def test_class_probabilities_show_the_likeliest_classes_and_set_the_truth_bold() -> None:
    p = np.array([0.05, 0.6, 0.0, 0.35])
    student = np.array([0.1, 0.2, 0.05, 0.65])
    figure = bars.class_probabilities({"teacher": p, "ked": student}, ("a", "b", "c", "d"), truth=1, most=3)
    assert list(figure.data[0].x) == [0.05, 0.6, 0.35]
    assert list(figure.layout.yaxis.ticktext) == ["a", "<b>b</b>", "d"]


# Runs


def test_the_ribbon_is_the_student_t_interval_over_seeds() -> None:
    mean, low, high = band(np.array([1.0, 2.0, 3.0, 4.0]))
    half = 3.182446 * np.std([1, 2, 3, 4], ddof=1) / 2  # t for 95 % and 3 degrees of freedom
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half), rel=1e-6)
    assert band(np.array([0.7])) == pytest.approx((0.7, 0.7, 0.7))


def test_learning_curves_draw_the_mean_and_label_each_end() -> None:
    values = np.array([[0.5, 0.7], [0.8, 0.9]])
    figure = learning_curves({"ked": values}, labels={"ked": "KED"}, references={"teacher": 0.95}, epochs=10)
    line = next(trace for trace in figure.data if trace.name == "KED")
    assert list(line.x) == [1, 2]
    assert list(line.y) == pytest.approx([60, 85])
    assert tuple(figure.layout.xaxis.range) == (1, 10)
    texts = " ".join(annotation.text for annotation in figure.layout.annotations)
    assert "KED <b>85.0</b>" in texts
    assert "teacher <b>95.0</b>" in texts


def test_loss_terms_are_stacked_with_their_weights() -> None:
    terms = {"ce": np.array([2.0, 1.0]), "prediction": np.array([[0.1, 0.3], [0.2, 0.2]]), "explanation": np.array([1.0, 1.0])}
    figure = charts.loss_terms({"kd": terms}, {"kd": {"ce": 0.5, "prediction": 10.0, "explanation": 0.0}})
    assert [trace.name for trace in figure.data] == ["ce", "prediction"]
    assert list(figure.data[1].y) == pytest.approx([2.0, 2.0])
    assert any("80 %" in annotation.text for annotation in figure.layout.annotations)


def test_the_staircase_marks_the_chosen_step() -> None:
    grid = np.array([0.5, 1.0, 2.0])
    figure = charts.staircase(grid, np.array([2, 4, 7]), np.array([0.3, 0.4, 0.2]), chosen=1.3)
    assert any("<b>4</b> chosen" in annotation.text for annotation in figure.layout.annotations)


def test_every_method_has_a_sign_and_a_line_of_its_own_and_a_hint_a_dash() -> None:
    own = [name for name, method in METHODS.items() if method.hint is None]
    assert len({theme.METHODS[name].symbol for name in own}) == len(own)
    assert len({theme.METHODS[name][:2] for name in own}) == len(own)
    hinted = [name for name, method in METHODS.items() if method.hint]
    assert all(theme.method_colour(name) == theme.method_colour(name.split("+")[0]) for name in hinted)
    assert len({theme.method_dash(name) for name in ("ked", *(n for n in hinted if n.startswith("ked")))}) == 4


def test_a_student_that_goes_on_is_drawn_after_the_epochs_of_the_first() -> None:
    first, further = np.full((3, 2), 0.8), np.concatenate([np.full((3, 2), np.nan), np.full((2, 2), 0.9)])
    figure = learning_curves({"ked": first, "ked+chimera": further})
    lines = {trace.name: list(trace.x) for trace in figure.data if trace.fill is None}
    assert lines == {"ked": [1, 2, 3], "ked+chimera": [4, 5]}


def test_a_net_that_is_still_to_come_has_no_numbers_on_its_axis() -> None:
    figure = charts.loss_terms({"plain": {"ce": np.ones(3)}, "ked": {}}, {"plain": {"ce": 1.0}, "ked": {}}, epochs=3)
    assert (figure.layout.yaxis.showticklabels, figure.layout.yaxis2.showticklabels) == (True, False)


LONG = [f"measured mean reflectance of the canopy in spectral band {band} after atmospheric correction" for band in ("two", "eleven")]
SHARED = ["the year", "the yearly sum of everything that came in", "the yearly sum of everything that went out"]


def test_long_names_lose_their_middle_unless_that_is_what_tells_them_apart() -> None:
    assert theme.told_apart(["a short one", LONG[0]], 15) == ["a short one", "measure…rection"]
    assert theme.told_apart(LONG, 24) == ["…al band two after a…", "…al band eleven after a…"]
    assert theme.told_apart(SHARED, 16) == ["the year", "the year…came in", "the year…ent out"]
    assert theme.told_apart(["same", "same"], 3) == ["s…e", "s…e"]
    assert theme.told_apart(["<b>", "x"], 10) == ["&lt;b&gt;", "x"]


def test_the_last_bar_of_a_waterfall_has_a_name_that_leaves_room_and_is_whole_in_the_tooltip() -> None:
    classes = [*LONG, "third"]
    figure = bars.waterfall(np.zeros((2, 3)), np.log(np.full(3, 1 / 3)), 1, classes=classes)
    assert max(map(len, figure.layout.yaxis.ticktext[-1].removeprefix("<b>").removesuffix("</b>").split("<br>"))) <= 25
    assert figure.data[0].hovertext[-1].startswith(f"{LONG[1]}: ")
    against = bars.waterfall(np.zeros((2, 3)), np.zeros(3), 1, against=0, classes=classes)
    assert against.data[0].hovertext[-1].startswith(f"{LONG[1]} over {LONG[0]}: ")


def test_a_class_name_that_a_user_wrote_is_no_markup_and_leaves_room_for_the_bars() -> None:
    figure = bars.class_probabilities({"teacher": np.array([0.5, 0.5])}, ["<b>x</b>", "a name as long as a whole sentence"])
    first, second = figure.layout.yaxis.ticktext
    assert first == "&lt;b&gt;x&lt;/b&gt;"
    assert len(second) == 18
