"""Tracing in a process of its own, since a leak's bytes are hostile.

The process has neither the catalog nor the store, and is shut in with its files. It is given what
leads to the masters, and asks for what is costly only of the master that it comes to look at
closely: its blob and its tags. It asks by a file in the folder that both share, and reads the
answer from another.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from countermark.autograph.index import decode
from countermark.autograph.report import Report
from countermark.work.leak_reading import Issued
from countermark.work.tracing import TracedMaster, TraceOptions, trace

TRACE: Final = "countermark.work.trace_child:trace_in_child"
ASKED: Final = "asked"
_LOOK_SECONDS = 0.02


class OfferedMaster(msgspec.Struct, frozen=True):
    """A master that the leak may show.

    Attributes:
        id: of its file.
        index: path of its splice index.
        fingerprint: path of its fingerprint.
        blob: path of its blob, "" if that is brought when it is asked for.
        key: the autograph key that the index names.
    """

    id: str
    index: str
    fingerprint: str
    blob: str
    key: bytes


class TraceOrder(msgspec.Struct, frozen=True):
    """What to trace: the leak's path, and the folder that is shared with the parent."""

    leak: str
    folder: str
    masters: tuple[OfferedMaster, ...]
    options: TraceOptions

    def reads(self) -> list[str]:
        """The files that are read, beside those of the folder."""
        found = [path for one in self.masters for path in (one.index, one.fingerprint, one.blob)]
        return [self.leak, *filter(None, found)]

    def writes(self) -> list[str]:
        """The folder that is written in."""
        return [self.folder]


class Given(msgspec.Struct, frozen=True):
    """The answer about a master: paths of its blob, and of MessagePack of its issued tags."""

    blob: str
    tags: str


def trace_in_child(order: TraceOrder, report: Callable[[float], None]) -> Report:
    """Trace a leak; `report` is told the part that is done."""
    folder = Path(order.folder)
    masters = [_traced(folder, master) for master in order.masters]
    return trace(
        Path(order.leak),
        masters,
        lambda master_id: _issued(folder, master_id),
        order.options,
        report,
    )


def asked(folder: Path) -> str | None:
    """What the child has asked for and not been given: the id of a master."""
    path = folder / ASKED
    return path.read_text() if path.exists() else None


def give(folder: Path, master_id: str, given: Given) -> None:
    """Answer the child."""
    _write(_answer(folder, master_id), msgspec.json.encode(given))
    (folder / ASKED).unlink()


def _traced(folder: Path, offered: OfferedMaster) -> TracedMaster:
    return TracedMaster(
        decode(Path(offered.index).read_bytes()),
        offered.key,
        Path(offered.fingerprint).read_bytes,
        lambda: Path(_given(folder, offered.id).blob),
    )


def _issued(folder: Path, master_id: str) -> Issued:
    tags = msgspec.msgpack.decode(Path(_given(folder, master_id).tags).read_bytes(), type=list[str])
    return Issued(len(tags), lambda: tags)


def _given(folder: Path, master_id: str) -> Given:
    """Ask the parent, who looks after us at least twice a second, and ends us if it is gone."""
    answer = _answer(folder, master_id)
    if not answer.exists():
        _write(folder / ASKED, master_id.encode())
    while not answer.exists():
        time.sleep(_LOOK_SECONDS)
    return msgspec.json.decode(answer.read_bytes(), type=Given)


def _answer(folder: Path, master_id: str) -> Path:
    return folder / f"given-{master_id}"


def _write(path: Path, data: bytes) -> None:
    """So that it is there whole or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.rename(path)
