"""What a look at all samples finds, against data whose faults were put in by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.words import data as data_words
from ked.data import Dataset
from ked.data.checkup import checkup
from ked.data.tabular import table


def made(x: np.ndarray, y: np.ndarray) -> Dataset:
    classes = tuple(f"class {c}" for c in range(int(y.max()) + 1))
    return table("made", x, y, classes, tuple(f"f{d}" for d in range(x.shape[1])))


def noise(rows: int = 200, D: int = 4, C: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, D)), np.arange(rows) % C


def test_a_correlation_ratio_of_two_classes_is_the_absolute_correlation_with_the_class() -> None:
    x, y = noise()
    data = made(x + 0.7 * y[:, None], y)
    train = data.train.numpy()
    expected = [abs(np.corrcoef(data.x.numpy()[train, d], y[train])[0, 1]) for d in range(4)]
    assert checkup(data).ratios.tolist() == pytest.approx(expected, abs=1e-6)


def test_correlation_ratios_are_those_of_a_loop_over_classes() -> None:
    x, y = noise(500, D=10, C=4)
    data = made(x * (1 + y[:, None]) + y[:, None] % 3, y)
    x, y = (tensor.double().numpy() for tensor in data.part("train"))
    for d, ratio in enumerate(checkup(data).ratios.tolist()):
        column = x[:, d]
        between = sum((y == c).sum() * (column[y == c].mean() - column.mean()) ** 2 for c in range(4))
        assert ratio**2 == pytest.approx(between / ((column - column.mean()) ** 2).sum(), abs=1e-9)


def test_correlation_ratios_weigh_classes_by_their_size() -> None:
    x, y = noise(500)
    y = np.where(np.arange(500) < 450, 0, 1)
    data = made(x + 0.7 * y[:, None], y)
    column, label = (tensor.double().numpy() for tensor in data.part("train"))
    assert checkup(data).ratios[0].item() == pytest.approx(abs(np.corrcoef(column[:, 0], label)[0, 1]), abs=1e-6)


@pytest.mark.parametrize(("share", "telling"), [(0.93, ()), (0.97, (0,))])
def test_a_feature_gives_the_class_away_from_a_ratio_of_095_on(share: float, telling: tuple[int, ...]) -> None:
    x, y = noise(2000)
    x[:, 0] = share * (2 * y - 1) + np.sqrt(1 - share**2) * x[:, 0]
    found = checkup(made(x, y))
    assert found.ratios[0].item() == pytest.approx(share, abs=0.01)
    assert found.telling == telling


def test_a_code_of_the_class_in_any_order_is_found() -> None:
    x, y = noise(C=3)
    x[:, 2] = np.array([5.0, -1.0, 2.0])[y]
    assert checkup(made(x, y)).telling == (2,)
    assert checkup(made(noise()[0], noise()[1])).telling == ()


def test_constant_features_are_those_of_the_training_part() -> None:
    x, y = noise()
    x[:, 1] = 1e9 + 0.1
    data = made(x, y)
    x[:, 3] = 0.0
    x[data.test[0], 3] = 1.0
    found = checkup(made(x, y))
    assert found.constant == (1, 3)
    assert found.ratios[[1, 3]].tolist() == [0, 0]


def test_counts_are_of_each_class_in_each_split() -> None:
    x, y = noise(100, C=3)
    data = made(x, y)
    counts = checkup(data).counts
    for row, part in zip(counts, (data.train, data.validation, data.test), strict=True):
        assert row.tolist() == [int((data.y[part] == c).sum()) for c in range(3)]
    assert int(counts.sum()) == 100


def test_repeated_samples_are_counted_once_each_with_their_contradictions_and_leaks() -> None:
    x, y = noise()
    data = made(x, y)
    train, validation, test = (part.tolist() for part in (data.train, data.validation, data.test))
    x[test[0]] = x[train[0]]
    x[train[2]] = x[train[1]]
    x[test[2]] = x[validation[1]]
    found = checkup(made(x, y))
    pairs = [(test[0], train[0]), (train[2], train[1]), (test[2], validation[1])]
    assert (found.duplicates, found.leaks) == (3, 1)
    assert found.contradictions == sum(y[a] != y[b] for a, b in pairs)


def test_a_table_comes_back_in_its_own_units() -> None:
    x, y = noise()
    x = 1000 + 30 * x
    data = made(x, y)
    rows = torch.tensor([3, 1, 199])
    assert np.allclose(data.original(rows).numpy(), x[rows.numpy()], rtol=1e-6)


def test_remarks_name_what_is_wrong_first_and_are_inert_in_markdown() -> None:
    x, y = noise(60, C=2)
    x[:, 0], x[:, 1], x[5] = 3.0, y, x[3]
    y = np.where(np.arange(60) < 50, y, 0)
    data = table("made", x, y, ("a", "b"), ("still`", "told *you*", "f2", "f3"))
    said = data_words.remarks(data, checkup(data))
    wrong = [sentence for well, sentence in said if not well]
    assert [well for well, _ in said] == sorted(well for well, _ in said)
    assert any("1 of 4 features never changes" in sentence and "`still'`" in sentence for sentence in wrong)
    assert any("1 sample repeats an earlier one" in sentence for sentence in wrong)
    assert any("test samples: each is worth" in sentence for sentence in wrong)


def test_nothing_is_wrong_with_sound_data() -> None:
    x, y = noise(1000)
    assert all(well for well, _ in data_words.remarks(made(x, y), checkup(made(x, y))))


@pytest.mark.parametrize(
    ("counts", "well", "words"),
    [
        ((50, 50), True, "The classes are equally large, with 50 training samples each. Always answering `a` would be right for 50 %"),
        ((50, 60), True, "The classes are about equally large, with 50 to 60 training samples each. Always answering `b`"),
        ((214, 127), True, "The classes are not equally large: `a` has 214 training samples, `b` 127. Always answering `a` would"),
        ((20, 90), False, "The classes are uneven: `b` has 90 training samples, `a` 20."),
    ],
)
def test_classes_count_as_equally_large_only_where_no_answer_is_often_right(counts: tuple[int, int], well: bool, words: str) -> None:
    y = torch.arange(2).repeat_interleave(torch.tensor(counts))
    x, y = torch.randn(len(y) + 2, 3, generator=torch.Generator().manual_seed(0)), torch.cat([y, torch.arange(2)])
    train, validation, test = torch.arange(len(y)).split([len(y) - 2, 1, 1])
    data = Dataset("own", x, y, train, validation, test, (3,), ("a", "b"), ("f", "g", "h"))
    (said,) = [remark for remark in data_words.remarks(data, checkup(data)) if "classes are" in remark[1]]
    assert said[0] is well
    assert said[1].startswith(words)
