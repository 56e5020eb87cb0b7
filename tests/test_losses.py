"""The losses against values computed by hand, term by term, and by torch."""

from __future__ import annotations

import math

import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from ked.errors import InvalidInput
from ked.losses import LABELS_ONLY, Objective, SoftTarget, cross_entropy, divergence, divergences, soften, weights
from ked.methods import METHODS, Method

N, K, M, C, B = 12, 2, 3, 4, 5
T, TAU, LAM, MU = 10.0, 4.0, 0.7, 0.6


def _logits(*shape: int) -> Tensor:
    return 3 * torch.randn(*shape, dtype=torch.float64)


def _rows() -> Tensor:
    return torch.stack([torch.randperm(N)[:B] for _ in range(K)])


def test_divergence_of_two_coins_by_hand() -> None:
    teacher = soften(torch.tensor([[[math.log(9.0), 0.0]]], dtype=torch.float64), 2.0)  # softened by 2: 3/4 and 1/4
    student = torch.zeros(1, 1, 2, 1, dtype=torch.float64)
    value = divergence(teacher, torch.zeros(1, 1, dtype=torch.int64), student)
    torch.testing.assert_close(teacher.probabilities[0, 0], torch.tensor([0.75, 0.25], dtype=torch.float64))
    assert value.item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), rel=1e-12)


def test_divergence_is_torchs_batchmean_for_each_replica() -> None:
    teacher, student, rows = _logits(N, M, C), _logits(K, M, C, B), _rows()
    value = divergence(soften(teacher, T), rows, student)
    for k in range(K):
        parts = [
            functional.kl_div(
                (student[k, m].T / T).log_softmax(-1),
                (teacher[rows[k], m] / T).log_softmax(-1),
                reduction="batchmean",
                log_target=True,
            )
            for m in range(M)
        ]
        torch.testing.assert_close(value[k], torch.stack(parts).mean())


def test_a_student_that_equals_its_teacher_has_no_divergence() -> None:
    teacher, rows = _logits(N, M, C), _rows()
    own = teacher[rows].permute(0, 2, 3, 1)
    torch.testing.assert_close(divergence(soften(teacher, T), rows, own), torch.zeros(K, dtype=torch.float64))


@given(seed=st.integers(0, 10**6), temperature=st.floats(0.1, 50), spread=st.floats(0, 30))
def test_divergence_is_never_negative(seed: int, temperature: float, spread: float) -> None:
    torch.manual_seed(seed)
    teacher, student = spread * _logits(N, M, C), spread * _logits(K, M, C, B)
    assert float(divergence(soften(teacher, temperature), _rows(), student).min()) >= -1e-12


def test_certain_teachers_and_students_give_finite_divergences() -> None:
    teacher = torch.tensor([[[0.0, -2000.0]]])
    student = torch.tensor([-3000.0, 0.0]).view(1, 1, 2, 1)
    value = divergence(soften(teacher, 1.0), torch.zeros(1, 1, dtype=torch.int64), student)
    assert value.item() == pytest.approx(3000)


def test_cross_entropy_is_torchs_for_each_replica() -> None:
    logits, y = _logits(K, C, B), torch.randint(C, (K, B))
    value = cross_entropy(logits.log_softmax(1), y)
    for k in range(K):
        torch.testing.assert_close(value[k], functional.cross_entropy(logits[k].T, y[k]))


WEIGHTS = {  # T = tau = 10, lam = mu = rho = 0.7, by hand
    "plain": {"ce": 1.0},
    "architecture": {"ce": 1.0},
    "kd": {"ce": 0.3, "prediction": 70.0},
    "kd-explaining": {"ce": 0.3, "prediction": 70.0},
    "mu0": {"ce": 0.3, "prediction": 70.0},
    "ked": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    "shuffled": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    "noise": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    "bayes": {"ce": 0.3, "prediction": 70.0},
    "bayes-architecture": {"ce": 0.3, "prediction": 70.0},
    "kd-architecture": {"ce": 0.3, "prediction": 70.0},
    "ked-ig": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    "ked-gradient": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    "ked-gradcam": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    "kd+chimera": {"ce": 0.3, "prediction": 70.0},
    "kd+real": {"ce": 0.3, "prediction": 70.0},
    "ked+chimera": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    "ked+real": {"ce": 0.3, "prediction": 21.0, "explanation": 49.0},
    **{f"kd+{hint}": {"ce": 0.3, "prediction": 21.0, "hint": 0.49} for hint in ("fitnet", "at", "sp")},
    **{f"ked+{hint}": {"ce": 0.3, "prediction": 21.0, "explanation": 14.7, "hint": 0.343} for hint in ("fitnet", "at", "sp")},
}


@pytest.mark.parametrize("name", METHODS)
def test_weights_of_every_method_by_hand(name: str) -> None:
    assert name in WEIGHTS, "a new method: write its weights by hand above"
    assert weights(METHODS[name], 10.0, 10.0, 0.7, 0.7, 0.7) == pytest.approx(WEIGHTS[name])


def test_each_temperature_scales_its_own_term() -> None:
    found = weights(METHODS["ked"], temperature=2.0, tau=3.0, lam=0.5, mu=0.25)
    assert found == pytest.approx({"ce": 0.5, "prediction": 4 * 0.5 * 0.75, "explanation": 9 * 0.5 * 0.25})


def test_explanations_that_are_taught_without_predictions_have_all_of_the_teachers_share() -> None:
    alone = Method("alone", "", "", "ked", None, "true")
    assert weights(alone, temperature=2.0, tau=3.0, lam=0.5, mu=0.25) == pytest.approx({"ce": 0.5, "explanation": 9 * 0.5})


def test_a_student_without_a_teachers_share_learns_from_labels_alone() -> None:
    assert weights(METHODS["ked"], T, TAU, lam=0.0, mu=MU) == {"ce": 1.0, "prediction": 0.0, "explanation": 0.0}


def test_the_ked_loss_equals_the_formula_sample_by_sample() -> None:
    log_y = _logits(K, M, C, B).log_softmax(2)
    total, base = log_y.sum(1), torch.zeros(C)
    y, rows = torch.randint(C, (K, B)), _rows()
    teacher_prediction, teacher_explanations = _logits(N, 1, C), _logits(N, M, C)
    objective = Objective(
        weights(METHODS["ked"], T, TAU, LAM, MU), soften(teacher_prediction, T), soften(teacher_explanations, TAU)
    )
    terms = objective.terms(log_y, total - (M - 1) * base[:, None], y, rows)
    expected = 0.0
    for k in range(K):
        for b in range(B):
            row = int(rows[k, b])
            ce = -float(torch.log_softmax(total[k, :, b], 0)[y[k, b]])
            prediction = oracles.divergence(teacher_prediction[row, 0], total[k, :, b], T)
            explanation = sum(oracles.divergence(teacher_explanations[row, m], log_y[k, m, :, b], TAU) for m in range(M)) / M
            sample = (1 - LAM) * ce + T**2 * LAM * (1 - MU) * prediction + TAU**2 * LAM * MU * explanation
            expected += sample / B
    assert objective.loss(terms).item() == pytest.approx(expected, rel=1e-10)
    assert {name: value.shape for name, value in terms.items()} == dict.fromkeys(("ce", "prediction", "explanation"), (K,))


def test_a_net_of_one_subnet_needs_no_second_softmax() -> None:
    log_y, y, rows = _logits(K, 1, C, B).log_softmax(2), torch.randint(C, (K, B)), _rows()
    terms = LABELS_ONLY.terms(log_y, log_y[:, 0], y, rows)
    torch.testing.assert_close(terms["ce"], cross_entropy(log_y[:, 0].log_softmax(1), y))


def test_the_gradient_of_a_replica_is_that_of_its_own_loss() -> None:
    logits = _logits(K, 1, C, B).requires_grad_()
    y, rows, target = torch.randint(C, (K, B)), _rows(), soften(_logits(N, 1, C), T)
    objective = Objective(weights(METHODS["kd"], T, TAU, LAM, MU), target)

    def loss(part: slice) -> Tensor:
        log_y = logits[part].log_softmax(2)
        return objective.loss(objective.terms(log_y, log_y[:, 0], y[part], rows[part]))

    (together,) = torch.autograd.grad(loss(slice(None)), logits)
    alone = [torch.autograd.grad(loss(slice(k, k + 1)), logits)[0] for k in range(K)]
    torch.testing.assert_close(together, torch.stack(alone).sum(0))


def test_the_explanation_term_is_the_mean_of_its_superfeatures() -> None:
    teacher = soften(torch.randn(N, M, C, dtype=torch.float64), TAU)
    student, rows = torch.randn(K, M, C, B, dtype=torch.float64), torch.randint(N, (K, B))
    each = divergences(teacher, rows, student)
    assert each.shape == (K, M)
    torch.testing.assert_close(each.mean(dim=1), divergence(teacher, rows, student))
    alone = [divergence(soften_column(teacher, m), rows, student[:, [m]]) for m in range(M)]
    torch.testing.assert_close(each, torch.stack(alone, dim=1))


def soften_column(target: SoftTarget, m: int) -> SoftTarget:
    return SoftTarget(target.probabilities[:, [m]], target.negentropy[:, [m]], target.temperature)


def test_only_objectives_with_explanations_tell_them_apart() -> None:
    log_y, rows = torch.randn(K, M, C, B).log_softmax(2), torch.randint(N, (K, B))
    assert LABELS_ONLY.each_explanation(log_y, rows) is None
    some = Objective({"explanation": 1.0}, explanation=soften(torch.randn(N, 2, C), TAU), columns=(0, 2))
    assert some.each_explanation(log_y, rows).shape == (K, 2)


def _halved_variance(teacher: Tensor, rows: Tensor, student: Tensor) -> Tensor:
    """What T^2 KL becomes at a high T: half the variance over the classes of the two nets' differences."""
    return (student - teacher[rows].permute(0, 2, 3, 1)).var(dim=2, correction=0).mean(dim=(1, 2)) / 2


@pytest.mark.parametrize("gap", [3.0, 0.1])
def test_at_a_high_temperature_the_loss_in_float32_is_half_the_variance_and_its_gradient_that_of_float64(gap: float) -> None:
    teacher, rows = _logits(N, M, C).float(), _rows()
    student = (teacher[rows].permute(0, 2, 3, 1) + gap * torch.randn(K, M, C, B)).requires_grad_()
    value = divergence(soften(teacher, 1e4), rows, student)
    value.sum().backward()
    assert value.dtype == torch.float32
    torch.testing.assert_close(1e8 * value, _halved_variance(teacher, rows, student), rtol=1e-2, atol=0)
    exact = student.detach().double().requires_grad_()
    divergence(soften(teacher.double(), 1e4), rows, exact).sum().backward()
    torch.testing.assert_close(student.grad, exact.grad.float())  # type: ignore[union-attr]


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 10.0, 40.0, 1e4])
def test_a_student_in_float32_that_equals_its_teacher_has_no_loss_at_any_temperature(temperature: float) -> None:
    teacher, rows = _logits(N, M, C).float(), _rows()
    own, target = teacher[rows].permute(0, 2, 3, 1), soften(teacher, temperature)
    for values in (divergence(target, rows, own), divergences(target, rows, own)):
        assert float(temperature**2 * values.abs().max()) < 1e-4


def test_at_ordinary_temperatures_float32_training_has_the_bits_that_it_always_had() -> None:
    teacher, student, rows = _logits(N, M, C).float(), _logits(K, M, C, B).float(), _rows()
    log_p = (teacher / T).log_softmax(-1)
    p, negentropy = log_p.exp(), (log_p.exp() * log_p).sum(-1)
    cross = (p[rows].permute(0, 2, 3, 1) * (student / T).log_softmax(2)).sum(dim=(1, 2, 3)) / (B * M)
    assert torch.equal(divergence(soften(teacher, T), rows, student), negentropy[rows].reshape(K, -1).mean(1) - cross)


@pytest.mark.parametrize("temperature", [0.0, -1.0, 1e-4, 1e5, math.inf, math.nan])
def test_a_temperature_beyond_what_float32_can_say_is_refused(temperature: float) -> None:
    with pytest.raises(InvalidInput, match=r"take one from 0\.001 to 10000"):
        soften(_logits(N, M, C), temperature)
