"""Quality of maps on nets whose important features are known; the sanity check; and how alike two maps are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from attribution_samples import GROUPS, REFERENCE, C, D, explaining, linear, question
from scipy.stats import spearmanr
from torch import Tensor

from ked.agreements.map_similarity import PixelMaps, ssim
from ked.attribution import ATTRIBUTIONS, Question, Reference, attribute, refusal
from ked.attribution.likeness import likeness
from ked.attribution.quality import NEIGHBOURS, RADIUS, Curve, area, curve, infidelity, max_sensitivity, measure
from ked.attribution.sanity import THRESHOLD, Verdict, sanity
from ked.data import load
from ked.errors import InvalidInput
from ked.explanation import centre
from ked.store import Run

IMPORTANT = (2, 5)  # the only features that this net looks at


def known() -> tuple[Question, Tensor]:
    """A linear net that looks at two features, both of which speak for the class; and its exact map."""
    weights = torch.zeros(C, D, dtype=torch.float64)
    weights[0, list(IMPORTANT)] = torch.tensor([6.0, 3.0], dtype=torch.float64)
    reference = Reference(torch.zeros(D, dtype=torch.float64), 0.3)
    asked = question(linear(weights), x=torch.ones(1, D, dtype=torch.float64), target=[0], reference=reference)
    return asked, attribute("integrated-gradients", asked)


# Deletion and insertion


def test_the_curves_are_those_of_a_loop_over_features() -> None:
    asked = question(explaining(), 1)
    values = torch.randn(3, D, dtype=torch.float64)
    for insert in (False, True):
        shares, found = curve(asked, values, insert)
        assert shares.tolist() == [i / D for i in range(D + 1)]
        for b, c in enumerate(asked.target.tolist()):
            for gone in range(D + 1):
                first = sorted(range(D), key=lambda d, b=b: -float(values[b, d]))[:gone]  # type: ignore[misc]
                sample = (REFERENCE.baseline if insert else asked.x[b]).clone()
                for d in first:
                    sample[d] = asked.x[b, d] if insert else REFERENCE.baseline[d]
                said = asked.stack(sample[None])[1, 0].softmax(-1)[c]
                assert float(found[b, gone]) == pytest.approx(float(said.detach()))


def test_the_area_of_a_curve_is_its_trapezoids() -> None:
    assert float(area((torch.tensor([0.0, 0.5, 1.0]), torch.tensor([[1.0, 0.5, 0.0]])))[0]) == pytest.approx(0.5)
    assert float(area((torch.tensor([0.0, 0.25, 1.0]), torch.tensor([[1.0, 0.0, 0.0]])))[0]) == pytest.approx(0.125)


def test_no_order_beats_that_of_the_important_features() -> None:
    asked, exact = known()
    deletion, insertion = [], []
    for pair in itertools.permutations(range(D), 2):
        values = torch.zeros(1, D, dtype=torch.float64)
        values[0, list(pair)] = torch.tensor([2.0, 1.0], dtype=torch.float64)
        deletion.append(float(area(curve(asked, values, False))[0]))
        insertion.append(float(area(curve(asked, values, True))[0]))
    best = [float(area(curve(asked, exact, insert))[0]) for insert in (False, True)]
    assert best[0] <= min(deletion) + 1e-9
    assert best[1] >= max(insertion) - 1e-9
    assert best[0] < float(area(curve(asked, -exact, False))[0]) - 0.2  # the important ones last


def test_curves_begin_and_end_at_sample_and_baseline_also_when_there_are_more_features_than_steps() -> None:
    groups = [range(70), range(70, 120)]
    x = torch.rand(2, 120, dtype=torch.float64)
    reference = Reference(torch.rand(120, dtype=torch.float64), 0.3)
    stack = explaining(groups=groups)
    asked = question(stack, x=x, target=(1, 2), parts=groups, shape=(10, 12), reference=reference)
    shares, deletion = curve(asked, torch.zeros_like(x), False)  # all are equal: some order is drawn
    _, insertion = curve(asked, torch.zeros_like(x), True)
    ends = [asked.net(one).softmax(-1)[[0, 1], [1, 2]] for one in (x, asked.baselines)]
    assert len(shares) == 51
    torch.testing.assert_close(torch.stack([deletion[:, 0], deletion[:, -1]]), torch.stack(ends))
    torch.testing.assert_close(torch.stack([insertion[:, -1], insertion[:, 0]]), torch.stack(ends))


def test_a_measured_map_is_the_methods_own_with_its_areas() -> None:
    asked, exact = known()
    found = measure("integrated-gradients", asked)
    assert found.values == pytest.approx(exact[0].numpy())
    assert found.infidelity == float(infidelity(asked, exact)[0])
    assert found.deletion == float(area(curve(asked, exact, False))[0])
    assert found.insertion == float(area(curve(asked, exact, True))[0])
    assert 0 < found.seconds < 5


def test_measured_curves_are_those_of_a_loop_that_takes_features_away_one_by_one_and_so_are_the_areas() -> None:
    asked = question(explaining(), 1, x=torch.rand(1, D, dtype=torch.float64), target=[2])
    found = measure("input-x-gradient", asked)
    order = np.argsort(-found.values)
    for shown, here, there in (
        (found.deleted, asked.x[0], REFERENCE.baseline), (found.inserted, REFERENCE.baseline, asked.x[0]),
    ):  # fmt: skip
        sample, heights = here.clone(), []
        for d in (None, *order):
            if d is not None:
                sample[d] = there[d]
            heights.append(float(asked.stack(sample[None])[1, 0].detach().softmax(-1)[2]))
        assert shown.shares == pytest.approx(np.arange(D + 1) / D)
        assert shown.heights == pytest.approx(heights)
        assert shown.area == pytest.approx(sum((a + b) / 2 / D for a, b in itertools.pairwise(heights)))
        assert shown.halfway == next(
            i / D for i, p in enumerate(heights) if abs(p - heights[0]) >= abs(heights[-1] - heights[0]) / 2 - 1e-12
            and (p - heights[0]) * (heights[-1] - heights[0]) >= 0
        )  # fmt: skip


def test_all_is_lost_and_all_is_won_with_the_two_features_that_the_net_looks_at() -> None:
    asked, _ = known()
    found = measure("integrated-gradients", asked)
    whole, blank = (float(asked.net(one).softmax(-1)[0, 0]) for one in (asked.x, asked.baselines))
    assert found.deleted.heights[2:] == pytest.approx([blank] * (D - 1))
    assert found.inserted.heights[2:] == pytest.approx([whole] * (D - 1))
    assert found.deleted.heights[0] == pytest.approx(whole)
    assert found.inserted.heights[0] == pytest.approx(blank)
    assert found.deleted.halfway == 2 / D  # one of the two is enough to be sure of the class
    assert found.inserted.halfway == 1 / D


def test_a_curve_that_goes_nowhere_is_halfway_at_once() -> None:
    assert Curve(np.array([0, 0.5, 1]), np.array([0.3, 0.9, 0.3])).halfway == 0


def test_a_map_that_is_zero_everywhere_has_neither_areas_nor_sensitivity() -> None:
    """Captum divides by 1 where there is no length, which looked like the best of all; the areas were those of a drawn order."""
    asked = question(linear(torch.zeros(C, D, dtype=torch.float64)), x=torch.ones(1, D, dtype=torch.float64), target=[0])
    found = measure("saliency", asked)
    assert not found.values.any()
    assert math.isnan(found.deletion)
    assert math.isnan(found.insertion)
    assert math.isnan(float(max_sensitivity("saliency", asked)[0]))


# Infidelity and max-sensitivity


def test_an_exact_map_of_a_linear_net_is_faithful_on_any_scale_and_no_other_is() -> None:
    asked, exact = known()
    assert float(infidelity(asked, exact)) < 1e-9
    assert float(infidelity(asked, 7 * exact)) < 1e-9
    assert float(infidelity(asked, exact.roll(1, dims=1))) > 0.5


def test_infidelity_takes_random_halves_of_the_features_away() -> None:
    """Of a map that says nothing, what is lost is all wrong: its mean square over sets in which each feature is with probability 1/2."""
    asked, exact = known()
    worth = asked.net(asked.x)[0, 0] - torch.stack([asked.net(x[None])[0, 0] for x in asked.x * (1 - torch.eye(D, dtype=torch.float64))])
    expected = float((worth.sum() / 2) ** 2 + (worth**2).sum() / 4)
    found = [float(infidelity(asked, torch.zeros_like(exact), seed)[0]) for seed in range(8)]
    assert sum(found) / len(found) == pytest.approx(expected, rel=0.2)


def test_max_sensitivity_is_that_of_a_loop_over_the_same_neighbours() -> None:
    asked = question(explaining(), x=torch.rand(1, D, dtype=torch.float64), target=[1])
    found = float(max_sensitivity("integrated-gradients", asked, seed=4))
    torch.manual_seed(4)
    radius = RADIUS * REFERENCE.spread
    noise = torch.empty(NEIGHBOURS, D).uniform_(-radius, radius)  # Captum draws in single precision
    here = attribute("integrated-gradients", asked)
    moved = []
    for one in asked.x + noise:
        there = attribute("integrated-gradients", question(asked.stack, x=one[None], target=[1]))
        moved.append(float((there - here).norm() / here.norm()))
    assert found == pytest.approx(max(moved))


def test_a_gradient_that_is_the_same_everywhere_is_not_sensitive() -> None:
    asked, _ = known()
    assert float(max_sensitivity("saliency", asked)) < 1e-9
    assert float(max_sensitivity("input-x-gradient", asked)) > 0.01


@pytest.mark.parametrize("name", [name for name in ATTRIBUTIONS if not refusal(name, explaining())])
def test_both_can_be_had_of_every_method(name: str) -> None:
    asked = question(explaining())
    for values in (infidelity(asked, attribute(name, asked)), max_sensitivity(name, asked)):
        assert values.shape == (3,)
        assert bool(torch.isfinite(values).all())
        assert float(values.min()) >= 0


# Sanity


@pytest.fixture(scope="module")
def trained(small_run: Run) -> Question:
    dataset = load("digits")
    x, stack = dataset.part("test")[0][:12], small_run.explaining()
    answers = stack(x)[0].argmax(-1)
    return Question(stack, 0, x, answers, Reference.of(dataset), stack.groups, dataset.shape)


def test_gradients_of_a_trained_net_pass_and_what_shows_the_sample_alone_fails(trained: Question) -> None:
    verdict = sanity(lambda asked: attribute("saliency", asked), trained)
    assert verdict.passes
    assert abs(verdict.correlation) < THRESHOLD
    blind = sanity(lambda asked: asked.x - asked.baselines, trained)
    assert not blind.passes
    assert blind.correlation == pytest.approx(1)


def test_the_check_is_a_loop_over_fresh_nets(trained: Question) -> None:
    found = sanity(lambda asked: attribute("input-x-gradient", asked), trained, draws=1)
    fresh = trained.stack.replica(0)
    fresh.reset([1_000_003])
    before = attribute("input-x-gradient", trained).abs()
    after = attribute(
        "input-x-gradient",
        Question(fresh, 0, trained.x, trained.target, trained.reference, trained.parts, trained.shape),
    ).abs()
    each = [spearmanr(a, b).statistic for a, b in zip(before, after, strict=True)]
    assert found.correlation == pytest.approx(np.mean(each))


def test_the_trained_net_is_left_as_it_was_and_nothing_to_say_is_no_pass(trained: Question) -> None:
    weights = [parameter.clone() for parameter in trained.stack.parameters()]
    silent = sanity(lambda asked: torch.zeros_like(asked.x), trained)
    assert math.isnan(silent.correlation)
    assert not silent.passes
    assert all((a == b).all() for a, b in zip(weights, trained.stack.parameters(), strict=True))
    assert Verdict(0.2).passes
    assert not Verdict(THRESHOLD).passes


# Likeness


def test_rank_correlation_is_scipys() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.integers(0, 6, 30).astype(float), draw.normal(size=30)
    assert likeness(a, b, [range(30)]).spearman == pytest.approx(spearmanr(a, b).statistic)


def test_a_map_is_wholly_like_itself_on_any_scale_and_opposite_to_its_negative() -> None:
    a = np.random.default_rng(1).normal(size=D)
    same, opposite = likeness(a, 3 * a, GROUPS), likeness(a, -a, GROUPS)
    assert (same.spearman, same.overlap, same.cosine) == pytest.approx((1, 1, 1))
    assert (opposite.spearman, opposite.overlap, opposite.cosine) == pytest.approx((-1, 0, -1))
    magnitudes = likeness(a, -a, GROUPS, signed=False)
    assert (magnitudes.spearman, magnitudes.overlap, magnitudes.cosine) == pytest.approx((1, 1, 1))


def test_the_cosine_is_that_of_the_sums_over_the_parts() -> None:
    a, b = np.arange(8.0), np.array([1.0, 0, 0, 2, 0, 0, 5, 0])
    sums = [[sum(one[i] for i in group) for group in GROUPS] for one in (a, b)]
    expected = sum(i * j for i, j in zip(*sums, strict=True)) / math.hypot(*sums[0]) / math.hypot(*sums[1])
    assert likeness(a, b, GROUPS).cosine == pytest.approx(expected)


def test_the_structure_of_pictures_is_compared_and_that_of_tables_is_not() -> None:
    a = np.random.default_rng(3).normal(size=48)
    assert likeness(a, 2 * a, [range(48)], shape=(3, 4, 4)).structure == pytest.approx(1)
    assert likeness(a, -a, [range(48)], shape=(6, 8)).structure < 0
    first, second = (PixelMaps(torch.from_numpy(one), (6, 8)).structure for one in (np.abs(a), np.abs(a[::-1])))
    unsigned = likeness(a, a[::-1], [range(48)], signed=False, shape=(6, 8))
    assert unsigned.structure == pytest.approx(float(ssim(first, second)))
    assert math.isnan(likeness(a, a, [range(48)], shape=(48,)).structure)


def test_features_that_tie_for_the_last_place_among_the_strongest_share_it() -> None:
    a, b = np.zeros(20), np.zeros(20)
    a[:2] = 1.0  # two of twenty are the strongest tenth
    b[:4] = 1.0  # four tie for two places: half each
    assert likeness(a, b, [range(20)]).overlap == pytest.approx(1 / 3)  # 2 x 1/2 shared, of 2 + 2 x 1/2


def test_unrelated_maps_have_about_no_correlation_and_the_overlap_of_chance() -> None:
    draw = np.random.default_rng(2)
    pairs = [likeness(draw.normal(size=100), draw.normal(size=100), [range(50), range(50, 100)]) for _ in range(300)]
    assert abs(np.mean([pair.spearman for pair in pairs])) < 0.02
    assert np.mean([pair.overlap for pair in pairs]) == pytest.approx(0.055, abs=0.01)


def test_a_map_that_says_nothing_is_like_none_and_others_are_refused(one_sentence: Callable[[str], str]) -> None:
    assert math.isnan(likeness(np.ones(D), np.arange(8.0), GROUPS).spearman)
    with pytest.raises(InvalidInput, match="8 and 7") as caught:
        likeness(np.ones(8), np.ones(7), GROUPS)
    one_sentence(str(caught.value))


def test_evidence_of_the_known_net_is_in_its_two_features_alone() -> None:
    _, exact = known()
    assert set(exact[0].abs().gt(1e-9).nonzero()[:, 0].tolist()) == set(IMPORTANT)
    weights = torch.zeros(C, D, dtype=torch.float64)
    weights[0, list(IMPORTANT)] = torch.tensor([6.0, 3.0], dtype=torch.float64)
    torch.testing.assert_close(exact[0], centre(weights.T)[:, 0])
