"""Attribution maps of test samples by Captum's methods, and how good they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
import torch

from explorer.cache.datasets import dataset
from explorer.cache.explanations import test_predictions
from explorer.cache.keys import BY_VERSION
from explorer.cache.runs import asked_for, convolutional, dataset_of, net
from ked.store import Run

if TYPE_CHECKING:  # Captum takes half a second to import: whoever looks at another page need not wait for it
    from ked.attribution import Question, Reference
    from ked.attribution.own_nets import Attributions
    from ked.attribution.quality import Measured
    from ked.attribution.sanity import Verdict
    from ked.attribution.shapley import ExactShapley

CHECKED = 8  # test samples on which the sanity check compares a net with what it was before it learnt


def parts(run: Run) -> tuple[tuple[int, ...], ...]:
    """The groups of input features that are taken away together: the run's superfeatures, or squares where they are none."""
    from ked.attribution import squares

    if convolutional(run) or not run.has("superfeatures"):
        return squares(dataset_of(run).shape)
    return run.superfeatures().groups


@st.cache_data(max_entries=4096, show_spinner=False, hash_funcs=BY_VERSION)
def attribution(run: Run, which: str, k: int, sample: int, label: int, method: str) -> Measured:
    """A method's map of one test sample for one class by a net's replica k, and how good it is; of a recorded run what was recorded."""
    from ked.attribution.quality import measure

    if found := kept(run, which, k, sample, label):
        return found[method]
    return measure(method, _one_sample(run, which, k, sample, label))


def kept(run: Run, which: str, k: int, sample: int, label: int) -> dict[str, Measured]:
    """Method -> what was recorded of it, of a net's first replica on a sample for a class; nothing where nothing was."""
    of_net = _kept(run).get(which)
    if k or of_net is None or sample >= len(of_net.target) or of_net.target[sample] != label:
        return {}
    return {name: several[sample] for name, several in of_net.measured.items()}


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=BY_VERSION)
def _kept(run: Run) -> dict[str, Attributions]:
    from ked.attribution.kept import FILE, kept

    return kept(run.folder / FILE)


@st.cache_data(max_entries=4096, show_spinner=False, hash_funcs=BY_VERSION)
def sensitivity(run: Run, which: str, k: int, sample: int, label: int, method: str) -> float:
    """How far that map moves when the sample hardly does."""
    from ked.attribution.quality import max_sensitivity

    return float(max_sensitivity(method, _one_sample(run, which, k, sample, label))[0])


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_VERSION)
def sanity_check(run: Run, which: str, k: int, method: str) -> Verdict:
    """Whether a method's maps of the first test samples, for what the net answers, depend on what the net has learnt."""
    from ked.attribution import attribute
    from ked.attribution.sanity import sanity

    x = dataset_of(run).part("test")[0][:CHECKED]
    answers = torch.from_numpy(test_predictions(run, which, k)[:CHECKED].argmax(axis=1))
    return sanity(lambda asked: attribute(method, asked), _question(run, which, k, x, answers))


@st.cache_data(max_entries=1024, show_spinner="Going through every order of the superfeatures …", hash_funcs=BY_VERSION)
def exact(run: Run, which: str, k: int, sample: int, label: int) -> ExactShapley:
    """A net's own explanation of one test sample against exact Shapley values by Captum."""
    from ked.attribution.shapley import exact_shapley

    return exact_shapley(_one_sample(run, which, k, sample, label))


def _one_sample(run: Run, which: str, k: int, sample: int, label: int) -> Question:
    x = dataset_of(run).part("test")[0][sample : sample + 1]
    return _question(run, which, k, x, torch.tensor([label]))


def _question(run: Run, which: str, k: int, x: torch.Tensor, target: torch.Tensor) -> Question:
    from ked.attribution import Question

    return Question(net(run, which), k, x, target, _reference(*asked_for(run)), parts(run), dataset_of(run).shape)


@st.cache_resource(max_entries=8, show_spinner=False)
def _reference(*asked: Any) -> Reference:
    from ked.attribution import Reference

    return Reference.of(dataset(*asked))
