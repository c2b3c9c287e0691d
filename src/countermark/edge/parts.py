"""What an edge is made of."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from aiohttp import web

from countermark.edge.admission import Gate
from countermark.edge.copies import Copies
from countermark.edge.meter import Meter
from countermark.edge.metrics import EdgeMetrics
from countermark.edge.transfers import Transfers
from countermark.links.keys import KeyRing
from countermark.settings import Network
from countermark.storage.port import Store


async def all_ready() -> tuple[str, ...]:
    """Of an edge that has nothing behind it that may fail."""
    return ()


@dataclass(frozen=True, kw_only=True)
class EdgeParts:
    """Everything that the edge needs from the outside.

    Attributes:
        store: where the bytes are.
        ring: gives the keys in use; asked at every request, so it must not block.
        trusted_proxies: networks whose X-Forwarded-For is believed.
        max_upload_bytes: the most that one post may carry, whatever its policy says.
        api_url: the API's public base, for the page that says what this is.
        marks: gives the autograph keys by their ids; asked at every marked download, so it must
            not block.
        gate: decides who may download.
        transfers: registry of what runs; made with whoever listens.
        meter: hands on what was sent; it listens to the transfers.
        metrics: what is counted for Prometheus; listens, too.
        ready: names the parts behind the edge that do not answer.
    """

    store: Store
    ring: Callable[[], KeyRing]
    trusted_proxies: tuple[Network, ...]
    max_upload_bytes: int
    api_url: str
    marks: Callable[[], Mapping[int, bytes]] = dict
    gate: Gate = field(default_factory=Gate)
    transfers: Transfers = field(default_factory=Transfers)
    meter: Meter | None = None
    metrics: EdgeMetrics = field(default_factory=EdgeMetrics)
    ready: Callable[[], Awaitable[tuple[str, ...]]] = all_ready

    @cached_property
    def copies(self) -> Copies:
        """Lays out recipients' copies."""
        return Copies(self.store, self.marks)


PARTS: web.AppKey[EdgeParts] = web.AppKey("parts", EdgeParts)
