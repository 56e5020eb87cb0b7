# %% [markdown]
# # Your own transformer on a table
#
# Every column is a token; what its attention makes of them is what W measures.

# %% [markdown]
# A small transformer; 13 measurements of 178 wines. Its answer is no tensor of logits, so `forward=` takes them from there.

# %%
import torch
from torch import Tensor, nn

import ked
from ked import data

torch.manual_seed(0)
torch.set_num_threads(1)  # small nets are quicker on one
wine = data.load("wine")
(x, y), (x_test, y_test) = wine.part("train"), wine.part("test")


class Transformer(nn.Module):
    def __init__(self, columns: int, classes: int, width: int = 16) -> None:
        super().__init__()
        self.value, self.column = nn.Linear(1, width), nn.Parameter(0.5 * torch.randn(columns, width))
        layer = nn.TransformerEncoderLayer(width, 2, 32, dropout=0.1, activation="gelu", batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 1), nn.Linear(width, classes)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        tokens = self.encoder(self.value(x[..., None]) + self.column)
        return {"logits": self.head(tokens.mean(dim=1)), "tokens": tokens}


def logits(net: nn.Module, x: Tensor) -> Tensor:
    return net(x)["logits"]


def train(net, loss_of, epochs=15, batch=20):
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(epochs):
        net.train()
        for rows in torch.randperm(len(x)).split(batch):
            optimiser.zero_grad()
            loss_of(x[rows], y[rows]).backward()
            optimiser.step()
    return net.eval()


teacher = Transformer(13, 3)
train(teacher, lambda x, y: nn.functional.cross_entropy(logits(teacher, x), y))

# %% [markdown]
# Attention is not piecewise linear: the second derivatives are taken by double backward.

# %%
W = ked.dependency_matrix(teacher, x, forward=logits)
sf = ked.find_superfeatures(W, 3)
print(sf.to_frame(wine.features).groupby("superfeature").name.apply(", ".join))
sf.plot(names=wine.features)

# %%
base = ked.base_of(teacher, x, forward=logits)
explainer = ked.ExplainingNet(sf, base, subnet=lambda size: nn.Sequential(nn.Linear(size, 24), nn.GELU(), nn.Linear(24, 3)))
student, black_box = ked.ExplainingNet(sf, base, subnet=lambda size: nn.Linear(size, 3)), nn.Linear(13, 3)
train(explainer, lambda x, y: nn.functional.cross_entropy(explainer(x), y))
ked_loss, kd_loss = ked.KEDLoss(base, temperature=4, tau=4), ked.KDLoss(temperature=4)
train(student, lambda x, y: ked_loss(student.explain(x), explainer.explain(x), y))
train(black_box, lambda x, y: kd_loss(black_box(x), logits(teacher, x), y))

# %%
agreement = ked.agreement(student, explainer, x_test, y_test)
print(agreement.to_frame())
agreement.plot()

# %%
print(ked.attributions(teacher, x_test[:1], groups=sf.groups, forward=logits).refused)
run = ked.record(
    "my-transformer", (x_test, y_test), classes=wine.classes, features=wine.features, W=W, superfeatures=sf, teacher=teacher,
    explaining=explainer, students={"ked": student, "kd": black_box}, forward=lambda net, x: net(x) if net is black_box else logits(net, x),
)  # fmt: skip
run.plot()
