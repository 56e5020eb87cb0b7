"""Pictures kept as bytes, a quarter of what their numbers take, and made numbers where something is computed with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

FEW = 4096  # rows up to which a choice of them is numbers at once
_BLOCK = 256  # rows, whose squared bytes add up to less than 2 ** 24: so single precision knows the sum
_aten = torch.ops.aten


class BytePixels(Tensor):
    """Samples (N, D), float32 in [0, 1], of which only the bytes are kept: each value is its byte divided by 255.

    A tensor like any other to who uses it. More than FEW of its rows, and any of its columns, are such a tensor again and take no
    memory of their own; every other operation first makes numbers of just what it was asked for. Nothing can be written into it.

    >>> x = BytePixels(torch.arange(20_000, dtype=torch.uint8).reshape(5_000, 4))
    >>> x.shape, x.dtype, type(x[:4_500]).__name__, type(x[:3]).__name__
    (torch.Size([5000, 4]), torch.float32, 'BytePixels', 'Tensor')
    >>> (255 * x[1]).tolist()
    [4.0, 5.0, 6.0, 7.0]

    Args:
        content: (n, d) uint8; it may be mapped from a file.
        rows: (N,) which of its rows, in order; all by default.
        columns: (D,) which of its columns.
    """

    content: Tensor
    rows: Tensor | None
    columns: Tensor | None

    @staticmethod
    def __new__(cls, content: Tensor, rows: Tensor | None = None, columns: Tensor | None = None) -> Self:
        shape = (len(content if rows is None else rows), content.shape[1] if columns is None else len(columns))
        with torch.inference_mode(False):  # else torch asks for what such tensors do not have
            self: Self = torch.Tensor._make_wrapper_subclass(cls, shape, dtype=torch.float32, device=content.device)
        self.content, self.rows, self.columns = content, rows, columns
        return self

    def __init__(self, content: Tensor, rows: Tensor | None = None, columns: Tensor | None = None) -> None:
        super().__init__()

    def chosen(self, rows: Tensor | slice | int | None = None) -> Tensor:
        """The numbers of some rows (n, D), of one (D,), or of all."""
        return self.bytes_of(rows).to(torch.float32).div_(255)

    def bytes_of(self, rows: Tensor | slice | int | None = None) -> Tensor:
        """The same as bytes."""
        content, columns = self.content, self.columns
        if columns is not None and 2 * len(columns) < content.shape[1]:  # few columns of all rows are less than few rows of all columns
            content, columns = content.index_select(1, columns), None
        where = self.rows if rows is None else rows if self.rows is None else self.rows[rows]
        if isinstance(where, Tensor) and where.dim() == 1:  # gathered several times as fast as by brackets
            picked = content.index_select(0, where)
        else:
            picked = content if where is None else content[where]
        return picked if columns is None else picked.index_select(-1, columns)

    def of_rows(self, rows: Tensor | slice) -> Tensor:
        """Some of the rows: numbers where they are few."""
        count = len(range(len(self))[rows]) if isinstance(rows, slice) else len(rows)
        return self.chosen(rows) if count <= FEW else self.view_of(rows)

    def view_of(self, rows: Tensor | slice) -> BytePixels:
        """Some of the rows, however few."""
        mine = torch.arange(len(self.content), device=self.content.device) if self.rows is None else self.rows
        return BytePixels(self.content, mine[rows], self.columns)

    def of_columns(self, columns: Tensor | slice) -> BytePixels:
        """Some of the columns."""
        mine = torch.arange(self.content.shape[1], device=self.content.device) if self.columns is None else self.columns
        return BytePixels(self.content, self.rows, mine[columns])

    def blocks(self) -> Iterator[Tensor]:
        """The bytes in blocks (n, D) of few rows, one after the other."""
        return (self.bytes_of(slice(start, start + _BLOCK)) for start in range(0, len(self), _BLOCK))

    @cached_property
    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance (D,) of each column, float64."""
        sums = torch.zeros(2, self.shape[1], dtype=torch.float64, device=self.device)
        for block in self.blocks():
            values = block.to(torch.float32)
            sums[0] += values.sum(0)  # exact, as is the next one
            sums[1] += values.square_().sum(0)
        mean = sums[0] / len(self)
        return mean / 255, (sums[1] / len(self) - mean.square()).clamp_(min=0) / 255**2

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """All numbers."""
        numbers: np.ndarray = self.chosen().numpy(force=force)
        return numbers

    def tolist(self) -> Any:
        """All numbers."""
        return self.chosen().tolist()

    def __setitem__(self, place: Any, value: Any) -> None:
        raise TypeError("pictures that are kept as bytes cannot be written to.")

    def __repr__(self) -> str:  # type: ignore[override]
        return f"BytePixels(shape={tuple(self.shape)})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        """What torch is asked to do with one: without making numbers of all of it, or else with them."""
        kwargs = kwargs or {}
        given = dict(zip([argument.name for argument in func._schema.arguments], args, strict=False)) | kwargs
        for argument in func._schema.arguments:
            if argument.alias_info is not None and argument.alias_info.is_write and isinstance(given.get(argument.name), BytePixels):
                raise TypeError(f"{func} would write into pictures that are kept as bytes.")
        # Of what torch takes for a view it wants to count versions, which tensors made in inference mode do not have.
        view = not func._schema.is_mutable and any(found.alias_info is not None for found in func._schema.returns)
        with torch.inference_mode(False) if view else nullcontext():
            if func in _WAYS and isinstance(args[0], BytePixels) and (found := _WAYS[func](*args, **kwargs)) is not None:
                return found
            if (found := func.decompose(*args, **kwargs)) is not NotImplemented:  # what inference mode asks for as a whole
                return found
            args, kwargs = tree_map_only(BytePixels, BytePixels.chosen, (args, kwargs))
            return func(*args, **kwargs)


def _slice(x: BytePixels, dim: int = 0, start: int | None = None, stop: int | None = None, step: int = 1) -> Tensor:
    where = slice(start, stop, step)
    return x.of_rows(where) if dim in (0, -2) else x.of_columns(where)


def _split(x: BytePixels, size: int, dim: int = 0) -> list[BytePixels] | None:
    return [x.view_of(slice(start, start + size)) for start in range(0, len(x), size)] if dim in (0, -2) else None


def _index(x: BytePixels, indices: list[Tensor | None]) -> Tensor | None:
    rows = indices[0]
    if rows is None or len(indices) > 1:
        return None
    if rows.dtype in (torch.bool, torch.uint8):
        rows = rows.nonzero()[:, 0]
    return x.of_rows(rows) if rows.dim() == 1 else x.chosen(rows)


def _index_select(x: BytePixels, dim: int, index: Tensor) -> Tensor:
    return x.of_rows(index) if dim in (0, -2) else x.of_columns(index)


def _index_select_out(x: BytePixels, dim: int, index: Tensor, *, out: Tensor) -> Tensor:
    return out.copy_(x.chosen(index) if dim in (0, -2) else x.of_columns(index).chosen())


def _select(x: BytePixels, dim: int, index: int) -> Tensor:
    return x.chosen(index) if dim in (0, -2) else x.of_columns(slice(index, index + 1 or None)).chosen()[:, 0]


def _moved(x: BytePixels, *, dtype: torch.dtype | None = None, device: torch.device | None = None, **_: Any) -> BytePixels | None:
    if dtype not in (None, torch.float32):
        return None
    parts = (None if part is None else part.to(device or part.device) for part in (x.content, x.rows, x.columns))
    return BytePixels(*parts)  # type: ignore[arg-type]


def _same(x: BytePixels, **_: Any) -> BytePixels:
    return BytePixels(x.content, x.rows, x.columns)


def _mean(x: BytePixels, dim: list[int] | None, keepdim: bool = False, **kwargs: Any) -> Tensor | None:
    if dim not in ([0], [-2]) or keepdim or kwargs:
        return None
    return x.moments[0].float()


def _deviation(x: BytePixels, dim: list[int] | None = None, *, correction: float | None = None, keepdim: bool = False) -> Tensor | None:
    if dim not in ([0], [-2]) or keepdim:
        return None
    divisor = max(len(x) - (1 if correction is None else correction), 0)
    return (x.moments[1] * (len(x) / divisor if divisor else float("nan"))).sqrt().float()


def _new(make: Any) -> Callable[..., Tensor]:
    return lambda x, *args, **kwargs: make(torch.empty(0, device=x.device), *args, **kwargs)


_WAYS: dict[Any, Callable[..., Any]] = {
    _aten.slice.Tensor: _slice,
    _aten.split.Tensor: _split,
    _aten.index.Tensor: _index,
    _aten.index_select.default: _index_select,
    _aten.index_select.out: _index_select_out,
    _aten.select.int: _select,
    _aten._to_copy.default: _moved,
    _aten.detach.default: _same,
    _aten.alias.default: _same,
    _aten.clone.default: _same,
    _aten.mean.dim: _mean,
    _aten.std.correction: _deviation,
    **{one: _new(one) for one in (_aten.new_empty.default, _aten.new_zeros.default, _aten.new_ones.default, _aten.new_full.default)},
}
"""What is done without the numbers of all rows; None where they are needed after all."""
