"""Agreement over a whole test set: streamed it is what it is in one piece, and it tells those who learnt from those who did not."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from ked.agreements import FIDELITY, MEASURES, Survey, survey
from ked.agreements.outputs import NetOutputs, outputs_of
from ked.agreements.own_nets import agreement
from ked.agreements.survey import another, another_alike
from ked.data import planted
from ked.errors import InvalidInput
from ked.losses import LABELS_ONLY, Objective, soften
from ked.matching import match
from ked.nets.inference import accuracy, explain, predict
from ked.nets.subnets import SubnetStack, explaining_net, mlp
from ked.training.loop import fit

D, C, K, N = 12, 3, 2, 50
GROUPS = (tuple(range(4)), tuple(range(4, 8)), tuple(range(8, 12)))
TAU = 4.0


def net(seed: int, groups: tuple[tuple[int, ...], ...] = GROUPS, replicas: int = 1) -> SubnetStack:
    stack = explaining_net(groups, mlp(D, (16, 16), C), torch.tensor([0.2, 0.3, 0.5]).log(), replicas=replicas).double()
    stack.reset(range(seed, seed + replicas))
    return stack


X = torch.randn(N, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
labels = torch.randint(0, C - 1, (N,), generator=torch.Generator().manual_seed(2))  # no sample of the last class
TEACHER, STUDENTS = net(0), net(7, replicas=K)


def usual(theirs: NetOutputs, y: torch.Tensor) -> torch.Tensor:
    """(M, N, C) the mean of the contributions to the other samples of the class, written out."""
    phi, numbers = theirs.phi[0], torch.arange(len(y))
    return torch.stack([phi[:, (y == y[n]) & (numbers != n)].mean(dim=1) for n in range(len(y))], dim=1)


def compared(**options: object) -> Survey:
    return survey(STUDENTS, TEACHER, X, labels, pairs=match(GROUPS, GROUPS), tau=TAU, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("chunk", [1, 7, N])
def test_the_size_of_the_chunks_does_not_matter(chunk: int) -> None:
    one, other = compared(chunk=chunk), compared()
    for mine, theirs in ((one.samples, other.samples), (one.chance, other.chance), (one.alike, other.alike), (one.cells, other.cells)):
        assert mine.keys() == theirs.keys()
        for name in mine:
            np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5, atol=1e-6)
    assert (one.correct == other.correct).all()


def test_streamed_it_is_what_it_is_of_all_samples_at_once() -> None:
    found = compared(chunk=8)
    with torch.no_grad():
        theirs = outputs_of(TEACHER, X, TAU, None)
        mine = outputs_of(STUDENTS, X, TAU, None, asked=theirs.asked)
    theirs.usual = usual(theirs, labels)
    for name, measure in (MEASURES | FIDELITY).items():
        whole, each = (None if part is None else part.numpy() for part in measure.compare(mine, theirs))
        np.testing.assert_allclose(found.samples[name], whole, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.mean(name), whole.mean(1), rtol=1e-5)
        for c in range(C - 1):
            np.testing.assert_allclose(found.by_class(name)[:, c], whole[:, labels == c].mean(1), rtol=1e-5)
            if each is not None:
                np.testing.assert_allclose(found.cells[name][:, :, c], each[:, :, labels == c].mean(2), rtol=1e-5, atol=1e-9)
        assert (name in found.cells) == (each is not None)
        if each is not None:
            np.testing.assert_allclose(found.by_superfeature(name), each.mean(2), rtol=1e-5, atol=1e-9)
            assert np.isnan(found.cells[name][:, :, C - 1]).all()
            assert np.isnan(found.by_class(name)[:, C - 1]).all()


def test_what_is_said_is_what_the_nets_explain_and_predict() -> None:
    with torch.no_grad():
        mine = outputs_of(STUDENTS, X, TAU, (2, 0))
    torch.testing.assert_close(mine.log_y, explain(STUDENTS, X)[:, [2, 0]])
    torch.testing.assert_close(mine.log_p, predict(STUDENTS, X))


def test_chance_is_the_same_student_beside_what_the_teacher_says_of_another_sample() -> None:
    found, others = compared(seed=3), another(N, 3)
    with torch.no_grad():
        theirs, elsewhere = outputs_of(TEACHER, X, TAU, None), outputs_of(TEACHER, X[others], TAU, None)
        mine = outputs_of(STUDENTS, X, TAU, None, asked=theirs.asked)
    elsewhere.usual = usual(theirs, labels)[:, others]
    for name, measure in (MEASURES | FIDELITY).items():
        np.testing.assert_allclose(found.chance[name], measure.compare(mine, elsewhere).whole.numpy(), rtol=1e-5, atol=1e-6)
    assert not np.array_equal(compared(seed=4).chance["cosine"], found.chance["cosine"])
    np.testing.assert_array_equal(compared(seed=3).chance["cosine"], found.chance["cosine"])


def test_the_level_of_a_class_is_the_same_student_beside_another_sample_of_that_class() -> None:
    found, others = compared(seed=3), another_alike(labels, 3)
    there = others != torch.arange(N)
    assert (labels[others] == labels).all()
    assert sorted(others.tolist()) == list(range(N))
    assert all(there[labels == c].all() == ((labels == c).sum() > 1) for c in labels.unique())
    with torch.no_grad():
        theirs, alike = outputs_of(TEACHER, X, TAU, None), outputs_of(TEACHER, X[others], TAU, None)
        mine = outputs_of(STUDENTS, X, TAU, None, asked=theirs.asked)
    alike.usual = usual(theirs, labels)[:, others]
    for name, measure in (MEASURES | FIDELITY).items():
        whole = measure.compare(mine, alike).whole.numpy()
        np.testing.assert_allclose(found.alike[name][:, there], whole[:, there], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.alike_mean(name), whole[:, there].mean(1), rtol=1e-5, atol=1e-6)


def test_a_sample_that_is_alone_in_its_class_has_no_level_of_its_class() -> None:
    found = survey(STUDENTS, TEACHER, X[:3], torch.tensor([0, 1, 1]), pairs=match(GROUPS, GROUPS), tau=TAU)
    assert np.isnan(found.alike["cosine"]).any(axis=0).tolist() == [True, False, False]
    alone = survey(STUDENTS, TEACHER, X[:2], torch.tensor([0, 1]), pairs=match(GROUPS, GROUPS), tau=TAU)
    assert np.isnan(alone.alike_mean("cosine")).all()
    assert not np.isnan(found.alike_mean("cosine")).any()


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_another_sample_is_never_the_same_one_and_each_is_taken_once(count: int) -> None:
    others = another(count, 5)
    assert sorted(others.tolist()) == list(range(count))
    assert count == 1 or not (others == torch.arange(count)).any()


def test_a_student_that_is_its_teacher_agrees_wholly_and_unrelated_nets_agree_as_by_chance() -> None:
    itself = survey(TEACHER, TEACHER, X, labels, pairs=match(GROUPS, GROUPS), tau=TAU)
    for name, measure in (MEASURES | FIDELITY).items():
        assert itself.mean(name) == pytest.approx([measure.best], abs=1e-6)
    x = torch.randn(2000, D, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    unrelated = survey(STUDENTS, TEACHER, x, torch.zeros(2000, dtype=torch.int64), pairs=match(GROUPS, GROUPS), tau=TAU)
    for name in ("cosine", "spearman", "feature", "rank", "sign", "pairwise"):
        assert unrelated.mean(name) == pytest.approx(unrelated.chance_mean(name), abs=0.08), name


def test_a_black_box_has_answers_but_no_explanations() -> None:
    student = mlp(D, (8,), C, replicas=K).double()
    found = survey(student, TEACHER, X, labels, pairs=None, tau=TAU)
    assert set(found.samples) == set(FIDELITY)
    assert not found.cells
    assert found.superfeatures == ()
    assert found.correct.mean(1) == pytest.approx(accuracy(student, X, labels))
    same = predict(student, X).argmax(-1) == predict(TEACHER, X).argmax(-1)
    assert found.mean("answer") == pytest.approx(same.double().mean(1).numpy())


def test_unequal_superfeatures_are_compared_in_matched_pairs_alone() -> None:
    own = ((8, 9, 10, 11), tuple(range(8)))
    student, pairs = net(3, own, K), match(own, GROUPS)
    found = survey(student, TEACHER, X, labels, pairs=pairs, tau=TAU)
    assert found.superfeatures == pairs.teachers
    assert found.cells["cosine"].shape == (K, 2, C)
    mine, theirs = explain(student, X)[:, list(pairs.students)], explain(TEACHER, X)[:, list(pairs.teachers)]
    for m in range(2):
        phi = [said[:, m] - net.base for said, net in ((mine, student), (theirs, TEACHER))]
        centred = [one - one.mean(-1, keepdim=True) for one in phi]
        each = torch.cosine_similarity(*centred, dim=-1)
        assert found.by_superfeature("cosine")[:, m] == pytest.approx(each.mean(-1).numpy(), rel=1e-5)
    assert found.k == 1


def test_progress_rises_to_one_and_no_sample_is_refused(one_sentence: Callable[[str], str]) -> None:
    shares: list[float] = []
    compared(chunk=20, progress=shares.append)
    assert shares == [0.4, 0.8, 1.0]
    with pytest.raises(InvalidInput, match="at least one sample") as caught:
        survey(STUDENTS, TEACHER, X[:0], labels[:0], pairs=match(GROUPS, GROUPS), tau=TAU)
    one_sentence(str(caught.value))


def test_with_planted_superfeatures_a_student_of_explanations_agrees_more_than_its_form_alone_and_both_more_than_chance() -> None:
    dataset, truth = planted.make(D=12, M=3, C=3, n=3000, strength=2.5)
    train, validation, (x, y) = (dataset.part(name) for name in ("train", "validation", "test"))
    base = torch.full((3,), 1 / 3).log()
    teacher = explaining_net(truth.groups, mlp(12, (48,), 3), base)
    students = explaining_net(truth.groups, mlp(12, (16,), 3), base, replicas=2)
    for _ in fit(teacher, train, validation, seeds=[0], epochs=30, batch_size=50, lr=1e-2):
        pass
    target = soften(explain(teacher, train[0])[0].transpose(0, 1).clone(), 2.0)
    found = {}
    for name, objective in {"ked": Objective({"explanation": 4.0, "ce": 0.0}, explanation=target), "labels": LABELS_ONLY}.items():
        students.reset([1, 2])
        for _ in fit(students, train, validation, seeds=[1, 2], epochs=15, batch_size=50, lr=1e-2, objective=objective):
            pass
        found[name] = survey(students, teacher, x, y, pairs=match(truth.groups, truth.groups), tau=2.0)
    for measure in ("cosine", "spearman", "signed-rank", "pairwise"):
        learnt, form = (found[name].mean(measure).mean() for name in ("ked", "labels"))
        chance = max(found[name].chance_mean(measure).max() for name in found)
        assert learnt > form > chance, measure
    assert found["ked"].mean("cosine").min() > 0.8
    assert found["ked"].mean("jensen-shannon").max() < found["labels"].mean("jensen-shannon").min()


def test_at_a_high_temperature_float32_nets_have_the_divergences_of_float64_ones_and_none_from_themselves() -> None:
    wide = survey(STUDENTS, TEACHER, X, labels, pairs=match(GROUPS, GROUPS), tau=1e4)
    students, teacher = (copy.deepcopy(net).float() for net in (STUDENTS, TEACHER))
    found = survey(students, teacher, X.float(), labels, pairs=match(GROUPS, GROUPS), tau=1e4)
    itself = survey(teacher, teacher, X.float(), labels, pairs=match(GROUPS, GROUPS), tau=1e4)
    for name in ("kullback-leibler", "jensen-shannon"):
        np.testing.assert_allclose(found.samples[name], wide.samples[name], rtol=1e-2)
        assert np.abs(1e8 * itself.samples[name]).max() < 1e-6


def _arrays(samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Explanations (N, M, C) that are mostly of the class and partly of the sample, and the classes."""
    draw, y = torch.Generator().manual_seed(4), torch.arange(samples) % C
    of_class = 3 * torch.randn(C, 4, C, generator=draw, dtype=torch.float64)
    return (of_class[y] + torch.randn(samples, 4, C, generator=draw, dtype=torch.float64)).log_softmax(-1), y


def test_beyond_the_class_mean_a_copy_agrees_and_another_sample_of_the_class_does_not() -> None:
    """Whereas the cosine itself is high for both."""
    theirs, y = _arrays(900)
    shuffled = theirs[another_alike(y, 1)]
    other_half = torch.stack([theirs[1::2][y[1::2] == c].mean(dim=0) for c in range(C)])
    students = {"copy": theirs, "shuffled": shuffled, "class": other_half[y].log_softmax(-1)}
    found = {name: agreement(student[::2], theirs[::2], y=y[::2]) for name, student in students.items()}
    found["shuffled"] = agreement(shuffled, theirs, y=y)
    assert found["copy"].mean("beyond") == pytest.approx(1)
    assert all(one.mean("cosine") > 0.7 for one in found.values())
    for name in ("shuffled", "class"):
        values = found[name].samples["beyond"][0]
        assert abs(values.mean()) < 4 * values.std() / len(values) ** 0.5
    assert abs(found["copy"].alike_mean("beyond")) < 0.1


def test_beyond_the_class_mean_there_is_nothing_of_a_sample_that_is_alone_in_its_class() -> None:
    theirs, y = _arrays(7)
    y[0] = C - 1
    y[1:] = torch.arange(6) % (C - 1)
    found = agreement(theirs, theirs, y=y)
    assert np.isnan(found.samples["beyond"][0]).tolist() == [True] + [False] * 6
    assert found.mean("beyond") == pytest.approx(1)
    np.testing.assert_allclose(found.by_superfeature("beyond"), 1, rtol=1e-6)
    assert np.isnan(found.cells["beyond"][0, 0]).tolist() == [False, False, True]


def test_a_superfeature_that_agrees_least_is_not_hidden_by_the_others() -> None:
    theirs, y = _arrays(60)
    student = theirs.clone()
    student[:, 2] = student[another(60, 0), 2]
    found = agreement(student, theirs, y=y)
    table = found.to_frame()
    assert table.least["cosine"] == found.by_superfeature("cosine")[0, 2] < table.value["cosine"] - 0.1
    assert table.least["kullback-leibler"] > table.value["kullback-leibler"]
    assert np.isnan(table.least["answer"])
