"""What the agreement page says in words is what its numbers say, and no more."""

from __future__ import annotations

import re

import numpy as np
import pytest

from explorer.words import agreement as words
from ked.agreements import MEASURES, Survey
from ked.agreements.contrasts import accuracy_gains, contrasts
from ked.matching import Matching
from ked.statistics import interval

M, N = 4, 20
PAIRS = Matching(tuple((m, m) for m in range(M)), (1.0,) * M, "", True)
LABELS = np.arange(N) % 2


def survey(cosine: list[float], accuracy: list[float], *, speaks: bool = True, divergence: float = 0.5) -> Survey:
    """Students with so much agreement and accuracy, a number a seed."""
    K = len(cosine)
    flat = {name: np.full((K, N), 0.5) for name in MEASURES} | {"jensen-shannon": np.full((K, N), divergence)}
    flat["cosine"] = np.repeat(np.array(cosine)[:, None], N, axis=1)
    answers = {"answer": np.full((K, N), 0.9), "prediction-kl": np.full((K, N), 0.1)}
    samples = (flat if speaks else {}) | answers
    correct = np.array([np.arange(N) < round(share * N) for share in accuracy])
    chance = {name: np.full_like(values, 0.25) for name, values in samples.items()}
    alike = {name: np.full_like(values, 0.4) for name, values in samples.items()}
    return Survey(samples, chance, alike, {}, correct, LABELS, PAIRS if speaks else None, 10.0)


HIGH, LOW = [0.9, 0.91, 0.92, 0.91], [0.4, 0.42, 0.41, 0.4]
BETTER, WORSE, MIXED = [0.9, 0.95, 0.9, 0.95], [0.5, 0.55, 0.45, 0.5], [0.95, 0.45, 0.9, 0.4]


@pytest.mark.parametrize(
    ("agreement", "accuracy", "says"),
    [
        ((HIGH, LOW), (BETTER, WORSE), "**Both.**"),
        ((HIGH, LOW), (BETTER, MIXED), "**Agreement; more accuracy is not shown.**"),
        ((HIGH, LOW), (WORSE, BETTER), "**Agreement, at the price of accuracy.**"),
        ((LOW, HIGH), (BETTER, WORSE), "**Accuracy, at the price of agreement.**"),
        ((LOW, [0.2, 0.6, 0.4, 0.45]), (BETTER, WORSE), "**Accuracy; more agreement is not shown.**"),
        ((LOW, [0.2, 0.6, 0.4, 0.45]), (BETTER, MIXED), "**Neither is shown.**"),
        ((LOW, HIGH), (WORSE, BETTER), "**Neither: both are lost.**"),
    ],
)
def test_the_answer_is_what_the_intervals_show(
    agreement: tuple[list[float], list[float]], accuracy: tuple[list[float], list[float]], says: str
) -> None:
    surveys = {"ked": survey(agreement[0], accuracy[0]), "mu0": survey(agreement[1], accuracy[1])}
    assert says in words.answer(contrasts(surveys, "cosine"), MEASURES["cosine"], 4)


def test_students_without_explanations_that_agree_are_named_where_their_seeds_show_it() -> None:
    told = words.without_explanations({"ked": survey(HIGH, BETTER), "mu0": survey(HIGH, BETTER)}, MEASURES["cosine"])
    assert "*KED without explanations* 0.91, another sample of the same class 0.40." in told
    assert "*KED* " not in told
    assert not words.without_explanations({"mu0": survey([0.2, 0.6, 0.4, 0.45], BETTER)}, MEASURES["cosine"])
    assert not words.without_explanations({"mu0": survey(HIGH[:3], BETTER[:3])}, MEASURES["cosine"])


def test_an_accuracy_that_does_not_differ_has_no_sign() -> None:
    told = words.answer(contrasts({"ked": survey([0.9], [0.9]), "mu0": survey([0.4], [0.9])}, "cosine"), MEASURES["cosine"], 1)
    assert "its accuracy differs by 0.00 points" in told


def test_the_interval_of_a_loss_goes_from_its_low_end_to_its_high_one() -> None:
    told = words.answer(contrasts({"ked": survey(LOW, BETTER), "mu0": survey(HIGH, WORSE)}, "cosine"), MEASURES["cosine"], 4)
    found = re.search(r"agrees less by (\S+) \[(\S+), (\S+)\]", told)
    assert found
    mean, low, high = map(float, found.groups())
    assert low < mean < high


def test_the_difference_is_that_of_each_seed_with_its_own_partner() -> None:
    (found,) = contrasts({"ked": survey(HIGH, BETTER), "mu0": survey(LOW, WORSE)}, "cosine")
    assert found.agreement is not None
    expected = interval(np.array(HIGH) - np.array(LOW))
    for value, known in zip(found.agreement[:3], expected, strict=True):
        assert value == pytest.approx(known)
    assert found.accuracy.mean == pytest.approx(np.mean(BETTER) - np.mean(WORSE))
    text = words.answer([found], MEASURES["cosine"], 4)
    assert f"agrees more by 0.50 [{expected.low:.2f}, {expected.high:.2f}]" in text


def test_less_divergence_is_more_agreement() -> None:
    surveys = {"ked": survey(HIGH, BETTER, divergence=0.001), "architecture": survey(HIGH, BETTER, divergence=0.004)}
    (found,) = contrasts(surveys, "jensen-shannon")
    assert found.agreement is not None
    assert found.agreement.mean == pytest.approx(0.003)
    assert "agrees more by 0.0030 nats" in words.answer([found], MEASURES["jensen-shannon"], 4)


def test_the_contrast_in_which_the_fewest_things_differ_comes_first_and_others_follow() -> None:
    others = {name: survey(LOW, WORSE) for name in ("architecture", "plain", "mu0", "shuffled")}
    others["plain"] = survey(LOW, WORSE, speaks=False)
    found = contrasts({"ked": survey(HIGH, BETTER)} | others, "cosine")
    assert [one.reference for one in found] == ["mu0", "shuffled", "architecture", "plain"]
    assert found[-1].agreement is None
    text = words.answer(found, MEASURES["cosine"], 4)
    assert "Compared with *KED without explanations* (the same net" in text
    assert text.endswith("Compared with *shuffled explanations* and *architecture only*: both.")
    table = words.differences(found)
    assert table["explanations buy"].tolist() == ["Both.", "Both.", "Both.", "–"]
    assert table["agreement"].iloc[-1] == "no explanations"


def test_students_of_another_run_are_set_beside_and_are_no_answer_to_the_question() -> None:
    surveys = {"ked": survey(HIGH, BETTER), "mu0": survey(LOW, WORSE), "ked+beside": survey(LOW, WORSE)}
    (other,) = contrasts(surveys, "cosine", ["ked+beside"])
    text = words.beside(other, MEASURES["cosine"], "*KED of digits-2*")
    assert text.startswith("Compared with *KED of digits-2*, each measured against its own teacher, KED agrees more by 0.50 [")
    names = {"mu0": "KED without explanations", "ked+beside": "KED of digits-2"}
    both = contrasts(surveys, "cosine", ["mu0", "ked+beside"])
    table = words.differences(both, names, {"mu0": "", "ked+beside": words.differing_in(["grouping"])})
    assert table["explanations buy"].tolist() == ["Both.", "–"]
    assert table["which is"].iloc[1] == "another run, which differs in grouping"
    assert words.differing_in(list("abcdef")).endswith("a, b, c and d and 2 more")
    assert words.differing_in([]) == "another run of the same recipe"


def test_two_seeds_give_no_interval_and_say_so() -> None:
    surveys = {"ked": survey([0.9, 0.9], [0.95, 0.95]), "mu0": survey([0.4, 0.4], [0.5, 0.5])}
    found = contrasts(surveys, "cosine")
    assert found[0].accuracy.shown == 0
    text = words.answer(found, MEASURES["cosine"], 2)
    assert "**Two seeds cannot tell.**" in text
    assert "its accuracy differs by +45.00 points. Without a third seed there is no interval" in text
    assert "[" not in text
    assert "±" not in words.everything(surveys).to_csv()


def test_one_seed_shows_nothing_and_says_so() -> None:
    surveys = {"ked": survey([0.9], [0.9]), "mu0": survey([0.4], [0.5])}
    found = contrasts(surveys, "cosine")
    assert found[0].accuracy.shown == 0
    text = words.answer(found, MEASURES["cosine"], 1)
    assert "**One seed cannot tell.**" in text
    assert "[" not in text
    assert words.differences(found)["explanations buy"].tolist() == ["–"]
    assert "±" not in words.everything(surveys).to_csv()


def test_three_seeds_claim_nothing() -> None:
    surveys = {"ked": survey(HIGH[:3], BETTER[:3]), "mu0": survey(LOW[:3], WORSE[:3])}
    found = contrasts(surveys, "cosine")
    assert (found[0].accuracy.shown, found[0].accuracy.low > 0) == (0, True)
    assert "**Three seeds cannot tell.**" in words.answer(found, MEASURES["cosine"], 3)
    assert words.differences(found)["explanations buy"].tolist() == ["Neither is shown."]


def test_a_verdict_rests_on_all_students_that_ked_is_compared_with_and_on_no_other_run() -> None:
    ked, mu0 = [0.8, 0.9, 0.85, 0.9], [0.75, 0.8, 0.75, 0.75]  # p = 0.02, and a family of four
    alone = {"ked": survey(HIGH, ked), "mu0": survey(LOW, mu0)}
    among = alone | {name: survey(LOW, MIXED) for name in ("shuffled", "noise", "architecture")}
    (one,), (first, *_) = contrasts(alone, "cosine"), contrasts(among, "cosine")
    assert (one.accuracy.shown, first.accuracy.shown) == (1, 0)
    assert one.accuracy[:3] == first.accuracy[:3]
    assert first.accuracy == accuracy_gains({name: found.correct.mean(axis=1) for name, found in among.items()}, N)["mu0"]
    beside = contrasts(alone | {"ked+beside": survey(LOW, MIXED)}, "cosine", ["mu0", "ked+beside"])
    assert (beside[0].accuracy, beside[0].agreement) == (one.accuracy, one.agreement)


def test_a_run_that_cannot_say_says_why() -> None:
    assert "no KED students" in words.answer(contrasts({"mu0": survey(LOW, WORSE)}, "cosine"), MEASURES["cosine"], 4)
    beside = {"ked": survey(HIGH, BETTER), "kd": survey(HIGH, WORSE, speaks=False)}
    assert "black boxes only" in words.answer(contrasts(beside, "cosine"), MEASURES["cosine"], 4)


def test_a_measure_that_chance_half_fills_is_named_as_such() -> None:
    told = words.what_chance_is(MEASURES["feature"], survey(HIGH, BETTER))
    assert "0.50, the mean of independent rankings of M = 4 with k = 2" in told
    assert "chance alone fills 50 %" in told
    assert "Dotted" not in words.what_chance_is(MEASURES["jensen-shannon"], survey(HIGH, BETTER))


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.00"), (-0.123, "−0.12"), (0.0123, "0.012"), (0.000271, "0.00027"), (1.5, "1.50")])
def test_numbers_show_at_least_two_figures(value: float, text: str) -> None:
    assert words.number(value) == text


def test_the_tables_hold_every_measure_and_every_sample() -> None:
    surveys = {"ked": survey(HIGH, BETTER), "plain": survey(LOW, WORSE, speaks=False)}
    table = words.everything(surveys).set_index("measure")
    assert len(table) == len(MEASURES) + 3
    assert table.loc[MEASURES["cosine"].label, "KED"].startswith("0.91 ± 0.01 (0.25; 0.40)")
    assert table.loc[MEASURES["cosine"].label, "plain"] == "–"
    rows = words.by_sample(surveys["ked"], 1, ("cat", "dog"))
    assert len(rows) == N
    assert rows["cosine"].tolist() == [0.91] * N
    assert rows["class"].tolist() == ["cat", "dog"] * (N // 2)
