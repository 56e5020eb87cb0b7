# %% [markdown]
# # Your own 1-D CNN on time series
#
# Which moments belong together, and what each stretch of time says.

# %% [markdown]
# Made series of 48 moments: a bump early or late, and a wave that is slow or fast; the class is both.

# %%
import torch
from torch import nn

import ked

torch.manual_seed(0)
torch.set_num_threads(1)  # small nets are quicker on one


def series(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    t, late, fast = torch.arange(48.0), torch.randint(2, (count,)), torch.randint(2, (count,))
    bump = torch.exp(-((t - 6 - 8 * late[:, None]) ** 2) / 8) * (t < 24)
    wave = torch.sin(t * (0.5 + 0.5 * fast[:, None]) + 6 * torch.rand(count, 1)) * (t >= 24)
    return (bump + wave + 0.3 * torch.randn(count, 48))[:, None], 2 * late + fast


(x, y), (x_test, y_test) = series(800), series(200)

teacher = nn.Sequential(
    nn.Conv1d(1, 16, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 16, 5, padding=2), nn.ReLU(),
    nn.AdaptiveAvgPool1d(6), nn.Flatten(), nn.Linear(96, 4),
)  # fmt: skip


def train(net, loss_of, epochs=8, batch=40):
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            optimiser.zero_grad()
            loss_of(x[rows], y[rows]).backward()
            optimiser.step()
    return net.eval()


train(teacher, lambda x, y: nn.functional.cross_entropy(teacher(x), y))

# %% [markdown]
# Two superfeatures of moments; convolutions and pooling are piecewise linear, so W is exact and quick.

# %%
W = ked.dependency_matrix(teacher, x[:100])
sf = ked.find_superfeatures(W, 2)
print(sf.to_frame().superfeature.tolist())
sf.plot()

# %% [markdown]
# Subnets are free: here an MLP sees the moments of its superfeature.

# %%
base = ked.base_of(teacher, x)
explainer = ked.ExplainingNet(sf, base, subnet=lambda size: nn.Sequential(nn.Linear(size, 32), nn.ReLU(), nn.Linear(32, 4)))
student = ked.ExplainingNet(sf, base, subnet=lambda size: nn.Sequential(nn.Linear(size, 8), nn.ReLU(), nn.Linear(8, 4)))
train(explainer, lambda x, y: nn.functional.cross_entropy(explainer(x), y))
loss = ked.KEDLoss(base, temperature=2, tau=2)
train(student, lambda x, y: loss(student.explain(x), explainer.explain(x), y))

# %%
agreement = ked.agreement(student, explainer, x_test, y_test)
print(agreement.to_frame())
agreement.plot()

# %%
run = ked.record(
    "my-series", (x_test, y_test), classes=["early, slow", "early, fast", "late, slow", "late, fast"], shape=(48,), W=W, superfeatures=sf,
    features=[f"moment {t}" for t in range(48)], teacher=teacher, explaining=explainer, students={"ked": student},
)  # fmt: skip
run.plot()
