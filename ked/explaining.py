"""Explaining nets made of anybody's modules, and the protocol that agreement, attributions and recorded runs ask (METHOD 1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ked.communities.groups import Superfeatures
from ked.dependency.samples import Watched, as_tensor, check_no_probabilities, modules_of, samples_of, shortened, way_out
from ked.errors import InvalidInput
from ked.explanation import coalition, contributions, full, teacher_base, total_logits

BATCH = 1024  # samples that go through a net at once where nothing else is said
SLIGHT = 1e-3  # what a sum of probabilities may be off by
_ASKED_TWICE = 8  # samples
_ANOTHER = 0.02  # share of the largest number by which two answers differ in more than rounding, also in half precision

Forward = Callable[[Any, Tensor], Tensor]
"""From a net and samples to logits, for nets whose answer is something else: `lambda net, x: net(x).logits`."""


@runtime_checkable
class Explains(Protocol):
    """A net that says what each of its superfeatures says: what losses, agreement, attributions and recorded runs ask for.

    `ExplainingNet` and the nets of this package's own runs (`ked.nets.SubnetStack`, `ked.nets.cnn.ConvStack`, one replica) are such.

    Examples:
        >>> import torch
        >>> from ked.nets import SubnetStack
        >>> isinstance(SubnetStack([(0, 1), (2,)], [4], classes=3), Explains), isinstance(torch.nn.Linear(3, 3), Explains)
        (True, False)
    """

    @property
    def base(self) -> Tensor:
        """(C,) log of the black-box teacher's mean predicted probabilities."""

    @property
    def groups(self) -> Sequence[Sequence[int]]:
        """M groups of features, or channels, that the superfeatures hold."""

    def explain(self, x: Tensor) -> Tensor:
        """log y_m (B, M, C), log-probabilities, of samples x."""


class ExplainingNet(nn.Module):
    """M subnets, each of which sees one superfeature alone; their log-probabilities add up (arXiv 2310.02572, section 3).

    Subnet m says y_m = softmax(f_m(x_{S_m})); the total logit is sum_m log y_m - (M - 1) base, and phi_m = log y_m - base is the exact
    Shapley value of superfeature m. Teacher and student have this form; what the subnets are made of is free.

    Args:
        superfeatures: What `ked.find_superfeatures` found, or any groups that hold each of D features once.
        base: (C,) of the black-box teacher, from `ked.base_of`; the same for teacher and student.
        subnet: From the number of features of a superfeature to a module that takes them, (B, size), and gives logits (B, C).
        subnets: M such modules, in place of `subnet`.
        trunk: What samples go through first, if anything; superfeatures are then groups of its channels (axis 1 of its answer), and a
            subnet takes (B, size, ...).

    Raises:
        InvalidInput: These do not fit together.

    Examples:
        >>> net = ExplainingNet([(0, 2), (1, 3)], torch.zeros(3), subnet=lambda size: nn.Linear(size, 3))
        >>> x = torch.randn(5, 4)
        >>> net(x).shape, net.explain(x).shape, net.coalition(x, [True, False]).shape  # total logits, log y_m, a coalition's prediction
        (torch.Size([5, 3]), torch.Size([5, 2, 3]), torch.Size([5, 3]))
    """

    base: Tensor

    def __init__(
        self,
        superfeatures: Superfeatures | Sequence[Sequence[int]],
        base: Tensor,
        subnet: Callable[[int], nn.Module] | None = None,
        *,
        subnets: Sequence[nn.Module] | None = None,
        trunk: nn.Module | None = None,
    ) -> None:
        super().__init__()
        groups = superfeatures.groups if isinstance(superfeatures, Superfeatures) else superfeatures
        self.groups = Superfeatures.checked(groups)
        if (subnet is None) == (subnets is None):
            raise InvalidInput("give either subnet, which makes a module of a size, or subnets, one module a superfeature, and not both.")
        made = list(subnets) if subnets is not None else [subnet(len(group)) for group in self.groups]  # type: ignore[misc]
        if len(made) != len(self.groups):
            raise InvalidInput(f"subnets holds {len(made)} modules, but there are {len(self.groups)} superfeatures.")
        self.register_buffer("base", checked_base(base))
        self.trunk, self.subnets, self._looked_at = trunk, nn.ModuleList(made), False
        for m, group in enumerate(self.groups):  # buffers, so that they go where the net goes; not in its state
            self.register_buffer(f"_members{m}", torch.tensor(group), persistent=False)

    @property
    def of_channels(self) -> bool:
        """Whether superfeatures are channels of the net's own trunk, which no other net shares."""
        return self.trunk is not None

    def explain(self, x: Tensor) -> Tensor:
        """log y_m (B, M, C), of samples x (B, D) or (B, *shape); in float32 at least, also under autocast.

        Raises:
            InvalidInput: x has another number of features, or a subnet does not answer with logits (B, C).
        """
        if not isinstance(x, Tensor):
            raise InvalidInput(f"x must be a tensor, not {type(x).__name__}; torch.as_tensor makes one of an array.")
        seen = x.flatten(1) if self.trunk is None else self.trunk(x)
        count = sum(map(len, self.groups))
        if seen.ndim < 2 or seen.shape[1] != count:
            what = "channels of the trunk's answer" if self.of_channels else "features of x"
            raise InvalidInput(f"the superfeatures hold {count} features, but the {what} are {seen.shape[1] if seen.ndim > 1 else 0}.")
        said = []
        for m, subnet in enumerate(self.subnets):
            logits = subnet(seen.index_select(1, getattr(self, f"_members{m}")))
            if not isinstance(logits, Tensor) or logits.shape != (len(x), len(self.base)):
                got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
                raise InvalidInput(f"subnet {m} must answer with logits of shape {(len(x), len(self.base))}, not {got}.")
            if not self._looked_at and not torch.compiler.is_compiling():
                with suppress(RuntimeError):  # where values cannot be looked at, as under vmap
                    check_no_probabilities(logits.detach(), f"subnet {m}'s answers")
            said.append(full(logits).log_softmax(dim=-1))
        self._looked_at = True
        return torch.stack(said, dim=1)

    def forward(self, x: Tensor, explain: bool = False) -> Tensor:
        """Total logits (B, C); with `explain` log y_m (B, M, C), for wrappers that know of forward alone.

        Under DistributedDataParallel write `loss(wrapped(x, explain=True), ...)`: gradients meet only where forward was called.
        """
        log_y = self.explain(x)
        return log_y if explain else total_logits(log_y, self.base, superfeatures=1)

    def contributions(self, x: Tensor) -> Tensor:
        """phi_m = log y_m - base (B, M, C), in nats: the Shapley value of each superfeature for each class's log-probability."""
        return contributions(self.explain(x), self.base)

    def coalition(self, x: Tensor, members: Sequence[bool]) -> Tensor:
        """Class log-probabilities (B, C) when only the members, M switches, take part; without any they are the base's."""
        return coalition(self.explain(x).transpose(0, 1), self.base, members)


def base_of(teacher: Any, x: Any, *, forward: Forward | None = None, batch: int = BATCH) -> Tensor:
    """base (C,): the log of the teacher's mean predicted probabilities, log mean_x softmax(teacher(x)), float32 at least.

    It is what an explaining net says without any superfeature, so that every contribution is a deviation from it (METHOD 1.3).

    Args:
        teacher: Any net from (N, *shape) to logits (N, C), asked in eval mode and left as it was.
        x: The samples that it was trained on: a tensor, an array, or a Dataset or DataLoader, which is read batch by batch.
        forward: From teacher and samples to logits, where the teacher's answer is something else.
        batch: Samples at a time.

    Raises:
        InvalidInput: There are no samples, or no finite logits of shape (N, C).

    Examples:
        >>> base_of(lambda x: x, torch.tensor([[0.0, 0.0], [0.0, 0.0]])).exp()
        tensor([0.5000, 0.5000])
    """
    return teacher_base(log_probabilities(teacher, x, forward=forward, batch=batch))


def log_probabilities(net: Any, x: Any, *, forward: Forward | None = None, batch: int = BATCH) -> Tensor:
    """Class log-probabilities (N, C) of anybody's net on samples x; arguments and errors as for `base_of`."""
    say = net if forward is None else lambda part: forward(net, part)
    if forward is None and isinstance(net, Explains):
        return log_predictions(explanations(net, x, batch=batch), net.base)
    with asking(net, forward):
        return torch.cat([said.log_softmax(dim=-1) for said in _told(partial(_logits, say), _batches(net, x, batch))])


def explanations(net: Explains, x: Any, *, batch: int = BATCH) -> Tensor:
    """log y_m (N, M, C) of samples x; arguments as for `base_of`.

    Raises:
        InvalidInput: The net's explanations are no log-probabilities of shape (N, M, C).
    """
    with asking(net):
        parts = list(_told(lambda part: full(_answer(net.explain, part)), _batches(net, x, batch)))
    for part in parts:
        check_shape("the net's explain(x)", part, len(net.base), len(net.groups))
        check_sums("the net's explain(x)", part)
    return torch.cat(parts)


def log_predictions(log_y: Tensor, base: Tensor) -> Tensor:
    """Class log-probabilities (N, C) that explanations log y_m (N, M, C) add up to."""
    return total_logits(log_y, base.to(log_y), superfeatures=1).log_softmax(dim=-1)


def check_shape(name: str, log_y: Any, classes: int, superfeatures: int | None = None) -> None:
    """InvalidInput unless explanations are (B, M, C) of so many classes and superfeatures; no value is looked at."""
    if not isinstance(log_y, Tensor) or log_y.ndim != 3 or 0 in log_y.shape:
        got = tuple(log_y.shape) if isinstance(log_y, Tensor) else type(log_y).__name__
        raise InvalidInput(f"{name} must be log-probabilities of shape (B, M, C), not {got}.")
    if log_y.shape[2] != classes:
        raise InvalidInput(f"{name} speaks of {log_y.shape[2]} classes, but base has {classes}.")
    if superfeatures is not None and log_y.shape[1] != superfeatures:
        raise InvalidInput(f"{name} speaks of {log_y.shape[1]} superfeatures, but there are {superfeatures}.")


def check_sums(name: str, log_y: Tensor) -> None:
    """InvalidInput unless the first sample's explanations sum to one as probabilities: whoever forgets log-softmax does so for all."""
    off = 0.1 if log_y.dtype in (torch.float16, torch.bfloat16) else SLIGHT
    if not all(abs(total - 1) < off for total in full(log_y.detach()[0]).exp().sum(dim=-1).tolist()):  # NaN too
        wrong = "holds NaN" if bool(log_y[0].isnan().any()) else "does not sum to one as probabilities: take log_softmax over the classes"
        raise InvalidInput(f"{name} {wrong}.")


def checked_base(base: Any) -> Tensor:
    """base (C,), detached, as it is kept; InvalidInput for what is none."""
    found = as_tensor(base)
    if found.ndim != 1 or len(found) < 2 or not found.is_floating_point() or not bool(found.isfinite().all()):
        raise InvalidInput(f"base must be the finite logs of (C,) mean probabilities, from ked.base_of, not of shape {tuple(found.shape)}.")
    if bool((found >= 0).all()) and abs(float(found.sum()) - 1) < SLIGHT:
        raise InvalidInput("base holds probabilities, but their logarithms are needed, as ked.base_of gives them.")
    return full(found.detach()).clone()


@contextmanager
def asking(*nets: Any) -> Iterator[None]:
    """In eval mode and without gradients; afterwards every module is in the mode that it was in."""
    with torch.no_grad(), evaluating(*nets):
        yield


@contextmanager
def evaluating(*nets: Any) -> Iterator[None]:
    """Modules, and those that functions name, in eval mode; afterwards each is in the mode that it was in."""
    modes = [(module, module.training) for part in modules_of(*nets) for module in part.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _batches(net: Any, x: Any, batch: int) -> Iterator[Tensor]:
    """The samples, a batch at a time, where the net is and, if they are floats, in its precision."""
    home = next((weight for part in modules_of(net) for weight in part.parameters() if weight.is_floating_point()), None)
    for part in samples_of(x) if isinstance(x, DataLoader | Dataset) else as_tensor(x).split(batch):
        if part.is_floating_point() and not bool(part.isfinite().all()):
            raise InvalidInput("x contains NaN or infinite values; remove or replace them first.")
        yield part if home is None else part.to(home) if part.is_floating_point() else part.to(home.device)


def _told(say: Callable[[Tensor], Tensor], batches: Iterator[Tensor]) -> Iterator[Tensor]:
    """What is said of each batch; InvalidInput where half of the first one's samples, asked again, get another answer."""
    for number, part in enumerate(batches):
        said = say(part)
        if number == 0:
            few = min(_ASKED_TWICE, (len(part) + 1) // 2)
            again = say(part[:few])
            if again.shape == said[:few].shape and bool((again - said[:few]).abs().max() > _ANOTHER * said.abs().max()):
                raise InvalidInput(
                    "the net answers the same samples differently when they are asked again (dropout or noise that stays on), "
                    "or among others (batch statistics, attention over the batch)."
                )
        yield said


def _logits(say: Callable[[Tensor], Any], x: Tensor) -> Tensor:
    with Watched() as seen:
        z = _answer(say, x)
    if z.ndim != 2 or len(z) != len(x) or z.shape[1] < 2 or not bool(z.isfinite().all()):
        told = f"the net must answer with finite logits of shape (N, C), not {tuple(z.shape)} for {len(x)} samples"
        raise InvalidInput(f"{told}; {way_out(z, len(x))}." if z.shape[1:] in ((), (1,)) else f"{told}.")
    check_no_probabilities(z, "the net's answers")
    seen.check_no_sigmoids(z, "the net's answers")
    return full(z)


def _answer(say: Callable[[Tensor], Any], x: Tensor) -> Tensor:
    try:
        answer = say(x.clone())  # it may work in place
    except (InvalidInput, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise InvalidInput(f"the net fails on x of shape {tuple(x.shape)}, {x.dtype} ({shortened(error)}).") from error
    if not isinstance(answer, Tensor) or not answer.is_floating_point():
        raise InvalidInput(
            f"the net must answer with a tensor of floats, not {type(answer).__name__}; forward=lambda net, x: ... takes it from there."
        )
    return answer
