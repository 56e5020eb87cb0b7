"""Emoji: 1906 colour pictures of 32 x 32 pixels in nine groups, inside the package, so they work offline at once.

Source: Twemoji, graphics (c) Twitter, Inc and other contributors, CC-BY 4.0, from the npm package emoji-datasource-twitter 16.0.0;
`tools/make_emoji.py` made the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ked.data.dataset import SHARES, Dataset, pixel_names, stratified_split

CREDIT = "Graphics: Twemoji © Twitter, Inc and other contributors, CC-BY 4.0"
"""To be read wherever the pictures are seen."""

_FILE = Path(__file__).with_name("emoji.npz")
_SEED = 0


def load(name: str) -> Dataset:
    """The pictures with x in [0, 1] on white, classes as Unicode groups emoji, split about 60/20/20 with equal class shares."""
    with np.load(_FILE, allow_pickle=False) as file:
        pictures, labels, groups = file["pictures"], file["labels"].astype(int), file["groups"]
    shape = pictures.shape[1:]
    train, validation, test = stratified_split(labels, SHARES, _SEED)
    return Dataset(
        name=name,
        x=torch.from_numpy(pictures).flatten(1).float() / 255,
        y=torch.from_numpy(labels),
        train=train,
        validation=validation,
        test=test,
        shape=shape,
        classes=tuple(map(str, groups)),
        features=pixel_names(shape),
    )
