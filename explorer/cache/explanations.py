"""What nets answer on test samples, and what their superfeatures say of them: numbers, and maps of convolutional nets."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from explorer.cache.keys import BY_VERSION
from explorer.cache.runs import dataset_of, heard, net
from ked.explanation import centre, contributions
from ked.heard import Heard
from ked.nets.cnn.gradcam import class_averages, grad_cam
from ked.nets.cnn.stack import ConvStack
from ked.nets.inference import explain, predict
from ked.nets.stack import Stack
from ked.store import Run


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=BY_VERSION)
def test_predictions(run: Run, which: str, k: int) -> np.ndarray:
    """(N, C) class log-probabilities of a net's replica k on the test samples."""
    said = heard(run, which)
    if isinstance(said, Heard):
        return said.log_p[k].numpy()
    return predict(said.replica(k), dataset_of(run).part("test")[0])[0].numpy()


@st.cache_data(max_entries=2048, show_spinner=False, hash_funcs=BY_VERSION)
def explanation(run: Run, which: str, k: int, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """log y_m (M, C) of one test sample by an explaining net's replica k, and the net's base (C,)."""
    return _log_y(run, which, [sample])[k, :, 0].numpy(), heard(run, which).base.numpy()


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=BY_VERSION)
def contributions_of(run: Run, which: str, k: int, samples: tuple[int, ...]) -> np.ndarray:
    """(M, S, C) class-centred contributions of a net's replica k in some test samples."""
    log_y = _log_y(run, which, list(samples))[k]
    return centre(contributions(log_y, heard(run, which).base)).numpy()


def _log_y(run: Run, which: str, samples: list[int]) -> torch.Tensor:
    """(K, M, S, C) what a net says of some test samples, or has said."""
    said = heard(run, which)
    if isinstance(said, Heard):
        return said.log_y[:, :, samples]
    return explain(said, dataset_of(run).part("test")[0][samples])


@st.cache_data(max_entries=1024, show_spinner=False, hash_funcs=BY_VERSION)
def branch_maps(run: Run, which: str, k: int, sample: int, label: int, other: int, evidence: str) -> np.ndarray:
    """(M, H, W) Grad-CAM of a convolutional net's branches for a class, or rather than another, of a test sample; nats per whole map."""
    stack, x = _convolutional(net(run, which)), dataset_of(run).part("test")[0][sample : sample + 1]
    against = other if other >= 0 else None
    return grad_cam(stack, x, k, classes=[label], against=against, evidence=evidence, density=True)[0, :, 0].numpy()


@st.cache_data(max_entries=16, show_spinner="Looking at what each branch looks at …", hash_funcs=BY_VERSION)
def class_maps(run: Run, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Average test pictures (n, D) of the first classes, at most `most`, and the explaining teacher's mean maps (n, M, H, W)."""
    source = dataset_of(run)
    x, y = source.part("test")
    classes = range(min(most, source.class_count))
    pictures = torch.stack([x[y == c].mean(0) for c in classes])
    stack = _convolutional(net(run, "explaining"))
    return pictures.numpy(), class_averages(stack, x, y, classes=classes).numpy()


def _convolutional(stack: Stack) -> ConvStack:
    assert isinstance(stack, ConvStack)
    return stack
