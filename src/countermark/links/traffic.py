"""What edges tell of the bytes that they sent, and of whom they refused; and the port for it.

An edge counts in memory and appends two batches a second. Counts are final: they are only ever
added up. Spans are not: a file may be fetched in ranges from several edges, so only who sees all
of their batches can say that a download is complete.
"""

from hashlib import blake2b
from typing import Protocol

import msgspec
from msgspec import Struct

_DAY_MS = 86_400_000


class Counted(Struct, frozen=True, array_like=True):
    """Whose bytes they were: what traffic is counted by.

    Attributes:
        account: id of the user who owns the file.
        application: id of the application that asked for the link.
        file: id of the file.
        tag: AutoGraph tag of the link, "" for none.
        day: its first millisecond since the epoch, UTC.
    """

    account: str
    application: str
    file: str
    tag: str
    day: int


class Sent(Struct, frozen=True, array_like=True):
    """Bytes sent, and downloads that were seen to be complete."""

    counted: Counted
    bytes: int
    downloads: int


class Delivered(Struct, frozen=True, array_like=True):
    """Parts of a file that one client of one link got.

    Attributes:
        id: `delivery_id` of the link and the client.
        size: of the file, bytes.
        spans: packed `Coverage`.
    """

    id: str
    counted: Counted
    size: int
    spans: bytes


class Refused(Struct, frozen=True, array_like=True):
    """What one client tried with a link that is not for it.

    Attributes:
        serial: of the link.
        address: of the client.
        error_code: of what it was answered.
        times: how often.
        at: when last, milliseconds since the epoch.
    """

    counted: Counted
    serial: str
    address: str
    error_code: str
    times: int
    at: int


class Batch(Struct, frozen=True, array_like=True):
    """What an edge sent and whom it refused since its last batch.

    Attributes:
        id: 24 hex digits, of this batch alone.
    """

    id: str
    sent: tuple[Sent, ...]
    delivered: tuple[Delivered, ...]
    refused: tuple[Refused, ...] = ()


class TrafficLog(Protocol):
    """Where batches are kept until they are folded."""

    def append(self, batch: Batch) -> None:
        """Keep the batch; durable on return. Blocks.

        Appending a batch again does nothing, so whoever does not know whether it worked repeats it.

        Raises:
            UnavailableError: it could not be kept now.
        """
        ...


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def encode(batch: Batch) -> bytes:
    """The batch as MessagePack."""
    return _encoder.encode(batch)


def decode(body: bytes) -> Batch:
    """Give back what was encoded.

    Raises:
        msgspec.MsgspecError: it is not a batch.
    """
    return _decoder.decode(body)


def delivery_id(serial: str, client: str) -> str:
    """Name one client's use of one link, without keeping the client's address."""
    return blake2b(f"{serial}\0{client}".encode(), digest_size=12).hexdigest()


def day_of(now_ms: int) -> int:
    """The first millisecond of the day in UTC."""
    return now_ms - now_ms % _DAY_MS
