"""A ledger in Valkey: for processes of several machines."""

import time

import valkey.asyncio
from valkey.exceptions import ValkeyError

from countermark.errors import UnavailableError

_PREFIX = "countermark/spent/"
_TIMEOUT_SECONDS = 5.0
# The server's clock may run ahead of ours: it must not forget while we still let pass.
_GRACE_SECONDS = 300


class ValkeyLedger:
    """One pool of connections, made when first used.

    What survives a crash of the server itself is up to its configuration (appendonly, replicas).
    """

    def __init__(self, url: str) -> None:
        self._client = valkey.asyncio.Valkey.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )

    async def spend(self, key: str, until_s: int) -> bool:
        """Mark the key; see the port."""
        forget_at = max(until_s, int(time.time())) + _GRACE_SECONDS
        try:
            first = await self._client.set(_PREFIX + key, b"", nx=True, exat=forget_at)
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error
        return first is not None

    async def close(self) -> None:
        """Close the pool; see the port."""
        await self._client.aclose()
