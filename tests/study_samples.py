"""A study that takes seconds, for tests and for the processes that they start."""

from __future__ import annotations

from ked.studies import Comparison, Study
from ked.studies.cells import Settings

TINY = Study(
    "tiny",
    "Does anything happen in a second?",
    {"M = 2": {"superfeatures": 2}, "M = 3": {"superfeatures": 3}},
    ("kd", "ked"),
    (Comparison("ked", "kd"), Comparison("ked", "ked", "M = 2")),
    {"teacher_hidden": (16,), "student_hidden": (8,), "epochs": 2, "teacher_epochs": 1, "dependency_samples": 50},
)

TWO_SEEDS = Settings(seeds=2)
