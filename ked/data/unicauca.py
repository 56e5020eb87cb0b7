"""Unicauca: network flows of a university in Colombia, 81 numbers each, and the class of service that the application needs.

Source: J. S. Rojas, IP Network Traffic Flows Labeled with 75 Apps, Kaggle, 2017, the file Dataset-Unicauca-Version2-87Atts.csv:
3 577 296 flows, 87 columns, the application in the column ProtocolName, as named by the traffic classifier nDPI.

What is given: of the 87 columns, 81 hold numbers, and the paper says 81 features and three classes of service.
What is chosen by us, because the paper's authors publish neither their columns nor their classes nor their samples:

* Features: all 81 columns of numbers, in the file's order; left out are the texts Flow.ID, Source.IP, Destination.IP, Timestamp,
  Label (always BENIGN) and ProtocolName. Among the 81 is L7Protocol, nDPI's NUMBER OF THE APPLICATION, from which the class
  follows. So accuracy on this data says how well a net reads a code, not how well it knows traffic.
* Classes, after the traffic classes of mobile networks (3GPP TS 23.107, conversational and streaming taken as one), by the table
  CLASSES below: `streaming` must come in time, `background` may wait, and everything that the table does not name is `interactive`,
  which is mostly the web. The names are nDPI's; the table was written without the file at hand.
* Samples: at most 50 000 flows of each class, drawn evenly with a fixed seed. All flows would need 1.2 GB, and with classes of about
  the same size accuracy is easier to read.
"""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np

from ked.data import limits, locations
from ked.data.array_cache import Arrays, kept
from ked.data.dataset import Dataset
from ked.data.locations import damaged, missing, readable
from ked.data.progress import tracked_lines
from ked.data.tabular import table
from ked.errors import shortened

FILE = "Dataset-Unicauca-Version2-87Atts.csv"
TEXTS = ("Flow.ID", "Source.IP", "Destination.IP", "Timestamp", "Label", "ProtocolName")
COLUMN_COUNT = 87
PER_CLASS = 50_000
_SEED = 0
_VERSION = 1  # raise it when the mapping or the drawing changes, so that nothing older is taken from disk

# Calls, films, music and games
_STREAMING = """
    SKYPE WHATSAPP VIBER TEAMSPEAK H323 SIP SKINNY RTP RTCP STUN WEBEX CITRIX_ONLINE TEAMVIEWER YOUTUBE NETFLIX
    TWITCH RTMP RTSP CONTENT_FLASH SPOTIFY DEEZER LASTFM APPLE_ITUNES SOUNDCLOUD ICECAST SHOUTCAST STARCRAFT
    WORLDOFWARCRAFT STEAM XBOX
"""
# Downloads, updates, file stores, mail, file sharing and the network's own upkeep
_BACKGROUND = """
    HTTP_DOWNLOAD FTP_DATA FTP_CONTROL WINDOWS_UPDATE DROPBOX MS_ONE_DRIVE APPLE_ICLOUD UBUNTUONE GMAIL MAIL_IMAP
    MAIL_IMAPS MAIL_POP MAIL_POPS MAIL_SMTP MAIL_SMTPS LOTUS_NOTES BITTORRENT EDONKEY GNUTELLA DNS NTP SNMP BGP
    IP_OSPF IP_ICMP UPNP RADIUS SYSLOG NETFLOW DHCP LDAP MQTT OPENSIGNAL SIMET WHOIS_DAS
"""
CLASSES: dict[str, frozenset[str]] = {
    "streaming": frozenset(_STREAMING.split()),
    "interactive": frozenset(),  # everything else
    "background": frozenset(_BACKGROUND.split()),
}
_OTHER = list(CLASSES).index("interactive")
_CLASS_OF = {application: y for y, applications in enumerate(CLASSES.values()) for application in applications}


def load(name: str) -> Dataset:
    """The flows, standardised on their training part, split about 60/20/20 with equal class shares.

    The 1.7 GB of the file are read once, which takes about a minute; what was drawn is then kept in our own folder.
    Raises Unavailable when the file is not on this machine, or is damaged.
    """
    path = find()
    if path is None:
        raise missing(
            "The Unicauca table", f"{FILE} from Kaggle's jsrojas/ip-network-traffic-flows-labeled-with-87-apps", "unicauca"
        )
    state = path.stat()
    arrays = kept(
        "unicauca", [_VERSION, str(path.resolve()), state.st_size, state.st_mtime_ns], lambda: _draw(path, PER_CLASS)
    )
    return table(name, arrays["x"], arrays["y"], tuple(CLASSES), tuple(_columns(path)))


def find() -> Path | None:
    """The file, in $KED_DATA or in our own folder, or None; it is only read, never written to."""
    folders = [*locations.folders("unicauca", ""), locations.own_folder() / "unicauca"]
    return next((folder / FILE for folder in folders if os.path.isfile(folder / FILE)), None)


def here() -> bool:
    """Whether its files are on this machine."""
    return find() is not None


def class_of(application: str) -> str:
    """The class of service of an application, by the table CLASSES."""
    return list(CLASSES)[_CLASS_OF.get(application.upper(), _OTHER)]


@readable()
def _columns(path: Path) -> list[str]:
    """The names of the 81 features, from the file's first line."""
    header = next(_lines(path), [])
    features = [name for name in header if name not in TEXTS]
    if len(header) != COLUMN_COUNT or len(features) != COLUMN_COUNT - len(TEXTS) or len(set(features)) < len(features):
        raise damaged(path, f"its first line names {len(header)} columns, not 87 with {', '.join(TEXTS)} among them")
    return features


@readable()
def _draw(path: Path, limit: int) -> Arrays:
    """At most `limit` flows of each class, every flow of a class with the same chance (Vitter's algorithm R)."""
    features = _columns(path)
    lines = _lines(path)
    header = next(lines)
    numbers, application = itemgetter(*map(header.index, features)), header.index("ProtocolName")
    generator = random.Random(_SEED)
    x = np.empty((len(CLASSES), limit, len(features)), np.float32)
    seen = [0] * len(CLASSES)
    for number, line in enumerate(lines, start=2):
        if len(line) != COLUMN_COUNT:
            raise damaged(path, f"line {number} has {len(line)} values, not 87")
        kind = _CLASS_OF.get(line[application].upper(), _OTHER)
        place = seen[kind] if seen[kind] < limit else int(generator.random() * (seen[kind] + 1))
        seen[kind] += 1
        if place < limit:
            x[kind, place] = _numbers(path, number, numbers(line))
    if min(seen) < limits.PER_CLASS:
        counts = ", ".join(f"{count} {name}" for name, count in zip(CLASSES, seen, strict=True))
        raise damaged(path, f"it holds {counts} flows, and every class needs at least {limits.PER_CLASS}")
    taken = [min(count, limit) for count in seen]
    y = np.concatenate([np.full(count, number) for number, count in enumerate(taken)])
    return {"x": np.concatenate([x[number, :count] for number, count in enumerate(taken)]), "y": y}


def _numbers(path: Path, number: int, values: Sequence[str]) -> np.ndarray:
    try:
        row = np.array([float(value) for value in values], np.float32)
    except ValueError as error:
        raise damaged(path, f"line {number}: {shortened(error)}") from error
    if not np.isfinite(row).all():
        raise damaged(path, f"line {number} holds a value that is not finite")
    return row


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        try:
            yield from csv.reader(tracked_lines(file, path.stat().st_size))
        except csv.Error as error:
            raise damaged(path, shortened(error)) from error
