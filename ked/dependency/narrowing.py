"""The way into a net that starts with a narrowing linear map, as an MLP does: h = A x with fewer numbers in h than in x.

J = (dz/dh) A, so that the closed form can be summed in the space of h. That a module is such a map is measured at every sample: it
is the only way from x to the logits, its derivative is the same matrix A everywhere, and it has no second one. What kind of
layer it is, what weights it has, and what hooks change its output does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ked.dependency.curvature import slope_and_flatness
from ked.dependency.probing import chunks, gradient, trace

_ROUNDING = 4  # times the precision of a sum's absolute terms: what two ways to the same derivative may differ by
_TRIED = 8  # samples on which a module is looked for
_ALIKE = 1e-3  # relative difference up to which two slopes make a module worth a closer look


@dataclass(frozen=True)
class Narrowing:
    """A module of the net that is a narrowing linear map at a few samples; `trace` says whether it is that map at others.

    matrix: A (width, D), measured.
    """

    module: nn.Module
    matrix: Tensor

    def trace(self, net: nn.Module, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor] | None:
        """The logits (N, C) and, as a leaf, the module's output that they are computed from; None if it is no linear way in."""
        with _cut_behind(self.module) as cuts:
            z, leaf = trace(net, x)
        if len(cuts) != 1 or not z.requires_grad or gradient(z.sum(), leaf) is not None:
            return None
        output, h = cuts[0]
        return (z, h) if output.requires_grad and self._holds(output, leaf, generator) else None

    def widened(self, inner: Tensor) -> Tensor:
        """A' inner A (D, D) of what was summed in the space of h."""
        return self.matrix.T @ inner @ self.matrix

    def _holds(self, output: Tensor, leaf: Tensor, generator: torch.Generator) -> bool:
        """Whether the output's derivative is A at every sample: r'J is compared with r'A, for one random r."""
        r, slope, flat = _random_slope(output, leaf, generator)
        allowed, expected = _ROUNDING * torch.finfo(slope.dtype).eps * (r.abs() @ self.matrix.abs()), r @ self.matrix
        least, most = slope.aminmax(dim=0)
        return flat and bool((expected - least <= allowed).all() and (most - expected <= allowed).all())


def find_narrowing(net: nn.Module, x: Tensor) -> Narrowing | None:
    """The narrowest module whose output is a linear map of x (N, D) at the first samples, and narrower than x; if there is one."""
    if len(x) < 2:
        return None
    found, width, generator = None, x.shape[1], torch.Generator().manual_seed(0)
    leaf, told = _outputs(net, x[:_TRIED])
    for module, output in told:
        if output[0].numel() >= width or not output.requires_grad:
            continue
        _, slopes, flat = _random_slope(output, leaf, generator)
        if not flat or bool((slopes - slopes[0]).abs().max() > _ALIKE * slopes[0].abs().max()):
            break  # what comes behind is no more linear than this
        found, width = module, output[0].numel()
    return None if found is None else Narrowing(found, _measured(net, found, chunks(net, x[:width])[0]))


def _outputs(net: nn.Module, x: Tensor) -> tuple[Tensor, list[tuple[nn.Module, Tensor]]]:
    """x as a leaf, and the output of each module that gives one for every sample, in order of computation."""
    told: list[tuple[nn.Module, Tensor]] = []

    def hook(module: nn.Module, _: object, output: object) -> Tensor | None:
        if not isinstance(output, Tensor) or not output.is_floating_point() or output.ndim < 2 or len(output) != len(x):
            return None
        told.append((module, output))
        return output.clone()  # what follows may work in place

    with ExitStack() as hooks:
        for module in net.modules():
            with suppress(RuntimeError):  # a scripted module takes no hooks
                hooks.callback(module.register_forward_hook(hook).remove)
        return trace(net, x)[1], told


def _random_slope(output: Tensor, leaf: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, bool]:
    """A random r (width,), the derivative r'J (N, D) of a module's output at each sample, and whether that has none itself."""
    r = torch.randn(output[0].numel(), generator=generator, device="cpu").to(output)
    u = r.expand(len(output), -1).reshape(output.shape)
    return r.to(leaf), *slope_and_flatness(output, leaf, u, generator)


def _measured(net: nn.Module, module: nn.Module, x: Tensor) -> Tensor:
    """The derivative (width, D) of a module's output that is the same linear map of every sample: each row at another sample."""
    leaf, told = _outputs(net, x)
    output = next(output for one, output in told if one is module)
    rows, width = [], output[0].numel()
    for unit in torch.eye(width, dtype=output.dtype, device=output.device).split(len(x)):
        u = output.new_zeros(len(x), width)
        u[: len(unit)] = unit
        slope = gradient(output, leaf, u.view(output.shape))
        rows.append(torch.zeros_like(leaf)[: len(unit)] if slope is None else slope[: len(unit)])
    return torch.cat(rows)


@contextmanager
def _cut_behind(module: nn.Module) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """While inside, what follows the module is computed from a leaf of the same values; the list collects outputs and leaves."""
    cuts: list[tuple[Tensor, Tensor]] = []

    def hook(_: nn.Module, __: object, output: Tensor) -> Tensor:
        cuts.append((output, output.detach().requires_grad_()))
        return cuts[-1][1].clone()

    handle = module.register_forward_hook(hook)
    try:
        yield cuts
    finally:
        handle.remove()
