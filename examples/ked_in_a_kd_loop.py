# %% [markdown]
# # A KED term inside an existing knowledge distillation loop
#
# With augmentation, gradient accumulation and mixed precision.

# %% [markdown]
# The loop that was there: a student learns from a teacher's softened predictions of augmented pictures.

# %%
import torch
from torch import nn

import ked
from ked import data

torch.manual_seed(0)
torch.set_num_threads(1)  # small nets are quicker on one
digits = data.load("digits")
(x, y), (x_test, y_test) = digits.part("train"), digits.part("test")


def mlp(inputs: int, hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def augmented(x: torch.Tensor) -> torch.Tensor:
    return x + 0.05 * torch.randn_like(x)


def distil(student, loss_of, epochs=5, batch=32, accumulate=2):
    optimiser = torch.optim.Adam(student.parameters(), lr=5e-3)
    for _ in range(epochs):
        for step, rows in enumerate(torch.randperm(len(x)).split(batch), start=1):
            views = augmented(x[rows])
            with torch.autocast("cpu", dtype=torch.bfloat16):  # the losses themselves are taken in float32
                loss = loss_of(views, y[rows])
            (loss / accumulate).backward()
            if step % accumulate == 0:
                optimiser.step()
                optimiser.zero_grad()
    return student.eval()


teacher = mlp(64, 128)
distil(teacher, lambda x, y: nn.functional.cross_entropy(teacher(x).float(), y))
plain, kd_loss = mlp(64, 12), ked.KDLoss(temperature=4, lam=0.7)


def kd(x, y):
    with torch.no_grad():
        answers = teacher(x)
    return kd_loss(plain(x), answers, y).total


distil(plain, kd)

# %% [markdown]
# What changes for KED: the student has a subnet a superfeature, and an explaining teacher tells it what each of them says.

# %%
sf = ked.find_superfeatures(ked.dependency_matrix(teacher, x), 4)
base = ked.base_of(teacher, x)
explainer = ked.ExplainingNet(sf, base, subnet=lambda size: mlp(size, 48))
student = ked.ExplainingNet(sf, base, subnet=lambda size: mlp(size, 8))
distil(explainer, lambda x, y: nn.functional.cross_entropy(explainer(x), y))
ked_loss = ked.KEDLoss(base, temperature=4, tau=4, lam=0.7, mu=0.7)


def with_explanations(x, y):
    with torch.no_grad():
        told = explainer.explain(x)
    return ked_loss(student.explain(x), told, y).total


distil(student, with_explanations)

sf.plot(shape=(8, 8))

# %% [markdown]
# Two students beside each other in the explorer.

# %%
run = ked.record(
    "my-loop", (x_test, y_test), classes=digits.classes, shape=(8, 8), superfeatures=sf, teacher=teacher, explaining=explainer,
    students={"kd": plain, "ked": student},
)  # fmt: skip
run.plot()
