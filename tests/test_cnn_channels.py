"""The dependency graph of the channels at the split, against second derivatives by autograd in double precision."""

from __future__ import annotations

import pytest
import torch
from cnn_samples import B, mixed_up, pictures, small_stack
from torch import Tensor

from ked.nets.cnn.channels import channel_dependency


def _slow(stack: object, x: Tensor, reduce: str) -> Tensor:
    """From the Hessian of sum_c log p_c with respect to a constant added to each channel, sample by sample."""
    hessians = []
    for sample in x:
        maps = stack.split(sample[None])  # type: ignore[attr-defined]

        def log_p(shift: Tensor, maps: Tensor = maps) -> Tensor:
            moved = maps + shift.view(1, maps.shape[1], 1, maps.shape[3], 1, 1)
            log_y, _ = stack.from_split(moved)  # type: ignore[attr-defined]
            return stack.total(log_y)[0, :, 0].log_softmax(0).sum()  # type: ignore[attr-defined]

        channels = maps.shape[1] * maps.shape[3]
        hessians.append(torch.autograd.functional.hessian(log_p, torch.zeros(channels, dtype=x.dtype)))
    H = torch.stack(hessians)
    H = H.abs().mean(0) if reduce == "mean_abs" else H.mean(0).abs()
    W = H + H.T
    return W.fill_diagonal_(0)


@pytest.mark.parametrize("reduce", ["abs_mean", "mean_abs"])
@pytest.mark.parametrize(
    ("name", "branches"), [("small-cnn", 3), ("resnet8", 2), ("wrn-10-1", 2), ("vgg8", 2), ("small-cnn", 1)]
)
def test_channel_dependency_is_the_curvature_along_each_channels_mean(name: str, branches: int, reduce: str) -> None:
    stack = mixed_up(small_stack(name, superfeatures=branches, replicas=2, width=3)).eval()
    x = pictures(1 if branches == 1 or name == "vgg8" else B)  # many channels or layers: one sample is slow enough
    W = channel_dependency(stack, x, 1, reduce=reduce)
    assert len(W) == (32 if branches == 1 else branches * 3)  # the plain form is not split: all of the trunk's channels
    torch.testing.assert_close(W, _slow(stack.replica(1), x, reduce), rtol=1e-8, atol=1e-12)


def test_branches_of_unequal_strength_depend_on_each_other_through_the_softmax_alone() -> None:
    """A branch whose head is silent has no links at all."""
    stack = small_stack("small-cnn", superfeatures=3, replicas=1).eval()
    with torch.no_grad():
        stack.nets[0].branches.head.weight[1] = 0
    W = channel_dependency(stack, pictures(B))
    silent = list(stack.groups[1])
    assert float(W[silent].abs().max()) == 0
    others = [channel for channel in range(len(W)) if channel not in silent]
    assert float(W[others][:, others].max()) > 0


def test_progress_reaches_one_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, x, told = small_stack("small-cnn").eval(), pictures(B), list[float]()
    whole = channel_dependency(stack, x, progress=told.append)
    monkeypatch.setattr("ked.nets.cnn.channels._CHUNK", 2)
    torch.testing.assert_close(channel_dependency(stack, x, progress=told.append), whole)
    assert told == [1.0, 2 / B, 4 / B, 1.0]
