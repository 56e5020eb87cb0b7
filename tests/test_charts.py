"""Figures state facts: sums that add up, colours that mean what they say, exactly the pixels and links asked for."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import bars, charts, graphs, overlays, theme
from explorer.plot import ensure_plotly

GROUPS = ((0, 1, 2, 5, 6), (3, 4, 8), (7, 9, 10, 11))
SHAPE = (3, 4)

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


def symmetric(size: int, seed: int = 0) -> np.ndarray:
    w = np.random.default_rng(seed).exponential(size=(size, size))
    w = w + w.T
    np.fill_diagonal(w, 0)
    return w


# The palette


@pytest.mark.parametrize("vision", VISION)
def test_superfeature_colours_differ_pairwise_for_every_vision(vision: str) -> None:
    pairs = itertools.combinations(theme.SUPERFEATURES, 2)
    assert min(distance(a, b, VISION[vision]) for a, b in pairs) > 0.07
    assert min(distance(a, b, VISION[vision]) for a, b in itertools.combinations(theme.SUPERFEATURES[:8], 2)) > 0.09


@pytest.mark.parametrize("vision", VISION)
def test_method_colours_differ_pairwise_for_every_vision(vision: str) -> None:
    colours = [colour for colour in theme.METHODS.values() if colour.startswith("#")]
    assert min(distance(a, b, VISION[vision]) for a, b in itertools.combinations(colours, 2)) > 0.07


def test_plain_is_grey_and_a_hint_method_has_its_base_method_s_colour() -> None:
    assert np.ptp(theme.rgb(theme.method_colour("plain"))) < 20
    assert theme.method_colour("ked+fitnet") == theme.method_colour("ked")


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
    settings = tomllib.loads((Path(__file__).parents[1] / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"][
        scheme
    ]
    grounds = [settings["backgroundColor"], settings["secondaryBackgroundColor"], settings["sidebar"]["backgroundColor"]]
    for text, ground in itertools.product(("textColor", "grayTextColor", "linkColor"), grounds):
        dark, light = sorted((luminance(settings[text]), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
    assert 1.05 / (luminance(settings["primaryColor"]) + 0.05) >= 4.5, "white text on a primary button"


def test_labels_are_moved_apart_and_stay_inside() -> None:
    values, sizes = [5.0, 5.1, 9.9, 0.0], [2.0, 1.0, 1.0, 1.0]
    places = theme.spread(values, sizes, 0.0, 10.0)
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
    mean, low, high = charts.interval(np.array([1.0, 2.0, 3.0, 4.0]))
    half = 3.182446 * np.std([1, 2, 3, 4], ddof=1) / 2  # t for 95 % and 3 degrees of freedom
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half), rel=1e-6)
    assert charts.interval(np.array([0.7])) == pytest.approx((0.7, 0.7, 0.7))


def test_learning_curves_draw_the_mean_and_label_each_end() -> None:
    values = np.array([[0.5, 0.7], [0.8, 0.9]])
    figure = charts.learning_curves({"ked": values}, labels={"ked": "KED"}, references={"teacher": 0.95}, epochs=10)
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


# Overlays


def test_the_mask_colours_exactly_the_pixels_of_each_group() -> None:
    pixels = overlays.superfeature_mask(GROUPS, SHAPE, image=np.linspace(0, 1, 12)).data[0].z
    for m, group in enumerate(GROUPS):
        coloured = (pixels[..., :3] == theme.rgb(theme.superfeature_colour(m))).all(-1) & (pixels[..., 3] > 0)
        assert set(np.flatnonzero(coloured).tolist()) == set(group)


def test_brighter_pixels_are_more_opaque_and_pixels_in_no_group_are_clear() -> None:
    pixels = overlays.superfeature_mask(((0, 1), (2,)), (1, 4), image=np.array([0.0, 1.0, 0.5, 1.0])).data[0].z[0]
    assert pixels[0, 3] < pixels[2, 3] < pixels[1, 3] == 255
    assert pixels[3, 3] == 0


def test_a_colour_pixel_belongs_to_the_group_of_most_of_its_channels() -> None:
    labels = overlays.pixel_labels(((0, 2, 1), (4, 3, 5)), (3, 1, 2))
    assert labels.tolist() == [[0, 1]]


def test_contributions_tint_each_pixel_with_its_group_s_phi_on_the_shared_scale() -> None:
    phi = np.array([1.0, -0.5, 0.25])
    limit = overlays.shared_limit(phi, np.array([-3.0]))
    figure = overlays.contributions(GROUPS, phi, SHAPE, np.linspace(0, 1, 12), limit=limit)
    tint = next(trace for trace in figure.data if trace.colorscale and trace.zmin is not None and trace.zmin < 0)
    assert (tint.zmin, tint.zmax) == (-3, 3)
    for m, group in enumerate(GROUPS):
        assert tint.z.reshape(-1)[list(group)] == pytest.approx(phi[m])
    assert {"1 <b>+1.00</b>", "2 <b>−0.50</b>", "3 <b>+0.25</b>"} == {a.text for a in figure.layout.annotations}


def test_a_superfeature_switched_off_is_untinted_and_says_so() -> None:
    figure = overlays.contributions(GROUPS, np.ones(3), SHAPE, np.zeros(12), limit=1, members=[True, False, True])
    assert figure.data[1].z.reshape(-1)[list(GROUPS[1])] == pytest.approx(0)
    assert "2 <b>off</b>" in {annotation.text for annotation in figure.layout.annotations}


def test_borders_run_between_the_groups_and_nowhere_else() -> None:
    figure = overlays.superfeature_mask(((0, 2), (1, 3)), (2, 2))
    borders = next(trace for trace in figure.data if trace.name == "borders")
    assert list(borders.x) == [0.5, 0.5, None, 0.5, 0.5, None]


def test_a_label_lies_inside_its_superfeature_even_for_a_ring() -> None:
    ring = np.zeros((5, 5), dtype=int)
    ring[2, 2] = 1
    place = overlays.centroid(ring, 0)
    assert place is not None
    assert ring[round(place[0]), round(place[1])] == 0


@pytest.mark.parametrize("image", [np.zeros((3, 2, 2)), np.random.default_rng(0).random((3, 2, 2))])
def test_colour_images_and_tabular_rows_are_drawn_too(image: np.ndarray) -> None:
    groups = ((0, 1, 4, 5, 8, 9), (2, 3, 6, 7, 10, 11))
    assert overlays.contributions(groups, np.array([1.0, -1.0]), (3, 2, 2), image, limit=1).data[0].type == "image"
    table = overlays.contributions(groups, np.array([1.0, -1.0]), (12,), image, limit=1, names=[f"f{d}" for d in range(12)])
    assert list(table.data[0].x) == [1.0, -1.0]
    assert "f0" in table.layout.yaxis.ticktext[0]


# The graph and the matrix


@pytest.mark.parametrize("count", [0, 1, 10, 10_000])
def test_the_edges_drawn_are_the_strongest(count: int) -> None:
    w = symmetric(12)
    figure = graphs.dependency_graph(w, GROUPS, SHAPE, edges=count)
    drawn = {tuple(pair) for trace in figure.data if trace.meta for pair in trace.meta}
    ranked = sorted(itertools.combinations(range(12), 2), key=lambda pair: -w[pair])
    assert drawn == set(ranked[:count])


def test_nodes_have_their_superfeature_s_colour_and_constant_ones_are_hollow() -> None:
    spread = np.ones(12)
    spread[[4, 7]] = 0.001
    nodes = graphs.dependency_graph(symmetric(12), GROUPS, SHAPE, spread=spread).data[-1]
    for m, group in enumerate(GROUPS):
        for feature in group:
            assert nodes.marker.line.color[feature] == theme.superfeature_colour(m)
            hollow = feature in (4, 7)
            assert nodes.marker.color[feature] == (theme.PAPER if hollow else theme.superfeature_colour(m))


def test_links_inside_a_superfeature_have_its_colour_and_others_are_grey() -> None:
    labels = overlays.feature_labels(GROUPS, 12)
    for trace in graphs.dependency_graph(symmetric(12), GROUPS, SHAPE, edges=66).data:
        for i, j in trace.meta or ():
            assert trace.line.color == (theme.superfeature_colour(labels[i]) if labels[i] == labels[j] else theme.GREY)


def test_nodes_lie_on_their_pixels() -> None:
    nodes = graphs.dependency_graph(symmetric(12), GROUPS, SHAPE).data[-1]
    assert (nodes.x[6], nodes.y[6]) == (2, 1)


def test_a_selected_node_dims_other_superfeatures_and_shows_its_own_links() -> None:
    figure = graphs.dependency_graph(symmetric(12), GROUPS, SHAPE, selected=3)
    nodes, links = figure.data[-1], figure.data[-2]
    assert {d for d in range(12) if nodes.marker.opacity[d] == 1} == set(GROUPS[1])
    assert {i for i, _ in links.meta} == {3}


def test_a_graph_of_many_links_stays_a_handful_of_traces() -> None:
    groups = tuple(tuple(range(m, 400, 4)) for m in range(4))
    assert len(graphs.dependency_graph(symmetric(400), groups, (20, 20), edges=4000).data) <= 16


def test_the_matrix_is_ordered_by_superfeature_and_a_click_gives_the_pair() -> None:
    w = symmetric(12)
    heat = graphs.dependency_blocks(w, GROUPS).data[0]
    order = graphs.matrix_order(GROUPS)
    assert heat.customdata == pytest.approx(w[np.ix_(order, order)], rel=1e-6)
    assert graphs.matrix_pair({"x": 6, "y": 1}, GROUPS) == (GROUPS[0][1], GROUPS[1][1])


def test_each_block_is_outlined_in_its_colour() -> None:
    boxes = [shape for shape in graphs.dependency_blocks(symmetric(12), GROUPS).layout.shapes if shape.line.width == 2]
    assert [(box.x0, box.x1, box.line.color) for box in boxes] == [
        (-0.5, 4.5, theme.superfeature_colour(0)),
        (4.5, 7.5, theme.superfeature_colour(1)),
        (7.5, 11.5, theme.superfeature_colour(2)),
    ]


@pytest.mark.parametrize(("size", "factor"), [(784, 1), (1568, 2)])
def test_a_large_matrix_stays_light_and_says_when_it_is_pooled(size: int, factor: int) -> None:
    w = np.random.default_rng(0).random((size, size))
    figure = graphs.dependency_blocks(w + w.T, (tuple(range(size)),))
    assert len(figure.to_json()) <= graphs.JSON_LIMIT
    assert ("largest of 2 × 2" in (figure.layout.title.text or "")) == (factor > 1)


def test_pooling_keeps_the_largest_link() -> None:
    w = np.zeros((1568, 1568))
    w[7, 1500] = 3.0
    pooled, factor = graphs.pool(w)
    assert pooled[7 // factor, 1500 // factor] == 3.0
    assert (pooled > 0).sum() == 1


def test_a_row_of_w_is_shown_where_its_pixels_are() -> None:
    w = symmetric(12)
    assert graphs.row_image(w, 3, SHAPE).data[0].customdata == pytest.approx(w[3].reshape(SHAPE), rel=1e-6)


# The library


def test_plotly_is_copied_once_and_an_old_or_damaged_copy_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "plotly-0.0.1.min.js").write_text("old", encoding="utf-8")
    target = ensure_plotly(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    whole, made = target.stat().st_size, target.stat().st_mtime_ns
    assert ensure_plotly(tmp_path).stat().st_mtime_ns == made
    target.write_text("cut off", encoding="utf-8")
    assert ensure_plotly(tmp_path).stat().st_size == whole


def test_figures_travel_as_json_with_arrays_as_bytes() -> None:
    figure = graphs.dependency_blocks(symmetric(12), GROUPS)
    assert json.loads(figure.to_json())["data"][0]["z"]["dtype"] == "u1"
    assert isinstance(figure, go.Figure)
