"""Recorded runs: what anybody's nets said of some samples, as a run folder that the explorer opens; no nets are kept, and no pickles."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from ked.attribution.kept import FILE as ATTRIBUTIONS_FILE
from ked.attribution.kept import keep
from ked.attribution.own_nets import Attributions, attributions
from ked.communities.groups import Superfeatures
from ked.communities.superfeatures import modularity
from ked.data import recorded, recorded_samples
from ked.data.dataset import Dataset
from ked.dependency.samples import as_tensor, check_order
from ked.errors import InvalidInput
from ked.explaining import BATCH, Forward
from ked.files.disk import disk_errors, write_json
from ked.files.drafts import LOCK, draft
from ked.files.home import home
from ked.heard import Heard, heard, save_heard
from ked.library import clean_name
from ked.matching import matching
from ked.methods import method_named
from ked.nets.stack import Stack
from ked.nets.weights import save_matrix
from ked.recipe import Recipe
from ked.runs.provenance import provenance
from ked.store import Run, new_id


def record(
    name: str,
    data: tuple[Any, Any],
    *,
    classes: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    shape: Sequence[int] | None = None,
    W: Any = None,
    superfeatures: Superfeatures | None = None,
    teacher: Any,
    explaining: Any,
    students: Mapping[str, Any],
    attributions: int = 0,
    baseline: Any = None,
    tau: float = 10.0,
    forward: Forward | None = None,
    batch: int = BATCH,
) -> Run:
    """Record what nets say of test samples, so that the explorer shows it: `record(...).open()`.

    Superfeatures, Explain, Agreement, Attributions, Runs, export, import and report show such a run as any other. What would have to
    ask the nets (drawing a sample, another M, chimeras) says that they were not kept.

    Args:
        name: What people call the run.
        data: Samples (N, D) or (N, *shape) of floats, and their labels (N,), 0 to C - 1: the test samples to look at.
        classes: C names; by default their numbers.
        features: D names.
        shape: How a sample is laid out for the eye, (H, W) or (channels, H, W) of a picture, (D,) of a table; by default as given.
        W: (D, D) dependency matrix of the teacher, from `ked.dependency_matrix`.
        superfeatures: Of the explaining teacher, from `ked.find_superfeatures`; by default its `groups`.
        teacher: The black box.
        explaining: The explaining teacher (`ked.Explains`).
        students: Named by what they learnt from (a key of `ked.methods.METHODS`, such as "ked", "kd", "mu0", "plain"), each a net or a list
            of nets, one a seed; the k-th of each are taken for the same seed.
        attributions: For how many of the first samples Captum's methods are recorded, for each net's first seed, of the class that the
            explaining teacher names. They take seconds a sample.
        baseline: (*shape) what stands for absent features there; by default the samples' mean.
        tau: What explanations are softened by where divergences are told.
        forward: From a black box and samples to logits, where its answer is something else.
        batch: Samples at a time.

    Raises:
        InvalidInput: These do not fit together, in one sentence; then nothing is kept.
        Unavailable: There is no room.

    Examples:
        >>> import torch
        >>> from ked.nets import SubnetStack, mlp
        >>> nets = [SubnetStack([(0, 1), (2,)], [4], classes=3) for _ in range(2)]
        >>> x, y = torch.rand(20, 3), torch.arange(20) % 3
        >>> run = record("tiny", (x, y), teacher=mlp(3, [4], 3), explaining=nets[0], students={"ked": nets[1]})
        >>> run.status, run.net("ked").log_y.shape, run.superfeatures().sizes
        ('done', torch.Size([1, 2, 20, 3]), (2, 1))
    """
    began, run_id = time.time(), new_id(name)
    samples, dataset = _dataset(data, classes, features, shape, recorded.PREFIX + run_id)
    if not isinstance(students, Mapping) or not students:
        raise InvalidInput("students must hold at least one net, named by what it learnt from, such as {'kd': net}.")
    nets = {"teacher": teacher, "explaining": explaining, **students}
    said = {which: _named(which, heard, net, samples, forward, batch) for which, net in nets.items()}
    _check(said, dataset.class_count, len(samples), students)
    found = _superfeatures(superfeatures, said["explaining"], None if W is None else as_tensor(W), dataset.feature_count)
    own = [said[which].groups for which in students if said[which].speaks]
    recipe = Recipe.make(
        dataset=dataset.name, methods=tuple(students), seeds=said[next(iter(students))].replicas, tau=tau,
        superfeatures=len(found.groups), **({"student_superfeatures": len(own[0])} if own and len(own[0]) != len(found.groups) else {}),
    )  # fmt: skip
    info = {
        "id": run_id, "name": clean_name(name), "status": "done", "created": began, "started": began, "ended": time.time(),
        "recipe": recipe.model_dump(), "message": "", "device": "", "seeds": list(recipe.seed_list), "stages": {}, "seconds": {},
        "recorded": {"samples": len(samples), "channels": said["explaining"].of_channels, "digest": _digest(dataset)},
        "summary": _summary(nets, said, dataset.y, found), **provenance(),
    }  # fmt: skip
    maps = _attributions(attributions, nets, said, samples, found, baseline, forward) if attributions else {}
    with disk_errors(home()), draft(home() / f".record-{secrets.token_hex(4)}") as folder:
        recorded_samples.write(folder, str(info["name"]), dataset)
        for which, one in said.items():
            save_heard(folder / f"{which if which in ('teacher', 'explaining') else f'student-{which}'}.safetensors", one)
        (folder / "superfeatures.json").write_text(found.to_json(), "utf-8")
        if own and own[0] != found.groups:
            (folder / "superfeatures-student.json").write_text(Superfeatures(own[0], 0.0, 1.0, "given").to_json(), "utf-8")
        if W is not None:
            save_matrix(folder / "dependency.safetensors", "W", as_tensor(W).float())
        if maps:
            keep(folder / ATTRIBUTIONS_FILE, maps)
        Run(folder).append({"kind": "end", "status": "done", "message": ""})
        write_json(folder / "run.json", info)
        (home() / "runs").mkdir(parents=True, exist_ok=True)
        (folder / LOCK).unlink()
        os.rename(folder, home() / "runs" / run_id)
    return Run(home() / "runs" / run_id)


def _dataset(
    data: tuple[Any, Any], classes: Sequence[str] | None, features: Sequence[str] | None, shape: Sequence[int] | None, name: str
) -> tuple[Tensor, Dataset]:
    """The samples as nets take them, and as a data set to look at."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise InvalidInput("data must be a pair: the samples, and a label for each.")
    for part in data:
        check_order(part)
    x, y = (as_tensor(part, what).detach().cpu() for part, what in zip(data, ("The samples", "The classes"), strict=True))
    if x.ndim < 2 or not x.is_floating_point():
        raise InvalidInput(f"the samples in data must be floats of shape (N, D) or (N, *shape), not {x.dtype} of shape {tuple(x.shape)}.")
    if y.ndim != 1 or y.is_floating_point() or len(y) != len(x) or not len(y):
        raise InvalidInput(f"data needs one whole number as a label for each of its {len(x)} samples.")
    laid = tuple(shape) if shape is not None else tuple(x.shape[1:])
    names = [str(c) for c in classes] if classes is not None else [str(c) for c in range(int(y.max()) + 1)]
    return x, recorded_samples.of(x.flatten(1).float(), y.long(), laid, names, features, name=name)


def _digest(dataset: Dataset) -> str:
    """By which two runs know that they recorded the same samples."""
    return hashlib.sha256(b"".join(part.contiguous().numpy().tobytes() for part in (dataset.x, dataset.y))).hexdigest()


def _named(which: str, ask: Any, *about: Any) -> Heard:
    """What a net says; whatever is wrong with it names the net."""
    net, samples, forward, batch = about
    try:
        found: Heard = ask(net, samples, forward=None if which == "explaining" else forward, batch=batch)
    except InvalidInput as error:
        raise InvalidInput(f"{which}: {error}") from None
    return found


def _check(said: Mapping[str, Heard], classes: int, count: int, students: Mapping[str, Any]) -> None:
    if not said["explaining"].speaks:
        raise InvalidInput("explaining has no explanations of its own: give a net with explain(x), base and several groups.")
    for which, one in said.items():
        if (one.log_p.shape[1], one.classes) != (count, classes):
            raise InvalidInput(f"{which} speaks of {one.classes} classes, but data have {classes}; name all of them in classes.")
        if which in students and one.speaks != (method_named(which).net == "ked"):
            form = "no explanations of its own" if method_named(which).net == "plain" else "explanations of its own"
            raise InvalidInput(f"students[{which!r}] must be a net with {form}, as every student of that name has.")
    counts = {which: one.replicas for which, one in said.items()}
    if counts["teacher"] != 1 or counts["explaining"] != 1 or len({counts[which] for which in students}) > 1:
        raise InvalidInput("teacher and explaining are one net each, and every student has as many seeds as the others.")
    if len({said[which].groups for which in students if said[which].speaks}) > 1:
        raise InvalidInput("students that explain themselves must all have the same superfeatures in one run.")


def _superfeatures(given: Superfeatures | None, explaining: Heard, W: Tensor | None, features: int) -> Superfeatures:
    groups = explaining.groups
    if given is not None and not isinstance(given, Superfeatures):
        raise InvalidInput(f"superfeatures must be what ked.find_superfeatures gives, or left out, not {type(given).__name__}.")
    if given is not None and given.groups != groups:
        raise InvalidInput("superfeatures are not those of explaining: the two hold different groups.")
    count = sum(map(len, groups))
    if not explaining.of_channels and count != features:
        raise InvalidInput(f"the superfeatures hold {count} features, but a sample has {features}.")
    if W is not None and (explaining.of_channels or W.shape != (features, features) or not bool(W.isfinite().all())):
        raise InvalidInput(f"W must be a finite matrix ({features}, {features}) of the features that the superfeatures are groups of.")
    if given is not None:
        return given
    made = Superfeatures(groups, 0.0, 1.0, "given")
    return made if W is None else Superfeatures(groups, modularity(W, made.labels()), 1.0, "given")


def _summary(nets: Mapping[str, Any], said: Mapping[str, Heard], y: Tensor, found: Superfeatures) -> dict[str, Any]:
    right = {which: (one.log_p.cpu().argmax(dim=-1) == y).double().mean(dim=1).tolist() for which, one in said.items()}
    accuracy = {which: values[0] if which in ("teacher", "explaining") else values for which, values in right.items()}
    notes = [matching(one, said["explaining"]).note for which, one in said.items() if which not in ("teacher", "explaining") and one.speaks]
    return {
        "accuracy": accuracy, "parameters": {which: _parameters(net) for which, net in nets.items()},
        "superfeature_sizes": list(found.sizes), "modularity": found.modularity, "adjusted": found.adjusted,
        "majority": float(np.bincount(y.numpy()).max() / len(y)), **({"matching": notes[0]} if notes and notes[0] else {}),
    }  # fmt: skip


def _parameters(net: Any) -> int:
    """Trainable parameters of one net; 0 of what is none."""
    one = net[0] if isinstance(net, Sequence) else net
    if isinstance(one, Stack):
        return one.parameter_count
    return sum(weight.numel() for weight in one.parameters() if weight.requires_grad) if isinstance(one, nn.Module) else 0


def _attributions(
    count: int, nets: Mapping[str, Any], said: Mapping[str, Heard], x: Tensor, found: Superfeatures, baseline: Any, forward: Forward | None
) -> dict[str, Attributions]:
    first, target = x[:count], said["explaining"].log_p[0, :count].argmax(dim=-1).cpu()
    groups = None if said["explaining"].of_channels else found.groups
    absent = x.mean(dim=0) if baseline is None else baseline
    maps = {}
    for which, net in nets.items():
        one = net[0] if isinstance(net, Sequence) else net
        if isinstance(one, nn.Module):
            through = None if said[which].speaks else forward
            maps[which] = attributions(one, first, target, groups=groups, baseline=absent, forward=through)
    return maps
