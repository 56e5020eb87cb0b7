"""What nets say of views of the training samples: asked for each batch, or once for all where the views are the samples themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ked.nets.stack import Stack

KEPT = 1 << 30  # bytes that all answers of one net may take; of what would take more, nothing is kept


class Answer(NamedTuple):
    """What a net of one replica says of B views.

    Attributes:
        log_y: (1, M, C, B).
        maps: (1, M, B, f, h, w) its last maps, where they were asked for.
    """

    log_y: Tensor
    maps: Tensor | None


class Answers:
    """Asks nets in eval mode and remembers what can be remembered: a sample's answer stays the same as long as its view does.

    Args:
        samples: Gives the training samples (N, D), if every view is the sample itself; None if views differ from batch to batch.
        mixed: Whether nets compute in bfloat16.
    """

    def __init__(self, samples: Callable[[], Tensor] | None, *, mixed: bool) -> None:
        self._samples, self._mixed = samples, mixed
        self._kept: dict[tuple[int, bool], Kept | None] = {}

    @torch.no_grad()
    def of(self, net: Stack, x: Tensor, rows: Tensor, *, maps: bool) -> Answer:
        """What a net says of views (B, D) of the training samples numbered rows (B,), with its maps if they are wanted."""
        if self._samples is None:
            return self._asked(net, x, maps)
        key = (id(net), maps)
        if key not in self._kept:
            self._kept[key] = self._all(net, self._samples(), maps)
        kept = self._kept[key]
        return self._asked(net, x, maps) if kept is None else kept.of(rows)

    def _asked(self, net: Stack, x: Tensor, maps: bool) -> Answer:
        arranged = net.arrange(x)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self._mixed):
            log_y, seen = net.features(arranged) if maps else (net.subnet_log_probabilities(arranged), None)
        return Answer(log_y.float() if self._mixed else log_y, seen)

    def _all(self, net: Stack, x: Tensor, maps: bool) -> Kept | None:
        """The answers to all samples, in chunks that are the same however often a training broke off; None if there is no room."""
        kept: Kept | None = None
        for start in range(0, len(x), net.chunk):
            answer = self._asked(net, x[start : start + net.chunk], maps)
            kept = kept or Kept.room(answer, len(x))
            if kept is None:
                return None
            kept.put(start, answer)
        return kept


class Kept(NamedTuple):
    """Answers with the samples first, so that each is one piece of memory: log_y (N, M, C) and maps (N, M, f, h, w)."""

    log_y: Tensor
    maps: Tensor | None

    @classmethod
    def room(cls, answer: Answer, count: int) -> Kept | None:
        """Room for the answers to so many samples, if they are all like this one; None if they would take more than `KEPT` bytes."""
        said, B = [tensor for tensor in answer if tensor is not None], answer.log_y.shape[3]
        if sum(tensor.nbytes for tensor in said) * count > KEPT * B:
            return None
        like = cls.samples_first(answer)
        log_y = like.log_y.new_empty(count, *like.log_y.shape[1:])
        return cls(log_y, None if like.maps is None else like.maps.new_empty(count, *like.maps.shape[1:]))

    @classmethod
    def samples_first(cls, answer: Answer) -> Kept:
        """An answer with the samples first."""
        return cls(answer.log_y[0].permute(2, 0, 1), None if answer.maps is None else answer.maps[0].transpose(0, 1))

    def put(self, start: int, answer: Answer) -> None:
        """Write the answers to the samples from `start` on."""
        for mine, theirs in zip(self, self.samples_first(answer), strict=True):
            if mine is not None and theirs is not None:
                mine[start : start + len(theirs)] = theirs

    def of(self, rows: Tensor) -> Answer:
        """The answers to the samples numbered rows (B,)."""
        log_y = self.log_y.index_select(0, rows).permute(1, 2, 0)[None]
        return Answer(log_y, None if self.maps is None else self.maps.index_select(0, rows).transpose(0, 1)[None])
