"""How far the one download of a one-time link has come. Pure.

The first client that asks has the link. It may come back, with ranges and over several connections,
until every byte was delivered once, or until nothing has happened for the resume window. Who took
next to nothing and went (a link preview, a wrong click) does not keep it from the next.
"""

import msgspec

from countermark.links.client import same_client
from countermark.links.coverage import Coverage
from countermark.links.ledger import Change, Revised

# What a service may read of a file to show a preview of it.
PREVIEW_BYTES = 1 << 16
# Longer than the time between two reports of a running transfer.
GONE_SECONDS = 15.0


class Use(msgspec.Struct, frozen=True, array_like=True):
    """The state of a one-time link.

    Attributes:
        client: its fingerprint.
        active_at: when something was last heard of it, seconds since the epoch.
        delivered: packed `Coverage`.
    """

    client: str
    active_at: float
    delivered: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Use)


def claim(client: str, size: int, window_s: float, until_s: int) -> Change[bool]:
    """Ask to transfer; the answer tells whether that is allowed.

    Args:
        client: fingerprint of who asks, with the link's serial as salt.
        size: of the file, bytes.
        window_s: for how long after its last sign of life a download may go on.
        until_s: the link's expiry.
    """

    def change(value: bytes | None, now: float) -> Revised[bool]:
        use = _decoder.decode(value) if value else None
        if use is None or _is_given_up(use, size, now):
            use = Use(client, now, b"")
        elif not _goes_on(use, client, size, now - window_s):
            return Revised(value, until_s, answer=False)
        return _revised(use.client, now, Coverage.unpack(use.delivered), until_s, answer=True)

    return change


def deliver(client: str, spans: list[tuple[int, int]], size: int, until_s: int) -> Change[bool]:
    """Note what was delivered, and that the client lives; the answer tells whether all is done.

    Adding spans again does nothing.
    """

    def change(value: bytes | None, now: float) -> Revised[bool]:
        use = _decoder.decode(value) if value else None
        if use is None or not same_client(use.client, client):
            return Revised(value, until_s, answer=False)
        coverage = Coverage.unpack(use.delivered)
        for start, stop in spans:
            coverage.add(start, stop)
        whole = coverage.is_whole(size)
        return _revised(use.client, now, coverage, until_s, answer=whole)

    return change


def _is_given_up(use: Use, size: int, now: float) -> bool:
    taken = sum(stop - start for start, stop in Coverage.unpack(use.delivered).spans())
    return taken < min(size, PREVIEW_BYTES) and now - use.active_at > GONE_SECONDS


def _goes_on(use: Use, client: str, size: int, oldest: float) -> bool:
    return (
        same_client(use.client, client)
        and use.active_at >= oldest
        and not Coverage.unpack(use.delivered).is_whole(size)
    )


def _revised(
    client: str, now: float, coverage: Coverage, until_s: int, *, answer: bool
) -> Revised[bool]:
    return Revised(_encoder.encode(Use(client, now, coverage.pack())), until_s, answer)
