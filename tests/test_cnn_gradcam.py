"""Grad-CAM of every branch at the split, against a loop over samples and against Captum's; and what the links of groups say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from cnn_samples import FAMILIES, SHAPE, B, C, M, mixed_up, pictures, small_stack
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.explanation import centre
from ked.nets.cnn import ConvStack
from ked.nets.cnn.channels import group_links
from ked.nets.cnn.gradcam import branch_sums, class_averages, grad_cam, grad_cam_of

H, WIDTH = SHAPE[-2:]


def _slow(stack: ConvStack, x: Tensor, k: int) -> Tensor:
    """(B, M, C, H', W') signed, a sample, branch and class at a time."""
    one = stack.replica(k).eval()
    result = []
    for sample in x:
        maps = one.split(sample[None]).detach().requires_grad_()  # (1, M, 1, f, H', W')
        log_y = one.from_split(maps)[0][0, :, :, 0]
        for m, c in itertools.product(range(stack.superfeatures), range(stack.classes)):
            target = log_y[m, c] - log_y[m].mean()
            (slope,) = torch.autograd.grad(target, maps, retain_graph=True)
            own, gradient = maps[0, m, 0].detach(), slope[0, m, 0]
            result.append(sum(gradient[i].mean() * own[i] for i in range(len(own))))
    maps = torch.stack(result)
    return maps.view(len(x), stack.superfeatures, stack.classes, *maps.shape[-2:])


@pytest.mark.parametrize("name", FAMILIES)
def test_grad_cam_is_the_weighted_sum_of_the_branchs_own_channels(name: str) -> None:
    stack, x = mixed_up(small_stack(name, replicas=2)), pictures(2)
    slow = _slow(stack, x, 1)
    for evidence, cut in {"for": slow.relu(), "against": (-slow).relu(), "signed": slow}.items():
        expected = nn.functional.interpolate(cut.flatten(1, 2), (H, WIDTH), mode="bilinear").view(2, M, C, H, WIDTH)
        torch.testing.assert_close(grad_cam(stack, x, 1, evidence=evidence), expected)


@pytest.mark.parametrize(("c", "other"), [(0, 2), (2, 1)])
def test_a_contrast_is_the_gradient_of_the_difference_of_two_classes(c: int, other: int) -> None:
    stack, x = mixed_up(small_stack("small-cnn", replicas=2)), pictures(2)
    one = stack.replica(1).eval()
    expected = []
    for sample in x:
        maps = one.split(sample[None]).detach().requires_grad_()
        log_y = one.from_split(maps)[0][0, :, :, 0]
        for m in range(M):
            (slope,) = torch.autograd.grad(log_y[m, c] - log_y[m, other], maps, retain_graph=True)
            expected.append(sum(slope[0, m, 0, i].mean() * maps[0, m, 0, i].detach() for i in range(maps.shape[3])))
    signed = torch.stack(expected).unflatten(0, (2, M))  # type: ignore[arg-type]
    for evidence, cut in {"for": signed.relu(), "against": (-signed).relu(), "signed": signed}.items():
        found = grad_cam(stack, x, 1, classes=[c], against=other, evidence=evidence)
        torch.testing.assert_close(found[:, :, 0], nn.functional.interpolate(cut, (H, WIDTH), mode="bilinear"))
    turned = grad_cam(stack, x, 1, classes=[other], against=c, evidence="against")
    torch.testing.assert_close(turned, grad_cam(stack, x, 1, classes=[c], against=other))


def test_maps_of_each_samples_own_class_are_those_of_that_class(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, x, target = mixed_up(small_stack("small-cnn", replicas=2)), pictures(B), torch.tensor([0, 2, 1, 1, 2, 0])
    whole = grad_cam(stack, x, 1, evidence="signed")
    expected = torch.stack([maps[:, c] for maps, c in zip(whole, target.tolist(), strict=True)])
    torch.testing.assert_close(grad_cam_of(stack, x, target, 1), expected)
    monkeypatch.setattr(ConvStack, "chunk", 4)
    torch.testing.assert_close(grad_cam_of(stack, x, target, 1), expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_branch_sums_are_the_sums_over_the_maps_at_the_split(name: str) -> None:
    stack, x = mixed_up(small_stack(name, replicas=2)), pictures(2)
    torch.testing.assert_close(branch_sums(stack, x, 1), _slow(stack, x, 1).sum(dim=(-2, -1)))


class _Branch(nn.Module):
    """One branch's centred log y_m of pictures, with a layer that shows the branch's own channels at the split."""

    def __init__(self, stack: ConvStack, m: int) -> None:
        super().__init__()
        self.stack, self.m, self.own = stack, m, nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        groups = self.stack.split(x)[0].detach()
        seen = self.own(groups[self.m].requires_grad_())
        groups = torch.cat([groups[: self.m], seen[None], groups[self.m + 1 :]])
        return centre(self.stack.from_split(groups[None])[0][0, self.m].T)


@pytest.mark.parametrize("m", range(M))
def test_grad_cam_is_captums(m: int) -> None:
    stack, x = mixed_up(small_stack("small-cnn")).eval(), pictures(B)
    branch = _Branch(stack, m)
    for c in range(C):
        theirs = LayerGradCam(branch, branch.own).attribute(x, target=c, relu_attributions=True)
        theirs = LayerAttribution.interpolate(theirs, (H, WIDTH), interpolate_mode="bilinear")[:, 0]
        torch.testing.assert_close(grad_cam(stack, x)[:, m, c], theirs)


def test_what_speaks_against_a_class_is_what_is_left_of_the_signed_map() -> None:
    stack, x = mixed_up(small_stack("small-cnn")), pictures(B)
    maps = {evidence: grad_cam(stack, x, evidence=evidence) for evidence in ("for", "against", "signed")}
    assert float(maps["for"].min()) >= 0
    assert float(maps["against"].min()) >= 0
    torch.testing.assert_close(maps["for"] - maps["against"], maps["signed"])


def test_signed_maps_add_up_to_nothing_over_the_classes() -> None:
    """A shift that all classes share speaks for no class."""
    stack, x = mixed_up(small_stack("resnet8")), pictures(B)
    torch.testing.assert_close(grad_cam(stack, x, evidence="signed").sum(2), torch.zeros(B, M, H, WIDTH, dtype=x.dtype))


def test_a_branch_without_gradient_looks_at_nothing_and_the_others_do_not_notice() -> None:
    stack, x = mixed_up(small_stack("small-cnn")), pictures(B)
    before = grad_cam(stack, x)
    with torch.no_grad():
        stack.nets[0].branches.head.weight[1] = 0
    after = grad_cam(stack, x)
    assert float(after[:, 1].abs().max()) == 0
    others = [m for m in range(M) if m != 1]
    assert torch.equal(after[:, others], before[:, others])


def test_a_branch_does_not_see_the_channels_of_other_groups() -> None:
    stack, x = mixed_up(small_stack("small-cnn")), pictures(B)
    before = grad_cam(stack, x, evidence="signed")
    kernels = stack.nets[0].branches.divide[0].weight  # (1, M * f, 1, 1, in)
    with torch.no_grad():
        kernels[:, list(stack.groups[2])] *= -1
    moved = (grad_cam(stack, x, evidence="signed") - before).abs().amax((0, 2, 3, 4))
    assert moved[2] > 0
    assert moved[[m for m in range(M) if m != 2]].max() == 0


def test_a_branch_that_is_sure_still_looks_at_something() -> None:
    """log y_m[c] itself saturates, which is why the target is centred over the classes."""
    stack, x = mixed_up(small_stack("small-cnn")), pictures(B)
    before = grad_cam(stack, x)
    with torch.no_grad():
        stack.nets[0].branches.head.weight.mul_(1000)
    torch.testing.assert_close(grad_cam(stack, x), 1000 * before)


def test_batches_classes_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, x = mixed_up(small_stack("small-cnn")).train(), pictures(B)
    whole = grad_cam(stack, x)
    assert stack.training  # looking leaves the net as it was
    assert all(parameter.grad is None for parameter in stack.parameters())
    torch.testing.assert_close(torch.cat([grad_cam(stack, sample[None]) for sample in x]), whole)
    torch.testing.assert_close(grad_cam(stack, x, classes=[2, 0]), whole[:, :, [2, 0]])
    monkeypatch.setattr(ConvStack, "chunk", 4)
    torch.testing.assert_close(grad_cam(stack, x), whole)
    with torch.inference_mode(False), torch.no_grad():
        torch.testing.assert_close(grad_cam(stack, x), whole)


def test_density_counts_the_pixels_of_the_map() -> None:
    stack, x = mixed_up(small_stack("small-cnn")), pictures(B)
    pixels = stack.split(x[:1]).shape[-2:].numel()
    torch.testing.assert_close(grad_cam(stack, x, density=True), pixels * grad_cam(stack, x))


def test_the_plain_form_has_one_branch() -> None:
    assert grad_cam(small_stack("small-cnn", superfeatures=1), pictures(2), classes=[0]).shape == (2, 1, 1, H, WIDTH)


@pytest.mark.parametrize(("wrong", "said"), [({"classes": [0, C]}, f"{C}"), ({"against": C}, f"{C}"), ({"evidence": "both"}, "'both'")])
def test_a_wrong_class_or_kind_of_evidence_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        grad_cam(small_stack("small-cnn"), pictures(1), **wrong)  # type: ignore[arg-type]


def test_class_averages_are_over_the_first_samples_of_each_class() -> None:
    stack, x, y = mixed_up(small_stack("small-cnn")), pictures(B), torch.tensor([0, 1, 0, 1, 0, 1])
    means = class_averages(stack, x, y, classes=[1, 2], samples=2)
    maps = grad_cam(stack, x)
    torch.testing.assert_close(means[0], (maps[1, :, 1] + maps[3, :, 1]) / 2)
    assert bool(means[1].isnan().all())  # no sample of class 2
    assert means.shape == (2, M, *SHAPE[-2:])


# Are the groups independent?


def test_links_of_groups_are_what_counting_pairs_gives() -> None:
    groups, rng = ((0, 1, 2, 3), (4, 5), (6,)), np.random.default_rng(0)
    W = rng.exponential(size=(7, 7))
    W = np.triu(W, 1) + np.triu(W, 1).T
    owner = [0, 0, 0, 0, 1, 1, 2]
    pairs = list(itertools.combinations(range(7), 2))
    found = group_links(W, groups)
    total = sum(W[i, j] for i, j in pairs)
    assert found.inside == pytest.approx(sum(W[i, j] for i, j in pairs if owner[i] == owner[j]) / total)
    assert found.chance == pytest.approx((6 + 1) / 21)
    for a, b in itertools.product(range(3), range(3)):
        links = [W[i, j] for i, j in pairs if sorted((owner[i], owner[j])) == sorted((a, b))]
        expected = np.mean(links) / (total / 21) if links else np.nan
        assert found.means[a, b] == pytest.approx(expected, nan_ok=True)


def test_independent_groups_hold_all_links_and_even_links_are_chance() -> None:
    groups = ((0, 1, 2), (3, 4))
    blocks = np.kron(np.eye(2), np.ones((3, 3)))[:5, :5] * (1 - np.eye(5))
    assert group_links(blocks, groups).inside == 1
    even = group_links(1 - np.eye(5), groups)
    assert even.inside == pytest.approx(even.chance)
    assert even.means == pytest.approx(np.ones((2, 2)))
    assert np.isnan(group_links(np.zeros((5, 5)), groups).inside)
