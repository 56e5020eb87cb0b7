"""Convolutional nets: widths and parameter counts, against the paper's numbers and counts by hand."""

from __future__ import annotations

import math

import pytest
import torch
from cnn_samples import M

from ked.nets.cnn import ARCHITECTURES, ConvStack, architecture_named, explaining_cnn
from ked.nets.cnn.branches import matched_width

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
    if name.startswith("small-cnn"):
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
    assert name.startswith(("small-cnn", "resnet", "wrn", "vgg")), f"{name} is new: count its parameters by hand in this file"
    if name.startswith("small-cnn"):
        times = 2 if name.endswith("x2") else 1
        return _unit(channels, 16 * times, 3, 2) + _unit(16 * times, 32 * times, 3, 2)
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


def test_branch_widths_are_the_papers() -> None:
    """They are those of CIFAR-10, counted as Keras counts; the paper keeps them for 100 and 200 classes."""
    assert {name: matched_width(architecture_named(name), (32, 32), 10, 4) for name in PAPER} == PAPER


@pytest.mark.parametrize("name", ["small-cnn", *PAPER])
def test_branches_are_as_wide_as_the_budget_allows(name: str) -> None:
    plain = ARCHITECTURES[name].widths[-1]
    for branches, picture, classes in ((2, (32, 32), 2), (4, (64, 64), 10), (7, (28, 28), 100), (3, (32, 32), 200)):
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
