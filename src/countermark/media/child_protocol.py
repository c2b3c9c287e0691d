"""What a child process for long media work and its parent say to each other.

One stream socket. The parent writes one `Order`; the child writes `Progress` as it goes and ends
with `Done` or `Failed`. Each message is MessagePack behind its length, 4 bytes little-endian.
The parent's end is the child's lifeline: when it closes, however that came about, the child
ends itself.
"""

import struct
from typing import Protocol, runtime_checkable

import msgspec

LENGTH = struct.Struct("<I")
LARGEST_MESSAGE = 4 * 2**20


class ChildLimits(msgspec.Struct, frozen=True):
    """What one piece of work may use.

    Attributes:
        wall_seconds: Time until it is killed.
        cpu_seconds: Processor time of all its threads together, whole seconds.
        memory_bytes: Memory that it may write to.
        output_bytes: Length of each file that it writes.
    """

    wall_seconds: float = 12 * 3600.0
    cpu_seconds: int = 48 * 3600
    memory_bytes: int = 6 * 2**30
    output_bytes: int = 1 << 40


class Order(msgspec.Struct, frozen=True):
    """What to do.

    Attributes:
        target: "module:function" of ours.
        request: MessagePack of the function's first argument.
        limits: The bounds to do it in.
    """

    target: str
    request: bytes
    limits: ChildLimits


@runtime_checkable
class NamesItsFiles(Protocol):
    """Ability of a request: its work needs no other files, and is kept from them where possible."""

    def reads(self) -> list[str]:
        """Paths of files to read."""
        ...

    def writes(self) -> list[str]:
        """Paths of folders to write in; made if they are missing."""
        ...


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far it is, 0 to 1."""

    part: float


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It is done; `answer` is MessagePack of what the function returned."""

    answer: bytes


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It failed.

    Attributes:
        code: Of a public error.
        detail: Its text for this case.
        trace: What Python tells about it; for the log only.
    """

    code: str
    detail: str | None
    trace: str


Message = Progress | Done | Failed


def framed(message: msgspec.Struct) -> bytes:
    """A message as it goes over the socket."""
    data = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(data)) + data
