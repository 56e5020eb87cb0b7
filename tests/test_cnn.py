"""Convolutional nets against the same nets written with ordinary torch layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from cnn_samples import FAMILIES, SHAPE, B, K, M, mixed_up, pictures, small_stack
from torch import Tensor, nn

from ked.data import load
from ked.explanation import teacher_base
from ked.nets.cnn import ConvStack, architecture_named
from ked.nets.inference import predict
from ked.store import load_run


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
    stack, x = mixed_up(small_stack(name, superfeatures=1)).train(training), pictures(B)
    ordinary = _ordinary(name, stack).train(training)
    torch.testing.assert_close(stack(x)[0], ordinary(x.view(B, *SHAPE)).log_softmax(1))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_grouped_branches_equal_a_loop_over_them(name: str, training: bool) -> None:
    stack = mixed_up(small_stack(name)).train(training)
    x, branches = pictures(B), stack.nets[0].branches
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
    stack = mixed_up(small_stack(name)).eval()
    groups = stack.split(pictures(B)).detach().requires_grad_()
    stack.from_split(groups)[0][0, 2].sum().backward()
    assert groups.grad is not None
    reached = groups.grad[0].flatten(1).abs().sum(1)
    assert reached[2] > 0
    assert reached.sum() == reached[2]


@pytest.mark.parametrize("name", FAMILIES)
def test_maps_and_explanations_come_in_one_pass(name: str) -> None:
    stack, x = small_stack(name, replicas=K).eval(), pictures(K, B)
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


def test_explaining_nets_and_students_of_a_run_keep_the_base_of_their_black_box() -> None:
    run = load_run("digits-small-cnn-preset")
    base = teacher_base(predict(run.teacher(), load("digits").part("train")[0])[0])
    assert float(base.max() - base.min()) > 0.001  # it is not the same for all classes
    for net in (run.explaining(), run.student("ked")):
        torch.testing.assert_close(net.base, base)


@pytest.mark.parametrize(("shape", "sides"), [((8, 8), (8, 8)), ((8, 16), (4, 8)), ((16, 8), (8, 4)), ((8, 17), (2, 5))])
def test_a_small_cnn_halves_a_picture_by_its_longer_side(shape: tuple[int, int], sides: tuple[int, int]) -> None:
    net = ConvStack("small-cnn", shape, 3, superfeatures=2, width=2)
    assert tuple(net.split(torch.rand(2, shape[0] * shape[1])).shape[-2:]) == sides


@pytest.mark.parametrize("shape", [(8, 8), (33, 20), (40, 64)])
def test_a_vgg_takes_pictures_whose_sides_are_no_multiples_of_32(shape: tuple[int, int]) -> None:
    net = ConvStack("vgg8", shape, 3, superfeatures=2, width=2)
    assert net(torch.rand(2, shape[0] * shape[1])).shape == (1, 2, 3)
