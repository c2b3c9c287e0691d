"""Conditional requests of RFC 9110 section 13, in the order of its section 13.2.2. Pure."""

import enum
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|\Z)')
_EMPTY_MEMBER = re.compile(r"\s*,")


class Verdict(enum.Enum):
    """What the conditions make of a GET or HEAD."""

    SEND = 200
    NOT_MODIFIED = 304
    FAILED = 412


def http_date(seconds: int) -> str:
    """Write seconds since the epoch as Last-Modified does."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def evaluate(headers: Mapping[str, str], etag: str, modified_s: int) -> Verdict:
    """Weigh the conditions against a blob.

    Args:
        headers: of the request, by case-insensitive name.
        etag: strong entity tag without the quotes.
        modified_s: last modification, seconds since the epoch.
    """
    if not _precondition_holds(headers, etag, modified_s):
        return Verdict.FAILED
    if "If-None-Match" in headers:
        if _matches(headers["If-None-Match"], etag, weak=True):
            return Verdict.NOT_MODIFIED
    elif (since := _seconds(headers.get("If-Modified-Since"))) is not None and modified_s <= since:
        return Verdict.NOT_MODIFIED
    return Verdict.SEND


def _precondition_holds(headers: Mapping[str, str], etag: str, modified_s: int) -> bool:
    if "If-Match" in headers:
        return _matches(headers["If-Match"], etag, weak=False)
    unmodified = _seconds(headers.get("If-Unmodified-Since"))
    return unmodified is None or modified_s <= unmodified


def range_applies(if_range: str | None, etag: str, modified_s: int) -> bool:
    """Tell whether Range counts: without If-Range always, else only for the very same blob.

    A date has to match exactly (section 13.1.5). It is a strong validator here, since a blob
    never changes.
    """
    if if_range is None:
        return True
    if '"' in if_range:
        return if_range.strip() == f'"{etag}"'
    return _seconds(if_range) == modified_s


def _matches(header: str, etag: str, *, weak: bool) -> bool:
    if header.strip() == "*":
        return True
    at = 0
    while at < len(header):
        member = _TAG.match(header, at) or _EMPTY_MEMBER.match(header, at)
        if member is None:
            return False
        if member.re is _TAG and member[2] == etag and (weak or not member[1]):
            return True
        at = member.end()
    return False


def _seconds(date: str | None) -> int | None:
    """A date that cannot be read is as good as none (section 13.1.3)."""
    if date is None:
        return None
    try:
        parsed = parsedate_to_datetime(date)
        return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
