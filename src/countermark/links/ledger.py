"""The ledger port: what links remember across processes and machines.

A ledger keeps the little state that a signed text cannot carry: that it has been used. Contract of
every ledger, checked by one shared suite (tests/conformance/ledger_suite.py):

- `spend` is atomic over all processes that share the ledger. Once it has answered, its answer
  survives a crash of this process. If it is cancelled or raises, the key may or may not be spent.
- What is spent is forgotten some time after `until_s`; the caller checks expiry first.
- A ledger that cannot be reached is an `UnavailableError` with its cause: who cannot remember
  must not let pass.
"""

from typing import Protocol
from urllib.parse import unquote, urlsplit

from countermark.errors import SettingsError


class Ledger(Protocol):
    """One-time marks."""

    async def spend(self, key: str, until_s: int) -> bool:
        """Mark the key; True for the first caller ever, False for all others.

        Args:
            key: up to 200 characters.
            until_s: seconds since the epoch; until then the mark must be kept.
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
