"""How a net is asked: flat samples in, logits out, in eval mode, and afterwards it is as it was.

Whatever a net raises while it is asked becomes one sentence, so that nobody has to read a traceback to learn that the samples do
not fit it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from ked.dependency.samples import flat_samples, modules_of, shortened, way_out
from ked.errors import InvalidInput

Progress = Callable[[float], None]

_CHUNK_NUMBERS = 2**24  # held at a time: 64 MB in float32
_CHUNK_SAMPLES = 1024  # a bound for data with few features, as the net's own layers take memory too
LAYERS = 16  # a net is reckoned to hold this many arrays of its input's size for a sample, where it does not hold more


class Probed(nn.Module):
    """A net or function as one from flat samples (N, D) to logits (N, C); what is wrong with it or its answer is InvalidInput."""

    def __init__(self, net: Callable[[Tensor], Any], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.asked, self.shape, self.parts = net, shape, nn.ModuleList(modules_of(net))

    def forward(self, flat: Tensor) -> Tensor:
        """Logits (N, C), finite, C at least 2."""
        x = flat.unflatten(1, self.shape)
        try:
            z = self.asked(x)
        except (InvalidInput, torch.OutOfMemoryError):
            raise
        except Exception as error:
            given = f"samples of shape {tuple(x.shape)}, {x.dtype} on {x.device}"
            raise InvalidInput(f"The net{self._home()} fails on {given} ({shortened(error)}).") from error
        return _logits(z, len(x))

    def _home(self) -> str:
        weight = next(self.parameters(), None)
        return "" if weight is None else f" ({weight.dtype} on {weight.device})"


@contextmanager
def probing(net: Any, x: Any) -> Iterator[tuple[Probed, Tensor]]:
    """The net as it is asked here and its samples (N, D), while nothing of the caller's settings gets in the way.

    Eval mode; gradients on and inference mode off; no autocast; attention by the one implementation that can be differentiated
    twice. Afterwards modes, buffers and the state of the random numbers are as they were.
    """
    if not callable(net) or isinstance(net, type):
        given = "its weights alone: load them into one" if isinstance(net, Mapping) else shortened(repr(net))
        raise InvalidInput(f"The net must be a module or a function from samples to logits, not {given}.")
    net = getattr(net, "_orig_mod", net)  # what torch.compile made of a module takes no hooks; what it was made from does
    parts = modules_of(net)
    with ExitStack() as after:
        after.enter_context(torch.inference_mode(False))
        after.enter_context(torch.enable_grad())
        after.enter_context(torch.random.fork_rng(devices=[]))
        samples, shape = flat_samples(x, parts)
        after.enter_context(torch.autocast(samples.device.type, enabled=False))
        after.enter_context(sdpa_kernel(SDPBackend.MATH))
        after.enter_context(_Hardsigmoid())
        if "torch._dynamo" in sys.modules:  # as nets may be compiled in part or in place; importing it takes seconds
            after.enter_context(torch.compiler.set_stance("force_eager"))
        after.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        if samples.is_cuda:
            after.enter_context(torch.random.fork_rng([samples.device]))
            recurrent = any(isinstance(module, nn.RNNBase) for part in parts for module in part.modules())
            after.enter_context(
                torch.backends.cudnn.flags(enabled=not recurrent)
            )  # cuDNN's cannot be differentiated in eval mode
        after.enter_context(_kept(parts))
        probed = Probed(net, shape)
        with suppress(NotImplementedError):  # an exported program has one mode for good
            probed.eval()
        yield probed, samples


def trace(net: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """The logits (N, C) and, as a leaf, the samples that they are computed from; the net sees a copy, as it may work in place."""
    leaf = x.detach().requires_grad_()
    return net(leaf.clone()), leaf


def gradient(y: Tensor, x: Tensor, weight: Tensor | None = None, **options: bool) -> Tensor | None:
    """The derivative of sum(y weight) with respect to x, whose graph stays; None where y is not computed from x."""
    try:
        found: Tensor | None = torch.autograd.grad(y, x, weight, retain_graph=True, allow_unused=True, **options)[0]
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise InvalidInput(f"The net cannot be differentiated twice ({shortened(error)}); use layers that can.") from error
    return found


def chunks(net: nn.Module, x: Tensor, numbers: int = 0) -> tuple[Tensor, ...]:
    """x (N, D) in parts that fit into memory; a sample takes the most of 16 D numbers, what the net holds of it, and `numbers`."""
    each = max(numbers, LAYERS * x.shape[1], _held(net, x))
    parts: tuple[Tensor, ...] = x.split(min(_CHUNK_SAMPLES, max(1, _CHUNK_NUMBERS // each)))
    return parts


def _held(net: nn.Module, x: Tensor) -> int:
    """Numbers that a graph of logits holds for a sample of x (N, D), so that they can be differentiated; weights are not among them."""

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes() // tensor.element_size()
        return tensor

    totals = [0, 0]
    with suppress(InvalidInput):  # a net that differentiates in its own forward may allow no such hooks
        for number, few in enumerate((x[:1], x[:2])):
            sizes: dict[int, int] = {}
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                kept = trace(net, few)  # noqa: F841 as the graph's tensors must outlive each other to be told apart
            totals[number] = sum(sizes.values())
    return max(0, totals[1] - totals[0])


def tell(progress: Progress | None, share: float) -> None:
    """Report the finished share, if anybody wants to know."""
    if progress is not None:
        progress(share)


class _Hardsigmoid(TorchFunctionMode):
    """While inside, torch's one activation that cannot be differentiated twice is written with another that can."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """What the function gives."""
        if func is not nn.functional.hardsigmoid:
            return func(*args, **(kwargs or {}))
        given = dict(zip(("input", "inplace"), args, strict=False)) | (kwargs or {})
        y = nn.functional.relu6(given["input"] + 3) / 6
        return given["input"].copy_(y) if given.get("inplace") else y


@contextmanager
def without_backward_hooks(modules: Iterable[nn.Module]) -> Iterator[None]:
    """While inside, gradients are those of what the modules compute, whatever hooks make of them."""
    hooks = [vars(module).get(kind) for module in modules for kind in ("_backward_hooks", "_backward_pre_hooks")]
    kept = [(some, dict(some)) for some in hooks if some]
    try:
        for some, _ in kept:
            some.clear()
        yield
    finally:
        for some, before in kept:
            some.update(before)


@contextmanager
def _kept(parts: list[nn.Module]) -> Iterator[None]:
    """Every module's mode and buffers are put back afterwards: batch statistics may change even in a net that is refused.

    Backward hooks, which change gradients and not what a net says, are off meanwhile.
    """
    modules = list(dict.fromkeys(module for part in parts for module in part.modules()))
    modes = [(module, module.training) for module in modules]
    buffers = [
        (module, name, value, value.clone()) for module in modules for name, value in module.named_buffers(recurse=False)
    ]
    try:
        with without_backward_hooks(modules):
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        for module, name, value, content in buffers:
            if getattr(module, name) is not value:
                setattr(module, name, value)
            if not torch.equal(value, content):
                with torch.no_grad():
                    value.copy_(content)


def _logits(z: Any, count: int) -> Tensor:
    if not isinstance(z, Tensor) or z.ndim != 2 or len(z) != count or z.shape[1] < 2 or not z.is_floating_point():
        got = f"{z.dtype} of shape {tuple(z.shape)}" if isinstance(z, Tensor) else type(z).__name__
        wanted = "logits of shape (N, C) with C of at least 2"
        raise InvalidInput(f"The net must return {wanted}, not {got} for {count} samples; {way_out(z, count)}.")
    if not bool(torch.isfinite(z).all()):
        raise InvalidInput("The net returns NaN or infinite logits for these samples, so it has no dependency matrix.")
    return z
