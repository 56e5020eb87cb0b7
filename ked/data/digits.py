"""scikit-learn's handwritten digits: 1797 pictures of 8 x 8 pixels, inside the package, so they work offline at once."""

from __future__ import annotations

import torch

from ked.data.dataset import SHARES, Dataset, Source, pixel_names, stratified_split

_SHAPE = (8, 8)
_LARGEST = 16.0  # a pixel counts the dark points in a block of 4 x 4
_SEED = 0


def load() -> Dataset:
    """The digits with x in [0, 1], split about 60/20/20 with equal class shares.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI repository, 1998.
    """
    # imported here: half a second that the other sources need not pay
    from sklearn.datasets import load_digits

    table = load_digits()
    train, validation, test = stratified_split(table.target, SHARES, _SEED)
    return Dataset(
        name=SOURCE.name,
        x=torch.from_numpy(table.data).float() / _LARGEST,
        y=torch.from_numpy(table.target).long(),
        train=train,
        validation=validation,
        test=test,
        shape=_SHAPE,
        classes=tuple(str(name) for name in table.target_names),
        features=pixel_names(_SHAPE),
    )


SOURCE = Source(
    name="digits",
    title="Digits (8 x 8)",
    description="1797 handwritten digits of 8 x 8 pixels from scikit-learn: small, quick and always there.",
    load=load,
)
