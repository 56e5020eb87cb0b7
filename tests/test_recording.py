"""Recorded runs: what a run's own nets said, recorded, shows the same numbers as the run; and pages that would need nets say so."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import nn
from torch.utils.data import DataLoader
from visitor import PAGES, figure, figures, sound, visit

import ked
from explorer import cache
from explorer.report.document import report
from explorer.words.inert import inert
from ked import data
from ked.communities.groups import Superfeatures
from ked.data import recorded, recorded_samples
from ked.errors import InvalidInput, Unavailable
from ked.library.archive import export_run, import_run
from ked.library.comparison import pair
from ked.nets import SubnetStack
from ked.nets.weights import NOT_KEPT
from ked.store import Run, load_run


def _recorded(live: Run, **more: Any) -> Run:
    """What the nets of a run say of its test samples."""
    dataset, students = data.load(live.recipe.dataset), {name: live.student(name) for name in live.recipe.methods}
    return ked.record(
        "as told", dataset.part("test"), classes=dataset.classes, shape=dataset.shape, W=live.dependency(), tau=live.recipe.tau,
        superfeatures=live.superfeatures(), teacher=live.teacher(), explaining=live.explaining(), students=students, **more,
    )  # fmt: skip


@pytest.fixture
def told() -> Run:
    return _recorded(load_run("digits-preset"))


def _figures(app: AppTest) -> dict[str, Any]:
    return {key: figure(app, key) for key in figures(app)}


def _same(one: Any, other: Any, where: str = "") -> None:
    """Two figures, number by number; last digits may differ, as nets are asked about other batches."""
    if isinstance(one, dict) and "bdata" in one:
        return np.testing.assert_allclose(_numbers(one), _numbers(other), rtol=1e-4, atol=2e-5, err_msg=where)
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            _same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for place, pair_ in enumerate(zip(one, other, strict=True)):
            _same(*pair_, f"{where}[{place}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-4, abs=2e-5), where
    else:
        assert one == other, where
    return None


def _numbers(packed: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"]).astype(float)


def _of_the_run(text: str) -> str:
    """A paragraph without what studies on the same data found: nobody knows how recorded nets were trained."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("- Over "))


OF_TRAINING = ("graph", "mask")  # lie on the mean of the training samples, which a recorded run does not know: on that of its own
SHOWN = [("explain", {"i": "7", "on": "1011", "vs": "3"}), ("agreement", {}), ("superfeatures", {"m": "5"})]


@pytest.mark.parametrize(("page", "address"), SHOWN)
def test_every_shown_number_is_that_of_the_live_run(page: str, address: dict[str, str], told: Run) -> None:
    live, again = (sound(visit(page, run=run, **address), page) for run in ("digits-preset", told.id))
    assert _figures(live).keys() == _figures(again).keys()
    for key, drawn in _figures(live).items():
        if key not in OF_TRAINING:
            _same(_figures(again)[key], drawn, key)
    for mine, theirs in zip(again.dataframe, live.dataframe, strict=True):
        assert mine.value.equals(theirs.value)
    assert [_of_the_run(found.value) for found in again.markdown] == [_of_the_run(found.value) for found in live.markdown]


def test_accuracies_parameters_and_sizes_are_those_of_the_live_run(told: Run) -> None:
    live, mine = load_run("digits-preset").info["summary"], told.info["summary"]
    assert mine["accuracy"].keys() == live["accuracy"].keys()
    for net, value in live["accuracy"].items():
        assert mine["accuracy"][net] == pytest.approx(value)
    for name in ("parameters", "superfeature_sizes", "modularity"):
        assert mine[name] == live[name]


@pytest.mark.parametrize("page", [*PAGES, "runs"])
def test_every_page_is_sound_and_what_needs_a_net_is_one_sentence(page: str, told: Run) -> None:
    app = sound(visit(page, run=told.id), page)
    if page == "chimeras":
        assert NOT_KEPT in [found.value for found in app.info]
    if page == "train":
        assert any("no training to watch" in found.value for found in app.caption)
        assert not [button for button in app.button if button.label == "Train"]
    if page == "attributions":
        assert any("No attributions were recorded" in found.value for found in app.info)


def test_nothing_can_be_drawn_and_another_reduction_is_refused(told: Run) -> None:
    assert NOT_KEPT in [found.value for found in visit("explain", run=told.id, what="own").info]
    assert inert(NOT_KEPT) in [found.value for found in visit("superfeatures", run=told.id, scale="std").error]
    with pytest.raises(Unavailable, match="was recorded"):
        told.teacher()


def test_it_is_exported_imported_reported_and_compared(told: Run, tmp_path: Path) -> None:
    file = io.BytesIO()
    export_run(told, file)
    again = import_run(file)
    assert again.id != told.id
    assert again.recipe.dataset == recorded.PREFIX + again.id
    mine, theirs = (data.load(run.recipe.dataset) for run in (again, told))
    assert torch.equal(mine.x, theirs.x)
    assert (mine.classes, mine.shape, len(mine.train)) == (theirs.classes, theirs.shape, 0)
    assert torch.equal(again.net("ked").log_y, told.net("ked").log_y)
    paired = pair(told.info, again.info, "ked")
    assert (paired.seeds, paired.difference.mean) == ((0, 1, 2, 3, 4), 0)
    assert pair(told.info, load_run("digits-preset").info, "ked").reason == "other data"
    written = report(again)
    assert "Superfeature mask" in written
    assert "nothing to compute anew" in written
    app = visit("runs", compare=f"{told.id},{again.id}")
    assert not app.exception
    assert not app.error
    assert not any("different data" in found.value for found in app.info)
    assert "(5 seeds)" in app.dataframe[-1].value.iloc[-1]["B − A"]
    damaged = Run(told.folder)
    (damaged.folder / "student-ked.safetensors").write_bytes(b"x" * 64)
    file = io.BytesIO()
    export_run(damaged, file)
    with pytest.raises(InvalidInput, match=r"student-ked\.safetensors in the archive is damaged"):
        import_run(file)


def test_attributions_are_kept_of_the_first_samples() -> None:
    live = load_run("digits-preset")
    x, y = (part[:6] for part in data.load("digits").part("test"))
    run = ked.record(
        "mapped", (x, y), classes=list("0123456789"), shape=(8, 8), teacher=live.teacher(), explaining=live.explaining(),
        students={"ked": live.student("ked").replica(0)}, attributions=2,
    )  # fmt: skip
    label = int(run.net("explaining").log_p[0, 1].argmax())
    found = cache.kept(run, "explaining", 0, 1, label)
    again = ked.attributions(live.explaining(), x[:2], run.net("explaining").log_p[0, :2].argmax(-1), groups=live.superfeatures().groups,
                             baseline=x.mean(0), methods=("own", "occlusion"))  # fmt: skip
    for name in ("own", "occlusion"):
        np.testing.assert_allclose(found[name].values, again.values(name)[1], rtol=1e-5, atol=1e-6)
        assert found[name].deletion == pytest.approx(again.measured[name][1].deletion, rel=1e-5)
    assert cache.kept(run, "explaining", 0, 1, (label + 1) % 10) == cache.kept(run, "explaining", 0, 2, label) == {}
    app = sound(visit("attributions", run=run.id, i="1"), "attributions")
    assert {"map-own", "map-occlusion"} <= figures(app)
    assert not any(key.startswith("shapley") for key in figures(app))


class _Mine(nn.Module):
    """A black box with an answer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.layers(x)}


def _branches(base: torch.Tensor) -> ked.ExplainingNet:
    trunk = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
    head = [nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)) for _ in range(2)]
    return ked.ExplainingNet([(0, 1), (2, 3)], base, trunk=trunk, subnets=head)


def test_nets_with_a_trunk_of_their_own_are_shown_without_places_in_the_picture() -> None:
    x, y, base = torch.rand(12, 3, 4, 4), torch.arange(12) % 3, torch.zeros(3)
    run = ked.record(
        "mine", (x, y), classes=["a", "b", "c"], teacher=_Mine(), explaining=_branches(base), forward=lambda net, x: net(x)["logits"],
        students={"ked": [_branches(base), _branches(base)], "kd": [_Mine(), _Mine()]},
    )  # fmt: skip
    app = sound(visit("explain", run=run.id), "explain")
    assert {"sample", "waterfall-teacher"} <= figures(app)
    assert NOT_KEPT in [found.value for found in app.info]
    sound(visit("agreement", run=run.id), "agreement")
    assert len(run.info["summary"]["accuracy"]["kd"]) == 2
    assert run.info["summary"]["parameters"]["kd"] == 48 * 3 + 3
    kept = data.load(run.recipe.dataset).x
    torch.testing.assert_close(kept, x.flatten(1), atol=5e-4, rtol=0)  # pictures that were no bytes: half precision


def test_bytes_of_pictures_and_numbers_of_tables_are_kept_as_they_are(tmp_path: Path) -> None:
    for x, shape in ((torch.randint(256, (5, 6)).float() / 255, (2, 3)), (torch.randn(5, 6), (6,))):
        written = recorded_samples.of(x, torch.arange(5), shape, list("abcde"), name="recorded:some-samples")
        recorded_samples.write(tmp_path, "some", written)
        assert torch.equal(recorded_samples.read(tmp_path / recorded.FILE, "recorded:some-samples").x, x)


def _asked(**changed: Any) -> dict[str, Any]:
    net = SubnetStack([(0, 1), (2, 3)], [3], 3)
    students = {"ked": net, "kd": nn.Linear(4, 3)}
    usual = {"data": (torch.rand(9, 4), torch.arange(9) % 3), "teacher": nn.Linear(4, 3), "explaining": net, "students": students}
    return usual | changed


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"data": torch.rand(9, 4)}, "data must be a pair"),
        ({"data": (torch.rand(9, 4), torch.rand(9))}, "a label for each"),
        ({"data": (torch.randint(9, (9, 4)), torch.zeros(9))}, "must be floats"),
        ({"data": (torch.full((9, 4), torch.nan), torch.arange(9) % 3)}, "all values must be finite"),
        ({"data": (DataLoader(torch.rand(9, 4), 3, shuffle=True), torch.arange(9) % 3)}, "an order of its own"),
        ({"shape": (3, 3)}, "does not hold its 4 features"),
        ({"classes": ["a", "b"]}, "it has the classes 0 to 1"),
        ({"classes": list("abcd")}, "speaks of 3 classes, but data have 4"),
        ({"teacher": nn.Linear(5, 3)}, "teacher: the net fails on x"),
        ({"explaining": nn.Linear(4, 3)}, "explaining has no explanations"),
        ({"students": {}}, "students must hold at least one net"),
        ({"students": nn.Linear(4, 3)}, "students must hold at least one net"),
        ({"superfeatures": [[0, 1], [2, 3]]}, "superfeatures must be what ked.find_superfeatures gives"),
        ({"students": {"mine": nn.Linear(4, 3)}}, "'mine' is unknown"),
        ({"students": {"ked": nn.Linear(4, 3)}}, "students['ked'] must be a net with explanations"),
        ({"students": {"kd": [nn.Linear(4, 3)] * 2, "plain": nn.Linear(4, 3)}}, "as many seeds"),
        ({"superfeatures": Superfeatures(((0, 2), (1, 3)), 0.0, 1.0, "")}, "not those of explaining"),
        ({"W": torch.rand(3, 3)}, "W must be a finite matrix (4, 4)"),
        ({"name": "x" * 99}, "letters"),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence_and_leaves_nothing(
    changed: dict[str, Any], names: str, one_sentence: Callable[[str], str], ked_home: Path
) -> None:
    with pytest.raises(InvalidInput) as raised:
        ked.record(**({"name": "mine"} | _asked(**changed)))
    assert names in one_sentence(str(raised.value))
    assert not list(ked_home.glob("runs/*")) + list(ked_home.glob(".record*"))


def test_recorded_samples_train_nothing(told: Run) -> None:
    with pytest.raises(InvalidInput, match="recorded"):
        list(ked.run(told.recipe))


def test_ten_thousand_samples_take_less_than_25_megabytes() -> None:
    """A fifth of them, of pictures that were no bytes, M = 4 and C = 10: in proportion."""
    N, D, C = 2000, 784, 10
    teacher, base = nn.Linear(D, C), torch.zeros(C)
    groups = [range(m, D, 4) for m in range(4)]
    net = ked.ExplainingNet(groups, base, subnet=lambda size: nn.Linear(size, C))
    students, told = {"ked": net, "kd": teacher}, (torch.rand(N, D), torch.arange(N) % C)
    run = ked.record("many", told, shape=(28, 28), teacher=teacher, explaining=net, students=students)
    assert sum(file.stat().st_size for file in run.folder.iterdir()) < 25e6 / 5
    assert {file.suffix for file in run.folder.iterdir()} == {".json", ".jsonl", ".safetensors"}
