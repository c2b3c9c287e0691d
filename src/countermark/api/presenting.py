"""What all listings and single resources have in common: expanding, and the frame of a page."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection

from countermark.api.operation import Call
from countermark.api.paging import page_links
from countermark.api.references import Record, look_up, wish
from countermark.api.representation import Presenter
from countermark.api.resources import shape
from countermark.catalog.ordering import Page
from countermark.catalog.records import Thumbnail

A = TypeVar("A", bound=Struct)


def presenter(
    connection: Connection,
    call: Call[Any],
    records: Iterable[Record],
    thumbnails: Mapping[str, Thumbnail] | None = None,
) -> Presenter:
    """What presents these records as the caller asked for them."""
    query = call.query
    wanted = wish(query.expand, everything=query.expand_all)
    found = look_up(connection, call.user_id, records, wanted, call.now) if wanted.depth else None
    return Presenter(
        call.services.urls,
        show_null=query.show_null,
        wanted=wanted,
        found=found,
        thumbnails=thumbnails,
    )


def page_answer(kind: type[A], call: Call[Any], name: str, resources: list[Any], total: int) -> A:
    """The answer with a page of the resources that are listed under this name."""
    query = call.query
    base = f"{call.services.urls.base}/{name}/"
    links = page_links(base, call.raw_query, query.start, query.limit, total)
    return shape(kind, show_null=query.show_null)(
        **{name: resources},
        total=total,
        start=query.start,
        limit=query.limit,
        **links._asdict(),
    )


def page_of(call: Call[Any], keys: frozenset[str]) -> Page:
    """Which page the caller asked for.

    Raises:
        PublicError: the operation's error, if the list has no such sort key.
    """
    query = call.query
    if query.sort not in keys:
        raise call.operation.invalid(f"sort: {query.sort!r} is not a key of this resource")
    direction = 1 if query.direction == "1" else -1
    return Page(query.sort, direction, query.start, query.limit)
