"""Matching of superfeatures: identity, permutation, fewer, more, and the best of all one-to-one pairings."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ked.errors import InvalidInput
from ked.losses import divergence, soften
from ked.matching import match

N, K, C, B = 10, 2, 4, 5
GROUPS = ((0, 1, 2), (3, 4), (5, 6, 7))


def test_equal_groups_match_themselves_and_need_no_word() -> None:
    found = match(GROUPS, GROUPS)
    assert (found.pairs, found.overlaps, found.note, found.whole) == (((0, 0), (1, 1), (2, 2)), (1.0, 1.0, 1.0), "", True)


def test_groups_in_another_order_match_all_the_same() -> None:
    found = match(GROUPS, [(7, 6, 5), (2, 0, 1), (4, 3)])
    assert (found.pairs, found.note, found.whole) == (((0, 1), (1, 2), (2, 0)), "", False)


def test_what_a_larger_teacher_says_beyond_the_students_superfeatures_is_dropped() -> None:
    found = match([(0, 1, 2), (3, 4, 5, 6, 7)], GROUPS)
    assert found.pairs == ((0, 0), (1, 2))
    assert found.overlaps == (1.0, 3 / 5)
    assert found.note == (
        "The student's 2 superfeatures were matched with the teacher's 3 by overlap, which gave 2 pairs with a mean Jaccard "
        "overlap of 0.80; superfeature 2 of the teacher found no partner and took no part in the explanation loss."
    )
    assert not found.whole


def test_what_a_larger_student_says_beyond_the_teachers_superfeatures_is_dropped(one_sentence: Callable[[str], str]) -> None:
    found = match([(0,), (1, 2), (3, 4, 5), (6,), (7,)], GROUPS)
    assert found.pairs == ((1, 0), (2, 1), (3, 2))
    assert "superfeatures 1, 5 of the student found no partner" in one_sentence(found.note)


def test_a_pair_without_a_common_feature_is_no_pair() -> None:
    found = match([(0, 1, 2, 3), (4,)], [(0, 1, 2, 3, 4)])
    assert found.pairs == ((0, 0),)
    found = match([(0, 1), (2,)], [(0,), (1, 2)])
    assert found.pairs == ((0, 0), (1, 1))
    found = match([(0, 1), (2, 3, 4)], [(1, 2, 3, 4, 0)])
    assert found.pairs == ((1, 0),)
    three = match([(0, 1, 2), (3,), (4,)], [(0,), (1,), (2, 3, 4)])
    assert all(overlap > 0 for overlap in three.overlaps)
    assert "of the student and superfeature" in three.note


@given(data=st.data(), features=st.integers(4, 9), counts=st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_no_other_pairing_overlaps_more(data: st.DataObject, features: int, counts: tuple[int, int]) -> None:
    student, teacher = (_cover(data, features, count) for count in counts)
    found = match(student, teacher)
    table = [[len(set(one) & set(two)) / len(set(one) | set(two)) for two in teacher] for one in student]
    if len(student) <= len(teacher):
        ways = [list(enumerate(chosen)) for chosen in itertools.permutations(range(len(teacher)), len(student))]
    else:
        ways = [[(i, j) for j, i in enumerate(chosen)] for chosen in itertools.permutations(range(len(student)), len(teacher))]
    assert sum(found.overlaps) == pytest.approx(max(sum(table[i][j] for i, j in way) for way in ways))
    assert found.overlaps == tuple(table[i][j] for i, j in found.pairs)
    assert len({i for i, _ in found.pairs}) == len({j for _, j in found.pairs}) == len(found.pairs) > 0
    assert (found.note == "") == (sorted(map(sorted, student)) == sorted(map(sorted, teacher)))
    swapped = match(teacher, student)
    assert sum(swapped.overlaps) == pytest.approx(sum(found.overlaps))


def _cover(data: st.DataObject, features: int, count: int) -> list[list[int]]:
    order = data.draw(st.permutations(range(features)))
    cuts = sorted(data.draw(st.sets(st.integers(1, features - 1), min_size=count - 1, max_size=count - 1)))
    return [list(order[a:b]) for a, b in itertools.pairwise((0, *cuts, features))]


def test_the_explanation_loss_is_the_mean_over_the_matched_pairs() -> None:
    found = match([(0, 1, 2), (3, 4, 5, 6, 7)], GROUPS)
    student = torch.randn(K, 2, C, B, dtype=torch.float64)
    teacher, rows = torch.randn(N, 3, C, dtype=torch.float64), torch.randint(N, (K, B))
    target = soften(teacher, 3.0)
    loss = divergence(found.teacher_columns(target), rows, student[:, list(found.students)])
    pairs = [divergence(soften(teacher[:, [j]], 3.0), rows, student[:, [i]]) for i, j in found.pairs]
    torch.testing.assert_close(loss, torch.stack(pairs).mean(0))


def test_equal_groups_leave_the_tensors_alone() -> None:
    found, target = match(GROUPS, GROUPS), soften(torch.randn(N, 3, C), 2.0)
    assert found.teacher_columns(target) is target


def test_superfeatures_of_other_features_are_refused(one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as error:
        match([(0, 1)], [(0, 1, 2)])
    assert "2 features" in one_sentence(str(error.value))
