"""What a result means: said from the numbers, claimed only where they show it."""

from __future__ import annotations

from explorer import study_results
from explorer.words.meaning import meaning, told_by
from explorer.words.studies import difference, of, signed
from ked.recipe import Recipe

KED = [0.90, 0.91, 0.92, 0.91]


def said(samples: int = 1000, validation: dict[str, float] | None = None, **accuracy: list[float] | float) -> str:
    return "\n".join(meaning({"accuracy": accuracy}, samples, validation))


def test_a_form_that_does_as_well_without_explanations_is_named_with_its_interval() -> None:
    text = said(ked=KED, architecture=[0.92, 0.90, 0.93, 0.91], kd=[0.80, 0.81, 0.82, 0.81])
    assert "KED is not shown to differ from *architecture only* (−0.5 [−2.6, +1.6] points)" in text
    assert "may be all that helps" in text
    assert "*KD*" not in text  # shown to be above it: no surprise


def test_students_above_ked_are_said_to_be_above() -> None:
    assert "KED's accuracy is below that of *plain* (−5.0 [" in said(ked=KED, plain=[value + 0.05 for value in KED])


def test_equal_differences_on_few_samples_show_nothing() -> None:
    few = said(samples=20, ked=KED, plain=[value + 0.05 for value in KED])
    assert "to differ from *plain*" in few  # one of 20 samples is 5 points


def test_students_above_their_own_teacher_are_named() -> None:
    assert "*KED* students answer more test samples right than their explaining teacher" in said(ked=KED, explaining=0.85, teacher=0.99)
    assert "than their" not in said(ked=KED, explaining=0.905)


def test_another_best_student_on_test_than_on_validation_data_is_told_with_its_interval() -> None:
    text = said(validation={"ked": 0.95, "kd": 0.94}, ked=KED, kd=[0.92, 0.90, 0.93, 0.91])
    assert "On the validation set *KED* is best, on the test set *KD*, by +0.5 [" in text
    assert "On the validation set" not in said(validation={"ked": 0.95, "kd": 0.94}, ked=KED, kd=[0.8, 0.8, 0.8, 0.8])


def test_the_size_of_the_test_split_is_said_in_points() -> None:
    assert "has 400 samples: one of them is 0.25 points, and an accuracy of 90 % would vary by ± 3.0 points" in said(400, plain=[0.9] * 3)


def test_the_same_form_below_ked_is_named_and_what_helps_is_no_more_than_the_control_shows() -> None:
    worse = [value - 0.05 for value in KED]
    assert "above that of *KED without explanations* (+5.0 [" in said(ked=KED, mu0=worse)
    assert "what explanations say helps" in said(ked=KED, mu0=worse)
    assert "what it is taught helps" in said(ked=KED, architecture=worse)


def test_a_study_is_told_of_where_it_has_such_data_and_nets() -> None:
    about = study_results.on(Recipe(dataset="digits"))
    assert about is not None
    (one,) = [one for one in about.contrasts if (one.ours[1], one.theirs[1]) == ("ked", "mu0")]
    told = told_by(about, [one])
    assert f"*KED − KED without explanations*: {difference(one)}{'' if one.shown else ', not shown'}." in told
    assert f"Over {of(about.settings)}" in told
    assert told_by(about, []) == ""
    assert study_results.on(Recipe(dataset="digits", net="small-cnn", methods=("plain",))) is None
    assert study_results.on(Recipe(dataset="emoji", net="resnet8", methods=("plain",))) is None


def test_differences_at_several_levels_are_told_from_the_least_to_the_most_and_how_many_are_shown() -> None:
    about = study_results.on(Recipe(dataset="digits"), "chimera")
    assert about is not None
    found = [one for one in about.contrasts if (one.ours[1], one.theirs[1]) == ("ked", "kd")]
    values, shown = [one.difference.mean for one in found], sum(one.shown != 0 for one in found)
    least, most = signed(min(values), "accuracy"), signed(max(values), "accuracy")
    assert f"*KED − KD*: {least} to {most} at {len(found)} levels, shown at {shown or 'none'} of them." in told_by(about, found)
