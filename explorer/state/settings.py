"""Every control of the app, declared once: default, range, URL key, help. No streamlit here.

What is a setting of a recipe takes help, bounds and choices from `ked.settings`, and defaults from the run that a first visitor sees; its
row has the key in the address, the label, and what only the app has, such as the part of the range that a slider shows. A setting turns its value into the text of a URL and back; a text that it cannot take raises `InvalidInput` with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from explorer.state.following import TOKEN
from explorer.state.setting_types import Choice, Number, Setting, Several, Text
from explorer.words.datasets import Titles, columns_asked
from explorer.words.run_list import ORDERS, STATUSES
from explorer.words.studies import SCALES as STUDY_SCALES
from explorer.words.studies import titles as study_titles
from ked import data
from ked.agreements import MAPS, MEASURES
from ked.errors import InvalidInput
from ked.groupings import GROUPINGS
from ked.methods import METHODS
from ked.nets.cnn.architectures import ARCHITECTURES
from ked.recipe import MLP, Recipe
from ked.runs.presets import RECIPES
from ked.settings import ABOUT
from ked.store import RUN_ID
from ked.studies.cells import Settings as StudySettings

FIRST_DATA = "digit-pairs"
"""What a first visitor sees; they get its preset's settings on their way in."""

_RECIPE = RECIPES["digits"]  # its settings are the defaults, which an address leaves out

NOT_IN_THE_APP = ("label", "drop", "keep", "dependency_samples", "batch_size", "teacher_batch_size", "device", "precision", "changes")
"""Settings of a recipe without a control: sizes that follow the data, the machine that the app runs on, what only makes sense on the
command line, and what is changed while a run goes on."""

RECIPE_SETTINGS = tuple(name for name in Recipe.model_fields if name not in NOT_IN_THE_APP)
_WIDTHS_OF = tuple(name for name in RECIPE_SETTINGS if ABOUT[name].several and ABOUT[name].kind is int)
_ZERO_IS_NONE = tuple(name for name in RECIPE_SETTINGS if ABOUT[name].default is None and ABOUT[name].kind is int)

_WIDTHS = re.compile(r"[1-9]\d{0,4}(,[1-9]\d{0,4}){0,5}")
_RUN_IDS = re.compile(f"{RUN_ID.pattern}(,{RUN_ID.pattern}){{0,5}}")
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,80}")
NETS = {MLP: "MLP"} | {name: form.label for name, form in ARCHITECTURES.items()}
_LABELS = {name: method.label for name, method in METHODS.items()}


def _number(name: str, key: str, label: str, *, low: float | None = None, high: float | None = None, step: float = 1) -> Number:
    """A control of a recipe's number; `low` and `high` are given where it shows less than the recipe allows."""
    about, help, least = ABOUT[name], ABOUT[name].meaning, ABOUT[name].low
    if name in _ZERO_IS_NONE:
        help, least = help.replace("by default", "by default (0)"), 0
    low, high = least if low is None else low, about.high if high is None else high
    assert low is not None, f"the row of {name} has to say where its control begins: the recipe sets no least number"
    assert high is not None, f"the row of {name} has to say where its control ends: the recipe sets no largest number"
    return Number(name, key, label, help, getattr(_RECIPE, name) or about.kind(0), about.kind(low), about.kind(high), step)


def _choice(name: str, key: str, label: str, options: Mapping[str, str] | None = None, *, none: str = "automatic") -> Choice:
    """A control of a recipe's name: of those that the recipe allows, or of `options`, with what is shown; `none` is no name at all."""
    about = ABOUT[name]
    shown: Mapping[str, str] = {choice: choice for choice in about.choices} if options is None else options
    first = FIRST_DATA if name == "dataset" else getattr(_RECIPE, name) or ""
    return Choice(name, key, label, about.meaning, first, shown if about.default else {"": none, **shown})


def _widths(name: str, key: str, label: str) -> Text:
    default = ",".join(map(str, getattr(_RECIPE, name)))
    return Text(name, key, label, ABOUT[name].meaning, default, _WIDTHS, "widths such as 500,500")


_ALL: tuple[Setting, ...] = (
    # What is looked at, shared by all pages.
    Text("run", "run", "Run", "The stored run that all pages show.", "", RUN_ID, "a run's name such as digits-preset"),
    Number("sample", "i", "Sample", "Which test sample is explained.", 0, 0, 10_000_000, 1),
    Number("label", "c", "Class", "Which class the contributions speak about; by default the explaining teacher's answer.", -1, -1, 9999, 1),
    Number("against", "vs", "Weighed against", "Shows what speaks for the class in question rather than for this one.", -1, -1, 9999, 1),
    Number("selected", "sf", "Superfeature", "The superfeature that is highlighted in every figure.", 0, 0, 64, 1),
    Text("tick", "t", "Moment of the training", "Which moment is shown; the newest one is followed while a run grows.", "", re.compile(r"[a-z0-9+-]{0,60}"), "a moment's name such as teacher-3"),
    # Sharing.
    Choice("present", "present", "Shown", "A presentation has larger text, full contrast and no menu.", "", {"": "as it is", "1": "as a presentation"}),
    Text("hide", "hide", "Hidden", "What a shared link hides: controls, navigation, results until somebody has guessed.", "", re.compile(r"[a-z,]{0,40}"), "controls, navigation or results"),
    Text("follow", "follow", "Following", "The lecturer whose moves this tab follows.", "", TOKEN, "the letters of a lecturer's link"),
    # The lesson.
    Number("lesson", "lesson", "Step", "Which step of the lesson is shown.", 1, 1, 5, 1),
    Text("guesses", "guess", "Guesses", "What was guessed at each step: a, b, c, or - for nothing yet.", "", re.compile(r"[a-c-]{0,5}"), "a letter or - for each step, such as ba---"),
    Text("done", "done", "Steps done", "Which steps of the lesson are done.", "", re.compile(r"[1-5]{0,5}"), "the numbers of steps such as 12"),
    # The superfeatures page.
    _choice("dataset", "data", "Data", Titles()),
    _number("superfeatures", "m", "Superfeatures M", high=16),
    _choice("grouping", "group", "Grouping", {name: {"hessian": "Hessian", "kmeans": "k-means"}.get(name, name) for name in GROUPINGS}),
    _choice("engine", "engine", "Louvain engine"),
    _choice("reduce", "reduce", "Average", {"abs_mean": "signs cancel", "mean_abs": "signs ignored"}),
    _choice("scale", "scale", "Links measured", {"std": "per standard deviation"}, none="per unit"),
    Number("edges", "edges", "Links drawn", "How many of the strongest links the graph shows.", 300, 0, 2000, 20),
    Number("node", "node", "Feature", "The feature whose links are highlighted.", -1, -1, 100_000, 1),
    # The train page.
    Several("methods", "methods", "Students", ABOUT["methods"].meaning, ("plain", "kd", "ked", "architecture"), _LABELS),
    _number("seeds", "seeds", "Seeds", high=20),
    _number("epochs", "ep", "Student epochs", low=1, high=500),
    _number("teacher_epochs", "tep", "Teacher epochs", low=1, high=500),
    _number("temperature", "T", "Temperature T", low=0.5, high=40, step=0.5),
    _number("tau", "tau", "Temperature τ", low=0.5, high=40, step=0.5),
    _number("lam", "lam", "Teacher's share λ", step=0.05),
    _number("mu", "mu", "Explanations' share μ", step=0.05),
    _widths("teacher_hidden", "th", "Teacher widths"),
    _widths("student_hidden", "sh", "Student widths"),
    _choice("net", "net", "Net", NETS),
    _choice("teacher_net", "tnet", "Teacher's net", NETS),
    _number("student_superfeatures", "sm", "Students' M", high=16),
    _number("rho", "rho", "Hint's share ρ", step=0.05),
    _choice("optimiser", "opt", "Optimiser", {"adam": "Adam", "sgd": "SGD"}),
    _choice("schedule", "sched", "Schedule"),
    _number("weight_decay", "wd", "Weight decay", high=0.1, step=1e-4),
    _choice("augment", "aug", "Augmentation"),
    _choice("activation", "act", "Activation"),
    _choice("if_collapsed", "dead", "If a teacher collapses", {"stop": "stop the run", "continue": "go on all the same"}),
    _number("train_size", "n", "Training samples", high=10_000_000),
    _number("chimeras", "ch", "Chimeras", low=100, high=1_000_000, step=100),
    _number("chimera_epochs", "che", "Chimera epochs", high=100),
    _number("lr", "lr", "Learning rate", low=1e-5, high=0.1, step=1e-4),
    _number("seed", "seed", "First seed", high=1_000_000),
    # The explain page.
    Choice("student", "student", "Student", "The student beside the explaining teacher.", "ked", _LABELS),
    Number("replica", "rep", "Student's seed", "Which of the students that were trained with different seeds.", 0, 0, 99, 1),
    Choice(
        "gallery", "show", "Show", "Which test samples are offered.", "all",
        {"all": "all", "wrong": "student wrong", "disagree": "teacher and student disagree", "unsure": "teacher least sure"},
    ),
    Choice(
        "evidence", "ev", "Maps show", "Grad-CAM of what raises the class in question, or of what lowers it.", "for",
        {"for": "what speaks for the class", "against": "what speaks against it"},
    ),
    Number("page", "p", "Page", "Which page of the test samples is shown.", 1, 1, 1_000_000, 1),
    Text("coalition", "on", "Coalition", "Which superfeatures take part.", "", re.compile(r"[01]{1,16}"), "a row of 0 and 1 such as 1101"),
    Choice("subject", "what", "Explained", "A sample of the test data, or a picture or row of your own.", "sample", {"sample": "test samples", "own": "your own"}),
    Choice("ground", "paper", "Uploaded picture", "Whether its figure is darker or lighter than its ground; automatic looks at its rim.", "", {"": "automatic", "light": "dark on light", "dark": "light on dark"}),
    # The agreement page.
    Choice("measure", "agree", "Measure of agreement", "How the student's explanations are compared with its teacher's.", "cosine", {name: measure.label for name, measure in (MEASURES | MAPS).items()}),
    Text("beside", "beside", "Compare with KED of", "Adds the KED students of another run, measured against their own teacher, such as those of random groups.", "", RUN_ID, "a run's name such as digits-0a1b2c3d"),
    # The attributions page.
    Choice("likeness", "like", "Agreement by", "How two maps are compared: by the ranks of all features, the strongest tenth of them, the sums over superfeatures, or the pictures' structure.", "spearman", {"spearman": "rank correlation", "overlap": "strongest tenth", "cosine": "sums over superfeatures", "structure": "structure (SSIM)"}),
    Choice("checks", "checks", "Checks", "The sanity check re-initialises a net's weights, and max-sensitivity explains ten neighbours of the sample: both take a while.", "", {"": "quick ones", "all": "sanity and max-sensitivity, too"}),
    # The chimeras page.
    Text("donors", "donors", "Donors", "Where each superfeature's content comes from: self, mean, blur or a test sample's number, joined by commas.", "", re.compile(r"(self|mean|blur|\d{1,8})(,(self|mean|blur|\d{1,8})){0,15}"), "one donor per superfeature such as self,mean,17,blur"),
    # The studies page.
    Choice("study", "study", "Study", "A question about the method, answered by a grid of runs.", "kd-vs-ked", study_titles()),
    Choice("study_scale", "size", "Data", "Digits and pairs of digits, whose superfeatures are known, have small nets and take minutes on two cores; Fashion-MNIST, MNIST and pairs of both have the paper's nets and take hours; emoji have a small convolutional net.", "small", STUDY_SCALES),
    Number("study_teachers", "nt", "Teachers", "Teachers of each level, each trained and grouped by itself; from two on, intervals are over teachers.", StudySettings().teachers, 1, 20, 1),
    Number("study_seeds", "ns", "Students", "Students of each method and teacher, one per seed.", StudySettings().seeds, 2, 20, 1),
    Text("cell", "cell", "Cell", "One of the study's runs: each level of its axis has one.", "", _ONE_LINE, "a level such as M = 4"),
    # The data page.
    Number("kind", "k", "Class shown", "The class whose samples are shown.", -1, -1, 9999, 1),
    # The runs page.
    Text("compare", "compare", "Selected runs", "The stored runs that are compared, or the one that is looked at closely.", "", _RUN_IDS, "up to six runs' names such as digits-preset, joined by commas"),
    Text("search", "q", "Search", "Lists the runs whose name, id, tags, data or students hold every one of these words.", "", _ONE_LINE, "up to 80 letters"),
    Text("of_data", "of", "Data set", "Lists the runs of one data set.", "", _ONE_LINE, "a data set such as digits"),
    Choice("of_status", "state", "Status", "Lists the runs that ended in one way, or are in progress.", "", {"": "all", **STATUSES}),
    Text("of_tag", "tag", "Tag", "Lists the runs that were given this tag.", "", _ONE_LINE, "a tag such as paper"),
    Choice("order", "order", "Order", "How the list is ordered; a click on a column's head orders by that column.", "new", ORDERS),
    Several("shown", "only", "Students shown", "Whose curves and results are compared.", ("plain", "kd", "ked"), _LABELS),
)  # fmt: skip

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _ALL}
BY_KEY: dict[str, Setting] = {setting.key: setting for setting in _ALL}


def to_url(values: Mapping[str, Any]) -> dict[str, str]:
    """The query parameters of a state: only what differs from the defaults."""
    return {s.key: s.format(values[s.name]) for s in _ALL if values[s.name] != s.default}


def from_url(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """All settings as an address has them, and a notice for each text that was ignored."""
    values = {setting.name: setting.default for setting in _ALL}
    notices = []
    for key, text in query.items():
        if key not in BY_KEY:
            continue
        try:
            values[BY_KEY[key].name] = BY_KEY[key].parse(text)
        except InvalidInput as error:
            notices.append(str(error))
    return values, notices


def to_recipe(values: Mapping[str, Any]) -> Recipe:
    """The recipe that the settings describe."""
    chosen = {name: values[name] for name in RECIPE_SETTINGS} | columns_asked(values["dataset"])
    for name in _WIDTHS_OF:
        chosen[name] = tuple(int(width) for width in chosen[name].split(","))
    for name in _ZERO_IS_NONE:
        chosen[name] = chosen[name] or None
    return Recipe.make(**{name: None if value == "" else value for name, value in (chosen | _meaningful(chosen)).items()})


def _meaningful(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What a form of net makes of settings that are of another form; their controls are out of sight, and count for nothing."""
    convolutional, allowed = chosen["net"] != MLP, allowed_methods(chosen["net"], chosen["dataset"])
    methods = tuple(name for name in chosen["methods"] if name in allowed) or ("plain",)
    if convolutional:
        own = {"grouping": "hessian", "activation": "relu", "scale": "", "engine": ""}
        return own | {"methods": methods} | ({"teacher_net": ""} if chosen["teacher_net"] == MLP else {})
    return {"methods": methods, "teacher_net": ""}


def allowed_methods(net: str, dataset: str) -> tuple[str, ...]:
    """The methods that mean something with a form of net (`ked.methods.Method.only`) and what a data set tells."""
    fitting = {name: method for name, method in METHODS.items() if method.only in (None, "mlp" if net == MLP else "cnn")}
    return tuple(name for name, method in fitting.items() if method.prediction != "truth" or data.knows_truth(dataset))


def of_recipe(recipe: Recipe) -> dict[str, Any]:
    """The settings that describe a recipe, for a visitor who starts from a stored run; numbers as near as controls get."""
    chosen: dict[str, Any] = {name: getattr(recipe, name) for name in RECIPE_SETTINGS}
    for name in _ZERO_IS_NONE:
        chosen[name] = chosen[name] or 0
    for name, value in chosen.items():
        if isinstance(setting := SETTINGS[name], Number):  # the command line allows more than a slider can show
            chosen[name] = min(max(value, setting.low), setting.high)
    for name in _WIDTHS_OF:
        chosen[name] = ",".join(map(str, chosen[name]))
    return {name: "" if value is None else value for name, value in chosen.items()}
