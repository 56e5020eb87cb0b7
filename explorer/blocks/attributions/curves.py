"""Deletion and insertion curves of the attributions page: whose order of the features finds what the answer hangs on?"""

from __future__ import annotations

import streamlit as st

from explorer.blocks.attributions.attributed_sample import AttributedSample, Net
from explorer.components.plot import plot
from explorer.pictures.deletion_curves import Order, order_curves
from explorer.state import session
from explorer.words import attributions, explain
from ked.attribution import ATTRIBUTIONS

_HEADS = {True: "features are removed", False: "features are put in"}


def orders(about: AttributedSample) -> None:
    """For the teacher and the student: the class's probability as features go and as they come, a line a method."""
    st.subheader("Whose order finds what the answer depends on?", anchor=False)
    shown = _teacher_and_student(about)
    with st.container(key="orders"):
        columns = iter(st.columns(2 * len(shown), gap="medium"))
    for place, net in enumerate(shown):
        for removed in (True, False):
            with next(columns):
                _curves(about, net, place, removed=removed)
    for net in shown:
        st.markdown(attributions.orders([line for line in about.lines() if line.net == net.title]))
    st.caption(
        "Features are replaced by the training mean, or put into it, in the order of a method's map: what speaks most for the class "
        "first. A good order loses the answer early, and wins it early. Solid: gradients; dashed: methods that take features "
        "away; thick: the net's own explanation, which orders whole superfeatures and draws the order inside them. All "
        "figures share one scale; the areas under the lines are those in *Every number*. A map that is the same everywhere has no order."
    )


def _teacher_and_student(about: AttributedSample) -> list[Net]:
    """The explaining teacher, or else the black box, and the chosen student."""
    nets = {net.which: net for net in about.nets}
    wanted = ("explaining" if "explaining" in nets else "teacher", session.get("student"))
    return [nets[which] for which in dict.fromkeys(wanted) if which in nets]


def _curves(about: AttributedSample, net: Net, place: int, *, removed: bool) -> None:
    st.markdown(f"**{explain.sentence(net.title)}: {_HEADS[removed]}**")
    found = [(method, measured) for method in about.methods if (measured := about.measured(net, method)) is not None and measured.orders]
    drawn = []
    for method, measured in found:
        curve = measured.deleted if removed else measured.inserted
        drawn.append(Order(method, ATTRIBUTIONS[method].label, curve.shares, curve.heights, curve.area))
    what = about.dataset.classes[about.label]
    areas = ", ".join(f"{order.label} {order.area:.2f}" for order in drawn)
    alt = f"Probability of {what} by the {net.title} as {_HEADS[removed]}, one line per method. Areas: {areas}."
    key = f"{'deletion' if removed else 'insertion'}-{place + 1}"
    plot(about.figure(key, lambda: order_curves(drawn, removed=removed, what=what)), key, alt=alt, select=())
