"""Nets that no machine, or not this one, could train are refused in a sentence before anything is allocated."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from command_line import Ked

from ked import data
from ked.data import Dataset
from ked.errors import InvalidInput
from ked.files import machine as files_machine
from ked.recipe import Recipe
from ked.runs import memory, pipeline
from ked.store import create_run

CPU = torch.device("cpu")
OneSentence = Callable[[str], str]

IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "one layer": ({"teacher_hidden": (99999999999,)}, "teacher_hidden = 99999999999 "),
    "one number of many digits": ({"student_hidden": (20, int("9" * 4000))}, "student_hidden = 99999999999999999999 "),
    "two layers": ({"teacher_hidden": (99999, 99999)}, "teacher_hidden = 99999,99999 .* 9999800001 weights"),
    "many layers": ({"teacher_hidden": (10,) * 101}, "teacher_hidden with 101 layers"),
    "many broad layers": ({"teacher_hidden": (5000,) * 90}, "2225000000 weights"),
    "many seeds": ({"student_hidden": (4000, 4000), "seeds": 100}, "1600000000 weights of 100 seeds"),
    "superfeatures": ({"superfeatures": 10**12}, "superfeatures = 1000000000000"),
    "the students' superfeatures": ({"student_superfeatures": 12289}, "student_superfeatures = 12289"),
    "superfeatures of channels": ({"net": "resnet8", "superfeatures": 10**9}, "superfeatures = 1000000000"),
}


@pytest.mark.parametrize(("values", "named"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_recipe_of_nets_that_no_machine_holds_is_refused_and_costs_nothing(
    values: dict[str, Any], named: str, one_sentence: OneSentence
) -> None:
    tracemalloc.start()
    with pytest.raises(InvalidInput, match=named) as caught:
        Recipe.make(**values)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
    assert len(one_sentence(str(caught.value))) < 250


def test_the_widest_nets_that_the_paper_and_the_app_know_are_recipes() -> None:
    for values in ({"teacher_hidden": (9999, 9999)}, {"student_hidden": (1000, 1000), "seeds": 100}, {"superfeatures": 12288}):
        Recipe.make(**values)


def test_the_command_line_refuses_in_a_sentence(ked: Ked, one_sentence: OneSentence) -> None:
    for widths in ("99999999999", "99999,99999", "9" * 5000):
        answer = ked("run", "--teacher-hidden", widths)
        assert (answer.code, answer.out) == (2, "")
        one_sentence(answer.err.strip())


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("digits")


def hungry(**values: Any) -> Recipe:
    return Recipe.make(**{"methods": ("plain",), "seeds": 1, **values})


TOO_LARGE: dict[str, tuple[Recipe, int, str, str]] = {  # a recipe, megabytes that there are, who does not fit, what to change
    "a teacher": (hungry(teacher_hidden=(2000, 1000)), 50, "the teacher", "teacher_hidden"),
    "students": (hungry(student_hidden=(500, 500), seeds=30), 100, "30 students", "seeds"),
    "one student": (hungry(student_hidden=(2000,), teacher_hidden=(9,)), 4, "the student", "student_hidden"),
    "a convolutional teacher": (hungry(net="small-cnn"), 6, "the teacher", "teacher_batch_size"),
}


@pytest.mark.parametrize(("recipe", "megabytes", "who", "name"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_does_not_fit_into_this_machine_is_refused_with_what_would(
    recipe: Recipe,
    megabytes: int,
    who: str,
    name: str,
    digits: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    one_sentence: OneSentence,
) -> None:
    memory.check(recipe, digits, CPU)
    monkeypatch.setattr(memory, "total", lambda device: megabytes * 10**6)
    with pytest.raises(InvalidInput, match=f"to train {who} takes") as caught:
        memory.check(recipe, digits, CPU)
    told = re.search(rf"; {name} = ([\d,]+) would fit\.$", one_sentence(str(caught.value)))
    assert told
    fits = tuple(map(int, told[1].split(",")))
    memory.check(recipe.without(**{name: fits if name.endswith("hidden") else fits[0]}), digits, CPU)
    more = tuple(round(value / 0.85) for value in fits) if name.endswith("hidden") else 2 * fits[0]
    with pytest.raises(InvalidInput):
        memory.check(recipe.without(**{name: more}), digits, CPU)


def test_a_run_that_does_not_fit_fails_before_any_work(monkeypatch: pytest.MonkeyPatch, one_sentence: OneSentence) -> None:
    monkeypatch.setattr(memory, "total", lambda device: 10**6)
    run = create_run(hungry())
    with pytest.raises(InvalidInput):
        list(pipeline.run(run.recipe, into=run))
    assert "of memory" in one_sentence(run.info["message"])
    assert [event["kind"] for event in run.events()[0]] == ["end"]


def test_what_is_counted_of_an_mlp_is_what_torch_allocates(digits: Dataset) -> None:
    recipe = hungry(teacher_hidden=(300, 200), teacher_batch_size=50)
    widths = (64, 300, 200, 10)
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
    parameters = sum(p.nbytes for layer in layers for p in layer.parameters())
    found = memory._sized(recipe, digits, "teacher")(recipe, 1)
    assert 9 * parameters < found < 9 * parameters + 4 * 50 * (64 + 2 * 510) + 1


def test_a_containers_limit_counts(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = memory.total(CPU)
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(files_machine, "_CGROUP", limit)
    for text, expected in (("max\n", None), ("123456789\n", 123456789), (f"{10**18}\n", None)):
        limit.write_text(text)
        assert memory.total(CPU) == (expected or files_machine.psutil.virtual_memory().total)
    assert machine > 0
