"""What every stage of a run may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch

from ked.data import Dataset
from ked.explanation import teacher_base
from ked.nets.inference import predict
from ked.nets.stack import Stack
from ked.recipe import Recipe
from ked.runs.steering import Steering
from ked.store import Run

S = TypeVar("S", bound=Stack)


@dataclass(frozen=True)
class Context:
    """The recipe, the data on the device, the run folder with the earlier stages' results, who steers."""

    recipe: Recipe
    dataset: Dataset
    run: Run
    steering: Steering

    @property
    def device(self) -> torch.device:
        """Where everything is computed."""
        return self.dataset.x.device

    @property
    def mixed(self) -> bool:
        """Whether convolutional nets compute in bfloat16: on CUDA, unless the recipe wants float32."""
        return self.recipe.convolutional and self.recipe.precision == "auto" and self.device.type == "cuda"

    def load(self, stack: S) -> S:
        """A stored net on the device."""
        return stack.to(self.device)

    def base(self) -> torch.Tensor:
        """(C,) log of the black-box teacher's mean predicted probabilities on the training samples, on the CPU."""
        if self.run.has("explaining"):  # it was made with the same base
            return self.run.explaining().base
        black_box = self.load(self.run.teacher())
        return teacher_base(predict(black_box, self.dataset.part("train")[0])[0]).cpu()
