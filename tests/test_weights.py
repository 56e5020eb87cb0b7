"""Stored nets and matrices come back bit by bit, and what is damaged is refused in a sentence before it is believed."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from ked.errors import Unavailable
from ked.nets.subnets import SubnetStack, mlp
from ked.nets.weights import load_matrix, load_stack, save_matrix, save_stack

GROUPS = ((5, 1, 6), (0,), (3, 2, 4, 7))


@pytest.fixture(params=["one group", "uneven groups", "double precision"])
def stack(request: pytest.FixtureRequest) -> SubnetStack:
    base = torch.randn(3).log_softmax(0)
    return {
        "one group": lambda: mlp(8, (6,), 3, replicas=2, activation="gelu"),
        "uneven groups": lambda: SubnetStack(GROUPS, (6, 5), 3, replicas=3, base=base),
        "double precision": lambda: SubnetStack(GROUPS, (6,), 3, base=base).double(),
    }[request.param]()


def test_a_stored_net_comes_back_bit_by_bit(tmp_path: Path, stack: SubnetStack) -> None:
    save_stack(tmp_path / "net.safetensors", stack)
    again = load_stack(tmp_path / "net.safetensors")
    assert (again.groups, again.hidden, again.classes) == (stack.groups, stack.hidden, stack.classes)
    assert (again.replicas, again.activation) == (stack.replicas, stack.activation)
    assert not again.training
    before, after = stack.state_dict(), again.state_dict()
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name])
        assert tensor.dtype == after[name].dtype
    x = torch.rand(4, 8, dtype=stack.base.dtype)
    assert torch.equal(stack(x), again(x))


def test_a_stored_matrix_comes_back_bit_by_bit(tmp_path: Path) -> None:
    W = torch.randn(7, 7).T  # not contiguous
    save_matrix(tmp_path / "W.safetensors", "W", W)
    assert torch.equal(load_matrix(tmp_path / "W.safetensors", "W"), W)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[:-10],
    "empty": lambda _: b"",
    "cut in the header": lambda content: content[:20],
    "something else": lambda _: b"not a net at all" * 100,
    "an endless header": lambda content: b"\xff" * 8 + content[8:],
    "a pickle": lambda _: b"\x80\x04cos\nsystem\n",
    "another shape": lambda content: content.replace(b'\\"classes\\": 3', b'\\"classes\\": 4'),
    "no such activation": lambda content: content.replace(b"relu", b"sinu"),
    "no metadata": lambda content: content.replace(b'"stack"', b'"stuck"'),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_net_is_refused_in_one_sentence(tmp_path: Path, damage: str, one_sentence: Callable[[str], str]) -> None:
    path = tmp_path / "some-run" / "teacher.safetensors"
    path.parent.mkdir()
    save_stack(path, SubnetStack(GROUPS, (6,), 3))
    content = path.read_bytes()
    path.write_bytes(DAMAGE[damage](content))
    assert path.read_bytes() != content
    with pytest.raises(Unavailable, match=r"teacher\.safetensors in some-run is damaged") as caught:
        load_stack(path)
    one_sentence(str(caught.value))


LARGE = {"hidden": [10**6, 10**6], "groups": 10**12, "replicas": 10**9, "classes": 10**9}


@pytest.mark.parametrize("name", LARGE)
def test_a_small_file_cannot_ask_for_a_large_net(tmp_path: Path, name: str) -> None:
    stack = SubnetStack(GROUPS, (6,), 3)
    metadata = {"stack": json.dumps(stack.config | {name: LARGE[name]})}
    (tmp_path / "net.safetensors").write_bytes(save(stack.state_dict(), metadata=metadata))
    tracemalloc.start()
    with pytest.raises(Unavailable, match="damaged"):
        load_stack(tmp_path / "net.safetensors")
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_a_net_that_is_a_matrix_is_refused_and_the_other_way_round(tmp_path: Path) -> None:
    save_matrix(tmp_path / "a.safetensors", "W", torch.eye(3))
    save_stack(tmp_path / "b.safetensors", mlp(4, (3,), 2))
    with pytest.raises(Unavailable, match="damaged"):
        load_stack(tmp_path / "a.safetensors")
    with pytest.raises(Unavailable, match="damaged"):
        load_matrix(tmp_path / "b.safetensors", "W")


def test_a_missing_net_is_missing_not_damaged(tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(Unavailable, match="is missing") as caught:
        load_stack(tmp_path / "teacher.safetensors")
    one_sentence(str(caught.value))
