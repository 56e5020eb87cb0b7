"""Agreement of pixel maps: every form against its definition written out, nets whose pixels are known, and a whole test set in chunks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from attribution_samples import C, D, black_box, explaining, linear, picture_question, question
from cnn_samples import SHAPE, mixed_up, pictures, small_stack
from scipy.stats import spearmanr
from torch import Tensor

from ked.agreements import ALL, FIDELITY, MAPS, MEASURES, Survey, kind_of, map_measures, survey
from ked.agreements.map_similarity import SIGMA, WINDOW, PixelMaps, overlap, smooth, ssim, strongest
from ked.agreements.similarity import ranks
from ked.agreements.survey import another
from ked.attribution import attribute
from ked.maps import gradient_times_input
from ked.matching import match, match_by_number
from ked.nets.stack import Stack
from ked.nets.subnets import mlp

BOTH = ("own", "gradient")
SIDES = (9, 13)  # smaller than a window one way, larger the other


def drawn(seed: int, count: int = 3, sides: tuple[int, ...] = SIDES) -> Tensor:
    return torch.randn(count, math.prod(sides), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# The forms


def slow_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Equation 13 of Wang et al. 2004 pixel by pixel, sums written out over the part of the window that is in the picture."""
    a, b = ((one / np.abs(one).max() + 1) / 2 for one in (a, b))
    height, width = a.shape
    c1, c2 = 0.01**2, 0.03**2
    total = 0.0
    for row, column in itertools.product(range(height), range(width)):
        weights, here, there = [], [], []
        for i, j in itertools.product(range(height), range(width)):
            if max(abs(i - row), abs(j - column)) <= WINDOW // 2:
                weights.append(math.exp(-((i - row) ** 2 + (j - column) ** 2) / (2 * SIGMA**2)))
                here.append(a[i, j])
                there.append(b[i, j])
        w, p, q = (np.array(one) for one in (weights, here, there))
        w /= w.sum()
        mp, mq = (w * p).sum(), (w * q).sum()
        vp, vq, cov = (w * (p - mp) ** 2).sum(), (w * (q - mq) ** 2).sum(), (w * (p - mp) * (q - mq)).sum()
        total += (2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2))
    return total / (height * width)


def structure_of(a: Tensor, b: Tensor, sides: tuple[int, ...] = SIDES) -> Tensor:
    return ssim(PixelMaps(a, sides).structure, PixelMaps(b, sides).structure)


@pytest.mark.parametrize("sides", [SIDES, (4, 3), (16, 12)])
def test_structural_similarity_is_the_papers_equation_window_by_window(sides: tuple[int, ...]) -> None:
    a = drawn(1, sides=sides)
    b = 0.5 * a + drawn(2, sides=sides)
    found = structure_of(a, b, sides)
    for n in range(3):
        assert float(found[n]) == pytest.approx(slow_ssim(a[n].view(sides).numpy(), b[n].view(sides).numpy()))


def test_structural_similarity_is_symmetric_at_most_one_for_the_same_map_on_any_scale_and_below_zero_for_its_negative() -> None:
    a, b = drawn(3), drawn(4)
    torch.testing.assert_close(structure_of(a, b), structure_of(b, a))
    assert float(structure_of(a, b).abs().max()) < 0.5
    torch.testing.assert_close(structure_of(a, 7 * a), torch.ones(3, dtype=torch.float64))
    assert float(structure_of(a, -a).max()) < -0.3
    assert float(structure_of(a, 0 * a).abs().max()) < 0.2
    torch.testing.assert_close(structure_of(0 * a, 0 * a), torch.ones(3, dtype=torch.float64))


def test_flat_maps_differ_by_their_height_alone() -> None:
    one = torch.ones(1, 30, dtype=torch.float64)
    expected = 0.01**2 / (1 + 0.01**2)  # white and black, no variance
    assert float(structure_of(one, -one, (5, 6))) == pytest.approx(expected)


def test_a_map_that_is_moved_by_a_pixel_keeps_more_of_its_structure_than_one_that_is_shuffled() -> None:
    blob = torch.exp(-((torch.arange(12.0)[:, None] - 5) ** 2 + (torch.arange(12.0) - 6) ** 2) / 8).double()
    moved, shuffled = blob.roll(1, dims=1), blob.flatten()[torch.randperm(144, generator=torch.Generator().manual_seed(0))]
    near, far = (float(structure_of(blob.flatten(), other.flatten(), (12, 12))) for other in (moved, shuffled))
    assert near > 0.75
    assert far < 0.3


def test_ranks_and_the_strongest_tenth_are_those_of_sorting_ties_too() -> None:
    a = torch.randint(0, 9, (4, 57), generator=torch.Generator().manual_seed(5)).double()
    b = drawn(6, 4, (57,))
    found = (PixelMaps(a, (57,)).rank_directions * PixelMaps(b, (57,)).rank_directions).sum(-1)
    for n in range(4):
        assert float(found[n]) == pytest.approx(spearmanr(a[n], b[n]).statistic)
        assert ranks(a)[n].tolist() == [sum(a[n] < v) + (sum(a[n] == v) - 1) / 2 - 28 for v in a[n]]
    places = [set(sorted(range(57), key=lambda d, n=n: -float(b[n, d]))[:6]) for n in range(4)]  # type: ignore[misc]
    shared = overlap(strongest(b[:-1]), strongest(b[1:]))
    for n in range(3):
        assert float(shared[n]) == pytest.approx(len(places[n] & places[n + 1]) / len(places[n] | places[n + 1]))
    torch.testing.assert_close(strongest(a).sum(-1), torch.full((4,), 6, dtype=torch.float64))


def test_a_pixels_channels_are_added_up() -> None:
    values = drawn(7, 2, (3, 4, 5))
    assert torch.equal(PixelMaps(values, (3, 4, 5)).values, values.view(2, 3, 20).sum(1))
    assert torch.equal(PixelMaps(values, (60,)).values, values)


# The maps


def test_gradient_maps_are_captums_of_every_replica() -> None:
    for stack in (explaining(), black_box(), explaining("tanh")):
        found = gradient_times_input(stack, question(stack).x, question(stack).target)
        for k in range(2):
            torch.testing.assert_close(found[k], attribute("input-x-gradient", question(stack, k)))
        assert all(parameter.grad is None for parameter in stack.parameters())


def test_maps_of_a_convolutional_net_are_those_of_the_attributions() -> None:
    student, teacher = (mixed_up(small_stack("small-cnn", replicas=n)).eval() for n in (2, 1))
    x, shape = pictures(6), teacher.shape
    found = survey(student, teacher, x, torch.zeros(6, dtype=torch.int64), pairs=match_by_number(3, 3), tau=2.0, shape=shape, maps=BOTH)
    target = teacher(x)[0].argmax(-1).tolist()
    parts = [range(math.prod(SHAPE))]
    for kind, method in (("own", "own"), ("gradient", "input-x-gradient")):
        theirs = PixelMaps(attribute(method, picture_question(teacher, x, target, parts)), shape)
        for k in range(2):
            mine = PixelMaps(attribute(method, picture_question(student.replica(k), x, target, parts)), shape)
            expected = ssim(mine.structure, theirs.structure).numpy()
            np.testing.assert_allclose(found.samples[f"{kind}-structure"][k], expected, rtol=1e-4, atol=1e-6)


# A whole test set

N = 40
X = torch.rand(N, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
LABELS = torch.randint(0, C, (N,), generator=torch.Generator().manual_seed(2))
LAYOUT = (2, 4)


def compared(student: Stack, teacher: Stack, *, black: bool = False, **options: object) -> Survey:
    pairs = None if black else match(student.groups, teacher.groups)
    options = {"shape": LAYOUT, "maps": BOTH} | options
    return survey(student, teacher, X, LABELS, pairs=pairs, tau=3.0, **options)  # type: ignore[arg-type]


def test_streamed_it_is_what_the_attribution_methods_give_sample_by_sample_and_so_is_chance() -> None:
    student, teacher = explaining(), explaining(replicas=1)
    student.reset([5, 6])
    found, others = compared(student, teacher, chunk=7, seed=3), another(N, 3).tolist()
    target = teacher(X)[0].argmax(-1).tolist()
    for kind, method in (("own", "own"), ("gradient", "input-x-gradient")):
        theirs = attribute(method, question(teacher, x=X, target=target)).numpy()
        for k in range(2):
            mine = attribute(method, question(student, k, x=X, target=target)).numpy()
            for n in range(N):
                for other, table in ((n, found.samples), (others[n], found.chance)):
                    a, b = mine[n], theirs[other]
                    assert table[f"{kind}-ranks"][k, n] == pytest.approx(spearmanr(a, b).statistic, abs=1e-6)
                    assert table[f"{kind}-structure"][k, n] == pytest.approx(slow_ssim(a.reshape(LAYOUT), b.reshape(LAYOUT)), abs=1e-6)
                    if kind == "gradient":  # no ties: one of the eight pixels is the strongest tenth
                        assert table["gradient-top"][k, n] == float(a.argmax() == b.argmax())


def test_the_size_of_the_chunks_does_not_matter_and_other_measures_are_what_they_are_without_maps() -> None:
    student, teacher = explaining(), explaining(replicas=1)
    whole, pieces, bare = compared(student, teacher), compared(student, teacher, chunk=9), compared(student, teacher, maps=())
    for name in MEASURES | FIDELITY:
        np.testing.assert_allclose(whole.samples[name], bare.samples[name], rtol=1e-5, atol=1e-6)
    for name in whole.samples:
        np.testing.assert_allclose(whole.samples[name], pieces.samples[name], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(whole.chance[name], pieces.chance[name], rtol=1e-5, atol=1e-6)
    assert set(whole.samples) - set(bare.samples) == set(MAPS)
    assert not set(MAPS) & set(whole.cells)


def test_a_net_has_the_maps_of_itself_and_an_unrelated_one_those_of_another_sample() -> None:
    teacher = explaining(replicas=1)
    itself = compared(teacher, teacher)
    for name in MAPS:
        assert itself.samples[name] == pytest.approx(1, abs=1e-6)
    for name in ("gradient-ranks", "gradient-top", "gradient-structure"):
        assert itself.chance_mean(name)[0] < 0.9
    student, other = mlp(49, (20,), C, replicas=3).double(), explaining(groups=[range(49)], replicas=1)
    x, y = torch.randn(400, 49, dtype=torch.float64), torch.zeros(400, dtype=torch.int64)
    found = survey(student, other, x, y, pairs=None, tau=2.0, shape=(7, 7), maps=BOTH)
    for name, level in (("gradient-ranks", 0.0), ("gradient-top", 0.055), ("gradient-structure", 0.0)):
        assert float(found.mean(name).mean()) == pytest.approx(level, abs=0.12), name
        assert found.mean(name).mean() == pytest.approx(found.chance_mean(name).mean(), abs=0.12), name


def test_nets_that_look_at_the_same_pixels_agree_where_and_others_do_not() -> None:
    """Logits that are a weighted sum of the pixels: the gradient map is weight times pixel."""

    def looking_at(pixel: int, strength: float) -> Stack:
        weights = torch.zeros(C, D, dtype=torch.float64)
        weights[0, pixel], weights[1, pixel] = strength, -strength
        return linear(weights)

    teacher, students = looking_at(2, 3.0), (looking_at(2, 1.0), looking_at(5, 1.0))
    same, elsewhere = (survey(student, teacher, X, LABELS, pairs=None, tau=1.0, shape=(D,), maps=BOTH) for student in students)
    assert same.mean("gradient-top") == pytest.approx([1])
    assert same.mean("gradient-ranks") == pytest.approx([1])
    assert elsewhere.mean("gradient-top") == pytest.approx([0])
    assert elsewhere.mean("gradient-ranks").max() < 0


def test_a_superfeature_counts_by_its_pixels_and_nets_with_other_superfeatures_have_maps_over_the_same_pixels() -> None:
    teacher, student = explaining(replicas=1), explaining(groups=((0, 1, 2, 3), (4, 5, 6, 7)))
    found = compared(student, teacher)
    target = teacher(X)[0].argmax(-1).tolist()
    mine = attribute("own", question(student, 1, x=X, target=target))
    theirs = attribute("own", question(teacher, x=X, target=target))
    for n in range(N):
        assert found.samples["own-ranks"][1, n] == pytest.approx(spearmanr(mine[n], theirs[n]).statistic, abs=1e-6)


@pytest.mark.parametrize(
    ("shape", "black", "expected"),
    [
        (LAYOUT, False, set(MAPS)),
        (LAYOUT, True, {"gradient-ranks", "gradient-top", "gradient-structure"}),
        ((D,), False, {"own-ranks", "own-top", "gradient-ranks", "gradient-top"}),
        ((D,), True, {"gradient-ranks", "gradient-top"}),
    ],
)
def test_a_black_box_has_gradients_only_and_a_table_no_structure(shape: tuple[int, ...], black: bool, expected: set[str]) -> None:
    student = black_box() if black else explaining()
    found = compared(student, explaining(replicas=1), black=black, shape=shape)
    assert set(found.samples) & set(MAPS) == expected == set(map_measures(shape, explains=not black))
    only = compared(student, explaining(replicas=1), black=black, shape=shape, maps=("own",))
    assert set(only.samples) & set(MAPS) == {name for name in expected if kind_of(name) == "own"}


def test_every_measure_has_a_name_of_its_own_and_a_description() -> None:
    assert len(ALL) == len(MEASURES) + len(MAPS) + len(FIDELITY)
    assert {kind_of(name) for name in MEASURES | FIDELITY} == {""}
    for measure in MAPS.values():
        assert measure.more_is_better
        assert measure.description.endswith(".")


def test_a_window_of_structure_is_eleven_pixels_wide_as_published() -> None:
    """Wang et al. 2004: an 11 x 11 circular-symmetric Gaussian of 1.5 pixels; other widths give other numbers."""
    point = torch.zeros(21, 21, dtype=torch.float64)
    point[10, 10] = 1.0
    assert int((smooth(point) > 0).sum()) == 11 * 11
    assert float(smooth(point)[10, 15] / smooth(point)[10, 10]) == pytest.approx(math.exp(-(5**2) / (2 * 1.5**2)), rel=0.01)


def test_a_student_is_asked_about_what_its_teacher_answers_and_not_about_its_own_answer() -> None:
    """Of opposite logits the maps of one and the same class are opposite, and the answers differ."""
    weights = torch.randn(C, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    teacher, student = linear(weights), linear(-weights)
    assert not bool((teacher(X)[0].argmax(-1) == student(X)[0].argmax(-1)).any())
    found = survey(student, teacher, X, LABELS, pairs=None, tau=1.0, shape=(D,), maps=BOTH)
    np.testing.assert_allclose(found.samples["gradient-ranks"], -1.0, atol=1e-6)
