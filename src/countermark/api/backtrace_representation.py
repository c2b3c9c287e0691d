"""From records of backtraces to the resources that clients see."""

import secrets
from collections.abc import Callable
from operator import attrgetter
from posixpath import basename, splitext

import msgspec

from countermark.api.backtrace_resources import (
    Backtrace,
    BacktraceInput,
    ExtractedData,
    NamedRecipient,
    ReportLinks,
)
from countermark.api.representation import Presenter
from countermark.api.resources import shape
from countermark.autograph.report import Finding
from countermark.catalog.backtrace_records import BacktraceRecord
from countermark.links.keys import KeyRing
from countermark.links.link import Link, download_url, mint
from countermark.storage.layout import report_key

# As long as a deleted backtrace's links are remembered.
REPORT_SECONDS = 3600
_MIME_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}
_SAME = (
    *("status", "error_code", "error_msg", "started_at", "finished_at"),
    *("created_at", "updated_at", "id"),
)
_of_record = attrgetter(*_SAME)

Reports = Callable[[BacktraceRecord], ReportLinks | None]


def no_reports(_record: BacktraceRecord) -> None:
    """Of listings, which lead to no reports."""


def backtrace_of(present: Presenter, record: BacktraceRecord, reports: Reports) -> Backtrace:
    """A backtrace.

    Args:
        present: makes its references.
        record: what the catalog knows of it.
        reports: gives links to its report.
    """
    reference = present.reference
    return shape(Backtrace, show_null=present.show_null)(
        **dict(zip(_SAME, _of_record(record), strict=True)),
        percentage_completed=record.percentage,
        pipeline=reference("pipeline", "pipeline", record.pipeline_id, ()),
        application=reference("application", "application", record.application_id, ()),
        user=reference("user", "user", record.user_id, ()),
        job=reference("job", "job", record.job_id, ()),
        input=shape(BacktraceInput, show_null=present.show_null)(
            input_name=record.input_name, file=reference("file", "file", record.file_id, ())
        ),
        master=reference("file", "file", record.master_id, ()),
        extracted_data=_extracted(present, record),
        report=reports(record),
        href=present.urls.href("backtraces", record.id),
    )


def _extracted(present: Presenter, record: BacktraceRecord) -> ExtractedData | None:
    if record.finding is None:
        return None
    finding = msgspec.convert(record.finding, Finding)
    return shape(ExtractedData, show_null=present.show_null)(
        autograph_tag=record.tag,
        verdict=finding.verdict,
        reason=finding.reason,
        recipients=[
            NamedRecipient(autograph_tag=one.tag, probability=one.probability, share=one.share)
            for one in finding.accused
        ],
        acting_together=finding.together,
        more_seconds_needed=finding.more_seconds_needed,
        probability_bound=finding.bound,
        tags_scored=finding.tags_scored,
        segments_read=finding.segments_read,
        seconds_read=finding.seconds_read,
    )


def report_links(ring: KeyRing, edge_url: str, application: str, now_s: int) -> Reports:
    """Gives signed links to reports, for whoever may see them now."""

    def links(record: BacktraceRecord) -> ReportLinks | None:
        if record.json_size is None or record.html_size is None:
            return None

        def link(form: str, size: int) -> str:
            signed = _link(record, form, size, application, now_s)
            return download_url(edge_url, mint(signed, ring))

        return ReportLinks(html=link("html", record.html_size), json=link("json", record.json_size))

    return links


def _link(record: BacktraceRecord, form: str, size: int, application: str, now_s: int) -> Link:
    return Link(
        blob_key=report_key(record.id, form),
        name=f"trace of {splitext(basename(record.input_name))[0]}.{form}",
        size=size,
        mime_type=_MIME_TYPES[form],
        etag=f"{record.id}-{form}",
        modified_at=record.finished_at or record.updated_at,
        expires_at=now_s + REPORT_SECONDS,
        inline=True,
        address=None,
        account=record.user_id,
        application=application,
        file=record.id,
        serial=secrets.token_urlsafe(9),
    )
