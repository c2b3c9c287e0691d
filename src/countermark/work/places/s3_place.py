"""An object of S3 or its kin, through obstore."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
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
from countermark.work.places.guarded import guarded_proxy
from countermark.work.places.source import PIECE_BYTES, Opened, pieces_of

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Credential

_PART_BYTES = 16 << 20
_REGION = "us-east-1"


class S3Place:
    """An `Elsewhere` in a bucket.

    obstore follows redirects, and looks up names, by itself; so it goes through a guarded proxy.

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
        self._goes_straight = parts.scheme == "http"  # only where all addresses are permitted
        self._connect = partial(_store, place, region, endpoint, stall_seconds)

    @asynccontextmanager
    async def read(self, offset: int, identity: str | None) -> AsyncIterator[Opened]:
        """See the port."""
        async with self._reached() as store:
            with _translated():
                about = await asyncio.wait_for(
                    obstore.head_async(store, self._key), self._stall_seconds
                )
                size, etag = about["size"], about["e_tag"]
                begin = offset if offset and etag and etag == identity and offset <= size else 0
                yield Opened(begin, size, etag, self._pieces(store, begin, size, etag))

    async def _pieces(
        self, store: S3Store, begin: int, size: int, etag: str | None
    ) -> AsyncIterator[bytes]:
        if begin >= size:
            return
        answer = await obstore.get_async(
            store, self._key, options={"range": (begin, size), "if_match": etag}
        )
        stream = aiter(answer.stream(min_chunk_size=PIECE_BYTES))
        while piece := await asyncio.wait_for(anext(stream, b""), self._stall_seconds):
            yield bytes(piece)

    async def write(self, path: Path, sent: Callable[[int], None]) -> None:
        """See the port; an object is there whole or not at all."""
        async with self._reached() as store:
            with _translated():
                await obstore.put_async(
                    store, self._key, pieces_of(path, sent), chunk_size=_PART_BYTES
                )

    @asynccontextmanager
    async def _reached(self) -> AsyncIterator[S3Store]:
        # Asked once here as well, because obstore does not tell what a proxy refuses.
        await public_addresses(self._host, self._port, internal=self._internal)
        if self._goes_straight:
            yield self._connect(None)
            return
        async with guarded_proxy(internal=self._internal) as proxy:
            yield self._connect(proxy)


def _store(
    place: Place, region: str, endpoint: str, stall_seconds: float, proxy: str | None
) -> S3Store:
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
            **({"proxy_url": proxy} if proxy else {}),
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
