"""Everything that is remembered between reruns and visitors: the only place with `st.cache_*`.

Keys are names, small numbers and a run's `stamp`; nets and matrices travel as results, never as keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
import torch

from explorer.pictures import graphs
from explorer.timeline.history import History
from ked import data
from ked.agreement import Survey
from ked.agreement import survey as measure_agreement
from ked.communities.superfeatures import Superfeatures, resolution_sweep
from ked.data import Dataset
from ked.data.checkup import Checkup
from ked.data.checkup import checkup as measure
from ked.explanation import centre, contributions
from ked.groupings import group
from ked.methods import METHODS
from ked.nets.cnn.gradcam import class_averages, grad_cam
from ked.nets.cnn.stack import ConvStack
from ked.nets.inference import explain, predict
from ked.nets.stack import Stack
from ked.recipe import MLP
from ked.runs.build_nets import matching
from ked.runs.forming import states
from ked.runs.measuring import measured_dependency
from ked.runs.trajectory import Agreements, Trajectories
from ked.store import Run, load_run

if TYPE_CHECKING:  # Captum takes half a second to import: whoever looks at another page need not wait for it
    from ked.attribution import Question, Reference
    from ked.attribution.quality import Measured
    from ked.attribution.sanity import Verdict
    from ked.attribution.shapley import ExactShapley

AGREEING = 256  # validation samples on which students and teacher are compared while they train
SURVEYED = 20_000  # test samples on which they are compared afterwards
CHECKED = 8  # test samples on which the sanity check compares a net with what it was before it learnt


def stamp(run: Run) -> int:
    """Changes whenever the run's status or results do."""
    return (run.folder / "run.json").stat().st_mtime_ns


@st.cache_resource(max_entries=8, show_spinner="Reading the data …")
def dataset(name: str) -> Dataset:
    """A data set, read once for all visitors."""
    return data.load(name)


@st.cache_data(max_entries=32, show_spinner="Looking at every sample …")
def checkup(name: str) -> Checkup:
    """What should be known about a data set before training on it."""
    return measure(dataset(name))


@st.cache_data(max_entries=32, show_spinner=False)
def mean_image(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature over the training samples, (D,) each."""
    x = dataset(name).part("train")[0]
    return x.mean(0).numpy(), x.std(0).numpy()


@st.cache_resource(max_entries=64, show_spinner=False)
def net(run_id: str, run_stamp: int, which: str) -> Stack:
    """A stored net: "teacher", "explaining" or a student's method."""
    run = load_run(run_id)
    named = {"teacher": run.teacher, "explaining": run.explaining}
    return named[which]() if which in named else run.student(which)


@st.cache_data(max_entries=16, show_spinner="Measuring which features depend on each other …")
def dependency(run_id: str, run_stamp: int, reduce: str, scale: str | None) -> np.ndarray:
    """W (D, D) of the run's teacher: the stored one where it was made in the same way, else computed anew."""
    run = load_run(run_id)
    recipe = run.recipe
    if (recipe.reduce, recipe.scale) == (reduce, scale) and run.has("dependency"):
        return run.dependency().numpy()
    x = dataset(recipe.dataset).part("train")[0]
    return measured_dependency(run, recipe.without(reduce=reduce, scale=scale), x).numpy()


@st.cache_data(max_entries=128, show_spinner="Searching for communities …")
def superfeatures(
    run_id: str, run_stamp: int, reduce: str, scale: str | None, M: int, grouping: str, engine: str | None
) -> Superfeatures:
    """M superfeatures of the run's teacher: the stored ones where they were made in the same way, else found anew."""
    run = load_run(run_id)
    recipe = run.recipe
    stored = (recipe.reduce, recipe.scale, recipe.superfeatures, recipe.grouping, recipe.engine)
    if stored == (reduce, scale, M, grouping, engine) and run.has("superfeatures"):
        return run.superfeatures()
    source = dataset(recipe.dataset)
    W, x = torch.from_numpy(dependency(run_id, run_stamp, reduce, scale)), source.part("train")[0]
    return group(grouping, W=W, M=M, x=x, shape=source.shape, seed=recipe.seed, engine=engine)


@st.cache_data(max_entries=32, show_spinner=False)
def ordered(run_id: str, run_stamp: int) -> graphs.Ordered:
    """The W that the run's own superfeatures were found in, ordered by them and pooled for a small picture."""
    run = load_run(run_id)
    W = dependency(run_id, run_stamp, run.recipe.reduce, run.recipe.scale)
    return graphs.ordered(W, run.superfeatures().groups, graphs.SMALL)


@st.cache_data(max_entries=32, show_spinner=False)
def sweep(run_id: str, run_stamp: int, reduce: str, scale: str | None, engine: str | None, span: float) -> np.ndarray:
    """(3, R) resolution, number of communities and modularity on a logarithmic grid up to `span` times either way."""
    W = torch.from_numpy(dependency(run_id, run_stamp, reduce, scale))
    resolutions = np.geomspace(1 / span, span, 15 if len(W) > 128 else 41)
    return np.array(resolution_sweep(W, [float(r) for r in resolutions], engine, 0), dtype=float).T


@st.cache_data(max_entries=32, show_spinner="Laying out the graph …")
def positions(run_id: str, run_stamp: int, reduce: str, scale: str | None) -> np.ndarray:
    """(D, 2) where the graph draws each feature."""
    recipe = load_run(run_id).recipe
    channels: tuple[int, ...] = ()  # have no place in the picture
    shape = channels if recipe.convolutional else dataset(recipe.dataset).shape
    return graphs.node_positions(dependency(run_id, run_stamp, reduce, scale), shape)


@st.cache_data(max_entries=64, show_spinner=False)
def test_predictions(run_id: str, run_stamp: int, which: str, k: int) -> np.ndarray:
    """(N, C) class log-probabilities of a net's replica k on the test samples."""
    x = dataset(load_run(run_id).recipe.dataset).part("test")[0]
    return predict(net(run_id, run_stamp, which).replica(k), x)[0].numpy()


@st.cache_data(max_entries=2048, show_spinner=False)
def explanation(run_id: str, run_stamp: int, which: str, k: int, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """log y_m (M, C) of one test sample by an explaining net's replica k, and the net's base (C,)."""
    stack = net(run_id, run_stamp, which)
    x = dataset(load_run(run_id).recipe.dataset).part("test")[0][sample : sample + 1]
    return explain(stack, x)[k, :, 0].numpy(), stack.base.numpy()


@st.cache_data(max_entries=1024, show_spinner=False)
def branch_maps(run_id: str, run_stamp: int, which: str, k: int, sample: int, label: int, other: int, evidence: str) -> np.ndarray:
    """(M, H, W) Grad-CAM of a convolutional net's branches for a class, or rather than another, of a test sample; nats per whole map."""
    stack = _convolutional(net(run_id, run_stamp, which))
    x = dataset(load_run(run_id).recipe.dataset).part("test")[0][sample : sample + 1]
    against = other if other >= 0 else None
    return grad_cam(stack, x, k, classes=[label], against=against, evidence=evidence, density=True)[0, :, 0].numpy()


@st.cache_data(max_entries=16, show_spinner="Looking at what each branch looks at …")
def class_maps(run_id: str, run_stamp: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Average test pictures (n, D) of the first classes, at most `most`, and the explaining teacher's mean maps (n, M, H, W)."""
    source = dataset(load_run(run_id).recipe.dataset)
    x, y = source.part("test")
    classes = range(min(most, source.class_count))
    pictures = torch.stack([x[y == c].mean(0) for c in classes])
    stack = _convolutional(net(run_id, run_stamp, "explaining"))
    return pictures.numpy(), class_averages(stack, x, y, classes=classes).numpy()


@st.cache_resource(max_entries=8, show_spinner=False)
def _reference(name: str) -> Reference:
    from ked.attribution import Reference

    return Reference.of(dataset(name))


def parts(run: Run) -> tuple[tuple[int, ...], ...]:
    """The groups of input features that are taken away together: the run's superfeatures, or squares where they are none."""
    from ked.attribution import squares

    if convolutional(run) or not run.has("superfeatures"):
        return squares(dataset(facts(run)["recipe"]["dataset"]).shape)
    return run.superfeatures().groups


def _question(run_id: str, run_stamp: int, which: str, k: int, x: torch.Tensor, target: torch.Tensor) -> Question:
    from ked.attribution import Question

    run = load_run(run_id)
    name = run.recipe.dataset
    return Question(net(run_id, run_stamp, which), k, x, target, _reference(name), parts(run), dataset(name).shape)


def _one_sample(run_id: str, run_stamp: int, which: str, k: int, sample: int, label: int) -> Question:
    x = dataset(load_run(run_id).recipe.dataset).part("test")[0][sample : sample + 1]
    return _question(run_id, run_stamp, which, k, x, torch.tensor([label]))


@st.cache_data(max_entries=4096, show_spinner=False)
def attribution(run_id: str, run_stamp: int, which: str, k: int, sample: int, label: int, method: str) -> Measured:
    """A method's map of one test sample for one class by a net's replica k, and how good it is."""
    from ked.attribution.quality import measure

    return measure(method, _one_sample(run_id, run_stamp, which, k, sample, label))


@st.cache_data(max_entries=4096, show_spinner=False)
def sensitivity(run_id: str, run_stamp: int, which: str, k: int, sample: int, label: int, method: str) -> float:
    """How far that map moves when the sample hardly does."""
    from ked.attribution.quality import max_sensitivity

    return float(max_sensitivity(method, _one_sample(run_id, run_stamp, which, k, sample, label))[0])


@st.cache_data(max_entries=512, show_spinner=False)
def sanity_check(run_id: str, run_stamp: int, which: str, k: int, method: str) -> Verdict:
    """Whether a method's maps of the first test samples, for what the net answers, depend on what the net has learnt."""
    from ked.attribution import attribute
    from ked.attribution.sanity import sanity

    x = dataset(load_run(run_id).recipe.dataset).part("test")[0][:CHECKED]
    answers = torch.from_numpy(test_predictions(run_id, run_stamp, which, k)[:CHECKED].argmax(axis=1))
    return sanity(lambda asked: attribute(method, asked), _question(run_id, run_stamp, which, k, x, answers))


@st.cache_data(max_entries=1024, show_spinner="Going through every order of the superfeatures …")
def exact(run_id: str, run_stamp: int, which: str, k: int, sample: int, label: int) -> ExactShapley:
    """A net's own explanation of one test sample against exact Shapley values by Captum."""
    from ked.attribution.shapley import exact_shapley

    return exact_shapley(_one_sample(run_id, run_stamp, which, k, sample, label))


def _convolutional(stack: Stack) -> ConvStack:
    assert isinstance(stack, ConvStack)
    return stack


@st.cache_resource(max_entries=64, show_spinner=False)
def trajectories(run_id: str, stage: str, sample: int) -> Trajectories:
    """What a stage's nets, epoch by epoch, say of one test sample; ask it for what it knows `now`."""
    run = load_run(run_id)
    return Trajectories(run, stage, dataset(run.recipe.dataset).part("test")[0][sample])


@st.cache_resource(max_entries=64, show_spinner=False)
def agreements(run_id: str, method: str) -> Agreements:
    """How far a method's students, epoch by epoch, agree with their teacher on validation samples; ask it `now`."""
    run = load_run(run_id)
    return Agreements(run, method, dataset(run.recipe.dataset).part("validation")[0][:AGREEING])


@st.cache_data(max_entries=16, show_spinner=False)
def forming(run_id: str, run_stamp: int, count: int) -> dict[int, dict[str, Any]]:
    """Epoch -> state of the teacher's superfeatures, `count` of which have been told; numbered as the final ones are."""
    return states(load_run(run_id))


@st.cache_resource(max_entries=32, show_spinner="Comparing what students and teacher say of every test sample …")
def survey(run_id: str, run_stamp: int, method: str, maps: str = "") -> Survey:
    """Agreement and fidelity of a method's students on the first `SURVEYED` test samples; `maps`: which are compared too, if any."""
    run = load_run(run_id)
    student, teacher = net(run_id, run_stamp, method), net(run_id, run_stamp, "explaining")
    source = dataset(run.recipe.dataset)
    x, y = (part[:SURVEYED] for part in source.part("test"))
    pairs, kinds = matching(student, teacher) if METHODS[method].net == "ked" else None, [maps] if maps else []
    return measure_agreement(student, teacher, x, y, pairs=pairs, tau=run.recipe.tau, shape=source.shape, maps=kinds)


@st.cache_data(max_entries=64, show_spinner=False)
def contributions_of(run_id: str, run_stamp: int, which: str, k: int, samples: tuple[int, ...]) -> np.ndarray:
    """(M, S, C) class-centred contributions of a net's replica k in some test samples."""
    stack, x = net(run_id, run_stamp, which), dataset(load_run(run_id).recipe.dataset).part("test")[0]
    log_y = explain(stack, x[list(samples)])[k]
    return centre(contributions(log_y, stack.base)).numpy()


def facts(run: Run) -> dict[str, Any]:
    """run.json, read at most once for each of its versions."""
    return _facts(run.id, stamp(run))


def convolutional(run: Run) -> bool:
    """Whether the run's nets are convolutional, and its superfeatures groups of channels."""
    return bool(facts(run)["recipe"].get("net", MLP) != MLP)


@st.cache_data(max_entries=256, show_spinner=False)
def _facts(run_id: str, run_stamp: int) -> dict[str, Any]:
    return load_run(run_id).info


def curves(run: Run) -> dict[str, np.ndarray]:
    """Method -> (epochs so far, K) validation accuracy; remembered of runs that have ended."""
    if facts(run)["status"] in ("queued", "running"):
        return History(run).read().curves()
    return _curves(run.id, stamp(run))


@st.cache_data(max_entries=64, show_spinner=False)
def _curves(run_id: str, run_stamp: int) -> dict[str, np.ndarray]:
    return History(load_run(run_id)).read().curves()
