"""Backtraces as clients see them; see `resources` for the conventions."""

from typing import Annotated

from msgspec import Meta, Struct

from countermark.api.job_resources import Percent
from countermark.api.resources import (
    ApplicationReference,
    FileReference,
    Id,
    JobReference,
    Link,
    Milliseconds,
    PipelineReference,
    Url,
    UserReference,
)
from countermark.catalog.backtrace_records import BACKTRACE_STATUSES

BacktraceState = Annotated[str, Meta(extra_json_schema={"enum": list(BACKTRACE_STATUSES)})]
Probability = Annotated[float, Meta(ge=0, le=1)]


class BacktraceInput(Struct, kw_only=True):
    """The leak."""

    input_name: str
    file: FileReference = None


class NamedRecipient(Struct, kw_only=True):
    """A recipient whose copy went into the leak.

    `probability` bounds the chance that anybody innocent would be accused on evidence like this;
    `share` is the part of the evidence that carries this copy's mark.
    """

    autograph_tag: str
    probability: Probability
    share: Probability


class ExtractedData(Struct, kw_only=True):
    """What was found; `autograph_tag` is the surest of the recipients, and absent without any."""

    autograph_tag: str | None = None
    verdict: Annotated[str, Meta(extra_json_schema={"enum": ["named", "insufficient evidence"]})]
    reason: str | None = None
    recipients: list[NamedRecipient]
    acting_together: bool
    more_seconds_needed: float | None = None
    probability_bound: Probability
    tags_scored: int
    segments_read: int
    seconds_read: float


class ReportLinks(Struct, kw_only=True):
    """Signed links to the whole report, good for an hour."""

    html: Url
    json: Url


class Backtrace(Struct, kw_only=True):
    """A leak that is traced to the recipient whose copy it was made from."""

    status: BacktraceState
    percentage_completed: Percent
    error_code: str | None = None
    error_msg: str | None = None
    pipeline: PipelineReference = None
    application: ApplicationReference = None
    user: UserReference = None
    job: JobReference = None
    input: BacktraceInput
    master: FileReference = None
    extracted_data: ExtractedData | None = None
    report: ReportLinks | None = None
    started_at: Milliseconds | None = None
    finished_at: Milliseconds | None = None
    created_at: Milliseconds
    updated_at: Milliseconds
    id: Id
    href: Url


class BacktraceAnswer(Struct):
    """One backtrace."""

    backtrace: Backtrace


class BacktracesAnswer(Struct):
    """A page of backtraces; `prev` is absent on the first page and `next` on the last."""

    backtraces: list[Backtrace]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None
