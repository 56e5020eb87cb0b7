"""Agreement of anybody's nets: the survey that the app makes, asked with nets of one's own or with what they said."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ked.agreements.survey import Survey, survey
from ked.dependency.samples import check_order
from ked.errors import InvalidInput
from ked.explaining import BATCH
from ked.heard import Heard, heard, heard_explanations
from ked.matching import matching

_ARRAYS = (Tensor, np.ndarray)


def agreement(
    student: Any,
    explainer: Any,
    x: Any = None,
    y: Any = None,
    *,
    base: Any = None,
    tau: float = 10.0,
    seed: int = 0,
    batch: int = BATCH,
) -> Survey:
    """Does a student explain as its explaining teacher does? Every measure with its chance level (METHOD 4).

    Superfeatures that hold the same features answer to each other; channels are compared by number. A student without explanations of
    its own is compared in its answers alone.

    Args:
        student: An explaining net (`ked.Explains`), any net from samples to logits, a list of such (one a seed); or its explanations
            log y_m themselves, an array (N, M, C).
        explainer: The explaining teacher; or its explanations, an array (N, M, C).
        x: The samples (N, D) or (N, *shape), a tensor, an array or a DataLoader; none for arrays.
        y: (N,) labels, for accuracy and means by class; the explainer's answers stand for them by default.
        base: (C,) of both nets, where arrays are given; by default the log of equal probabilities.
        tau: What explanations are softened by where divergences are told.
        seed: Decides which other sample stands for chance.
        batch: Samples at a time.

    Raises:
        InvalidInput: The two do not fit together.

    Examples:
        >>> nets = [torch.randn(50, 3, 4, generator=torch.Generator().manual_seed(k)).log_softmax(-1) for k in (0, 1)]
        >>> table = agreement(*nets).to_frame()
        >>> list(table.columns), bool(abs(table.value["cosine"]) < 0.2), float(agreement(nets[0], nets[0]).mean("cosine").round(6)[0])
        (['measure', 'value', 'least', 'chance', 'alike', 'independent', 'best', 'unit'], True, 1.0)
    """
    if base is not None and not any(isinstance(net, _ARRAYS) for net in (student, explainer)):
        raise InvalidInput("base belongs to arrays of explanations, but nets bring their own.")
    mine, theirs = (_heard(name, net, x, base, batch) for name, net in (("student", student), ("explainer", explainer)))
    if not theirs.speaks:
        raise InvalidInput("explainer has no explanations of its own to agree with: give a net with explain(x), or an array (N, M, C).")
    shapes = {(part.log_p.shape[1], part.classes) for part in (mine, theirs)}
    if len(shapes) > 1:
        raise InvalidInput(f"student and explainer must speak of the same samples and classes, not of {' and '.join(map(str, shapes))}.")
    if theirs.replicas > 1:
        raise InvalidInput("explainer must be one net; only the student may be several, one a seed.")
    labels = theirs.log_p[0].argmax(dim=-1) if y is None else torch.as_tensor(y).cpu()
    whole = labels.shape == theirs.log_p.shape[1:2] and labels.dtype == torch.int64
    if not whole or not 0 <= int(labels.min()) <= int(labels.max()) < theirs.classes:
        raise InvalidInput(f"y must hold one int64 label from 0 to {theirs.classes - 1} for each of the {theirs.log_p.shape[1]} samples.")
    pairs = matching(mine, theirs) if mine.speaks else None
    return survey(mine, theirs, None, labels, pairs=pairs, tau=tau, seed=seed)


def _heard(name: str, net: Any, x: Any, base: Any, batch: int) -> Heard:
    if isinstance(net, _ARRAYS):
        return heard_explanations(net, base, name=name)
    check_order(x)
    if x is None:
        raise InvalidInput(f"x is missing: {name} is a net, which has to be asked about samples.")
    return heard(net, x, batch=batch)
