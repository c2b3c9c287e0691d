"""Who calls: bearer tokens (RFC 6750) and, for downloads, signed URLs."""

import hashlib
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.catalog_calls import CatalogCalls
from countermark.catalog.readers import accounts
from countermark.catalog.records import Access
from countermark.errors import AccessError
from countermark.links import hmac_request
from countermark.links.hmac_request import SignedRequest

# A revocation must take effect within five seconds in every process.
REMEMBERED_SECONDS = 2.0
REMEMBERED_CALLERS = 10_000
_LONGEST_TOKEN = 512

K = TypeVar("K")
V = TypeVar("V")


class Caller(NamedTuple):
    """Who calls, with effective scopes, and the signature if that is how they proved it."""

    user_id: str
    application_id: str
    scopes: frozenset[str]
    signed: SignedRequest | None = None


class Application(NamedTuple):
    """Who may sign, with which secret, and with which effective scopes."""

    user_id: str
    secret: bytes
    scopes: frozenset[str]


class Authorization:
    """Finds the caller of a request; remembers good tokens and applications for a moment."""

    def __init__(self, catalog: CatalogCalls, clock: Callable[[], int]) -> None:
        self._catalog = catalog
        self._clock = clock
        self._remembered: dict[bytes, tuple[float, Caller]] = {}
        self._applications: dict[str, tuple[float, Application]] = {}

    async def by_token(self, header: str) -> Caller:
        """The caller with this Authorization header.

        Raises:
            AccessError: it names no living token.
        """
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN:
            raise AccessError("send the header Authorization: Bearer TOKEN")
        hashed = token_hash(token)
        remembered = self._remembered.get(hashed)
        if remembered is not None and remembered[0] > time.monotonic():
            return remembered[1]
        return await self._look_up(hashed)

    async def by_signature(self, raw_path: bytes, raw_query: bytes) -> Caller:
        """The caller who signed this request target.

        A signature carries all scopes of its application. Whether a single-use one was used
        before is not looked at: that is spent last, when all else is right.

        Raises:
            AccessError: the signature is not there, wrong, expired, or of a revoked application.
        """
        request = hmac_request.parse(raw_path, raw_query)
        if request is None:
            raise AccessError("send a bearer token or a signed URL")
        found = await self._application(request.client_id)
        hmac_request.check(request, found.secret, self._clock() // 1000)
        return Caller(found.user_id, request.client_id, found.scopes, request)

    async def _application(self, client_id: str) -> Application:
        remembered = self._applications.get(client_id)
        if remembered is not None and remembered[0] > time.monotonic():
            return remembered[1]
        record = await self._catalog.read_point(
            lambda connection: accounts.application(connection, client_id)
        )
        if record is None or record.revoked_at is not None:
            self._applications.pop(client_id, None)
            raise AccessError("unknown client_id")
        found = Application(record.user_id, record.client_secret, scopes.effective(record.scopes))
        _remember(self._applications, client_id, found)
        return found

    async def _look_up(self, hashed: bytes) -> Caller:
        def read(connection: Connection) -> Access | None:
            return accounts.access_by_token(connection, hashed, self._clock())

        access = await self._catalog.read_point(read)
        if access is None:
            self._remembered.pop(hashed, None)
            raise AccessError("unknown or expired token")
        caller = Caller(access.user_id, access.application_id, scopes.effective(access.scopes))
        _remember(self._remembered, hashed, caller)
        return caller


def _remember(remembered: dict[K, tuple[float, V]], key: K, value: V) -> None:
    if len(remembered) >= REMEMBERED_CALLERS:
        remembered.pop(next(iter(remembered)))
    remembered[key] = (time.monotonic() + REMEMBERED_SECONDS, value)


def require(caller: Caller, any_of: frozenset[str]) -> None:
    """Check that the caller has one of the scopes.

    Raises:
        AccessError: none of them.
    """
    if caller.scopes.isdisjoint(any_of):
        raise AccessError("needs the scope " + " or ".join(sorted(any_of)))


def token_hash(token: str) -> bytes:
    """What the catalog keeps of a token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()
