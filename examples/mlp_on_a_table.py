# %% [markdown]
# # Your own MLP on a table
#
# Superfeatures of its columns, a student that learns from explanations, and both in the explorer.

# %% [markdown]
# A teacher of your own, and data: 30 measurements of 569 cell samples.

# %%
import torch
from torch import nn

import ked
from ked import data

torch.manual_seed(0)
torch.set_num_threads(1)  # small nets are quicker on one
cells = data.load("breast-cancer")
(x, y), (x_test, y_test) = cells.part("train"), cells.part("test")


def mlp(inputs: int, hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 2))


def train(net, loss_of, epochs=12, batch=32):
    """Any loop will do; `loss_of` takes a batch."""
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            optimiser.zero_grad()
            loss_of(x[rows], y[rows]).backward()
            optimiser.step()
    return net.eval()


teacher = mlp(x.shape[1], 64)
train(teacher, lambda x, y: nn.functional.cross_entropy(teacher(x), y))

# %% [markdown]
# Which columns belong together for this teacher?

# %%
W = ked.dependency_matrix(teacher, x)
sf = ked.find_superfeatures(W, 4)
print(sf.to_frame(cells.features).groupby("superfeature").name.apply(", ".join))
sf.plot(names=cells.features)

# %% [markdown]
# An explaining teacher and students of the same form; one learns from explanations, one from labels alone.

# %%
base = ked.base_of(teacher, x)
explainer = ked.ExplainingNet(sf, base, subnet=lambda size: mlp(size, 32))
train(explainer, lambda x, y: nn.functional.cross_entropy(explainer(x), y))

student, alone = (ked.ExplainingNet(sf, base, subnet=lambda size: mlp(size, 4)) for _ in range(2))
loss = ked.KEDLoss(base, temperature=4, tau=4)
train(student, lambda x, y: loss(student.explain(x), explainer.explain(x), y))
train(alone, lambda x, y: nn.functional.cross_entropy(alone(x), y))

# %% [markdown]
# Do they explain as their teacher does? Every measure stands beside its chance levels.

# %%
agreement = ked.agreement(student, explainer, x_test)
print(agreement.to_frame())
agreement.plot()

# %%
print(ked.attributions(teacher, x_test[:2], groups=sf.groups).to_frame())

# %% [markdown]
# The explorer, at these nets: run.open()

# %%
run = ked.record(
    "my-table", (x_test, y_test), classes=cells.classes, features=cells.features, W=W, superfeatures=sf,
    teacher=teacher, explaining=explainer, students={"ked": student, "architecture": alone},
)  # fmt: skip
run.plot()
