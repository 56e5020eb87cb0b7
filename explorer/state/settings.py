"""Every control of the app, declared once: default, range, URL key, help. No streamlit here.

A setting turns its value into the text of a URL and back; a text that it cannot take raises `InvalidInput` with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from explorer.state.setting_types import Choice, Number, Setting, Several, Text
from explorer.words.datasets import Titles
from explorer.words.run_list import ORDERS, STATUSES
from explorer.words.studies import SCALES as STUDY_SCALES
from explorer.words.studies import titles as study_titles
from ked import data
from ked.agreement import MAPS, MEASURES
from ked.errors import InvalidInput
from ked.groupings import GROUPINGS
from ked.methods import METHODS
from ked.nets.cnn.architectures import ARCHITECTURES
from ked.nets.subnets import ACTIVATIONS
from ked.recipe import MLP, Recipe
from ked.runs.presets import RECIPES
from ked.store import RUN_ID
from ked.training.augmentation import AUGMENTATIONS
from ked.training.optimisers import SCHEDULES

_RECIPE = RECIPES["digits"]  # what a first visitor sees; its own settings are the defaults


_WIDTHS = re.compile(r"[1-9]\d{0,4}(,[1-9]\d{0,4}){0,5}")
_RUN_IDS = re.compile(f"{RUN_ID.pattern}(,{RUN_ID.pattern}){{0,5}}")
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,80}")
NETS = {MLP: "MLP"} | {name: form.label for name, form in ARCHITECTURES.items()}
_LABELS = {name: method.label for name, method in METHODS.items()}

_ALL: tuple[Setting, ...] = (
    # What is looked at, shared by all pages.
    Text("run", "run", "Run", "The stored run that all pages show.", "", RUN_ID, "a run's name such as digits-preset"),
    Number("sample", "i", "Sample", "Which test sample is explained.", 0, 0, 10_000_000, 1),
    Number("label", "c", "Class", "Which class the contributions speak about; -1 is the explaining teacher's answer.", -1, -1, 9999, 1),
    Number("against", "vs", "Weighed against", "What speaks for the class in question rather than for this one; -1 is none.", -1, -1, 9999, 1),
    Number("selected", "sf", "Superfeature", "The superfeature that is lit up on every picture, counted from 1; 0 is none.", 0, 0, 64, 1),
    Text("tick", "t", "Moment of the training", "Which moment is shown; the newest one is followed while a run grows.", "", re.compile(r"[a-z0-9+-]{0,60}"), "a moment's name such as teacher-3"),
    # The superfeatures page.
    Choice(
        "dataset", "data", "Data", "The data set that teacher and students learn.", _RECIPE.dataset,
        Titles(),
    ),
    Number(
        "superfeatures", "m", "Superfeatures M", "How many groups the input features are split into.",
        _RECIPE.superfeatures, 1, 16, 1,
    ),
    Choice(
        "grouping", "group", "Grouping",
        "What decides which features belong together; all but the Hessian are controls that ignore the teacher's curvature or its order.",
        _RECIPE.grouping, {name: {"hessian": "Hessian", "kmeans": "k-means"}.get(name, name) for name in GROUPINGS},
    ),
    Choice(
        "engine", "engine", "Louvain engine", "Which implementation searches for communities; automatic takes the fast one above 128 features.",
        "", {"": "automatic", "python-louvain": "python-louvain", "scikit-network": "scikit-network"},
    ),
    Choice(
        "reduce", "reduce", "Average", "Whether interactions of opposite sign cancel when they are averaged over the samples (abs_mean), or count in full (mean_abs).",
        _RECIPE.reduce, {"abs_mean": "signs cancel", "mean_abs": "signs ignored"},
    ),
    Choice(
        "scale", "scale", "Units", "Measure interactions per unit of input, or per standard deviation of the two features.",
        "", {"": "per unit", "std": "per standard deviation"},
    ),
    Number("edges", "edges", "Links drawn", "How many of the strongest links the graph shows.", 300, 0, 2000, 20),
    Number("node", "node", "Feature", "The feature whose links are lit up; -1 is none.", -1, -1, 100_000, 1),
    # The train page.
    Several("methods", "methods", "Students", "How students are trained; each gets the same seeds.", ("plain", "kd", "ked", "architecture"), _LABELS),
    Number("seeds", "seeds", "Seeds", "Students per method; they train together and give the band and the interval.", _RECIPE.seeds, 1, 20, 1),
    Number("epochs", "ep", "Student epochs", "Passes of the students over the training data.", _RECIPE.epochs, 1, 500, 1),
    Number("teacher_epochs", "tep", "Teacher epochs", "Passes of both teachers over the training data.", _RECIPE.teacher_epochs, 1, 500, 1),
    Number("temperature", "T", "Temperature T", "Softens the teacher's predictions: higher shows the student more of the wrong classes.", _RECIPE.temperature, 0.5, 40.0, 0.5),
    Number("tau", "tau", "Temperature τ", "Softens the teacher's explanations in the same way.", _RECIPE.tau, 0.5, 40.0, 0.5),
    Number("lam", "lam", "Teacher's share λ", "How much of the loss comes from the teacher; the rest from the labels.", _RECIPE.lam, 0.0, 1.0, 0.05),
    Number("mu", "mu", "Explanations' share μ", "How much of the teacher's share comes from explanations; the rest from predictions.", _RECIPE.mu, 0.0, 1.0, 0.05),
    Text("teacher_hidden", "th", "Teacher widths", "Units of each hidden layer of the teacher.", ",".join(map(str, _RECIPE.teacher_hidden)), _WIDTHS, "widths such as 500,500"),
    Text("student_hidden", "sh", "Student widths", "Units of each hidden layer of the plain student; the KED student gets no more parameters.", ",".join(map(str, _RECIPE.student_hidden)), _WIDTHS, "widths such as 20,20"),
    Choice("net", "net", "Net", "The form of the students; the superfeatures of a convolutional net are groups of channels.", _RECIPE.net, NETS),
    Choice("teacher_net", "tnet", "Teacher's net", "The form of the teachers; automatic takes the net that the paper pairs with the students'.", "", {"": "automatic", **NETS}),
    Number("student_superfeatures", "sm", "Students' M", "Superfeatures of the students where they have others than their teacher, matched by overlap; 0 takes the teacher's.", 0, 0, 16, 1),
    Number("rho", "rho", "Hint's share ρ", "How much of the explanations' or predictions' share goes to the hint.", _RECIPE.rho, 0.0, 1.0, 0.05),
    Choice("optimiser", "opt", "Optimiser", "Adam, or SGD with Nesterov momentum 0.9.", _RECIPE.optimiser, {"adam": "Adam", "sgd": "SGD"}),
    Choice("schedule", "sched", "Schedule", "How the learning rate falls over the epochs; the named ones are the paper's.", _RECIPE.schedule, {name: name for name in SCHEDULES}),
    Number("weight_decay", "wd", "Weight decay", "Pulls the weights of kernels, and nothing else, towards zero.", _RECIPE.weight_decay, 0.0, 0.1, 1e-4),
    Choice("augment", "aug", "Augmentation", "Pictures are moved and mirrored at random, and teachers answer on what the student sees.", _RECIPE.augment, {name: name for name in AUGMENTATIONS}),
    Choice("activation", "act", "Activation", "The nonlinearity of MLPs; smooth ones take the general Hessian path, which is slower.", _RECIPE.activation, {name: name for name in ACTIVATIONS}),
    Number("train_size", "n", "Training samples", "Use so many training samples, balanced over the classes; 0 takes all.", 0, 0, 10_000_000, 1),
    Number("chimeras", "ch", "Chimeras", "How many chimeras, or real samples in the control, a student sees that goes on training.", _RECIPE.chimeras, 100, 1_000_000, 100),
    Number("chimera_epochs", "che", "Chimera epochs", "How often such a student sees them.", _RECIPE.chimera_epochs, 1, 100, 1),
    Number("lr", "lr", "Learning rate", "Adam's step size, for all nets.", _RECIPE.lr, 1e-5, 0.1, 1e-4),
    Number("seed", "seed", "First seed", "Seed of the teachers and of the first student.", _RECIPE.seed, 0, 1_000_000, 1),
    # The explain page.
    Choice("student", "student", "Student", "The student beside the explaining teacher.", "ked", _LABELS),
    Number("replica", "rep", "Student's seed", "Which of the students that were trained with different seeds.", 0, 0, 99, 1),
    Choice(
        "gallery", "show", "Show", "Which test samples the strip offers.", "all",
        {"all": "all", "wrong": "student wrong", "disagree": "teacher and student disagree", "unsure": "teacher least sure"},
    ),
    Choice(
        "evidence", "ev", "Maps show", "Grad-CAM of what raises the class in question, or of what lowers it.", "for",
        {"for": "what speaks for the class", "against": "what speaks against it"},
    ),
    Number("page", "p", "Page", "Which part of the test samples the strip shows.", 1, 1, 1_000_000, 1),
    Text("coalition", "on", "Coalition", "Which superfeatures take part, one digit each.", "", re.compile(r"[01]{1,16}"), "a row of 0 and 1 such as 1101"),
    Choice("subject", "what", "Explained", "A sample of the test data, or a picture that you draw or upload.", "sample", {"sample": "test samples", "own": "your own picture"}),
    Choice("ground", "paper", "Uploaded picture", "Whether its figure is darker or lighter than its ground; automatic looks at its rim.", "", {"": "automatic", "light": "dark on light", "dark": "light on dark"}),
    # The agreement page.
    Choice("measure", "agree", "Measure of agreement", "How the student's explanations are compared with its teacher's.", "cosine", {name: measure.label for name, measure in (MEASURES | MAPS).items()}),
    Text("beside", "beside", "Beside KED of", "Adds the KED students of another run, held against their own teacher, such as those of random groups.", "", RUN_ID, "a run's name such as digits-0a1b2c3d"),
    # The attributions page.
    Choice("likeness", "like", "Agreement by", "How two maps are compared: by the ranks of all features, the strongest tenth of them, the sums over superfeatures, or the pictures' structure.", "spearman", {"spearman": "rank correlation", "overlap": "strongest tenth", "cosine": "sums over superfeatures", "structure": "structure (SSIM)"}),
    Choice("checks", "checks", "Measured", "The sanity check draws a net's weights anew, and max-sensitivity explains ten neighbours of the sample: both take a while.", "", {"": "what is quick", "all": "sanity and max-sensitivity too"}),
    # The chimeras page.
    Text("donors", "donors", "Donors", "Where each superfeature's content comes from: self, mean, blur or a test sample's number, joined by commas.", "", re.compile(r"(self|mean|blur|\d{1,8})(,(self|mean|blur|\d{1,8})){0,15}"), "one donor a superfeature such as self,mean,17,blur"),
    # The studies page.
    Choice("study", "study", "Study", "A question about the method, answered by a grid of runs.", "kd-vs-ked", study_titles()),
    Choice("study_scale", "size", "Scale", "Small nets on digits, which take minutes on two cores, or the paper's recipe on Fashion-MNIST, which takes hours.", "small", STUDY_SCALES),
    Number("study_seeds", "ns", "Seeds", "Students of each method, one a seed; the results that come with the program have five.", 5, 2, 20, 1),
    Text("cell", "cell", "Cell", "One of the study's runs: each level of its axis has one.", "", _ONE_LINE, "a level such as M = 4"),
    # The data page.
    Number("kind", "k", "Class shown", "The class whose samples are shown; -1 shows some of every class.", -1, -1, 9999, 1),
    # The runs page.
    Text("compare", "compare", "Selected runs", "The stored runs that are compared, or the one that is looked at closely.", "", _RUN_IDS, "up to six runs' names such as digits-preset, joined by commas"),
    Text("search", "q", "Search", "Lists the runs whose name, id, tags, data or students hold every one of these words.", "", _ONE_LINE, "up to 80 letters"),
    Text("of_data", "of", "Data set", "Lists the runs of one data set.", "", _ONE_LINE, "a data set such as digits"),
    Choice("of_status", "state", "Status", "Lists the runs that ended in one way, or are still at work.", "", {"": "all", **STATUSES}),
    Text("of_tag", "tag", "Tag", "Lists the runs that were given this tag.", "", _ONE_LINE, "a tag such as paper"),
    Choice("order", "order", "Order", "How the list is ordered; a click on a column's head orders by that column.", "new", ORDERS),
    Several("shown", "only", "Students shown", "Whose curves and results are compared, one colour a method.", ("plain", "kd", "ked"), _LABELS),
)  # fmt: skip

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _ALL}
BY_KEY: dict[str, Setting] = {setting.key: setting for setting in _ALL}

RECIPE_SETTINGS = (
    "dataset", "superfeatures", "grouping", "engine", "reduce", "scale", "methods", "seeds", "epochs", "teacher_epochs",
    "temperature", "tau", "lam", "mu", "teacher_hidden", "student_hidden", "chimeras", "chimera_epochs", "lr", "seed",
    "net", "teacher_net", "student_superfeatures", "rho", "optimiser", "schedule", "weight_decay", "augment", "activation", "train_size",
)  # fmt: skip
_ZERO_IS_NONE = ("student_superfeatures", "train_size")


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
    chosen = {name: values[name] for name in RECIPE_SETTINGS}
    for name in ("teacher_hidden", "student_hidden"):
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
    for name in ("teacher_hidden", "student_hidden"):
        chosen[name] = ",".join(map(str, chosen[name]))
    return {name: "" if value is None else value for name, value in chosen.items()}
