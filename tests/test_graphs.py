"""Pictures of superfeatures and of W show exactly the pixels, links and blocks that they were asked for."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from explorer.pictures import graphs, overlays, theme

GROUPS = ((0, 1, 2, 5, 6), (3, 4, 8), (7, 9, 10, 11))
SHAPE = (3, 4)


def symmetric(size: int, seed: int = 0) -> np.ndarray:
    w = np.random.default_rng(seed).exponential(size=(size, size))
    w = w + w.T
    np.fill_diagonal(w, 0)
    return w


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
    assert list(borders.x) == pytest.approx([0.5, 0.5, np.nan, 0.5, 0.5, np.nan], nan_ok=True)


def test_a_label_lies_inside_its_superfeature_even_for_a_ring() -> None:
    ring = np.zeros((5, 5), dtype=int)
    ring[2, 2] = 1
    row, column = overlays.label_places(ring)[0]
    assert ring[round(row), round(column)] == 0


def test_labels_of_interleaved_superfeatures_keep_clear_of_each_other() -> None:
    labels = np.indices((8, 8)).sum(0) % 4  # diagonal stripes: every centroid is in the middle
    places = np.array(list(overlays.label_places(labels).values()))
    apart = np.abs(places[:, None] - places).max(-1) + 9 * np.eye(4)
    assert apart.min() >= 1
    assert all(labels[int(row), int(column)] == m for m, (row, column) in enumerate(places))


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


def test_a_selected_feature_without_links_is_lit_and_has_none_of_its_own() -> None:
    w = symmetric(12)
    w[3] = w[:, 3] = 0
    figure = graphs.dependency_graph(w, GROUPS, SHAPE, selected=3)
    (own,) = [trace for trace in figure.data if trace.name == "links of the selected feature"]
    assert list(own.x) == []


def test_a_selected_node_dims_other_superfeatures_and_shows_its_own_links() -> None:
    figure = graphs.dependency_graph(symmetric(12), GROUPS, SHAPE, selected=3)
    nodes, links = figure.data[-1], figure.data[-2]
    assert {d for d in range(12) if nodes.marker.opacity[d] == 1} == set(GROUPS[1])
    assert {i for i, _ in links.meta} == {3}


def test_a_lit_superfeature_stands_out_among_nodes_and_links() -> None:
    lit, plain = (graphs.dependency_graph(symmetric(12), GROUPS, SHAPE, edges=66, lit=m) for m in (1, None))
    assert [opacity == 1 for opacity in lit.data[-1].marker.opacity] == [d in GROUPS[1] for d in range(12)]
    for trace, before in zip(lit.data[:-1], plain.data[:-1], strict=True):
        assert (trace.opacity == before.opacity) == trace.name.startswith("superfeature 2")


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


@pytest.mark.parametrize("lit", [0, 1, 2])
def test_a_lit_superfeature_leaves_its_block_clear_and_its_links_to_others_clearer_than_the_rest(lit: int) -> None:
    small = graphs.small_blocks(graphs.ordered(symmetric(12), GROUPS, graphs.SMALL), lit=lit)
    figures = [graphs.dependency_blocks(symmetric(12), GROUPS, lit=lit), small]
    start = sum(len(group) for group in GROUPS[:lit])
    inside = set(range(start, start + len(GROUPS[lit])))
    for figure in figures:
        veils = [shape for shape in figure.layout.shapes if shape.fillcolor == theme.PAPER]
        for i in range(12):
            for j in range(12):
                over = [veil.opacity for veil in veils if veil.x0 < j < veil.x1 and veil.y0 < i < veil.y1]
                assert over == [] if {i, j} <= inside else over == [0.5 if {i, j} & inside else 0.85]
    assert not [shape for shape in graphs.dependency_blocks(symmetric(12), GROUPS).layout.shapes if shape.fillcolor == theme.PAPER]


def test_a_small_matrix_holds_the_largest_links_of_each_cell_and_knows_whose_row_is_whose() -> None:
    w = symmetric(12)
    what = graphs.ordered(w, GROUPS, 5)
    order = graphs.matrix_order(GROUPS)
    assert (what.factor, what.cells.shape, what.sizes) == (3, (4, 4), (5, 3, 4))
    assert what.cells[0, 3] == w[np.ix_(order[:3], order[9:])].max()
    assert [what.block(place) for place in (-2, 0, 4.4, 4.6, 7, 8, 11, 30)] == [0, 0, 0, 1, 1, 2, 2, 2]
    big = graphs.ordered(symmetric(784), (tuple(range(784)),), graphs.SMALL)
    assert len(graphs.small_blocks(big).to_json()) < 80_000


@pytest.mark.parametrize(("size", "factor"), [(784, 1), (1568, 2)])
def test_a_large_matrix_stays_light_and_says_when_it_is_pooled(size: int, factor: int) -> None:
    w = np.random.default_rng(0).random((size, size))
    figure = graphs.dependency_blocks(w + w.T, (tuple(range(size)),))
    assert len(figure.to_json()) <= graphs.JSON_LIMIT
    assert ("largest of 2 × 2" in (figure.layout.title.text or "")) == (factor > 1)


def test_pooling_keeps_the_largest_link() -> None:
    w = np.zeros((1568, 1568))
    w[7, 1500] = 3.0
    pooled, factor = graphs.pool(w, graphs.LARGE)
    assert pooled[7 // factor, 1500 // factor] == 3.0
    assert (pooled > 0).sum() == 1


def test_a_row_of_w_is_shown_where_its_pixels_are() -> None:
    w = symmetric(12)
    assert graphs.row_image(w, 3, SHAPE).data[0].customdata == pytest.approx(w[3].reshape(SHAPE), rel=1e-6)


def test_figures_travel_as_json_with_arrays_as_bytes() -> None:
    figure = graphs.dependency_blocks(symmetric(12), GROUPS)
    assert json.loads(figure.to_json())["data"][0]["z"]["dtype"] == "u1"
