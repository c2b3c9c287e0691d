"""A ledger in Valkey: for processes of several machines."""

import math
import time

import valkey.asyncio
from valkey.exceptions import ValkeyError

from countermark.errors import UnavailableError
from countermark.links.ledger import Change, T

_SPENT = "countermark/spent/"
_STATE = "countermark/state/"
_TIMEOUT_SECONDS = 3.0
# The server's clock may run ahead of ours: it must not forget while we still let pass.
_GRACE_SECONDS = 300
# Each failed try is another caller's success, so only very many callers of one key fail so often.
_TRIES = 100
_SWAP = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'EXAT', ARGV[3]) end
return 1
"""


class ValkeyLedger:
    """One pool of connections, made when first used.

    What survives a crash of the server itself is up to its configuration (appendonly, replicas).
    """

    def __init__(self, url: str) -> None:
        self._client = valkey.asyncio.Valkey.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
        self._swap = self._client.register_script(_SWAP)

    async def spend(self, key: str, until_s: int) -> bool:
        """Mark the key; see the port."""
        forget_at = max(until_s, int(time.time())) + _GRACE_SECONDS
        try:
            first = await self._client.set(_SPENT + key, b"", nx=True, exat=forget_at)
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error
        return first is not None

    async def revise(self, key: str, change: Change[T], *, durable: bool = True) -> T:  # noqa: ARG002 - the server's configuration decides
        """Change a value; see the port."""
        try:
            for _ in range(_TRIES):
                had, now = await self._get(_STATE + key)
                value, until, answer = change(had, now)
                if value == had or await self._put(_STATE + key, had, value, max(until, now)):
                    return answer
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error
        raise UnavailableError

    async def _get(self, key: str) -> tuple[bytes | None, float]:
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.get(key)
            pipeline.time()
            value, (seconds, microseconds) = await pipeline.execute()
        return value, seconds + microseconds / 1e6

    async def _put(self, key: str, had: bytes | None, value: bytes | None, until: float) -> bool:
        forget_at = math.ceil(until) + _GRACE_SECONDS
        return bool(await self._swap([key], [had or b"", value or b"", forget_at]))

    async def close(self) -> None:
        """Close the pool; see the port."""
        await self._client.aclose()
