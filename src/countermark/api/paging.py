"""The four links of a page.

Each is the caller's own query with only `start` replaced, so that filters, order and looks hold
from page to page. Pages are counted from offset 0: `last` is where the last page of an unbroken
walk begins. `prev` is None on the first page and `next` on the last, so a walk ends by itself.
"""

from typing import NamedTuple
from urllib.parse import quote

from countermark.api.resources import Link

# Everything that may stand in a query (RFC 3986, 3.4), and "%", which is already encoding.
_QUERY_CHARACTERS = "%/?:@!$&'()*+,;=-._~"


class PageLinks(NamedTuple):
    """Where the other pages are."""

    first: Link
    last: Link
    next: Link | None
    prev: Link | None


def page_links(base: str, raw_query: bytes, start: int, limit: int, total: int) -> PageLinks:
    """Make the links of a page.

    Args:
        base: The list's URL.
        raw_query: The caller's query as it came.
        start: Offset of this page.
        limit: Items on a page, at least 1.
        total: Items on all pages.
    """

    def at(offset: int) -> Link:
        return Link(f"{base}?{with_start(raw_query, offset)}")

    last = max(total - 1, 0) // limit * limit
    return PageLinks(
        first=at(0),
        last=at(last),
        next=at(start + limit) if start + limit < total else None,
        # From beyond the end the way back leads to the last page.
        prev=at(max(min(start - limit, last), 0)) if start > 0 else None,
    )


def with_start(raw_query: bytes, start: int) -> str:
    """The query with `start` replaced, or put first if it is not there."""
    # Bytes that may not stand in a URL are encoded; a "%" that encodes nothing is left alone.
    parts = quote(raw_query, safe=_QUERY_CHARACTERS).split("&") if raw_query else []
    place = next((at for at, part in enumerate(parts) if part.startswith("start=")), None)
    if place is None:
        return "&".join([f"start={start}", *parts])
    parts[place] = f"start={start}"
    return "&".join(parts)
