"""Stage keys of runs whose students have superfeatures of their own."""

from __future__ import annotations

import pytest
from test_recipe import ALL, KED_NETS, OTHER

from ked.runs.stage_keys import stage_keys


@pytest.mark.parametrize("setting", ["dataset", "teacher_hidden", "reduce", "scale", "dependency_samples", "grouping", "engine", "seed"])
def test_superfeatures_of_the_students_own_are_found_anew_with_the_matrix_that_they_come_from(setting: str) -> None:
    recipe = ALL.without(student_superfeatures=2)
    before, after = stage_keys(recipe), stage_keys(recipe.without(**{setting: OTHER[setting]}))
    assert {stage for stage, key in after.items() if key == before[stage]}.isdisjoint({"superfeatures-student"} | KED_NETS)
