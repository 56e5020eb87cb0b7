"""W's Hessian for any net that can be differentiated twice (GELU, SiLU, tanh, attention, a forward of the user's own).

Row j of every sample's H is one backward pass through the gradient's own graph, which is built once for a chunk of samples.
(Forward over reverse, torch.func.jvp of grad, was measured twice as slow at D = 784, and it cannot pass through a module's own
autograd.Function.)
"""

from __future__ import annotations

from torch import Tensor, nn

from ked.dependency.probing import Progress, chunks, gradient, tell, trace


def general_path(
    net: nn.Module,
    x: Tensor,
    reduce: str = "abs_mean",
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Tensor:
    """H reduced over the samples, (D, D); nothing is assumed or measured, and it runs on any device, meta too."""
    N, D = x.shape
    H, done = x.new_zeros(D, D), 0
    for part in chunks(net, x):
        z, leaf = trace(net, part)
        slope = gradient((z / temperature).log_softmax(dim=1).sum(), leaf, create_graph=True)
        for j in range(D):
            row = None if slope is None or not slope.requires_grad else gradient(slope[:, j].sum(), leaf)
            if row is not None:
                H[j] += (row.abs() if reduce == "mean_abs" else row).sum(dim=0)
            done += len(part)
            tell(progress, done / (N * D))
    return H / N
