"""How many downloads of one person run: leases that end unless renewed. Pure.

A download is one client's use of one link, over however many connections and edges; each edge that
takes part holds a lease of its own, so that the end of one does not free the others' slot. An edge
that is killed renews nothing, and its slots become free as its leases end.
"""

from hashlib import blake2b

import msgspec

from countermark.links.client import Client
from countermark.links.ledger import Change, Revised
from countermark.links.link import Link

LEASE_SECONDS = 15.0
# What a ledger keeps of one person is rewritten at every change, so it must stay small.
MOST_LEASES = 1024


class Lease(msgspec.Struct, frozen=True, array_like=True):
    """One edge's part in a download, good before the second `until`."""

    download: str
    holder: str
    until: float


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Lease])


def person_of(link: Link, client: Client) -> str:
    """Name the person whose downloads are counted: whom the tag names, else the address."""
    who = f"tag/{link.tag}" if link.tag else f"address/{client.address}"
    return blake2b(f"{link.account}/{who}".encode(), digest_size=16).hexdigest()


def download_of(link: Link, client: Client) -> str:
    """Name one client's use of one link."""
    return blake2b(f"{link.serial}/{client.address}".encode(), digest_size=12).hexdigest()


def acquire(download: str, holder: str, limit: int) -> Change[bool]:
    """Take part in a download, or go on with it; the answer tells whether that is allowed.

    A download that runs goes on, whatever has begun since. A new one may begin if at most `limit`
    others run.
    """

    def change(value: bytes | None, now: float) -> Revised[bool]:
        leases = _live(value, now)
        running = {lease.download for lease in leases}
        kept = [lease for lease in leases if (lease.download, lease.holder) != (download, holder)]
        if (download not in running and len(running) > limit) or len(kept) >= MOST_LEASES:
            return _revised(leases, now, answer=False)
        kept.append(Lease(download, holder, now + LEASE_SECONDS))
        return _revised(kept, now, answer=True)

    return change


def release(download: str, holder: str) -> Change[bool]:
    """Take part no longer; releasing twice does nothing."""

    def change(value: bytes | None, now: float) -> Revised[bool]:
        kept = [
            lease
            for lease in _live(value, now)
            if (lease.download, lease.holder) != (download, holder)
        ]
        return _revised(kept, now, answer=True)

    return change


def _live(value: bytes | None, now: float) -> list[Lease]:
    return [lease for lease in _decoder.decode(value) if lease.until > now] if value else []


def _revised(leases: list[Lease], now: float, *, answer: bool) -> Revised[bool]:
    return Revised(_encoder.encode(leases) if leases else None, now + LEASE_SECONDS, answer)
