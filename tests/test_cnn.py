"""Convolutional nets against ordinary torch layers with the same weights, a loop over branches, and counting by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from ked import losses
from ked.cnn import ARCHITECTURES, ConvStack, architecture_named, explaining_cnn
from ked.cnn.blocks import BN_MOMENTUM, Norm
from ked.cnn.branches import matched_width
from ked.errors import InvalidInput
from ked.methods import METHODS
from ked.nets import Predictor
from ked.training import Epoch, accuracy, explain, fit, predict

B, C, M, K = 6, 3, 4, 2
SHAPE = (3, 12, 10)  # neither square nor a multiple of the strides
D = math.prod(SHAPE)
FAMILIES = ["small-cnn", "resnet8", "wrn-10-1", "vgg8"]  # one of each form; the others are deeper or wider


def _stack(name: str, superfeatures: int = M, replicas: int = 1, width: int | None = 5) -> ConvStack:
    torch.manual_seed(0)
    base = torch.randn(C).log_softmax(0)
    width = width if superfeatures > 1 else None
    return ConvStack(name, SHAPE, C, superfeatures=superfeatures, width=width, replicas=replicas, base=base).double()


def _x(*shape: int) -> Tensor:
    return torch.randn(*shape, D, dtype=torch.float64)


def _mixed_up(stack: ConvStack) -> ConvStack:
    """With running statistics and scales that are no longer those of a fresh net."""
    for layer in stack.modules():
        if isinstance(layer, Norm):
            nn.init.uniform_(layer.scale, 0.5, 1.5)
            nn.init.normal_(layer.shift)
    with torch.no_grad():
        stack(torch.randn(20, D).to(stack.base))
    return stack


# --- counting by hand -------------------------------------------------------------------------------------------------

PAPER = {
    "resnet8": 26,
    "resnet20": 30,
    "wrn-10-1": 26,
    "wrn-10-2": 52,
    "wrn-16-1": 29,
    "wrn-16-2": 58,
    "vgg8": 218,
    "resnet44x2": 62,
    "resnet56x2": 62,
    "wrn-28-4": 122,
    "wrn-16-8": 234,
    "vgg13": 236,
}


def _unit(fan_in: int, out: int, kernel: int, per_channel: int) -> int:
    return fan_in * out * kernel**2 + per_channel * out


def _residual(fan_in: int, out: int, count: int, wide: bool, per_channel: int) -> int:
    projection = fan_in * out + out if wide else 0
    first = _unit(fan_in, out, 3, per_channel)
    return projection + first + (2 * count - 1) * _unit(out, out, 3, per_channel)


def _last(name: str, fan_in: int, width: int, picture: tuple[int, int], per_channel: int) -> int:
    """Parameters of a last stage; per_channel is 2 for trainable ones, 4 with the running statistics."""
    if name == "small-cnn":
        return _unit(fan_in, width, 3, per_channel)
    if name.startswith("vgg"):
        convolutions = 2 * (int(name[3:]) - 3) // 5
        area = math.ceil(picture[0] / 32) * math.ceil(picture[1] / 32)
        dense = width * area * width + width + width * width + width
        return dense + _unit(fan_in, width, 3, per_channel) + (convolutions - 1) * _unit(width, width, 3, per_channel)
    return _residual(fan_in, width, _count(name), name.startswith("wrn"), per_channel)


def _count(name: str) -> int:
    return (int(name.split("-")[1]) - 4) // 6 if name.startswith("wrn") else (int(name[6:].split("x")[0]) - 2) // 6


def _trunk(name: str, channels: int) -> int:
    if name == "small-cnn":
        return _unit(channels, 16, 3, 2) + _unit(16, 32, 3, 2)
    if name.startswith("vgg"):
        each, total = (int(name[3:]) - 3) // 5, 0
        for fan_in, out in ((channels, 64), (64, 128), (128, 256)):
            total += _unit(fan_in, out, 3, 2) + (each - 1) * _unit(out, out, 3, 2)
        return total
    wide, w = name.startswith("wrn"), ARCHITECTURES[name].widths[0]
    stages = _residual(w, w, _count(name), wide, 2) + _residual(w, 2 * w, _count(name), wide, 2)
    return _unit(channels, w, 3, 2) + stages


def _after(name: str, classes: int, width: int, branches: int, picture: tuple[int, int], per_channel: int) -> int:
    """Everything after the trunk."""
    trunk = ARCHITECTURES[name].widths[-2]
    if branches == 1:
        return _last(name, trunk, width, picture, per_channel) + width * classes + classes
    each = _last(name, width, width, picture, per_channel) + width * classes + classes
    return _unit(trunk, branches * width, 1, per_channel) + branches * each


@pytest.mark.parametrize("name", PAPER)
def test_branch_widths_are_the_papers(name: str) -> None:
    """They are those of CIFAR-10, counted as Keras counts; the paper keeps them for 100 and 200 classes."""
    assert matched_width(architecture_named(name), (32, 32), 10, 4) == PAPER[name]


@pytest.mark.parametrize("classes", [2, 10, 100, 200])
@pytest.mark.parametrize("name", ["small-cnn", *PAPER])
def test_branches_are_as_wide_as_the_budget_allows(name: str, classes: int) -> None:
    plain = ARCHITECTURES[name].widths[-1]
    for branches, picture in ((2, (32, 32)), (4, (64, 64)), (7, (28, 28))):
        budget, width = _after(name, classes, plain, 1, picture, 4), 0
        while _after(name, classes, width + 1, branches, picture, 4) <= budget:
            width += 1
        assert matched_width(architecture_named(name), picture, classes, branches) == width
        assert _after(name, classes, width, branches, picture, 2) <= _after(name, classes, plain, 1, picture, 2)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in {"wrn-28-8", "wrn-16-8", "wrn-28-4"}])
def test_parameters_are_those_counted_by_hand(name: str) -> None:
    with torch.device("meta"):
        for shape, picture in (((3, 32, 32), (32, 32)), ((28, 28), (28, 28))):
            plain, trunk = ConvStack(name, shape, 10), _trunk(name, 3 if len(shape) == 3 else 1)
            assert plain.parameter_count == trunk + _after(name, 10, plain.width, 1, picture, 2)
            net = explaining_cnn(plain, M, replicas=2)
            assert net.parameter_count == trunk + _after(name, 10, net.width, M, picture, 2)
            assert net.parameter_count <= plain.parameter_count
            assert sum(p.numel() for p in net.parameters()) == 2 * net.parameter_count


def test_the_small_net_is_small() -> None:
    plain = ConvStack("small-cnn", (28, 28), 10)
    assert 25_000 <= plain.parameter_count <= 35_000
    assert 25_000 <= explaining_cnn(plain, M).parameter_count <= plain.parameter_count


# --- against ordinary torch layers -------------------------------------------------------------------------------------


def _layers(stack: ConvStack) -> dict[str, Callable[[Tensor], Tensor]]:
    """The weights of a plain net, in order, as ordinary torch layers made on demand."""
    state = dict(stack.nets[0].state_dict())

    def conv(key: str, stride: int = 1) -> nn.Module:
        weight = state[f"{key}.weight"][0].permute(0, 3, 1, 2)
        layer = nn.Conv2d(
            weight.shape[1], len(weight), weight.shape[2], stride, weight.shape[2] // 2, bias=f"{key}.bias" in state
        )
        layer.load_state_dict({"weight": weight} | ({"bias": state[f"{key}.bias"][0]} if layer.bias is not None else {}))
        return layer.double()

    def unit(key: str, stride: int = 1, active: bool = True) -> nn.Module:
        norm = nn.BatchNorm2d(state[f"{key}.1.scale"].shape[1], eps=1e-3, momentum=0.01)
        seen = state[f"{key}.1.seen"]
        names = {"weight": "scale", "bias": "shift"}
        own = {mine: state[f"{key}.1.{theirs}"][0] for mine, theirs in names.items()}
        statistics = {"running_mean": state[f"{key}.1.mean"][0] / seen, "running_var": state[f"{key}.1.variance"][0] / seen}
        norm.load_state_dict(own | statistics | {"num_batches_tracked": torch.tensor(1)})
        return nn.Sequential(conv(f"{key}.0", stride), norm.double(), *([nn.ReLU()] if active else []))

    def dense(key: str) -> nn.Module:
        layer = nn.Linear(state[f"{key}.weight"].shape[2], state[f"{key}.weight"].shape[1])
        layer.load_state_dict({"weight": state[f"{key}.weight"][0], "bias": state[f"{key}.bias"][0, :, 0]})
        return layer.double()

    return {"conv": conv, "unit": unit, "dense": dense}  # type: ignore[dict-item]


class _Block(nn.Module):
    def __init__(self, make: dict[str, Callable[..., nn.Module]], key: str, stride: int, project: bool) -> None:
        super().__init__()
        self.first, self.second = make["unit"](f"{key}.body.0", stride), make["unit"](f"{key}.body.1", active=False)
        self.projection = make["conv"](f"{key}.projection", stride) if project else None

    def forward(self, h: Tensor) -> Tensor:
        out = self.second(self.first(h))
        if self.projection is not None:
            return torch.relu(out + self.projection(h))
        new = out.shape[1] - h.shape[1]
        shortcut = torch.zeros_like(out)
        shortcut[:, new - new // 2 : new - new // 2 + h.shape[1]] = h[
            :, :, :: self.first[0].stride[0], :: self.first[0].stride[0]
        ]
        return torch.relu(out + shortcut)


def _ordinary(name: str, stack: ConvStack) -> nn.Module:
    make = _layers(stack)
    unit, dense, stage = make["unit"], make["dense"], "branches.stage.body"
    pool: nn.Module = nn.MaxPool2d(2, ceil_mode=True)
    mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = dense("branches.head")
    if name == "small-cnn":
        return nn.Sequential(unit("trunk.0", 2), unit("trunk.1"), unit(stage, 2), mean, head)  # 12x10 is halved once
    if name == "vgg8":
        trunk = [unit("trunk.0"), pool, unit("trunk.2"), pool, unit("trunk.4"), pool]
        last = [unit(f"{stage}.0"), pool, unit(f"{stage}.2"), pool, nn.Flatten()]
        hidden = [dense("branches.stage.dense.0"), nn.ReLU(), dense("branches.stage.dense.2"), nn.ReLU()]
        return nn.Sequential(*trunk, *last, *hidden, head)
    wide = name.startswith("wrn")
    blocks = [("trunk.1.0", 1), ("trunk.2.0", 2), (f"{stage}.0", 2)]
    return nn.Sequential(unit("trunk.0"), *(_Block(make, key, stride, wide) for key, stride in blocks), mean, head)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_plain_net_equals_ordinary_layers(name: str, training: bool) -> None:
    stack, x = _mixed_up(_stack(name, superfeatures=1)).train(training), _x(B)
    ordinary = _ordinary(name, stack).train(training)
    torch.testing.assert_close(stack(x)[0], ordinary(x.view(B, *SHAPE)).log_softmax(1))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_grouped_branches_equal_a_loop_over_them(name: str, training: bool) -> None:
    stack = _mixed_up(_stack(name)).train(training)
    x, branches = _x(B), stack.nets[0].branches
    groups = stack.split(x)[0]
    expected, maps = stack.from_split(groups[None])
    for m in range(M):
        stage = architecture_named(name).last(1, stack.width, stack.width, SHAPE[1:]).double().train(training)
        own = branches.stage.state_dict()
        stage.load_state_dict({key: tensor[m : m + 1] if tensor.dim() else tensor for key, tensor in own.items()})
        final = stage(groups[m])
        pooled = stage.pool(final)[0]
        logits = branches.head.weight[m] @ pooled + branches.head.bias[m]
        torch.testing.assert_close(logits.log_softmax(0), expected[0, m])
        torch.testing.assert_close(final, maps[0, m])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_branch_sees_its_own_channels_alone(name: str) -> None:
    stack = _mixed_up(_stack(name)).eval()
    groups = stack.split(_x(B)).detach().requires_grad_()
    stack.from_split(groups)[0][0, 2].sum().backward()
    assert groups.grad is not None
    reached = groups.grad[0].flatten(1).abs().sum(1)
    assert reached[2] > 0
    assert reached.sum() == reached[2]


@pytest.mark.parametrize("name", FAMILIES)
def test_maps_and_explanations_come_in_one_pass(name: str) -> None:
    stack, x = _stack(name, replicas=K).eval(), _x(K, B)
    log_y, maps = stack.features(x)
    assert maps.shape[:4] == (K, M, B, stack.width)
    torch.testing.assert_close(log_y, stack.subnet_log_probabilities(x))
    if name != "vgg8":
        for k in range(K):
            head = stack.nets[k].branches.head
            logits = head.weight @ maps[k].mean((-2, -1)).transpose(-1, -2) + head.bias
            torch.testing.assert_close(logits.log_softmax(1), log_y[k])


def test_vgg_maps_are_those_before_the_last_pooling() -> None:
    picture = torch.rand(2, 3 * 32 * 32)
    with torch.device("meta"):
        stack = ConvStack("vgg8", (3, 32, 32), 10, superfeatures=M)
    assert stack.features(picture.to("meta"))[1].shape == (1, M, 2, 218, 2, 2)


# --- laws --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "split"), [(4, 4), (8, 8), (9, 5), (16, 8), (28, 7), (32, 8), (64, 16)])
def test_the_small_net_splits_at_a_map_fine_enough_to_look_at(side: int, split: int) -> None:
    stack = ConvStack("small-cnn", (side, side), C, superfeatures=M)
    assert stack.split(torch.rand(2, side * side)).shape == (1, M, 2, stack.width, split, split)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_total_logit_is_the_sum_less_the_base_for_all_but_one(name: str) -> None:
    stack, x = _stack(name, replicas=K).eval(), _x(B)
    log_y = stack.explanations(x)
    assert log_y.shape == (K, M, B, C)
    torch.testing.assert_close(log_y.exp().sum(-1), torch.ones(K, M, B, dtype=torch.float64))
    torch.testing.assert_close(stack(x), log_y.sum(1) - (M - 1) * stack.base)


def test_the_base_is_zero_unless_given() -> None:
    assert torch.equal(ConvStack("small-cnn", (8, 8), C, superfeatures=M).base, torch.zeros(C))


@pytest.mark.parametrize("superfeatures", [1, M])
@pytest.mark.parametrize("name", FAMILIES)
def test_replicas_equal_separate_nets_also_after_a_training_step(name: str, superfeatures: int) -> None:
    seeds, x, y = [5, 3], _x(K, B), torch.randint(C, (K, B))
    stack = _stack(name, superfeatures, K)
    stack.reset(seeds)
    alone = [_stack(name, superfeatures) for _ in seeds]
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
    stack, x = _stack("resnet8", replicas=K).eval(), _x(B)
    torch.testing.assert_close(stack(x), stack(x.expand(K, B, D)))
    torch.testing.assert_close(Predictor(stack, 1)(x), stack(x)[1])  # type: ignore[arg-type]


def test_replica_is_a_copy_with_the_same_dtype_mode_and_statistics() -> None:
    stack = _mixed_up(_stack("small-cnn", replicas=K)).eval()
    one, x = stack.replica(1), _x(B)
    assert (one.replicas, one.training, one.base.dtype) == (1, False, torch.float64)
    before = stack(x)
    for parameter in one.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(stack(x), before)


def test_a_replica_starts_from_its_own_seed_alone() -> None:
    three, one = _stack("resnet8", replicas=3), _stack("resnet8")
    _mixed_up(three).reset([7, 3, 11])
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
    stack = _stack(name, replicas=K)
    objective = losses.Objective(losses.weights(METHODS["architecture"], 1.0, 1.0, 0.0, 0.0))
    log_y = stack.subnet_log_probabilities(_x(K, 20))
    y, rows = torch.randint(C, (K, 20)), torch.arange(20).expand(K, 20)
    objective.loss(objective.terms(log_y, stack.total(log_y), y, rows)).backward()
    for key, parameter in stack.named_parameters():
        assert parameter.grad is not None, key
        lanes = parameter.grad.flatten(1) if ".stage." in key or ".head." in key else parameter.grad.flatten()[None]
        assert bool((lanes.abs().sum(1) > 0).all()), key


@pytest.mark.parametrize("name", FAMILIES)
def test_in_eval_mode_a_sample_does_not_see_its_batch(name: str) -> None:
    stack, x = _mixed_up(_stack(name, replicas=K)).eval(), _x(B)
    together = stack.explanations(x)
    for i in range(B):
        torch.testing.assert_close(stack.explanations(x[i : i + 1])[:, :, 0], together[:, :, i])
    torch.testing.assert_close(predict(stack, x, 4), together.detach().sum(1).sub((M - 1) * stack.base).log_softmax(-1))  # type: ignore[arg-type]
    torch.testing.assert_close(explain(stack, x, 4), together.detach())  # type: ignore[arg-type]


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
    stack = _stack(name, replicas=K).float().to("meta")
    log_y, maps = stack.features(torch.rand(K, B, D, device="meta"))
    (stack.total(log_y).sum() + maps.sum()).backward()
    assert all(parameter.grad is not None and parameter.grad.is_meta for parameter in stack.parameters())
    assert stack.eval()(torch.rand(B, D, device="meta")).is_meta


@pytest.mark.parametrize("name", FAMILIES)
def test_mixed_precision_goes_through(name: str) -> None:
    stack, x = _stack(name).float().train(), torch.randn(B, D)
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
    stack = _stack("wrn-10-1", replicas=K)
    expected = {name for name, parameter in stack.named_parameters() if parameter.dim() == 5}
    kernels = stack.kernels()
    assert {name for name, p in stack.named_parameters() if any(p is kernel for kernel in kernels)} == expected
    assert len(kernels) == K * (1 + 2 * 3 + 3 + 1)  # first, three blocks, their projections, split


# --- descriptions and refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("superfeatures", [1, M])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_net_is_built_again_from_its_description(name: str, superfeatures: int) -> None:
    stack = _mixed_up(_stack(name, superfeatures, K)).eval()
    again = ConvStack(**json.loads(json.dumps(stack.config))).double()
    again.load_state_dict(stack.state_dict())
    x = _x(B)
    assert torch.equal(again.eval()(x), stack(x))


def test_superfeatures_are_a_disjoint_cover_of_the_channels_at_the_split() -> None:
    stack = _stack("small-cnn")
    assert [i for group in stack.groups for i in group] == list(range(M * stack.width))
    assert stack.hidden == (16, 32, 5)
    assert len(_stack("small-cnn", superfeatures=1).groups) == 1


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
    stack = _stack("small-cnn")
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
