"""Convolutional nets: the laws that they share with `SubnetStack`, batch norm, devices, refusals, a short training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
import torch
from cnn_samples import FAMILIES, B, C, D, K, M, mixed_up, pictures, small_stack
from sklearn.datasets import load_digits
from torch import Tensor, nn

from ked import losses
from ked.errors import InvalidInput
from ked.methods import METHODS
from ked.nets.cnn import ConvStack, explaining_cnn
from ked.nets.cnn.blocks import BN_MOMENTUM, Norm
from ked.nets.inference import accuracy, explain, predict
from ked.nets.subnets import Predictor
from ked.training.loop import Epoch, fit


@pytest.mark.parametrize(("side", "split"), [(4, 4), (8, 8), (9, 5), (16, 8), (28, 7), (32, 8), (64, 16)])
def test_the_small_net_splits_at_a_map_fine_enough_to_look_at(side: int, split: int) -> None:
    stack = ConvStack("small-cnn", (side, side), C, superfeatures=M)
    assert stack.split(torch.rand(2, side * side)).shape == (1, M, 2, stack.width, split, split)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_total_logit_is_the_sum_less_the_base_for_all_but_one(name: str) -> None:
    stack, x = small_stack(name, replicas=K).eval(), pictures(B)
    log_y = stack.explanations(x)
    assert log_y.shape == (K, M, B, C)
    torch.testing.assert_close(log_y.exp().sum(-1), torch.ones(K, M, B, dtype=torch.float64))
    torch.testing.assert_close(stack(x), log_y.sum(1) - (M - 1) * stack.base)


def test_the_base_is_zero_unless_given() -> None:
    assert torch.equal(ConvStack("small-cnn", (8, 8), C, superfeatures=M).base, torch.zeros(C))


@pytest.mark.parametrize("superfeatures", [1, M])
@pytest.mark.parametrize("name", FAMILIES)
def test_replicas_equal_separate_nets_also_after_a_training_step(name: str, superfeatures: int) -> None:
    seeds, x, y = [5, 3], pictures(K, B), torch.randint(C, (K, B))
    stack = small_stack(name, superfeatures, K)
    stack.reset(seeds)
    alone = [small_stack(name, superfeatures) for _ in seeds]
    for net, seed in zip(alone, seeds, strict=True):
        net.reset([seed])
    for nets in ([stack], alone):
        for k, net in enumerate(nets):
            own_x, own_y = (x, y) if net is stack else (x[k : k + 1], y[k : k + 1])
            optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
            loss = losses.cross_entropy(net(own_x).log_softmax(-1).transpose(-1, -2), own_y).sum()
            loss.backward()
            optimiser.step()
            net.eval()
    for k, net in enumerate(alone):
        torch.testing.assert_close(stack(x)[k], net(x[k])[0], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(stack.replica(k)(x[k])[0], net(x[k])[0], rtol=1e-10, atol=1e-10)


def test_a_shared_batch_gives_what_a_copy_for_each_replica_gives() -> None:
    stack, x = small_stack("resnet8", replicas=K).eval(), pictures(B)
    torch.testing.assert_close(stack(x), stack(x.expand(K, B, D)))
    torch.testing.assert_close(Predictor(stack, 1)(x), stack(x)[1])  # type: ignore[arg-type]


def test_replica_is_a_copy_with_the_same_dtype_mode_and_statistics() -> None:
    stack = mixed_up(small_stack("small-cnn", replicas=K)).eval()
    one, x = stack.replica(1), pictures(B)
    assert (one.replicas, one.training, one.base.dtype) == (1, False, torch.float64)
    before = stack(x)
    for parameter in one.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(stack(x), before)


def test_a_replica_starts_from_its_own_seed_alone() -> None:
    three, one = small_stack("resnet8", replicas=3), small_stack("resnet8")
    mixed_up(three).reset([7, 3, 11])
    one.reset([3])
    for key, tensor in one.nets[0].state_dict().items():
        assert torch.equal(three.nets[1].state_dict()[key], tensor)
    first = [net.trunk[0][0].weight for net in three.nets]
    assert not torch.equal(first[0], first[1])


def test_first_weights_are_torchs_default() -> None:
    net = ConvStack("vgg8", (3, 32, 32), 10).nets[0]
    kernel, dense = net.trunk[2][0].weight.detach(), net.branches.stage.dense[0].weight.detach()
    for weight, fan_in in ((kernel, 64 * 9), (dense, 512)):
        assert float(weight.abs().max()) <= 1.0001 * fan_in**-0.5
        assert float(weight.std()) == pytest.approx((3 * fan_in) ** -0.5, rel=0.02)


@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_reach_every_parameter_of_every_branch_and_replica(name: str) -> None:
    stack = small_stack(name, replicas=K)
    objective = losses.Objective(losses.weights(METHODS["architecture"], 1.0, 1.0, 0.0, 0.0))
    log_y = stack.subnet_log_probabilities(pictures(K, 20))
    y, rows = torch.randint(C, (K, 20)), torch.arange(20).expand(K, 20)
    objective.loss(objective.terms(log_y, stack.total(log_y), y, rows)).backward()
    for key, parameter in stack.named_parameters():
        assert parameter.grad is not None, key
        lanes = parameter.grad.flatten(1) if ".stage." in key or ".head." in key else parameter.grad.flatten()[None]
        assert bool((lanes.abs().sum(1) > 0).all()), key


@pytest.mark.parametrize("name", FAMILIES)
def test_in_eval_mode_a_sample_does_not_see_its_batch(name: str) -> None:
    stack, x = mixed_up(small_stack(name, replicas=K)).eval(), pictures(B)
    together = stack.explanations(x)
    for i in range(B):
        torch.testing.assert_close(stack.explanations(x[i : i + 1])[:, :, 0], together[:, :, i])
    stack.chunk = 4
    torch.testing.assert_close(predict(stack, x), together.detach().sum(1).sub((M - 1) * stack.base).log_softmax(-1))  # type: ignore[arg-type]
    torch.testing.assert_close(explain(stack, x), together.detach())  # type: ignore[arg-type]


# --- batch norm --------------------------------------------------------------------------------------------------------


def test_each_channel_of_each_branch_is_normalised_by_itself() -> None:
    norm, h = Norm(M, 5).double(), torch.randn(B, M * 5, 4, 3, dtype=torch.float64)
    expected = (h - h.mean((0, 2, 3), keepdim=True)) / (h.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(norm(h), expected)


def test_running_statistics_are_kerass_without_its_start() -> None:
    norm, keras = Norm(1, 5).double(), nn.BatchNorm2d(5, eps=1e-3, momentum=1 - 0.99).double()
    for _ in range(40):
        h = 2 + 3 * torch.randn(B, 5, 4, 3, dtype=torch.float64)
        norm(h)
        keras(h)
    mean, variance = norm._corrected()
    start = (1 - BN_MOMENTUM) ** 40
    torch.testing.assert_close(mean[0] * (1 - start), keras.running_mean)
    torch.testing.assert_close(variance[0] * (1 - start) + start, keras.running_var)
    assert float((mean - 2).abs().max()) < 0.5  # keras.running_mean is still near 0.7


def test_a_batch_without_a_variance_is_normalised_as_in_eval_mode() -> None:
    norm = Norm(1, 5)
    one = torch.randn(1, 5, 1, 1)
    torch.testing.assert_close(norm(one), norm.eval()(one))
    assert float(norm.seen) == 0


# --- devices, precision, sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_loss_and_gradients_need_no_values_of_the_cpu(name: str) -> None:
    stack = small_stack(name, replicas=K).float().to("meta")
    log_y, maps = stack.features(torch.rand(K, B, D, device="meta"))
    (stack.total(log_y).sum() + maps.sum()).backward()
    assert all(parameter.grad is not None and parameter.grad.is_meta for parameter in stack.parameters())
    assert stack.eval()(torch.rand(B, D, device="meta")).is_meta


@pytest.mark.parametrize("name", FAMILIES)
def test_mixed_precision_goes_through(name: str) -> None:
    stack, x = small_stack(name).float().train(), torch.randn(B, D)
    exact = stack(x)
    with torch.autocast("cpu", torch.bfloat16):
        mixed, maps = stack.features(x)
        stack.total(mixed).sum().backward()
        assert stack.eval()(x).isfinite().all()
    assert maps.dtype == torch.bfloat16
    torch.testing.assert_close(stack.total(mixed.float()).transpose(-1, -2), exact, rtol=0.1, atol=0.3)
    assert all(parameter.grad is not None and parameter.grad.dtype == torch.float32 for parameter in stack.parameters())


@pytest.mark.parametrize("shape", [(8, 8), (1, 28, 28), (3, 5, 9)])
@pytest.mark.parametrize("name", FAMILIES)
def test_pictures_of_any_size_go_through(name: str, shape: tuple[int, ...]) -> None:
    stack = ConvStack(name, shape, C, superfeatures=2, width=3)
    for batch in (1, 2):
        assert stack(torch.rand(batch, math.prod(shape))).isfinite().all()
    assert stack.eval()(torch.rand(0, math.prod(shape))).shape == (1, 0, C)


@pytest.mark.parametrize("shape", [(28, 28), (3, 32, 32)])
def test_maps_lie_channels_last_from_the_first_convolution_on(shape: tuple[int, ...]) -> None:
    """Grouped convolutions are slower than a loop over branches otherwise."""
    stack, formats = ConvStack("resnet8", shape, C, superfeatures=M), []
    for layer in stack.modules():
        if isinstance(layer, Norm):
            layer.register_forward_hook(
                lambda layer, h, out: formats.append(out.is_contiguous(memory_format=torch.channels_last))
            )
    stack(torch.rand(2, math.prod(shape)))
    assert len(formats) == 8
    assert all(formats)


def test_kernels_are_the_convolutions_weights() -> None:
    stack = small_stack("wrn-10-1", replicas=K)
    expected = {name for name, parameter in stack.named_parameters() if parameter.dim() == 5}
    kernels = stack.kernels()
    assert {name for name, p in stack.named_parameters() if any(p is kernel for kernel in kernels)} == expected
    assert len(kernels) == K * (1 + 2 * 3 + 3 + 1)  # first, three blocks, their projections, split


# --- descriptions and refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("superfeatures", [1, M])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_net_is_built_again_from_its_description(name: str, superfeatures: int) -> None:
    stack = mixed_up(small_stack(name, superfeatures, K)).eval()
    again = ConvStack(**json.loads(json.dumps(stack.config))).double()
    again.load_state_dict(stack.state_dict())
    x = pictures(B)
    assert torch.equal(again.eval()(x), stack(x))


def test_superfeatures_are_a_disjoint_cover_of_the_channels_at_the_split() -> None:
    stack = small_stack("small-cnn")
    assert [i for group in stack.groups for i in group] == list(range(M * stack.width))
    assert stack.hidden == (16, 32, 5)
    assert len(small_stack("small-cnn", superfeatures=1).groups) == 1


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "an unknown net": ({"architecture": "resnet9"}, "'resnet9'.*small-cnn.*vgg13"),
    "no picture": ({"shape": (81,)}, r"\(81,\)"),
    "an empty picture": ({"shape": (0, 8)}, r"\(0, 8\)"),
    "no superfeatures": ({"superfeatures": 0}, "0 superfeatures"),
    "no channels": ({"width": 0}, "0 channels"),
    "more superfeatures than fit": ({"superfeatures": 2000}, "2000 superfeatures do not fit.*small CNN"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_net_that_makes_no_sense_is_refused(wrong: str, one_sentence: Callable[[str], str]) -> None:
    change, words = WRONG[wrong]
    with pytest.raises(InvalidInput, match=words) as caught:
        ConvStack(**({"architecture": "small-cnn", "shape": (8, 8), "classes": C} | change))  # type: ignore[arg-type]
    one_sentence(str(caught.value))


def test_samples_of_another_size_and_seeds_of_another_number_are_refused() -> None:
    stack = small_stack("small-cnn")
    with pytest.raises(InvalidInput, match=f"{D + 1} features.*{D}"):
        stack(torch.rand(B, D + 1))
    with pytest.raises(InvalidInput, match="1 replicas need as many seeds, not 3"):
        stack.reset([1, 2, 3])


# --- training ----------------------------------------------------------------------------------------------------------


def _digits() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    data = load_digits()
    x, y = torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    return (x[train], y[train]), (x[test], y[test])


@pytest.mark.parametrize("superfeatures", [1, M])
def test_a_short_training_on_digits_learns(superfeatures: int) -> None:
    train, test = _digits()
    plain = ConvStack("small-cnn", (8, 8), 10, replicas=2)
    stack = plain if superfeatures == 1 else explaining_cnn(plain, superfeatures, replicas=2)
    points = list(fit(stack, train, test, seeds=[0, 1], epochs=5, batch_size=50, lr=2e-3))  # type: ignore[arg-type]
    epochs = [point for point in points if isinstance(point, Epoch)]
    assert max(epochs[-1].loss["ce"]) < min(epochs[0].loss["ce"])
    assert min(accuracy(stack, *test)) > 0.85  # type: ignore[arg-type]
