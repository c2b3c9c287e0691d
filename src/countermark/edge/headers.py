"""Headers that the edge gives: how a file is to be treated, named, and by whom it may be read."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from countermark.edge.conditions import http_date
from countermark.links.link import Link

# aiohttp would tell its own version and Python's.
SERVER = "countermark"
# Players of any site may read and seek; the link itself is the permission, and no cookie is used.
CORS: Mapping[str, str] = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": (
            "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Last-Modified"
        ),
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
)
_DAY = "86400"

# These can't run anything in the edge's origin. Whatever else a browser might render (HTML, SVG,
# XML) gets an origin of its own, without scripts, forms or outside addresses.
_INERT = re.compile(r"(?:video|audio|font)/|image/(?!svg)|text/plain\b|application/(?:pdf|zip)\b")
_SANDBOX = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"

# RFC 8187 attr-char; everything else is percent-encoded.
_ATTR_CHARACTERS = "!#$&+-.^_`|~"
_UNSAFE_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\%]')
_MIME_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:; ?[\w-]+=[\w.\"-]+)*\Z", re.ASCII)


def preflight(methods: str) -> dict[str, str]:
    """The answer to a browser that asks before it sends."""
    return {
        **CORS,
        "Access-Control-Allow-Methods": methods,
        # A list, since "*" doesn't cover Range in older browsers.
        "Access-Control-Allow-Headers": (
            "Accept, Cache-Control, Content-Type, If-Match, If-Modified-Since, If-None-Match,"
            " If-Range, If-Unmodified-Since, Range, X-Requested-With"
        ),
        "Access-Control-Max-Age": _DAY,
        "Allow": methods,
    }


def describe(link: Link) -> dict[str, str]:
    """What every answer about the link's file says, whole, partial, or not modified."""
    headers = {
        **CORS,
        "ETag": f'"{link.etag}"',
        "Last-Modified": http_date(link.modified_at // 1000),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private",
        "Content-Disposition": disposition(link.name, inline=link.inline),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    if not _INERT.match(link.mime_type):
        headers["Content-Security-Policy"] = _SANDBOX
    return headers


def content_type(link: Link) -> str:
    """The link's type, or the one that means nothing if it could break a header."""
    return link.mime_type if _MIME_TYPE.match(link.mime_type) else "application/octet-stream"


def disposition(name: str, *, inline: bool) -> str:
    """Content-Disposition of RFC 6266, with an ASCII name for those who don't read RFC 8187."""
    kind = "inline" if inline else "attachment"
    fallback = _UNSAFE_IN_QUOTES.sub("_", _without_accents(name))
    value = f'{kind}; filename="{fallback}"'
    if fallback != name:
        value += f"; filename*=UTF-8''{quote(name, safe=_ATTR_CHARACTERS)}"
    return value


def _without_accents(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name)
    return "".join(part for part in parts if not unicodedata.combining(part))
