"""What may stand in run.json: an entry that cannot be is named in a sentence about that run, and other runs are as before."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ked.errors import Unavailable
from ked.recipe import Recipe
from ked.run_form import flaw
from ked.store import create_run, list_presets, list_runs

WRONG: list[tuple[str, object]] = [
    ("status", "gone"), ("status", None), ("recipe", None), ("created", "x"), ("created", float("nan")), ("queued", [1]), ("ended", "x"),
    ("name", 5), ("tags", "paper"), ("tags", [1]), ("visitor", None), ("threads", "x"), ("threads", 0), ("threads", 10**9),
    ("stages", []), ("stages", {"teacher": 1}), ("seconds", {"teacher": "x"}), ("epoch", "x"), ("summary", 3),
    ("summary", {"accuracy": {"ked": ["x"]}}), ("summary", {"accuracy": {"ked": 7}}), ("seeds", "x"), ("message", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value!r}" for name, value in WRONG])
def test_an_entry_of_run_json_that_cannot_be_is_named_in_a_sentence_and_other_runs_are_as_before(
    name: str, value: object, one_sentence: Callable[[str], str]
) -> None:
    run, other = create_run(Recipe()), create_run(Recipe())
    content = json.loads((run.folder / "run.json").read_text()) | {name: value}
    (run.folder / "run.json").write_text(json.dumps(content))
    with pytest.raises(Unavailable, match=rf"{run.id} is damaged \({name}") as caught:
        _ = run.info
    one_sentence(str(caught.value))
    assert {found.id for found in list_runs()} >= {run.id, other.id}
    assert other.status == "queued"


def test_what_a_later_version_adds_to_run_json_does_no_harm() -> None:
    run = create_run(Recipe())
    run.update(colour="red", pid="x")
    assert run.info["colour"] == "red"


def test_what_ships_with_the_app_has_no_flaw() -> None:
    assert {flaw(preset.info) for preset in list_presets()} == {""}
