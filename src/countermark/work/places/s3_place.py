"""An object of S3 or its kin, through obstore."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from countermark.errors import PlaceInvalidError, PlaceRefusedError
from countermark.storage.place import Place
from countermark.work.places.addresses import public_addresses
from countermark.work.places.source import PIECE_BYTES, Opened, pieces_of

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Credential

_PART_BYTES = 16 << 20
_REGION = "us-east-1"


class S3Place:
    """An `Elsewhere` in a bucket.

    The endpoint's name is checked before, not within, the connection that obstore makes. That it
    must be HTTPS makes up for it: what answers inside the network has no certificate for a name
    that somebody outside has chosen, and so is sent nothing.

    Args:
        place: Its address.
        internal: Whether it may lie at an address that is not public.
        stall_seconds: How long the server may say nothing.

    Raises:
        PlaceInvalidError: The endpoint is no HTTPS URL.
    """

    def __init__(self, place: Place, *, internal: bool, stall_seconds: float) -> None:
        self._key = place.path.lstrip("/")
        self._internal = internal
        self._stall_seconds = stall_seconds
        region = place.options.get("region", _REGION)
        endpoint = place.options.get("endpoint", f"https://s3.{region}.amazonaws.com")
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and not (internal and parts.scheme == "http"):
            raise PlaceInvalidError("endpoint: use an https URL")
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._store = _store(place, region, endpoint, stall_seconds)

    @asynccontextmanager
    async def read(self, offset: int, identity: str | None) -> AsyncIterator[Opened]:
        """See the port."""
        await public_addresses(self._host, self._port, internal=self._internal)
        with _translated():
            about = await asyncio.wait_for(
                obstore.head_async(self._store, self._key), self._stall_seconds
            )
            size, etag = about["size"], about["e_tag"]
            begin = offset if offset and etag and etag == identity and offset <= size else 0
            yield Opened(begin, size, etag, self._pieces(begin, size, etag))

    async def _pieces(self, begin: int, size: int, etag: str | None) -> AsyncIterator[bytes]:
        if begin >= size:
            return
        answer = await obstore.get_async(
            self._store, self._key, options={"range": (begin, size), "if_match": etag}
        )
        stream = aiter(answer.stream(min_chunk_size=PIECE_BYTES))
        while piece := await asyncio.wait_for(anext(stream, b""), self._stall_seconds):
            yield bytes(piece)

    async def write(self, path: Path, sent: Callable[[int], None]) -> None:
        """See the port; an object is there whole or not at all."""
        await public_addresses(self._host, self._port, internal=self._internal)
        with _translated():
            await obstore.put_async(
                self._store, self._key, pieces_of(path, sent), chunk_size=_PART_BYTES
            )


def _store(place: Place, region: str, endpoint: str, stall_seconds: float) -> S3Store:
    config: S3Config = {
        "endpoint": endpoint,
        "region": region,
        "virtual_hosted_style_request": False,
    }
    # Named expressly, because what is in this process's environment is the service's own.
    if place.user is None or place.secret is None:
        config["skip_signature"] = True
        provider = None
    else:
        credential: S3Credential = {
            "access_key_id": place.user,
            "secret_access_key": place.secret,
            "token": None,
            "expires_at": None,
        }

        def provider() -> "S3Credential":
            return credential

    return S3Store(
        place.host,
        config=config,
        credential_provider=provider,
        client_options={
            "allow_http": endpoint.startswith("http:"),
            "connect_timeout": timedelta(seconds=stall_seconds),
            "timeout": timedelta(days=1),  # of a whole answer; the caller has its own clock
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=stall_seconds)},
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PlaceRefusedError("there is no such object or bucket") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise PlaceRefusedError("the credentials don't give access to it") from error
    except PreconditionError as error:
        raise OSError("the object was replaced meanwhile") from error
    except BaseError as error:
        raise OSError("the store failed") from error
