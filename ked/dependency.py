"""The dependency matrix W: how strongly each pair of features acts together on what a net predicts (arXiv 2310.02572).

For one sample with class log-probabilities log p_c(x), H(x) = sum_c d2 log p_c / dx dx', and W is |mean_x H(x)| plus its
transpose with an empty diagonal (a feature's curvature with itself is no dependency between features).

Closed form. Where the logits z(x) are piecewise linear in x (ReLU, LeakyReLU, max-pooling, BatchNorm in eval mode), up to a
shift common to all classes, log p_c = z_c - logsumexp(z) gives every class the same Hessian, -J'AJ with J = dz/dx (C, D)
and A = diag(p) - pp'. A = LL' with C - 1 columns in closed form, class k against the classes after it: with q_k = sum_{j >= k} p_j,
l_k = sqrt(p_k q_{k+1} / q_k) (e_k - (p_{k+1}, ..., p_C) / q_{k+1}). With g_k = J'l_k, one backward pass each, J'AJ = sum_k g_k g_k',
so mean H = -(C/N) G'G is C - 1 backward passes and one matrix product. Where x only enters through a narrowing linear layer
h = W1 x, as in an MLP, both stop at h: mean H = -(C/N) W1' (G_h' G_h) W1. For any net, J'AJ is also its Fisher form:
sum_c p_c d2 log p_c / dx dx' = -J'AJ + curvature of z, which `sample_influence` measures.

General path. Every other net (GELU, SiLU, tanh, a forward of the user's own) is differentiated twice.
Which path is taken is decided by measuring the curvature of the centred logits, never by the names of modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ked.errors import InvalidInput

REDUCTIONS = ("abs_mean", "mean_abs")
SCALES = (None, "std")
Progress = Callable[[float], None]

_CHUNK_NUMBERS = 2**24  # held at a time: 64 MB in float32
_CHUNK_SAMPLES = 1024  # a bound for data with few features, as the net's own layers take memory too
_LAYERS = 16  # a net is reckoned to hold this many arrays of its input's size for a sample


def dependency_matrix(
    net: nn.Module,
    x: Tensor,
    reduce: str = "abs_mean",
    *,
    scale: str | None = None,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Tensor:
    """How strongly each pair of features acts together on the net's predictions at the samples x.

    net: any module from (N, D) to (N, C) logits; it is probed in eval mode and left as it was.
    x: (N, D) samples, finite; the result has their dtype and device.
    reduce: 'abs_mean' takes the absolute value after the mean over samples (the authors' choice), 'mean_abs' before it, so
        that interactions of opposite sign do not cancel.
    scale: 'std' multiplies entry (i, j) by the standard deviations of features i and j in x: the interaction in units of
        the features' spread, which silences features that hardly ever change.
    temperature: the logits are divided by it, so that more than the few ambiguous samples count when it is large.
    progress: called with the finished share, 0..1, after each chunk.
    Returns W (D, D): symmetric, >= 0, zero diagonal; unit: log-probability per squared feature unit, summed over classes.
    Raises InvalidInput for wrong shapes or values, or a net that cannot be differentiated.
    """
    _check_settings(reduce, scale, temperature)
    with _probing(net):
        _check_samples(net, x)
        path = closed_form if is_piecewise_linear(net, x) else general_path
        H = path(net, x, reduce, temperature, progress)
    if scale == "std":
        sigma = x.std(dim=0, correction=0)
        H = H * sigma[:, None] * sigma
    W = H.abs()
    return (W + W.T).fill_diagonal_(0)


def sample_influence(net: nn.Module, x: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Each sample's share of the dependency matrix: its trace of J'AJ over the sum of all traces.

    A confident net has p near one-hot and so A near zero: a few ambiguous samples then make up most of W.
    For piecewise linear nets the trace is that of -H/C; for others that of the Fisher form (see the module's docstring).
    net, x, temperature, errors: as in `dependency_matrix`.  Returns (N,) shares >= 0 that add up to 1.
    """
    _check_settings("abs_mean", None, temperature)
    with _probing(net):
        _check_samples(net, x)
        parts = _chunks(x, _LAYERS * x.shape[1])
        traces = torch.cat([torch.stack(list(factor_rows(net, part, temperature))).square().sum(dim=(0, 2)) for part in parts])
    total = traces.sum()
    return torch.where(total > 0, traces / total, torch.full_like(traces, 1 / len(x)))


def is_piecewise_linear(net: nn.Module, x: Tensor) -> bool:
    """Whether the class-centred logits have no curvature at any of the samples x (N, D), measured along random directions.

    u.z(x) with weights u that add up to zero does not see a shift common to all classes, so a net that returns the
    log-softmax of piecewise linear logits passes too. u is integer, so that its sum is exactly zero in floating point,
    and never zero itself, so that it sees every class. A linear entry layer bends nothing, so what is measured is the net
    behind it.
    """
    generator, entry = torch.Generator().manual_seed(0), _entry_layer(net, x[:1])
    return all(_is_flat(net, part, generator, entry) for part in _chunks(x, _LAYERS * x.shape[1]))


def closed_form(
    net: nn.Module,
    x: Tensor,
    reduce: str = "abs_mean",
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Tensor:
    """-H reduced over the samples, (D, D), exact for piecewise linear logits; no checks, and runs on any device, meta too."""
    N, D = x.shape
    C = net(x[:1].clone()).shape[1]
    if reduce == "mean_abs":
        H = _sum_of_absolutes(net, x, C, temperature, progress)
    else:
        entry = _entry_layer(net, x[:1])
        width = D if entry is None else entry.out_features
        H, done = x.new_zeros(width, width), 0
        for part in _chunks(x, _LAYERS * D):
            for rows in factor_rows(net, part, temperature, entry):
                H.addmm_(rows.T, rows)
            done += len(part)
            _report(progress, done / N)
        if entry is not None:  # J = (dz/dh) W1, so the sum over samples is taken in the narrower space of h = W1 x
            H = entry.weight.detach().T @ H @ entry.weight.detach()
    result: Tensor = H * (C / N)
    return result


def _sum_of_absolutes(net: nn.Module, x: Tensor, C: int, temperature: float, progress: Progress | None) -> Tensor:
    D, done = x.shape[1], 0
    H = x.new_zeros(D, D)
    for part in _chunks(x, D * max(C, _LAYERS) + D * D):
        G = torch.stack(list(factor_rows(net, part, temperature)), dim=1)
        H += torch.bmm(G.mT, G).abs_().sum(dim=0)
        done += len(part)
        _report(progress, done / len(x))
    return H


def general_path(
    net: nn.Module,
    x: Tensor,
    reduce: str = "abs_mean",
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Tensor:
    """H reduced over the samples, (D, D), for any net that can be differentiated twice; no checks, and runs on any device.

    Row j of every sample's H is one backward pass through the gradient's own graph, which is built once for a chunk of
    samples. (Forward over reverse, torch.func.jvp of grad, was measured twice as slow at D = 784, and it cannot pass
    through a module's own autograd.Function.)
    """
    N, D = x.shape
    H, done = x.new_zeros(D, D), 0
    for part in _chunks(x, _LAYERS * D):
        leaf, z = _traced(net, part)
        total = (z / temperature).log_softmax(dim=1).sum()
        (slope,) = torch.autograd.grad(total, leaf, create_graph=True, materialize_grads=True)
        for j, column in enumerate(slope.sum(dim=0)):
            (row,) = torch.autograd.grad(column, leaf, retain_graph=True, materialize_grads=True)
            H[j] += (row.abs() if reduce == "mean_abs" else row).sum(dim=0)
            done += len(part)
            _report(progress, done / (N * D))
    return H / N


def factor_rows(net: nn.Module, x: Tensor, temperature: float, entry: nn.Linear | None = None) -> Iterator[Tensor]:
    """C - 1 times g_k (N, D) with J'AJ = sum_k g_k g_k' for each sample: one backward pass for each class but the last.

    With an entry layer the rows are those of its output (N, width), which a backward pass reaches earlier.
    """
    leaf, z = _traced(net, x, entry)
    p = (z.detach() / temperature).softmax(dim=1)
    q = p.flip(1).cumsum(1).flip(1).clamp_min(torch.finfo(p.dtype).tiny)
    for k in range(p.shape[1] - 1):
        weight = torch.zeros_like(p)
        weight[:, k], weight[:, k + 1 :] = 1, -p[:, k + 1 :] / q[:, k + 1, None]
        weight *= (p[:, k, None] * (q[:, k + 1, None] / q[:, k, None])).sqrt() / temperature
        yield torch.autograd.grad(z, leaf, weight, retain_graph=True, materialize_grads=True)[0]


def _entry_layer(net: nn.Module, x: Tensor) -> nn.Linear | None:
    """The linear layer through which alone x reaches the logits, if there is one that narrows it; found by cutting there."""
    for module in net.modules():
        if isinstance(module, nn.Linear) and module.out_features < x.shape[1] == module.in_features:
            leaf = x.detach().requires_grad_()
            given = leaf.clone()
            with _cut(module, given) as cuts:
                z = net(given)
            if len(cuts) == 1 and z.requires_grad and torch.autograd.grad(z.sum(), leaf, allow_unused=True)[0] is None:
                return module
    return None


@contextmanager
def _cut(layer: nn.Linear, given: Tensor) -> Iterator[list[Tensor]]:
    """While inside, the layer's output for the very tensor `given`, unchanged, is a leaf; the list collects these leaves."""
    leaves: list[Tensor] = []
    untouched = given._version  # another operation may have changed the tensor in place before the layer sees it

    def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if not inputs or inputs[0] is not given or given._version != untouched:
            return None
        leaves.append(output.detach().requires_grad_())
        return leaves[-1].clone()

    handle = layer.register_forward_hook(hook)
    try:
        yield leaves
    finally:
        handle.remove()


def _is_flat(net: nn.Module, x: Tensor, generator: torch.Generator, entry: nn.Linear | None) -> bool:
    """Whether d2 (u.z) / dx dx' v is exactly zero at each sample, for one random u and v; at the entry layer's output, if any."""
    x, z = _traced(net, x, entry)
    u = torch.randint(1, 17, z.shape, generator=generator).to(z)
    u[:, -1] = -u[:, :-1].sum(dim=1)
    v = torch.randn(x.shape, generator=generator).to(x)
    (slope,) = torch.autograd.grad(z, x, u, create_graph=True, materialize_grads=True)
    if not slope.requires_grad:  # a linear net with frozen weights: its slope is a constant
        return True
    try:
        (bend,) = torch.autograd.grad(slope, x, v, allow_unused=True)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise InvalidInput(f"The net cannot be differentiated twice ({_first_line(error)}); use layers that can.") from error
    return bend is None or not bool(bend.any())


def _traced(net: nn.Module, x: Tensor, entry: nn.Linear | None = None) -> tuple[Tensor, Tensor]:
    """x, or the entry layer's output, as a leaf, and the logits (N, C) on it; the net sees a copy, as it may work in place."""
    if entry is not None:
        given = x.detach().clone()
        with _cut(entry, given) as leaves:
            z = net(given)
        return leaves[0], z
    leaf = x.detach().requires_grad_()
    return leaf, net(leaf.clone())


def _chunks(x: Tensor, numbers: int) -> tuple[Tensor, ...]:
    """x cut into parts of samples, each of which takes that many numbers of memory."""
    parts: tuple[Tensor, ...] = x.split(min(_CHUNK_SAMPLES, max(1, _CHUNK_NUMBERS // numbers)))
    return parts


@contextmanager
def _probing(net: nn.Module) -> Iterator[None]:
    """Eval mode and gradients on, whatever the caller has set; every module's own mode is put back afterwards."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.enable_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def _check_settings(reduce: str, scale: str | None, temperature: float) -> None:
    if reduce not in REDUCTIONS:
        raise InvalidInput(f"There is no reduction '{reduce}'; use one of {', '.join(REDUCTIONS)}.")
    if scale not in SCALES:
        raise InvalidInput(f"There is no scale '{scale}'; use 'std' or leave it out.")
    if not 0 < temperature < float("inf"):
        raise InvalidInput(f"The temperature must be a positive number, not {temperature}.")


def _check_samples(net: nn.Module, x: Tensor) -> None:
    """Refuse samples or a net for which there is no dependency matrix, by trying the net on the first two samples."""
    if x.ndim != 2 or 0 in x.shape or not x.is_floating_point():
        raise InvalidInput(f"The samples must be floats of shape (N, D), not {x.dtype} of shape {tuple(x.shape)}.")
    if not bool(torch.isfinite(x).all()):
        raise InvalidInput("The samples contain NaN or infinite values; remove or replace them first.")
    try:
        z = _traced(net, x[:2])[1]
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, TypeError) as error:
        message = f"The net does not take samples of shape {tuple(x.shape)} and {x.dtype} ({_first_line(error)})."
        raise InvalidInput(message) from error
    if not isinstance(z, Tensor) or z.ndim != 2 or len(z) != len(x[:2]) or z.shape[1] < 2:
        got = tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__
        raise InvalidInput(
            f"The net must return logits of shape (N, C) with C of at least 2, not {got} for {len(x[:2])} samples."
        )
    if not z.requires_grad:
        raise InvalidInput("The net's output does not depend on its input in a way that can be differentiated.")
    if not bool(torch.isfinite(z).all()):
        raise InvalidInput("The net returns NaN or infinite logits for these samples, so it has no dependency matrix.")


def _report(progress: Progress | None, share: float) -> None:
    if progress is not None:
        progress(share)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
