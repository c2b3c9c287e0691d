"""Where an address list comes from: a file of this machine, or a URL.

A URL is the operator's, but what answers there is not: its redirects must not lead into the
network that the worker stands in (see `public_http`), nor its answer fill the disk or take for
ever.
"""

import asyncio
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from countermark.errors import AddressListError
from countermark.links.netset.read import MAX_BYTES
from countermark.work.public_http import RedirectError, getting, is_internal, new_session

# All of it; connecting; waiting for the next bytes.
TIMES = aiohttp.ClientTimeout(total=300, sock_connect=10, sock_read=30)
PIECE_BYTES = 1 << 18

_OK = 200


def is_url(source: str) -> bool:
    """Tell a URL from a path."""
    return urlsplit(source).scheme in {"http", "https"}


def shown(source: str) -> str:
    """The source as logs and people may see it: without what may be a secret in a URL."""
    if not is_url(source):
        return source
    parts = urlsplit(source)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


@contextmanager
def fetched(source: str, *, internal: bool, spool: Path) -> Iterator[Path]:
    """A copy of the list, for the time of the block.

    Args:
        source: an http or https URL, or a file's path.
        internal: let a URL lead to private and loopback addresses, too.
        spool: a folder for the copy; made if it is missing.

    Raises:
        AddressListError: it cannot be had whole, within its limits.
    """
    spool.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=spool) as folder:
        path = Path(folder) / "list"
        if is_url(source):
            asyncio.run(_download(source, path, internal=internal))
        else:
            _copy(Path(source), path)
        yield path


def _copy(source: Path, target: Path) -> None:
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):
            raise AddressListError("it is no file")
        if status.st_size > MAX_BYTES:
            raise AddressListError(f"it is larger than {MAX_BYTES >> 20} MiB")
        # A copy, so that whoever writes the file meanwhile cannot pull it from under its reader.
        with source.open("rb") as file:
            target.write_bytes(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise AddressListError(f"it cannot be read: {error.strerror}") from error


async def _download(source: str, target: Path, *, internal: bool) -> None:
    try:
        async with (
            new_session(TIMES, internal=internal) as session,
            getting(session, URL(source), internal=internal) as answer,
        ):
            await _save(answer, target)
    except TimeoutError as error:
        raise AddressListError("its server takes too long") from error
    except aiohttp.ClientPayloadError as error:
        raise AddressListError("it was cut off") from error
    except RedirectError as error:
        raise AddressListError(str(error)) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if is_internal(error):
            raise AddressListError(
                "it lies at an address that is not public; if that is right, add it --internal"
            ) from error
        raise AddressListError("its server cannot be reached") from error


async def _save(answer: aiohttp.ClientResponse, target: Path) -> None:
    if answer.status != _OK:
        raise AddressListError(f"its server answers {answer.status}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise AddressListError("its server sends it compressed")
    size = 0
    with target.open("wb") as file:
        async for piece in answer.content.iter_chunked(PIECE_BYTES):
            size += len(piece)
            if size > MAX_BYTES:
                raise AddressListError(f"it is larger than {MAX_BYTES >> 20} MiB")
            file.write(piece)
