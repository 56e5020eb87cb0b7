"""Makes ked/data/emoji.npz: every picture of a release of Twemoji at 32 x 32 pixels on white, with the group that it belongs to.

    npm pack emoji-datasource-twitter@16.0.0
    python tools/make_emoji.py emoji-datasource-twitter-16.0.0.tgz
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32
LEFT_OUT = "Component"  # shades of skin and hair, which are no pictures of their own
TARGET = Path(__file__).resolve().parent.parent / "ked" / "data" / "emoji.npz"


def main(package: str) -> None:
    """Reads the npm package; writes pictures (N, 3, 32, 32) uint8, labels (N,) uint8 and group names (9,), in the order of emoji.json."""
    with tarfile.open(package) as files:
        rows = [row for row in json.load(_member(files, "emoji.json")) if row["has_img_twitter"] and row["category"] != LEFT_OUT]
        groups = sorted({row["category"] for row in rows})
        pictures = np.stack([_picture(_member(files, f"img/twitter/64/{row['image']}")) for row in rows])
    labels = np.array([groups.index(row["category"]) for row in rows], dtype=np.uint8)
    np.savez_compressed(TARGET, pictures=pictures, labels=labels, groups=np.array(groups))
    print(f"{len(rows)} pictures in {len(groups)} groups: {TARGET.stat().st_size / 1e6:.2f} MB")


def _member(files: tarfile.TarFile, name: str) -> io.BytesIO:
    found = files.extractfile(f"package/{name}")
    assert found is not None, f"the package has no {name}"
    return io.BytesIO(found.read())


def _picture(file: io.BytesIO) -> np.ndarray:
    """(3, 32, 32): what can be seen through is white."""
    drawn = Image.open(file).convert("RGBA")
    paper = Image.new("RGBA", drawn.size, "white")
    small = Image.alpha_composite(paper, drawn).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small).transpose(2, 0, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
