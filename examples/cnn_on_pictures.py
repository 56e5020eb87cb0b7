# %% [markdown]
# # Your own CNN on pictures
#
# A shared trunk, and superfeatures that are groups of its channels.

# %% [markdown]
# A trunk and heads of your own; digits of 8 x 8 pixels.

# %%
import torch
from torch import nn

import ked
from ked import data

torch.manual_seed(0)
torch.set_num_threads(1)  # small nets are quicker on one
digits = data.load("digits")
(x, y), (x_test, y_test) = (digits.part(part) for part in ("train", "test"))
x, x_test = x.unflatten(1, (1, 8, 8)), x_test.unflatten(1, (1, 8, 8))


def trunk(channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2))


def head(channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 10))


def train(net, loss_of, epochs=4, batch=50):
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(epochs):
        net.train()
        for rows in torch.randperm(len(x)).split(batch):
            optimiser.zero_grad()
            loss_of(x[rows], y[rows]).backward()
            optimiser.step()
    return net.eval()


teacher = nn.Sequential(trunk(16), head(16))
train(teacher, lambda x, y: nn.functional.cross_entropy(teacher(x), y))
base = ked.base_of(teacher, x)


# %% [markdown]
# M = 4 branches, each of which sees a quarter of the trunk's channels.

# %%
def branched(channels: int) -> ked.ExplainingNet:
    groups = torch.arange(channels).chunk(4)
    return ked.ExplainingNet([group.tolist() for group in groups], base, trunk=trunk(channels), subnet=head)


explainer, student = branched(16), branched(8)
train(explainer, lambda x, y: nn.functional.cross_entropy(explainer(x), y))

loss = ked.KEDLoss(base, temperature=4, tau=4)


def taught(x, y):
    with torch.no_grad():
        told = explainer.explain(x)  # of the very batch that the student sees, however it was augmented
    return loss(student.explain(x), told, y)


train(student, taught)

# %% [markdown]
# Channels of two nets are compared by number; the explorer shows what the branches say.

# %%
agreement = ked.agreement(student, explainer, x_test, y_test)
print(agreement.to_frame())
agreement.plot()

# %%
run = ked.record(
    "my-pictures", (x_test, y_test), classes=digits.classes, shape=(8, 8), teacher=teacher, explaining=explainer, students={"ked": student}
)
run.plot()
