"""Tables of numbers: scikit-learn's two, Unicauca in Kaggle's format, and how all are standardised."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from ked import data
from ked.data import unicauca
from ked.errors import Unavailable


@pytest.mark.parametrize(("name", "rows", "D", "C"), [("breast-cancer", 569, 30, 2), ("wine", 178, 13, 3)])
def test_a_table_is_standardised_with_the_training_mean_and_deviation(name: str, rows: int, D: int, C: int) -> None:
    from sklearn import datasets

    source = getattr(datasets, f"load_{name.replace('-', '_')}")()
    table = data.load(name)
    assert (len(table.x), table.shape, table.class_count, table.is_image) == (rows, (D,), C, False)
    assert table.features == tuple(source.feature_names)
    assert table.y.tolist() == source.target.tolist()
    assert table.classes == tuple(source.target_names)
    train = source.data[table.train.numpy()]
    expected = (source.data - train.mean(0)) / train.std(0)
    assert torch.allclose(table.x.double(), torch.from_numpy(expected), atol=1e-5)
    assert [len(table.part(part)[0]) / rows for part in ("train", "validation", "test")] == pytest.approx(
        [0.6, 0.2, 0.2], abs=0.01
    )


# The 87 columns of Dataset-Unicauca-Version2-87Atts.csv, in its order
_NAMED = """
Flow.ID Source.IP Source.Port Destination.IP Destination.Port Protocol Timestamp Flow.Duration Total.Fwd.Packets
Total.Backward.Packets Total.Length.of.Fwd.Packets Total.Length.of.Bwd.Packets Fwd.Packet.Length.Max
Fwd.Packet.Length.Min Fwd.Packet.Length.Mean Fwd.Packet.Length.Std Bwd.Packet.Length.Max Bwd.Packet.Length.Min
Bwd.Packet.Length.Mean Bwd.Packet.Length.Std Flow.Bytes.s Flow.Packets.s Flow.IAT.Mean Flow.IAT.Std Flow.IAT.Max
Flow.IAT.Min Fwd.IAT.Total Fwd.IAT.Mean Fwd.IAT.Std Fwd.IAT.Max Fwd.IAT.Min Bwd.IAT.Total Bwd.IAT.Mean Bwd.IAT.Std
Bwd.IAT.Max Bwd.IAT.Min Fwd.PSH.Flags Bwd.PSH.Flags Fwd.URG.Flags Bwd.URG.Flags Fwd.Header.Length Bwd.Header.Length
Fwd.Packets.s Bwd.Packets.s Min.Packet.Length Max.Packet.Length Packet.Length.Mean Packet.Length.Std
Packet.Length.Variance FIN.Flag.Count SYN.Flag.Count RST.Flag.Count PSH.Flag.Count ACK.Flag.Count URG.Flag.Count
CWE.Flag.Count ECE.Flag.Count Down.Up.Ratio Average.Packet.Size Avg.Fwd.Segment.Size Avg.Bwd.Segment.Size
Fwd.Header.Length.1 Fwd.Avg.Bytes.Bulk Fwd.Avg.Packets.Bulk Fwd.Avg.Bulk.Rate Bwd.Avg.Bytes.Bulk Bwd.Avg.Packets.Bulk
Bwd.Avg.Bulk.Rate Subflow.Fwd.Packets Subflow.Fwd.Bytes Subflow.Bwd.Packets Subflow.Bwd.Bytes Init_Win_bytes_forward
Init_Win_bytes_backward act_data_pkt_fwd min_seg_size_forward Active.Mean Active.Std Active.Max Active.Min Idle.Mean
Idle.Std Idle.Max Idle.Min Label L7Protocol ProtocolName
"""
COLUMNS = _NAMED.split()
APPLICATIONS = ("YOUTUBE", "HTTP_PROXY", "WINDOWS_UPDATE", "GOOGLE", "DNS", "SKYPE")


def _flow(row: int, application: str) -> list[str]:
    """One line of the file: the n-th number of flow `row` is row + n / 100."""
    texts = {
        "Flow.ID": f"172.19.1.{row % 250}-10.200.7.7-52422-3128-6",
        "Source.IP": f"172.19.1.{row % 250}",
        "Destination.IP": "10.200.7.7",
        "Timestamp": "26/04/201711:11:17",
        "Label": "BENIGN",
        "ProtocolName": application,
    }
    return [texts.get(name, f"{row + n / 100:.2f}") for n, name in enumerate(COLUMNS)]


def _write(folder: Path, rows: int = 120, columns: list[str] = COLUMNS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / unicauca.FILE).open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        writer.writerows(_flow(row, APPLICATIONS[row % len(APPLICATIONS)]) for row in range(rows))
    return folder / unicauca.FILE


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KED_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("KED_HOME", str(tmp_path / "home"))
    return tmp_path / "mine"


@pytest.mark.parametrize("below", ["", "unicauca"])
def test_unicauca_has_81_features_and_three_classes_of_service(mine: Path, below: str) -> None:
    _write(mine / below)
    flows = data.load("unicauca")
    assert (flows.feature_count, flows.classes) == (81, ("streaming", "interactive", "background"))
    assert set(COLUMNS) - set(flows.features) == {
        "Flow.ID", "Source.IP", "Destination.IP", "Timestamp", "Label", "ProtocolName"
    }  # fmt: skip
    assert flows.y.bincount().tolist() == [40, 40, 40]
    # every column is the flow's number plus a constant, so once standardised all columns are the same
    assert torch.allclose(flows.x, flows.x[:, :1].expand(-1, 81), atol=1e-4)
    assert flows.part("train")[0].mean(0).abs().max() < 1e-5
    assert flows.part("train")[0].std(0, correction=0).sub(1).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("application", "service"),
    [
        ("YOUTUBE", "streaming"),
        ("skype", "streaming"),
        ("GOOGLE", "interactive"),
        ("NEVER_HEARD_OF", "interactive"),
        ("DNS", "background"),
    ],
)
def test_the_class_of_service_follows_the_table(application: str, service: str) -> None:
    assert unicauca.class_of(application) == service


def test_no_application_is_in_two_classes_of_service() -> None:
    named = [application for applications in unicauca.CLASSES.values() for application in applications]
    assert len(named) == len(set(named))


def test_flows_are_drawn_evenly_from_the_whole_file_and_the_same_each_time(mine: Path) -> None:
    path = _write(mine, rows=3000)
    first, second = unicauca._draw(path, 100), unicauca._draw(path, 100)
    assert np.array_equal(first["x"], second["x"])
    assert np.bincount(first["y"]).tolist() == [100, 100, 100]
    rows = first["x"][:, 0]  # the flow's number, from 0 to 2999
    assert len(np.unique(rows.round())) == 300
    assert rows.mean() == pytest.approx(1500, abs=4 * 866 / 300**0.5)


def test_every_flow_of_a_class_has_the_same_chance_also_the_first_and_the_last(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(mine, rows=18)  # six of each class
    first = []
    for seed in range(60):
        monkeypatch.setattr(unicauca, "_SEED", seed)
        first += unicauca._draw(path, 1)["x"][:, 0].round().tolist()  # the number of the flow of each class
    counts = np.bincount(np.array(first, int), minlength=18)
    assert counts.min() >= 2  # of 60, where 10 are expected
    assert counts.max() <= 24


def test_the_case_of_an_applications_name_does_not_matter_in_the_file_either(mine: Path) -> None:
    _replace(_write(mine), "YOUTUBE", "YouTube")
    assert data.load("unicauca").y.bincount().tolist() == [40, 40, 40]


def test_the_flows_are_read_once(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(mine)
    first = data.load("unicauca")
    monkeypatch.setattr(unicauca, "_draw", None)
    assert torch.equal(data.load("unicauca").x, first.x)


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda path: path.write_text("a,b\n1,2\n"), "names 2 columns, not 87"),
        (lambda path: path.write_text(""), "names 0 columns"),
        (lambda path: _replace(path, '"Timestamp"', '"Time"'), "87"),
        (lambda path: _replace(path, '"3.02"', '"many"'), "line 5.*many"),
        (lambda path: _replace(path, '"3.02"', '"nan"'), "line 5.*not finite"),
        (lambda path: _replace(path, '"3.02",', ""), "line 5 has 86 values"),
        (lambda path: _replace(path, "DNS", "GOOGLE") or _replace(path, "WINDOWS_UPDATE", "SSL"), "0 background flows"),
    ],
)
def test_a_damaged_unicauca_file_is_named_in_one_sentence(mine: Path, damage, named: str) -> None:
    damage(_write(mine))
    with pytest.raises(Unavailable, match=f"(?s){unicauca.FILE}.*damaged.*{named}"):
        data.load("unicauca")


@pytest.mark.usefixtures("mine")
def test_without_unicauca_one_sentence_says_which_file_goes_where(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refusal:
        data.load("unicauca")
    assert all(
        part in str(refusal.value) for part in (unicauca.FILE, "KED_DATA", str(tmp_path / "home" / "data" / "unicauca"))
    )
