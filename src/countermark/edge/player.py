"""The page that a person's browser gets for a streaming link, and what the page shows.

Everything comes from the link's own address: the stream, the poster and the subtitles are the same
link with another query, so the one signature covers them all and nothing needs the catalog. The
page's style and script are named by their digests, so nothing else can run in it.
"""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib import resources
from string import Template

import msgspec
from aiohttp import web

from countermark.edge.failures import HTML, preferred
from countermark.edge.headers import CORS
from countermark.edge.parts import PARTS
from countermark.edge.transfers import Transfer
from countermark.errors import BlobNotFoundError, LinkTargetGoneError
from countermark.links.client import Client
from countermark.links.link import Link
from countermark.storage.layout import POSTER_NAME, sidecar_key, subtitles_name
from countermark.storage.port import BlobStore

_PLAYABLE = ("video/", "audio/")
# What a browser says that it will show as a page (Fetch Metadata).
_PAGES = frozenset({"document", "iframe"})
_SUBTITLES = re.compile(r"subtitles=([0-9]{1,2})\Z")


def _part(name: str) -> str:
    return resources.files("countermark.edge").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


_STYLE, _SCRIPT = _part("player.css"), _part("player.js")
_PAGE = Template(_part("player.html"))
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; media-src 'self'; img-src 'self'; style-src {_digest(_STYLE)};"
        f" script-src {_digest(_SCRIPT)}; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept, Sec-Fetch-Dest",
    "X-Content-Type-Options": "nosniff",
}
_SIDECAR_HEADERS = {
    **CORS,
    "Cache-Control": "private",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def beside_the_stream(
    request: web.Request, link: Link, client: Client
) -> web.Response | None:
    """Answer with the page or with what it shows; None if the stream itself is wanted.

    None of it uses the link up: it binds a guarded link to its first client, and no more.

    Raises:
        LinkTargetGoneError: there is no such poster or track.
        PublicError: as `Gate.admitted`.
    """
    if request.method != "GET" or not link.inline:
        return None
    query = request.rel_url.raw_query_string
    name = _sidecar(link, query)
    if name is None and (query or not is_navigation(request, link)):
        return None
    if request.transport is None:
        raise ConnectionResetError
    free = msgspec.structs.replace(link, parallel=None, once=False)
    async with request.app[PARTS].gate.admitted(Transfer(free, client, request.transport)):
        if name is None:
            return web.Response(text=page(link), content_type=HTML, headers=_HEADERS)
        return await _sent(request.app[PARTS].store, link, name)


def is_navigation(request: web.Request, link: Link) -> bool:
    """Tell whether a person's browser wants a page for something that plays."""
    if not link.mime_type.startswith(_PLAYABLE) or "Range" in request.headers:
        return False
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None and destination not in _PAGES:
        return False
    return preferred(request.headers.get("Accept", "")) == HTML


def page(link: Link) -> str:
    """The player of a link, as HTML."""
    tracks = "".join(
        f'<track kind="subtitles" src="?subtitles={number}"'
        f' srclang="{escape(language)}" label="{escape(language) or number + 1}">'
        for number, language in enumerate(link.subtitles)
    )
    return _PAGE.substitute(
        title=escape(link.name),
        style=_STYLE,
        script=_SCRIPT,
        poster=' poster="?poster"' if link.poster else "",
        tracks=tracks,
    )


def _sidecar(link: Link, query: str) -> str | None:
    """The name of the blob that the query asks for, or None if it asks for none."""
    if query == "poster":
        if not link.poster:
            raise LinkTargetGoneError
        return POSTER_NAME
    asked = _SUBTITLES.match(query)
    if asked is None:
        return None
    if int(asked[1]) >= len(link.subtitles):
        raise LinkTargetGoneError
    return subtitles_name(int(asked[1]))


async def _sent(store: BlobStore, link: Link, name: str) -> web.Response:
    try:
        body = b"".join([piece async for piece in store.read(sidecar_key(link.blob_key, name))])
    except BlobNotFoundError as error:
        raise LinkTargetGoneError from error
    is_poster = name == POSTER_NAME
    return web.Response(
        body=body,
        content_type="image/jpeg" if is_poster else "text/vtt",
        charset=None if is_poster else "utf-8",
        headers=_SIDECAR_HEADERS,
    )
