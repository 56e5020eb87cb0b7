"""Agreement of anybody's nets, and of explanations without nets: the app's own survey, asked in other ways."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ked
from ked.agreements import MEASURES, survey
from ked.errors import InvalidInput
from ked.heard import heard
from ked.matching import matching
from ked.nets import SubnetStack
from ked.nets.cnn import ConvStack

GROUPS = ((0, 3, 5), (1, 2), (4, 6, 7))
N, D, C, TAU = 40, 8, 4, 3.0
BASE = torch.tensor([0.1, 0.2, 0.3, 0.4]).log()
X, Y = torch.randn(N, D, generator=torch.Generator().manual_seed(3)), torch.arange(N) % C


def _stack(seed: int, replicas: int = 1, groups: tuple[tuple[int, ...], ...] = GROUPS) -> SubnetStack:
    stack = SubnetStack(groups, [9], C, replicas=replicas, base=BASE)
    stack.reset(range(seed, seed + replicas))
    return stack


TEACHER, STUDENTS = _stack(0), _stack(10, replicas=2)


def _same(one: ked.agreements.Survey, other: ked.agreements.Survey) -> None:
    assert one.samples.keys() == other.samples.keys()
    for name in one.samples:
        np.testing.assert_allclose(one.samples[name], other.samples[name], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one.chance[name], other.chance[name], rtol=1e-5, atol=1e-6)
    for name in one.cells:
        np.testing.assert_allclose(one.cells[name], other.cells[name], rtol=1e-5, atol=1e-6)
    assert (one.correct == other.correct).all()


@pytest.mark.parametrize("students", [_stack(10, 2), _stack(10, 2, GROUPS[::-1]), SubnetStack(D, [9], C, replicas=2)])
def test_what_was_heard_compares_as_the_nets_do(students: SubnetStack) -> None:
    pairs = matching(students, TEACHER) if len(students.groups) > 1 else None
    live = survey(students, TEACHER, X, Y, pairs=pairs, tau=TAU)
    _same(ked.agreement(students, TEACHER, X, Y, tau=TAU), live)
    _same(survey(heard(students, X), heard(TEACHER, X), None, Y, pairs=pairs, tau=TAU, chunk=7), live)


def test_nets_of_ones_own_compare_as_the_same_nets_of_the_packages() -> None:
    own = [ked.ExplainingNet(GROUPS, BASE, subnets=[STUDENTS.subnet(m, k) for m in range(3)]) for k in range(2)]
    loader = DataLoader(TensorDataset(X), batch_size=7)
    _same(ked.agreement(own, TEACHER, loader, Y, tau=TAU), ked.agreement(STUDENTS, TEACHER, X, Y, tau=TAU))


def test_samples_of_any_shape_and_kind_are_taken() -> None:
    live = ked.agreement(STUDENTS, TEACHER, X, Y, tau=TAU)
    for x in (X.unflatten(1, (2, 4)), X.double().numpy(), DataLoader(TensorDataset(X.unflatten(1, (1, 2, 4))), batch_size=16)):
        _same(ked.agreement(STUDENTS, TEACHER, x, Y, tau=TAU), live)


def test_nets_are_asked_in_eval_mode_and_left_as_they_were() -> None:
    net, x = ConvStack("small-cnn", (8, 8), C, superfeatures=2), torch.rand(9, 64)
    told = heard(net.train(), x)
    assert net.training
    torch.testing.assert_close(told.log_y, heard(net.eval(), x).log_y)


def test_arrays_of_explanations_compare_as_the_nets_that_gave_them() -> None:
    said = [net.explain(X).detach() for net in (STUDENTS.replica(0), TEACHER)]
    found = ked.agreement(*said, y=Y, base=BASE, tau=TAU)
    _same(found, ked.agreement(STUDENTS.replica(0), TEACHER, X, Y, tau=TAU))
    _same(ked.agreement(*(part.numpy() for part in said), y=Y, base=BASE.numpy(), tau=TAU), found)
    equal = ked.agreement(*said, y=Y, tau=TAU)  # from equal probabilities
    _same(equal, ked.agreement(*said, y=Y, base=torch.full((C,), 0.25).log(), tau=TAU))


def test_a_black_box_is_compared_in_its_answers_alone() -> None:
    net = nn.Sequential(nn.Linear(D, 6), nn.ReLU(), nn.Linear(6, C))
    found = ked.agreement(net, TEACHER, X)
    answers = TEACHER(X)[0].argmax(-1)
    assert found.to_frame().index.tolist() == ["answer", "prediction-kl"]
    assert found.mean("answer")[0] == pytest.approx(float((net(X).argmax(-1) == answers).float().mean()))
    assert (found.labels == answers.numpy()).all()


def test_channels_are_compared_by_number() -> None:
    teacher, student = (ConvStack("small-cnn", (8, 8), C, superfeatures=3, width=width) for width in (2, 4))
    assert ked.agreement(student, teacher, torch.rand(9, 64)).superfeatures == (0, 1, 2)


def test_the_table_has_every_measure_beside_its_chance_levels() -> None:
    found = ked.agreement(STUDENTS, TEACHER, X, Y, tau=TAU)
    table = found.to_frame()
    assert table.index.tolist() == [*MEASURES, "answer", "prediction-kl"]
    assert table.value["cosine"] == pytest.approx(found.mean("cosine").mean())
    assert table.chance["cosine"] == pytest.approx(found.chance_mean("cosine").mean())
    assert table.alike["cosine"] == pytest.approx(found.alike_mean("cosine").mean())
    assert table.independent["feature"] == pytest.approx(2 / 3)
    assert "cosine of contributions" in found._repr_html_()
    assert len(found.plot("cosine").data) == 3
    with pytest.raises(InvalidInput, match="there is no measure"):
        found.plot("beauty")


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        (lambda: ked.agreement(TEACHER, TEACHER), "x is missing: student"),
        (lambda: ked.agreement(TEACHER, nn.Linear(D, C), X), "explainer has no explanations"),
        (lambda: ked.agreement(TEACHER, STUDENTS, X), "explainer must be one net"),
        (lambda: ked.agreement(TEACHER, TEACHER, X, base=BASE), "base belongs to arrays"),
        (lambda: ked.agreement(TEACHER, TEACHER, X, Y[:3]), "y must hold"),
        (lambda: ked.agreement(TEACHER, TEACHER, DataLoader(X, 4, shuffle=True)), "an order of its own"),
        (lambda: ked.agreement(TEACHER, TEACHER, X, Y + C), "y must hold"),
        (lambda: ked.agreement(torch.zeros(3, 2, C), torch.zeros(3, 2, C)), "student does not sum to one"),
        (lambda: ked.agreement(np.zeros((3, 2)), np.zeros((3, 2))), "student must hold finite log-probabilities"),
        (lambda: ked.agreement(*(torch.zeros(n, 2, C).log_softmax(-1) for n in (3, 4))), "the same samples and classes"),
        (lambda: ked.agreement(*(torch.zeros(3, 2, C).log_softmax(-1),) * 2, base=BASE[:2]), "base has 2"),
        (lambda: ked.agreement([TEACHER, _stack(1, groups=GROUPS[::-1])], TEACHER, X), "the same superfeatures"),
        (lambda: survey(heard(STUDENTS, X), TEACHER, X, Y, pairs=None, tau=1.0, shape=(D,), maps=("own",)), "the student was heard"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_one_sentence(ask: Callable[[], object], names: str, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        ask()
    assert names in one_sentence(str(raised.value))
