"""The ledger port: what links remember across processes and machines.

A ledger keeps the little state that a signed text cannot carry: that it has been used, by whom,
and what runs. Contract of every ledger, checked by one shared suite
(tests/conformance/ledger_suite.py):

- `spend` and `revise` are atomic over all processes that share the ledger. Once one has answered,
  its answer survives a crash of this process. If it is cancelled or raises, it may or may not have
  happened.
- What is kept until some time is forgotten some time after that; the caller checks expiry first.
- A ledger that cannot be reached is an `UnavailableError` with its cause: who cannot remember
  must not let pass.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from countermark.errors import SettingsError

T = TypeVar("T")


class Revised(NamedTuple, Generic[T]):
    """What a change makes of a value.

    Attributes:
        value: the new one, never empty, or None to forget the key.
        until: seconds since the epoch; until then the value must be kept.
        answer: for the caller.
    """

    value: bytes | None
    until: float
    answer: T


# From the value, or None if there is none, and the ledger's clock in seconds since the epoch.
# Pure: it may be called several times before one of its results is kept.
Change = Callable[[bytes | None, float], Revised[T]]


class Ledger(Protocol):
    """Marks, and small values that change atomically."""

    async def spend(self, key: str, until_s: int) -> bool:
        """Mark the key; True for the first caller ever, False for all others.

        Args:
            key: up to 200 characters.
            until_s: seconds since the epoch; until then the mark must be kept.
        """
        ...

    async def revise(self, key: str, change: Change[T], *, durable: bool = True) -> T:
        """Replace the value of a key by what `change` makes of it, and give its answer.

        Args:
            key: up to 200 characters; these are other keys than those of `spend`.
            change: see above. A value that stays the same is not written, nor its time.
            durable: whether a power cut must not undo it.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. The ledger is not used afterwards."""
        ...


def open_ledger(url: str) -> Ledger:
    """Open `sqlite:///PATH` or `valkey://HOST:PORT/NUMBER` (`valkeys` with TLS).

    Raises:
        SettingsError: the URL cannot be used.
    """
    # Each client library is loaded only where it is used.
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        from countermark.links.ledger_sqlite import SqliteLedger  # noqa: PLC0415 - see above

        # As with SQLAlchemy: three slashes are relative, four are absolute.
        return SqliteLedger(unquote(parts.path[1:]))
    if parts.scheme in {"valkey", "valkeys"} and parts.hostname:
        from countermark.links.ledger_valkey import ValkeyLedger  # noqa: PLC0415 - see above

        return ValkeyLedger(url)
    raise SettingsError(
        f"COUNTERMARK_LEDGER_URL is {url!r}; accepted: sqlite:///PATH or valkey://HOST:PORT/NUMBER"
    )
