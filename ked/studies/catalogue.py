"""The studies: each is one row of a table, and all that it says are recipes.

The questions are the paper's open ones, its limitations and the next checks that they ask for (METHOD 3 has the controls).
"""

from __future__ import annotations

from itertools import product

from ked.errors import InvalidInput, quoted
from ked.groupings import GROUPINGS
from ked.studies.study import BEST, DATASETS, Comparison, Fields, Study

_ONE: dict[str, Fields] = {"M = 4": {"superfeatures": 4}}
_TWO: dict[str, Fields] = {"M = 2": {"superfeatures": 2}}
_OF_TWO_PICTURES, _PAPERS = ("pairs", "side-by-side"), ("paper", "mnist", "side-by-side")
_TRUE_COUNT: dict[str, Fields] = dict.fromkeys(_OF_TWO_PICTURES, _TWO["M = 2"])
_COUNTS = (1, 2, 3, 4, 6, 8, 12, 16)
_FEW = (1, 2, 3, 4, 8)
_SIZES = (2, 4, 8)
_CORRELATIONS = (0, 0.3, 0.6, 0.8, 0.9, 0.95)
_HINTS = ("fitnet", "at", "sp")
_CNN = "small CNN"
_AND_EMOJI = DATASETS | {"emoji": "emoji"}


def _grid(**values: tuple[float, ...]) -> dict[str, Fields]:
    """Every combination of the settings' values."""
    signs = {"temperature": "T", "tau": "τ", "lam": "λ", "mu": "μ"}
    rows = [dict(zip(values, row, strict=True)) for row in product(*values.values())]
    return {", ".join(f"{signs[name]} = {value:g}" for name, value in row.items()): row for row in rows}


def _counts(*counts: int) -> dict[str, Fields]:
    return {f"M = {count}": {"superfeatures": count} for count in counts}


def _without_cnn(axis: dict[str, Fields]) -> dict[str, Fields]:
    return {level: fields for level, fields in axis.items() if level != _CNN}


def _sizes(*counts: int | None) -> dict[str, Fields]:
    return {f"n = {count}" if count else "all samples": {"train_size": count} for count in counts}


_OF_SIXTY_THOUSAND = _sizes(50, 100, 500, 1000, 10_000, None)
_MILLION: Fields = {"chimeras": 1_000_000}
_TERMS: dict[str, Fields] = {
    "all terms": {},
    "no labels": {"lam": 1.0},
    "no teacher": {"lam": 0.0},
    "no predictions": {"mu": 1.0},
    "no explanations": {"mu": 0.0},
    _CNN: {
        "net": "small-cnn",
        "methods": ("kd", "ked", *(f"{taught}+{hint}" for taught in ("kd", "ked") for hint in _HINTS)),
        "teacher_epochs": 15,
        "epochs": 15,
    },
}
_ATTRIBUTION: dict[str, Fields] = {
    "MLP": {},
    _CNN: {"net": "small-cnn", "methods": ("mu0", "ked", "ked-gradcam"), "teacher_epochs": 15, "epochs": 15},
}
_LEFT_OUT = tuple(level for level in _TERMS if level.startswith("no "))
_MISMATCH: dict[str, Fields] = {
    f"{teacher} to {student}": {"superfeatures": teacher, "student_superfeatures": student}
    for teacher, student in product(_SIZES, _SIZES)
}
_PLANTED: dict[str, Fields] = {
    **{f"correlation {r:g} within": {"dataset": f"planted:correlation={r:g}"} for r in _CORRELATIONS},
    **{f"correlation {r:g} across": {"dataset": f"planted:correlation={r:g},across=yes"} for r in (0.6, 0.95)},
}
_REAL: dict[str, Fields] = {
    "digits": {"dataset": "digits"},
    **{f"digits, {kind} twins": {"dataset": f"digits+{kind}"} for kind in ("copied", "blurred", "noisy")},
    "breast cancer": {"dataset": "breast-cancer"},
}
_BOUND: dict[str, Fields] = {
    **{level: {"dataset": "planted", **size} for level, size in _sizes(200, 1000, None).items()},
    "n = 1000, noise 0.3": {"dataset": "planted:noise=0.3", "train_size": 1000},
}

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        Study(
            "kd-vs-ked",
            "Does a student with two superfeatures learn more from explanations than by knowledge distillation?",
            _TWO,
            ("plain", "kd", "ked"),
            (Comparison("ked", "kd"), Comparison("ked", "plain"), Comparison("kd", "plain")),
        ),
        Study(
            "m-sweep",
            "How does the number of superfeatures change what KED students learn, and what do explanations add at each?",
            _counts(*_COUNTS),
            ("mu0", "ked"),
            (Comparison("ked", "ked", "M = 1"), Comparison("ked", "mu0"), Comparison("ked", "mu0", measure="agreement")),
            axes=dict.fromkeys(_OF_TWO_PICTURES, _counts(*_FEW)),
        ),
        Study(
            "noise",
            "Do explanations help because of what they say, or would noise and another sample's explanations do as well?",
            _ONE,
            ("kd", "mu0", "ked", "shuffled", "noise"),
            (
                Comparison("ked", "noise"),
                Comparison("ked", "shuffled"),
                Comparison("ked", "mu0"),
                Comparison("noise", "kd"),
            ),
            axes=dict.fromkeys(_OF_TWO_PICTURES, _TWO),
            datasets=_AND_EMOJI,
        ),
        Study(
            "grouping",
            "Does it matter that superfeatures are communities of the teacher's dependency matrix?",
            {name: {"grouping": name} for name in GROUPINGS},
            ("mu0", "ked"),
            (Comparison("ked", "ked", "hessian"), Comparison("ked", "mu0")),
            {"superfeatures": 4},
            more=_TRUE_COUNT,
        ),
        Study(
            "architecture",
            "Where does KED's gain come from: the net's architecture, the explaining teacher's predictions, or its explanations?",
            _ONE,
            ("plain", "kd", "kd-explaining", "ked", "architecture", "mu0", "shuffled"),
            (
                Comparison("architecture", "plain"),
                Comparison("kd-explaining", "kd"),
                Comparison("mu0", "architecture"),
                Comparison("mu0", "kd-explaining"),
                Comparison("ked", "mu0"),
                Comparison("ked", "shuffled"),
                Comparison("ked", "kd"),
                Comparison("ked", "plain"),
            ),
            axes=dict.fromkeys(_OF_TWO_PICTURES, _TWO),
            datasets=_AND_EMOJI,
        ),
        Study(
            "terms",
            "What does each term of the loss contribute: labels, predictions, explanations, and a hint beside them?",
            _TERMS,
            ("ked",),
            (
                Comparison("ked", "ked", "all terms", _LEFT_OUT),
                *(
                    Comparison(f"{taught}+{hint}", taught, levels=(_CNN,))
                    for taught, hint in product(("kd", "ked"), _HINTS)
                ),
            ),
            {"superfeatures": 4},
            more=_TRUE_COUNT,
            axes=dict.fromkeys(_OF_TWO_PICTURES, _without_cnn(_TERMS)),
        ),
        Study(
            "temperatures",
            "Do other temperatures and weights than the paper's, picked on validation data, give better KED students?",
            _grid(temperature=(1.0, 4.0, 10.0), tau=(1.0, 4.0, 10.0), lam=(0.3, 0.7, 0.9), mu=(0.3, 0.7)),
            ("ked",),
            (Comparison("ked", "ked", "T = 10, τ = 10, λ = 0.7, μ = 0.7", (BEST,)),),
            {"superfeatures": 4},
            more=_TRUE_COUNT,
        ),
        Study(
            "chimera",
            "With few samples, do chimeras help KED students more than as many steps on real samples?",
            _sizes(50, 100, 200, 500, None),
            ("kd", "ked", "kd+chimera", "kd+real", "ked+chimera", "ked+real"),
            (
                Comparison("ked+chimera", "ked+real"),
                Comparison("ked+chimera", "kd+chimera"),
                Comparison("kd+chimera", "kd+real"),
                Comparison("ked", "kd"),
            ),
            {"superfeatures": 4},
            axes={"pairs": _sizes(500, 1000, 2000, None), **dict.fromkeys(_PAPERS, _OF_SIXTY_THOUSAND)},
            more={**_TRUE_COUNT, **dict.fromkeys(_PAPERS, _MILLION), "side-by-side": {**_TWO["M = 2"], **_MILLION}},
        ),
        Study(
            "attribution",
            "Is Shapley needed: would a black box's attributions, summed over superfeatures, teach as well as the subnets' explanations?",
            _ATTRIBUTION,
            ("kd", "mu0", "kd-architecture", "ked", "ked-ig", "ked-gradient"),
            (
                Comparison("ked", "ked-ig"),
                Comparison("ked", "ked-gradient"),
                Comparison("ked-ig", "kd-architecture"),
                Comparison("ked-ig", "mu0"),
                Comparison("ked-ig", "kd"),
                Comparison("ked", "ked-ig", measure="agreement"),
                Comparison("ked-ig", "kd-architecture", measure="agreement"),
                Comparison("ked", "ked-gradcam", levels=(_CNN,)),
            ),
            {"superfeatures": 4},
            more=_TRUE_COUNT,
            axes=dict.fromkeys(_OF_TWO_PICTURES, _without_cnn(_ATTRIBUTION)),
        ),
        Study(
            "correlation",
            "Are planted superfeatures found, and do explanations help, where features are highly correlated, made or real?",
            _PLANTED | _REAL,
            ("kd", "mu0", "ked"),
            (Comparison("ked", "kd"), Comparison("ked", "mu0")),
            {"superfeatures": 4},
            datasets={},
        ),
        Study(
            "bound",
            "How much can a teacher and its explanations add: what is the gap to students of the true distribution, where it is known?",
            _BOUND,
            ("plain", "kd", "mu0", "ked", "bayes", "bayes-architecture"),
            (
                Comparison("bayes", "plain"),
                Comparison("bayes", "kd"),
                Comparison("bayes-architecture", "ked"),
                Comparison("ked", "mu0"),
            ),
            {"superfeatures": 4},
            datasets={},
        ),
        Study(
            "mismatch",
            "What is lost where the student has another number of superfeatures than its teacher?",
            _MISMATCH,
            ("mu0", "ked"),
            (
                *(
                    Comparison("ked", "ked", f"{size} to {size}", tuple(f"{size} to {k}" for k in _SIZES if k != size))
                    for size in _SIZES
                ),
                Comparison("ked", "mu0", levels=tuple(f"{m} to {k}" for m, k in product(_SIZES, _SIZES) if m != k)),
            ),
        ),
    )
}


def study_named(name: str) -> Study:
    """The row of `STUDIES` with that name; an error that lists what there is."""
    if name not in STUDIES:
        raise InvalidInput(f"study {quoted(name)} is unknown; use one of {', '.join(STUDIES)}.")
    return STUDIES[name]
