"""The loss modules against formulas written out in float64, against the runs' own losses, and in every kind of loop."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import ked
from ked import data
from ked.distillation import LossTerms
from ked.errors import InvalidInput
from ked.losses import Objective, soften, weights
from ked.methods import METHODS
from ked.nets import SubnetStack, explaining_net, mlp

B, M, C, D = 6, 3, 5, 9
T, TAU, LAM, MU = 4.0, 7.0, 0.6, 0.3
GROUPS = ((0, 3, 6), (1, 4, 7), (2, 5, 8))


def _said(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Student and teacher log y (B, M, C), labels and base."""
    student, teacher = ((spread * torch.randn(B, M, C, dtype=torch.float64)).log_softmax(-1) for spread in (2, 1))
    base = torch.randn(C, dtype=torch.float64).log_softmax(0)
    return student.to(dtype), teacher.to(dtype), torch.randint(C, (B,)), base.to(dtype)


def _written_out(student: Tensor, teacher: Tensor, y: Tensor, base: Tensor) -> tuple[float, float, float, list[float]]:
    """METHOD 1.4, number by number."""

    def softened(z: Tensor, t: float) -> Tensor:
        e = torch.exp(z / t)
        return e / e.sum()

    def kl(p: Tensor, q: Tensor) -> float:
        return sum(float(p[c] * torch.log(p[c] / q[c])) for c in range(C))

    ce, prediction, explanation = 0.0, 0.0, [0.0] * M
    for b in range(B):
        own, its = (sum(said[b, m] for m in range(M)) - (M - 1) * base for said in (student, teacher))
        ce -= float(torch.log(softened(own, 1.0)[y[b]])) / B
        prediction += kl(softened(its, T), softened(own, T)) / B
        for m in range(M):
            explanation[m] += kl(softened(teacher[b, m], TAU), softened(student[b, m], TAU)) / B
    total = (1 - LAM) * ce + T**2 * LAM * (1 - MU) * prediction + TAU**2 * LAM * MU * sum(explanation) / M
    return total, ce, prediction, explanation


def test_ked_loss_is_the_formula_written_out() -> None:
    student, teacher, y, base = _said()
    terms = ked.KEDLoss(base, T, TAU, LAM, MU)(student, teacher, y)
    total, ce, prediction, explanation = _written_out(student, teacher, y, base)
    assert (terms.total.item(), terms.ce.item(), terms.prediction.item()) == pytest.approx((total, ce, prediction), rel=1e-10)
    assert terms.explanation.tolist() == pytest.approx(explanation, rel=1e-10)


def test_the_authors_weighting_at_their_settings() -> None:
    student, teacher, y, base = _said()
    terms = ked.KEDLoss(base)(student, teacher, y)  # METHOD 1.4: T = tau = 10, lam = mu = 0.7
    parts = 0.3 * terms.ce + 100 * 0.7 * 0.3 * terms.prediction + 100 * 0.49 * terms.explanation.mean()
    torch.testing.assert_close(terms.total, parts)


def test_kd_loss_is_the_formula_of_torch() -> None:
    student, teacher, y = torch.randn(B, C).double(), torch.randn(B, C).double(), torch.randint(C, (B,))
    terms = ked.KDLoss(T, LAM)(student, teacher, y)
    prediction = nn.functional.kl_div((student / T).log_softmax(-1), (teacher / T).softmax(-1), reduction="batchmean")
    torch.testing.assert_close(terms.prediction, prediction)
    torch.testing.assert_close(terms.total, (1 - LAM) * nn.functional.cross_entropy(student, y) + LAM * T**2 * prediction)
    assert len(terms.explanation) == 0


@pytest.mark.parametrize("method", ["ked", "mu0"])
def test_equal_to_what_a_run_descends_on_the_same_batch(method: str) -> None:
    base = torch.randn(C).log_softmax(0)
    student, teacher = (SubnetStack(GROUPS, [8], C, base=base) for _ in range(2))
    x, y = torch.randn(20, D), torch.randint(C, (20,))
    rows = torch.randperm(20)[None, :B]
    own, its = student.subnet_log_probabilities(student.arrange(x[rows])), teacher.explanations(x)[0].detach()
    objective = Objective(
        weights(METHODS[method], T, TAU, LAM, MU),
        soften(teacher(x).detach().transpose(0, 1), T),
        soften(its.transpose(0, 1), TAU) if method == "ked" else None,
    )
    found = objective.terms(own, student.total(own), y[rows], rows)
    loss = ked.KEDLoss(base, T, TAU, LAM, MU if method == "ked" else 0.0)
    terms = loss(student.explain(x[rows[0]]), teacher.explain(x[rows[0]]), y[rows[0]])
    torch.testing.assert_close(terms.total, objective.loss(found))
    torch.testing.assert_close((terms.ce[None], terms.prediction[None]), (found["ce"], found["prediction"]))
    gradients = [torch.autograd.grad(value, list(student.parameters())) for value in (terms.total, objective.loss(found))]
    torch.testing.assert_close(*gradients)


def test_without_explanations_they_are_told_but_do_not_count() -> None:
    student, teacher, y, base = _said()
    student.requires_grad_()
    terms = ked.KEDLoss(base, T, TAU, LAM, 0.0)(student, teacher, y)
    torch.testing.assert_close(terms.total, (1 - LAM) * terms.ce + T**2 * LAM * terms.prediction)
    assert not terms.explanation.requires_grad
    assert float(terms.explanation.min()) > 0


def test_gradients_are_those_of_finite_differences() -> None:
    student, teacher, y, base = _said()
    logits = student.clone().requires_grad_()
    loss = ked.KEDLoss(base, T, TAU, LAM, MU)
    assert torch.autograd.gradcheck(lambda z: loss(z.log_softmax(-1), teacher, y).total, logits)
    assert torch.autograd.gradcheck(lambda z: ked.KDLoss(T, LAM)(z, teacher[:, 0], y).total, torch.randn(B, C).double().requires_grad_())


def test_no_gradient_reaches_the_teacher() -> None:
    student, teacher, y, base = _said()
    ked.KEDLoss(base)(student.requires_grad_(), teacher.requires_grad_(), y).backward()
    assert student.grad is not None
    assert teacher.grad is None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_taken_in_float32(dtype: torch.dtype) -> None:
    student, teacher, y, base = _said(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = ked.KEDLoss(base)(student.to(dtype), teacher.to(dtype), y)
        assert torch.equal(ked.KEDLoss(base)(student, teacher, y).total, ked.KEDLoss(base)(student, teacher, y).total)
    assert terms.total.dtype == terms.explanation.dtype == torch.float32
    torch.testing.assert_close(terms.total, ked.KEDLoss(base)(student, teacher, y).total, rtol=0.05, atol=0.05)


def test_under_autocast_a_whole_step_is_that_of_float32_up_to_the_layers_rounding() -> None:
    base, x, y = torch.zeros(C), torch.randn(B, D), torch.randint(C, (B,))
    net, its = (ked.ExplainingNet(GROUPS, base, subnet=lambda size: nn.Linear(size, C)) for _ in range(2))
    loss = ked.KEDLoss(base)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = loss(net.explain(x), its.explain(x), y)
    assert half.total.dtype == torch.float32
    half.backward()
    torch.testing.assert_close(half.total, loss(net.explain(x), its.explain(x), y).total, rtol=0.02, atol=0.02)


def test_accumulated_gradients_are_those_of_the_whole_batch() -> None:
    base, x, y = torch.zeros(C), torch.randn(B, D), torch.randint(C, (B,))
    net, its = (ked.ExplainingNet(GROUPS, base, subnet=lambda size: nn.Linear(size, C)).double() for _ in range(2))
    whole, loss = copy.deepcopy(net), ked.KEDLoss(base)
    loss(whole.explain(x.double()), its.explain(x.double()), y).backward()
    for part, labels in zip(x.double().chunk(3), y.chunk(3), strict=True):
        (loss(net.explain(part), its.explain(part), labels).total / 3).backward()
    for one, other in zip(net.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_nothing_is_kept_between_calls() -> None:
    student, teacher, y, base = _said()
    loss = ked.KEDLoss(base)
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    first = loss(student, teacher, y).total
    loss(teacher, student, y)
    assert torch.equal(loss(student, teacher, y).total, first)
    assert list(before) == ["base"]
    assert torch.equal(loss.base, before["base"])
    assert not list(loss.parameters())


def _broken(change: Callable[[list[Tensor]], object]) -> list[Tensor]:
    given = list(_said(torch.float32)[:3])
    change(given)
    return given


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda g: g.__setitem__(0, g[0].exp()), "student does not sum to one"),
        (lambda g: g.__setitem__(1, 3 * g[1]), "teacher does not sum to one"),
        (lambda g: g.__setitem__(0, g[0][:, :2]), "teacher speaks of 3 superfeatures, but there are 2"),
        (lambda g: g.__setitem__(1, g[1][..., :4].log_softmax(-1)), "teacher speaks of 4 classes, but base has 5"),
        (lambda g: g.__setitem__(0, g[0].sum(1)), "student must be log-probabilities of shape"),
        (lambda g: g.__setitem__(1, g[1][:4]), "teacher has the shape"),
        (lambda g: g[0][0, 0].fill_(torch.nan), "student holds NaN"),
        (lambda g: g[1][3, 2].fill_(torch.nan), "teacher holds NaN"),
        (lambda g: g[0][3, 2].fill_(torch.nan), "student holds NaN"),
        (lambda g: g.__setitem__(2, g[2].float()), "y must hold one int64 label"),
        (lambda g: g.__setitem__(2, g[2][:4]), "y must hold one int64 label"),
        (lambda g: g[2].fill_(C), "y holds labels from 5 to 5, but there are the classes 0 to 4"),
        (lambda g: g[2].fill_(-100), "y holds labels from -100 to -100"),
    ],
)
def test_what_is_wrong_with_a_batch_is_named(
    change: Callable[[list[Tensor]], object], names: str, one_sentence: Callable[[str], str]
) -> None:
    base = torch.zeros(C)
    with pytest.raises(InvalidInput) as raised:
        ked.KEDLoss(base)(*_broken(change))
    assert names in one_sentence(str(raised.value))


def test_kd_names_what_is_wrong(one_sentence: Callable[[str], str]) -> None:
    logits, y = torch.randn(B, C), torch.randint(C, (B,))
    for given, names in (((logits[None], logits, y), "student must be logits"), ((logits, logits[:, :3], y), "teacher has the shape"),
                         ((logits, logits * torch.nan, y), "teacher holds NaN")):  # fmt: skip
        with pytest.raises(InvalidInput) as raised:
            ked.KDLoss()(*given)
        assert names in one_sentence(str(raised.value))


@pytest.mark.parametrize("which", ["student", "teacher"])
def test_kd_takes_no_probabilities_for_logits(which: str) -> None:
    given = {"student": torch.randn(9, C), "teacher": torch.randn(9, C)}
    given[which] = given[which].softmax(1)
    with pytest.raises(InvalidInput, match=f"{which}'s answers are probabilities"):
        ked.KDLoss()(**given, y=torch.randint(C, (9,)))


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"tau": -1.0}, {"lam": 1.2}, {"mu": float("nan")}])
def test_settings_outside_their_bounds_are_named(wrong: dict[str, float], one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        ked.KEDLoss(torch.zeros(C), **wrong)
    assert next(iter(wrong)) in one_sentence(str(raised.value))


def test_terms_go_backward_as_their_total() -> None:
    z = torch.zeros(2, requires_grad=True)
    LossTerms(z.sum(), z[0], z[1], z).backward()
    assert z.grad is not None
    assert z.grad.tolist() == [1, 1]


def test_a_plain_loop_of_public_pieces_comes_to_the_accuracy_of_the_apps_run() -> None:
    """A KED student of the digits preset, trained anew in a loop of one's own from the stored teacher: within the spread of its seeds."""
    run = ked.load_run("digits-preset")
    recipe, dataset, explainer = run.recipe, data.load("digits"), run.explaining()
    (x, y), (x_test, y_test) = dataset.part("train"), dataset.part("test")
    told, form = explainer.explain(x).detach(), explaining_net(explainer.groups, mlp(64, recipe.student_hidden, 10), explainer.base)
    net = ked.ExplainingNet(form.groups, form.base, subnets=[form.subnet(m) for m in range(4)]).train()
    loss = ked.KEDLoss(form.base, recipe.temperature, recipe.tau, recipe.lam, recipe.mu)
    optimiser = torch.optim.Adam(net.parameters(), lr=recipe.lr)
    for _ in range(recipe.epochs):
        for rows in torch.randperm(len(x)).split(recipe.batch_for("student", len(x))):
            optimiser.zero_grad()
            loss(net.explain(x[rows]), told[rows], y[rows]).backward()
            optimiser.step()
    theirs = run.info["summary"]["accuracy"]["ked"]
    found = float((net(x_test).argmax(-1) == y_test).double().mean())
    assert found == pytest.approx(statistics.mean(theirs), abs=3 * max(statistics.stdev(theirs), 0.005))
