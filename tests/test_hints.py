"""Hints against their formulas written out for one replica, branch and sample at a time, and their laws."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.hint_losses import FitNet, HintLoss, MapShape, map_shape
from ked.hints import HINTS, hint_named
from ked.losses import weights
from ked.methods import METHODS
from ked.nets.cnn import ConvStack

K, M, B, C, H, W = 2, 3, 4, 5, 3, 2
SEEDS = (3, 4)
SHAPE, TEACHER = MapShape(C, H, W), MapShape(7, H, W)


def _maps(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64).relu()


def _student() -> Tensor:
    return _maps(K, M, B, *SHAPE)


def _teacher() -> Tensor:
    return _maps(1, M, B, *TEACHER)


def _build(name: str, student: MapShape = SHAPE, teacher: MapShape = TEACHER) -> HintLoss:
    return HINTS[name].build(student, teacher, M, SEEDS).double()


def _attention_by_hand(student: Tensor, teacher: Tensor) -> float:
    """Of maps (B, channels, H, W)."""
    total = 0.0
    for one, other in zip(student, teacher, strict=True):
        vectors = []
        for maps in (one, other):
            energy = sum(channel**2 for channel in maps)
            vectors.append(energy.flatten() / energy.flatten().norm())
        total += float(((vectors[0] - vectors[1]) ** 2).sum())
    return 1000 * total / (len(student) * H * W)


def _similarity_by_hand(student: Tensor, teacher: Tensor) -> float:
    grams = []
    for maps in (student, teacher):
        G = torch.tensor([[float((a * b).sum()) for b in maps] for a in maps], dtype=torch.float64)
        grams.append(torch.stack([row / row.norm() for row in G]))
    return 3000 * float(((grams[0] - grams[1]) ** 2).sum()) / len(student) ** 2


BY_HAND = {"at": _attention_by_hand, "sp": _similarity_by_hand}


@pytest.mark.parametrize("name", BY_HAND)
def test_at_and_sp_are_their_formulas(name: str) -> None:
    student, teacher = _student(), _teacher()
    found = _build(name)(student, teacher)
    expected = [sum(BY_HAND[name](student[k, m], teacher[0, m]) for m in range(M)) / M for k in range(K)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_fitnet_is_torchs_convolution_normalisation_relu_and_mse_for_each_branch_of_each_replica() -> None:
    hint, student, teacher = _build("fitnet"), _student(), _teacher()
    assert isinstance(hint, FitNet)
    found, expected = hint(student, teacher), torch.zeros(K, dtype=torch.float64)
    kernels = hint.weight.detach().unflatten(0, (K, M, TEACHER.channels))
    means = hint.mean.unflatten(0, (K, M, TEACHER.channels))
    for k in range(K):
        for m in range(M):
            convolution = nn.Conv2d(C, TEACHER.channels, 3, padding=1, bias=False, dtype=torch.float64)
            convolution.load_state_dict({"weight": kernels[k, m]})
            norm = nn.BatchNorm2d(TEACHER.channels, eps=1e-3, momentum=0.01, dtype=torch.float64)
            projected = norm(convolution(student[k, m])).relu()
            expected[k] += nn.functional.mse_loss(projected, teacher[0, m]).detach() / M
            torch.testing.assert_close(means[k, m], norm.running_mean)
    torch.testing.assert_close(found, expected)


def test_a_projection_is_drawn_from_its_replicas_seed_alone() -> None:
    both, alone = (FitNet(SHAPE, TEACHER, M, seeds).weight.detach() for seeds in (SEEDS, SEEDS[1:]))
    first, second = both.chunk(K)
    assert torch.equal(second, alone)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", ["at", "sp"])
def test_equal_maps_have_no_loss(name: str) -> None:
    student = _student()
    torch.testing.assert_close(_build(name, SHAPE, SHAPE)(student, student), torch.zeros(K, dtype=torch.float64))


def test_equal_maps_have_no_loss_under_a_fitnet_that_projects_nothing() -> None:
    hint, student = _build("fitnet", SHAPE, SHAPE).eval(), _student()
    assert isinstance(hint, FitNet)
    with torch.no_grad():
        hint.weight.zero_()
        hint.weight.unflatten(0, (K * M, C))[:, range(C), range(C), 1, 1] = 1.0
        hint.variance.fill_(1 - 1e-3)  # plus eps
    torch.testing.assert_close(hint(student, student), torch.zeros(K, dtype=torch.float64))


@pytest.mark.parametrize("name", ["at", "sp"])
def test_the_scale_and_the_order_of_channels_do_not_matter(name: str) -> None:
    hint, student, teacher = _build(name), _student(), _teacher()
    value = hint(student, teacher)
    torch.testing.assert_close(hint(7 * student, teacher / 3), value)
    torch.testing.assert_close(hint(student[:, :, :, torch.randperm(C)], teacher), value)
    torch.testing.assert_close(hint(-student, teacher), value)


def test_attention_does_not_see_the_scale_of_a_single_sample() -> None:
    student, teacher = _student(), _teacher()
    brighter = student * torch.rand(K, M, B, 1, 1, 1, dtype=torch.float64).add(0.5)
    torch.testing.assert_close(_build("at")(brighter, teacher), _build("at")(student, teacher))


@pytest.mark.parametrize("name", HINTS)
def test_the_order_of_samples_does_not_matter(name: str) -> None:
    hint, student, teacher, order = _build(name), _student(), _teacher(), torch.randperm(B)
    torch.testing.assert_close(hint(student[:, :, order], teacher[:, :, order]), hint(student, teacher))


@pytest.mark.parametrize("name", HINTS)
def test_every_replica_and_branch_is_a_hint_by_itself(name: str) -> None:
    student, teacher = _student(), _maps(K, M, B, *TEACHER)  # here each replica has a batch of its own
    together = _build(name)(student, teacher)
    for k in range(K):
        alone = HINTS[name].build(SHAPE, TEACHER, M, [SEEDS[k]]).double()
        torch.testing.assert_close(alone(student[k : k + 1], teacher[k : k + 1])[0], together[k])
    if name != "fitnet":
        branches = [_build(name)(student[:, [m]], teacher[:, [m]]) for m in range(M)]
        torch.testing.assert_close(torch.stack(branches).mean(0), together)


@pytest.mark.parametrize("name", HINTS)
def test_gradients_reach_every_map_of_the_student_and_none_of_the_teachers(name: str) -> None:
    hint, student, teacher = _build(name), _student().requires_grad_(), _teacher().requires_grad_()
    hint(student, teacher).sum().backward()
    assert student.grad is not None
    assert teacher.grad is None
    assert bool((student.grad.flatten(2).abs().amax(2) > 0).all())
    assert all(p.grad is not None and bool((p.grad.abs() > 0).any()) for p in hint.parameters())


@pytest.mark.parametrize("name", HINTS)
def test_dead_maps_have_finite_losses_and_gradients(name: str) -> None:
    student = torch.zeros(K, M, B, *SHAPE, dtype=torch.float64, requires_grad=True)
    loss = _build(name)(student, torch.zeros(1, M, B, *TEACHER, dtype=torch.float64))
    loss.sum().backward()
    assert bool(loss.isfinite().all())
    assert student.grad is not None
    assert bool(student.grad.isfinite().all())


@pytest.mark.parametrize(("name", "dtype"), [("fitnet", torch.bfloat16), ("at", torch.float16), ("sp", torch.float16)])
def test_half_precision_does_not_overflow(name: str, dtype: torch.dtype) -> None:
    student, teacher = 200 * torch.rand(K, M, B, 8, 16, 16), 200 * torch.rand(1, M, B, 8, 16, 16)
    hint = HINTS[name].build(MapShape(8, 16, 16), MapShape(8, 16, 16), M, SEEDS).eval()
    full = hint(student, teacher)
    with torch.autocast("cpu", dtype):
        half = hint(student.to(dtype), teacher.to(dtype))
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, full, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(("side", "other"), [(4, 2), (2, 4), (3, 2)])
@pytest.mark.parametrize("name", ["fitnet", "at"])
def test_larger_maps_are_averaged_down_to_the_smaller(name: str, side: int, other: int) -> None:
    student, teacher = _maps(K, M, B, C, side, 3), _maps(1, M, B, 7, other, 4)
    small = min(side, other)
    pooled = [
        nn.functional.adaptive_avg_pool2d(maps.flatten(0, 2), (small, 3)).unflatten(0, maps.shape[:3])
        for maps in (student, teacher)
    ]
    hint = _build(name, MapShape(C, side, 3), MapShape(7, other, 4))
    torch.testing.assert_close(hint(student, teacher), hint(*pooled))


def test_similarities_are_compared_whatever_the_sizes_of_the_maps() -> None:
    student, teacher = _maps(K, M, B, C, 4, 4), _maps(1, M, B, 7, 2, 3)
    expected = sum(_similarity_by_hand(student[0, m], teacher[0, m]) for m in range(M)) / M
    assert float(_build("sp")(student, teacher)[0]) == pytest.approx(expected)


def test_attention_on_one_pixel_is_refused(one_sentence: Callable[[str], str]) -> None:
    one = MapShape(C, 1, 1)
    for student, teacher in ((one, one), (one, TEACHER), (SHAPE, one)):
        with pytest.raises(InvalidInput) as error:
            _build("at", student, teacher)
        assert "1x1" in one_sentence(str(error.value))
    with pytest.raises(InvalidInput):  # also where the sizes come to light only with the maps
        _build("at")(_maps(K, M, B, C, 1, 4), _maps(1, M, B, 7, 4, 1))


@pytest.mark.parametrize("name", ["fitnet", "sp"])
def test_the_other_hints_work_on_one_pixel_and_one_sample(name: str) -> None:
    one = MapShape(C, 1, 1)
    for samples in (B, 1):
        value = _build(name, one, one)(_maps(K, M, samples, *one), _maps(1, M, samples, *one))
        assert bool(value.isfinite().all())


@pytest.mark.parametrize("shape", [(M + 1, B), (M, B + 1)])
def test_other_branches_or_samples_are_refused(shape: tuple[int, int], one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as error:
        _build("sp")(_student(), _maps(1, *shape, *TEACHER))
    one_sentence(str(error.value))


def test_an_unknown_hint_is_refused(one_sentence: Callable[[str], str]) -> None:
    assert hint_named("sp") is HINTS["sp"]
    with pytest.raises(InvalidInput) as error:
        hint_named("fit")
    assert ", ".join(HINTS) in one_sentence(str(error.value))


def test_weights_by_hand() -> None:  # T = 10, tau = 5, lam = 0.8, mu = 0.6, rho = 0.7
    found = weights(METHODS["ked+at"], 10.0, 5.0, 0.8, 0.6, 0.7)
    assert found == pytest.approx(
        {"ce": 0.2, "prediction": 100 * 0.8 * 0.4, "explanation": 25 * 0.48 * 0.3, "hint": 0.48 * 0.7}
    )
    found = weights(METHODS["kd+at"], 10.0, 5.0, 0.8, 0.6, 0.7)
    assert found == pytest.approx({"ce": 0.2, "prediction": 100 * 0.8 * 0.3, "hint": 0.8 * 0.7})


@pytest.mark.parametrize("name", ["kd", "ked"])
def test_a_hint_without_a_share_changes_nothing(name: str) -> None:
    plain, hinted = (weights(METHODS[which], 4.0, 3.0, 0.7, 0.6, 0.0) for which in (name, f"{name}+sp"))
    assert hinted == plain | {"hint": 0.0}


@pytest.mark.parametrize("name", HINTS)
def test_a_table_row_says_what_it_is(name: str, one_sentence: Callable[[str], str]) -> None:
    assert HINTS[name].name == name
    one_sentence(HINTS[name].description)


@pytest.mark.parametrize("name", ["small-cnn", "wrn-10-1", "vgg8"])
def test_the_size_of_a_nets_maps_is_foretold(name: str) -> None:
    stack = ConvStack(name, (3, 20, 12), 4, superfeatures=2, width=6)
    maps = stack.features(torch.rand(2, 720))[1]
    assert map_shape(stack) == maps.shape[3:]
    assert stack.base.device.type == "cpu"
    assert stack.training
