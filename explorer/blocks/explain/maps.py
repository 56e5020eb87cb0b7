"""The explain page's pictures for convolutional nets: where each branch finds what speaks for a class, teacher above student."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from explorer import cache
from explorer.blocks import controls, nothing_yet
from explorer.blocks.choose import light_up
from explorer.blocks.explain.pictures import black_box_student, block
from explorer.blocks.explained_sample import ExplainedSample, NetExplanation
from explorer.components.plot import plot
from explorer.pictures import maps, theme
from explorer.pictures.overlays import shared_limit
from explorer.state import session
from explorer.words.explain import channels
from explorer.words.inert import inert
from explorer.words.numbers import signed
from explorer.words.results import LABELS
from ked.nets.cnn.gradcam import grad_cam
from ked.nets.cnn.stack import ConvStack

CELL = 168  # pixels: two stand side by side on a telephone
_SIDES = {"for": "speak for", "against": "speak against"}
_CONTRASTED = ", and maps and numbers show the difference between the two classes"


def pictures(about: ExplainedSample) -> None:
    """The sample, and under it or beside it a column for each superfeature: teacher and student on one scale."""
    if cache.recorded(about.run):
        st.subheader(inert(about.title), anchor=False)
        if about.dataset.is_image:
            plot(maps.plain(about.image, about.dataset.shape, height=270), "sample", alt="The sample.", select=())
        nothing_yet.not_kept()
        return
    voices = about.voices
    seen = [_maps(about, voice) for voice in voices]
    limit = shared_limit(*seen)
    sample, columns = st.columns([4, 8], gap="medium")
    with sample:
        st.subheader(inert(about.title), anchor=False)
        plot(maps.plain(about.image, about.dataset.shape, height=270), "sample", alt="The sample.", select=())
        controls.segments("evidence")
        st.caption(
            f"Grad-CAM of each branch: where its own channels {_SIDES[session.get('evidence')]} "
            f"{inert(about.question)}. Full colour is {limit:.1f} nats, if the whole picture were like that place; one scale for all maps. "
            f"The numbers are the contributions{_CONTRASTED * (about.against >= 0)}."
        )
        block(about)
    with columns:
        st.subheader(f"Where each superfeature looks for {inert(about.question)}", anchor=False)
        with st.container(horizontal=True, gap="small"):
            for m in range(max(map(len, seen))):
                with st.container(width=CELL):
                    _column(about, voices, seen, m, limit)
        if not about.student:
            black_box_student(session.get("student"))


def _maps(about: ExplainedSample, voice: NetExplanation) -> np.ndarray:
    """(M, H, W) of the net that speaks."""
    k, evidence = session.get("replica") if voice is about.student else 0, session.get("evidence")
    if about.sample is not None:
        return cache.branch_maps(about.run, voice.name, k, about.sample, about.label, about.against, evidence)
    stack, x = cache.net(about.run, voice.name), torch.from_numpy(about.image)[None]
    assert isinstance(stack, ConvStack)
    against = about.against if about.against >= 0 else None
    return grad_cam(stack, x, k, classes=[about.label], against=against, evidence=evidence, density=True)[0, :, 0].numpy()


def _column(about: ExplainedSample, voices: list[NetExplanation], seen: list[np.ndarray], m: int, limit: float) -> None:
    """One superfeature: a picture a net."""
    cells = [_cell(about, voice, values, m) for voice, values in zip(voices, seen, strict=True) if m < len(values)]
    colour = theme.superfeature_colour(m)
    head = theme.key(colour, f"<b>{m + 1}, highlighted</b>" if m == about.selected else f"<b>{m + 1}</b>")
    figure = maps.sheet(cells, about.dataset.shape, colour, limit=limit, columns=1, width=CELL, head=head)
    nets = " and ".join(LABELS[voice.name] for voice in voices)
    if plot(figure, f"branch-{m + 1}", alt=f"Where superfeature {m + 1} of {nets} looks in the sample."):
        light_up({"customdata": m + 1})


def _cell(about: ExplainedSample, voice: NetExplanation, values: np.ndarray, m: int) -> maps.Cell:
    on = about.members_of(voice)[m]
    said = signed(about.evidence(voice)[m]) if on else "off"
    groups = cache.net(about.run, voice.name).groups
    who = LABELS[voice.name]
    return maps.Cell(
        about.image, values[m] if on else None, (f"{_short(voice, about)} <b>{said}</b>", channels(groups[m])),
        f"{who}, superfeature {m + 1}, {channels(groups[m])}",
    )  # fmt: skip


def _short(voice: NetExplanation, about: ExplainedSample) -> str:
    return "teacher" if voice is about.teacher else "student"
