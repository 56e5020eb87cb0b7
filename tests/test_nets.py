"""The stack of subnets against plain torch nets with the same weights, and the parameter budget against counting."""

from __future__ import annotations

from collections.abc import Callable

import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from ked import losses
from ked.errors import InvalidInput
from ked.explanation import coalition, contributions, teacher_base
from ked.methods import METHODS
from ked.nets import inference
from ked.nets.subnets import ACTIVATIONS, Predictor, SubnetStack, explaining_net, matched_width, mlp, stack_parameters

GROUPS = ((5, 1, 6), (0,), (3, 2, 4, 7))  # uneven and out of order
D, C, B, K = 8, 3, 5, 2


def _base(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(C, dtype=dtype).log_softmax(0)


def _stack(activation: str = "relu", hidden: tuple[int, ...] = (6, 6), replicas: int = K) -> SubnetStack:
    stack = SubnetStack(GROUPS, hidden, C, replicas=replicas, base=_base(), activation=activation)
    return stack.double()


def _x(*shape: int) -> Tensor:
    return torch.rand(*shape, D, dtype=torch.float64)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("hidden", [(6,), (6, 6), (7, 5, 4)])
def test_stack_equals_plain_subnets_with_the_same_weights(activation: str, hidden: tuple[int, ...]) -> None:
    stack, x = _stack(activation, hidden), _x(B)
    for k in range(K):
        log_y = oracles.explanations(oracles.subnets(stack, k), GROUPS, x)
        torch.testing.assert_close(stack.explanations(x)[k], log_y)
        total = log_y.sum(0) - (len(GROUPS) - 1) * stack.base
        torch.testing.assert_close(stack(x)[k], total)


def test_stack_of_one_group_equals_a_sequential() -> None:
    stack, x = mlp(D, (6, 4), C).double(), _x(B)
    torch.testing.assert_close(stack(x)[0], oracles.subnets(stack)[0](x).log_softmax(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_adam_step_on_a_stack_of_one_group_equals_that_on_a_sequential(dtype: torch.dtype) -> None:
    stack, x, y = mlp(D, (6, 4), C).to(dtype), _x(B).to(dtype), torch.randint(C, (B,))
    plain = oracles.subnets(stack)[0]
    for net, logits in ((stack, lambda: stack(x)[0]), (plain, lambda: plain(x))):
        nn.functional.cross_entropy(logits(), y).backward()
        torch.optim.Adam(net.parameters(), lr=1e-2).step()
    torch.testing.assert_close(stack(x)[0], plain(x).log_softmax(1), rtol=1e-5 if dtype == torch.float32 else 1e-10, atol=1e-6)


def test_one_batch_for_all_replicas_gives_what_a_copy_for_each_gives() -> None:
    stack, x = _stack(), _x(B)
    torch.testing.assert_close(stack(x), stack(x.expand(K, B, D).contiguous()))


def test_replicas_see_their_own_batches() -> None:
    stack, x = _stack(), _x(K, B)
    for k in range(K):
        torch.testing.assert_close(stack(x)[k], stack.replica(k)(x[k])[0])


def test_predictor_is_one_replica_as_a_plain_net() -> None:
    stack, x = _stack(), _x(B)
    for k in range(K):
        assert torch.equal(Predictor(stack, k)(x), stack.replica(k)(x)[0])
        torch.testing.assert_close(Predictor(stack, k)(x), stack(x)[k])


def test_replica_is_a_copy_with_the_same_dtype_and_mode() -> None:
    stack = _stack().eval()
    one = stack.replica(1)
    assert (one.replicas, one.training, one.base.dtype) == (1, False, torch.float64)
    before = stack.first[0].clone()
    with torch.no_grad():
        one.first[0].zero_()
    assert torch.equal(stack.first[0], before)


def test_a_replica_starts_from_its_own_seed_alone() -> None:
    three, one = mlp(D, (6,), C, replicas=3), mlp(D, (6,), C)
    three.reset([7, 3, 11])
    one.reset([3])
    for many, single in zip(three.parameters(), one.parameters(), strict=True):
        assert torch.equal(many[1], single[0])
        assert not torch.equal(many[0], many[1])


def test_first_weights_are_uniform_within_one_over_the_root_of_the_fan_in() -> None:
    stack = SubnetStack([range(100), range(100, 125)], (400,), C)
    stack.reset([0])
    first_biases = stack.biases[0].detach()[0]  # each subnet's own: its fan in is the size of its superfeature
    many = (stack.first[0], 100), (stack.first[1], 25), (stack.deeper[0], 400), (first_biases[0], 100), (first_biases[1], 25)
    for parameter, fan_in in (*many, (stack.biases[1], 400)):
        assert float(parameter.detach().abs().max()) <= 1.0001 * fan_in**-0.5
    for parameter, fan_in in many:  # of so many the largest comes close
        assert float(parameter.detach().abs().max()) > 0.95 * fan_in**-0.5
    assert float(stack.first[0].detach().std()) == pytest.approx(0.1 / 3**0.5, rel=0.02)


@pytest.mark.parametrize("batch", [0, 1])
def test_empty_and_single_batches_keep_their_shapes(batch: int) -> None:
    stack = _stack()
    assert stack(_x(batch)).shape == (K, batch, C)
    assert stack.explanations(_x(batch)).shape == (K, len(GROUPS), batch, C)


@pytest.mark.parametrize("width", [D - 1, D + 1])
@pytest.mark.parametrize("make", [_stack, lambda: mlp(D, (4,), C).double()])
def test_samples_with_another_number_of_features_are_refused(width: int, make: Callable[[], SubnetStack]) -> None:
    with pytest.raises(InvalidInput, match=f"{width} features.*{D}"):
        make()(torch.zeros(B, width, dtype=torch.float64))


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a feature twice": ({"groups": [(0, 1), (1, 2)]}, "exactly once"),
    "a feature left out": ({"groups": [(0, 1), (3,)]}, "exactly once"),
    "no groups": ({"groups": []}, "exactly once"),
    "an empty group": ({"groups": [(0, 1), ()]}, "superfeature 1 is empty"),
    "no layers": ({"hidden": ()}, r"\(\)"),
    "an empty layer": ({"hidden": (4, 0)}, r"\(4, 0\)"),
    "an unknown activation": ({"activation": "sin"}, "'sin'.*relu, gelu"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_stack_that_makes_no_sense_is_refused(wrong: str, one_sentence: Callable[[str], str]) -> None:
    change, words = WRONG[wrong]
    with pytest.raises(InvalidInput, match=words) as caught:
        SubnetStack(**({"groups": GROUPS, "hidden": (4,), "classes": C} | change))  # type: ignore[arg-type]
    one_sentence(str(caught.value))


def test_reset_wants_a_seed_for_each_replica() -> None:
    with pytest.raises(InvalidInput, match="2 replicas need as many seeds, not 3"):
        _stack().reset([1, 2, 3])


ANCHORS = [(784, (500, 500), 10, 4, 311), (784, (20, 20), 10, 4, 18), (784, (60, 60), 10, 4, 49)]
ANCHORS += [(81, (200,) * 4, 3, 4, 102), (81, (50,) * 4, 3, 4, 27)]


@pytest.mark.parametrize(("features", "hidden", "classes", "subnets", "width"), ANCHORS)
def test_widths_of_the_paper(features: int, hidden: tuple[int, ...], classes: int, subnets: int, width: int) -> None:
    black_box = mlp(features, hidden, classes)
    groups = [range(m, features, subnets) for m in range(subnets)]
    net = explaining_net(groups, black_box, torch.zeros(classes))
    assert net.hidden == (width,) * len(hidden)
    assert net.parameter_count <= black_box.parameter_count
    assert net.parameter_count == stack_parameters(features, classes, subnets, len(hidden), width)


@given(
    features=st.integers(1, 2000),
    classes=st.integers(2, 100),
    subnets=st.integers(1, 20),
    layers=st.integers(1, 5),
    budget=st.integers(1, 200_000),
)
def test_width_is_the_largest_within_the_budget(features: int, classes: int, subnets: int, layers: int, budget: int) -> None:
    width = oracles.widest(features, classes, subnets, layers, budget)
    if width:
        assert matched_width(features, classes, subnets, layers, budget) == width
    else:
        with pytest.raises(InvalidInput, match=str(budget)):
            matched_width(features, classes, subnets, layers, budget)


def test_width_of_a_net_with_more_parameters_than_memory_is_exact() -> None:
    budget = stack_parameters(10**6, 1000, 16, 3, 123_456_789)
    assert matched_width(10**6, 1000, 16, 3, budget) == 123_456_789
    assert matched_width(10**6, 1000, 16, 3, budget - 1) == 123_456_788


@given(features=st.integers(2, 12), hidden=st.lists(st.integers(1, 5), min_size=1, max_size=3), classes=st.integers(2, 4))
def test_parameter_count_is_that_of_plain_nets(features: int, hidden: list[int], classes: int) -> None:
    stack = SubnetStack([(0,), range(1, features)], hidden, classes, replicas=3)
    assert stack.parameter_count == sum(p.numel() for net in oracles.subnets(stack) for p in net.parameters())


def _put(module: nn.Module, place: Callable[[Tensor], Tensor]) -> None:
    """Move a module's tensors to where the CPU's memory cannot be read."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                part._parameters[name] = nn.Parameter(place(parameter.data))
        for name, buffer in part._buffers.items():
            part._buffers[name] = None if buffer is None else place(buffer)


def _teach(stack: SubnetStack, x: Tensor, y: Tensor, rows: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The KED loss of a batch with the stack as its own teacher, and everything else that is computed of a net."""
    own = inference.explain(stack, x)
    predicted = inference.predict(stack, x)
    base = teacher_base(predicted[0])
    objective = losses.Objective(
        losses.weights(METHODS["ked"], 10.0, 10.0, 0.7, 0.7),
        losses.soften(predicted[:1].transpose(0, 1), 10.0),
        losses.soften(own[0].transpose(0, 1), 10.0),
    )
    log_y = stack.subnet_log_probabilities(stack.arrange(x)[rows])
    loss = objective.loss(objective.terms(log_y, stack.total(log_y), y, rows))
    others = [base, coalition(own, base, [True, False, True]), contributions(own, base)]
    return loss, others


def _batch() -> tuple[Tensor, Tensor, Tensor]:
    return torch.rand(20, D), torch.randint(C, (K, B)), torch.randint(20, (K, B))


def test_no_line_of_the_training_path_assumes_the_cpu() -> None:
    """On a pretended CUDA device: a FakeTensor has a device but no values, and refuses to meet a tensor of the CPU."""
    mode = FakeTensorMode()

    def place(tensor: Tensor) -> Tensor:
        return FakeTensor(mode, tensor.to("meta"), torch.device("cuda:0"))

    stack = _stack().float()
    plain = Predictor(stack, 1)
    _put(stack, place)
    _put(plain, place)
    with mode:
        loss, others = _teach(stack, *(place(tensor) for tensor in _batch()))
        logits = plain(place(torch.rand(B, D)))
    assert {str(result.device) for result in (loss, logits, *others)} == {"cuda:0"}


def test_loss_and_gradients_need_no_values_of_the_cpu() -> None:
    stack = _stack().float().to("meta")
    loss, others = _teach(stack, *(tensor.to("meta") for tensor in _batch()))
    loss.backward()
    assert all(result.is_meta for result in (loss, *others))
    assert all(parameter.grad is not None and parameter.grad.is_meta for parameter in stack.parameters())
