"""What was delivered of a user's files, and who was refused: GET /stats/."""

from typing import Annotated, Any

from msgspec import Meta

from countermark.api import scopes
from countermark.api.operation import Call, Operation
from countermark.api.parameters import Presentation, ResourceId
from countermark.api.resources import (
    Bandwidth,
    BandwidthAnswer,
    Refusal,
    RefusalsAnswer,
    TagBandwidth,
    TagsAnswer,
)
from countermark.autograph.derivation import TagError, tag_bytes
from countermark.catalog.readers import bandwidth, refusals
from countermark.catalog.readers.bandwidth import Period
from countermark.errors import InvalidRequestError
from countermark.links.traffic import day_of

TOP_TAGS = 10
LATEST_REFUSALS = 1000
_TAGS = "/v1/stats/bandwidth/tags/"
_LAST_MS = 253_402_300_799_999  # of the year 9999


class StatsQuery(Presentation, frozen=True, kw_only=True):
    """Which traffic counts."""

    from_date: Annotated[
        int,
        Meta(ge=0, le=_LAST_MS, description="The first day: any of its ms since the epoch (UTC)."),
    ] = 0
    to_date: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=_LAST_MS,
                description="The last day, which counts, too: any of its ms. Default: today.",
            ),
        ]
        | None
    ) = None
    application_id: (
        Annotated[ResourceId, Meta(description="Only links of this application.")] | None
    ) = None


class RefusalsQuery(StatsQuery, frozen=True, kw_only=True):
    """Which refusals are listed."""

    file_id: Annotated[ResourceId, Meta(description="Only links to this file.")] | None = None


async def show_bandwidth(call: Call[StatsQuery]) -> BandwidthAnswer:
    """Show how many bytes of the user's files were delivered, and how many complete downloads.

    Days are those of UTC, and count whole. What was sent in the last seconds may be missing.
    """
    return await _bandwidth(call, None)


async def show_tag_bandwidth(call: Call[StatsQuery]) -> BandwidthAnswer:
    """Show what was delivered under one tag; a tag that nothing was delivered under has zeros."""
    tag = call.path_after(_TAGS)
    try:
        tag_bytes(tag)
    except TagError as error:
        raise InvalidRequestError(f"tag: {error}") from error
    if "\0" in tag:
        raise InvalidRequestError("tag: no tag has a NUL in it")
    return await _bandwidth(call, tag)


async def list_tag_bandwidth(call: Call[StatsQuery]) -> TagsAnswer:
    """List the ten tags under which most bytes were delivered, most first."""
    period = _period(call)
    found = await call.services.catalog.read(
        lambda connection: bandwidth.top_tags(connection, period, TOP_TAGS)
    )
    return TagsAnswer([TagBandwidth(one.tag, one.bytes, one.downloads) for one in found])


async def list_refusals(call: Call[RefusalsQuery]) -> RefusalsAnswer:
    """List who tried links that are not for them, up to a thousand, the latest first.

    That is: a second client of a guarded link, a client of another address than the link's, an
    anonymizer, and a blacklisted address. What is older than 90 days is forgotten.
    """
    period, file_id = _period(call), call.query.file_id
    found = await call.services.catalog.read(
        lambda connection: refusals.latest(connection, period, LATEST_REFUSALS, file_id)
    )
    return RefusalsAnswer([_refusal(one) for one in found])


def _refusal(one: refusals.Refusal) -> Refusal:
    return Refusal(
        link=one.serial,
        file_id=one.file_id,
        application_id=one.application_id,
        tag=one.tag or None,
        address=one.address,
        error_code=one.error_code,
        times=one.times,
        last_at=one.last_at,
    )


async def _bandwidth(call: Call[StatsQuery], tag: str | None) -> BandwidthAnswer:
    period = _period(call)
    found = await call.services.catalog.read(
        lambda connection: bandwidth.total(connection, period, tag)
    )
    return BandwidthAnswer(
        Bandwidth(
            tag=tag,
            application_id=period.application_id,
            from_date=call.query.from_date,
            to_date=_last_ms(call),
            bytes_delivered=found.bytes,
            downloads=found.downloads,
        )
    )


def _period(call: "Call[StatsQuery] | Call[RefusalsQuery]") -> Period:
    first, last = day_of(call.query.from_date), day_of(_last_ms(call))
    if first > last:
        raise InvalidRequestError("from_date: lies after to_date; both are in milliseconds")
    return Period(call.caller.user_id, first, last, call.query.application_id)


def _last_ms(call: "Call[StatsQuery] | Call[RefusalsQuery]") -> int:
    return call.now if call.query.to_date is None else call.query.to_date


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/stats/bandwidth/",
        handler=show_bandwidth,
        query=StatsQuery,
        answer=BandwidthAnswer,
        scopes=scopes.READ,
    ),
    Operation(
        method="GET",
        path=_TAGS,
        handler=list_tag_bandwidth,
        query=StatsQuery,
        answer=TagsAnswer,
        scopes=scopes.READ,
    ),
    Operation(
        method="GET",
        path=_TAGS + "{tag:path}",
        handler=show_tag_bandwidth,
        query=StatsQuery,
        answer=BandwidthAnswer,
        scopes=scopes.READ,
    ),
    Operation(
        method="GET",
        path="/v1/stats/refusals/",
        handler=list_refusals,
        query=RefusalsQuery,
        answer=RefusalsAnswer,
        scopes=scopes.READ,
    ),
)
