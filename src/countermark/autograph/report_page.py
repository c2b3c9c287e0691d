"""A trace's report as one HTML page that needs nothing else: pictures and charts are in it.

It runs no script and loads nothing. Tags and names are whatever people made them, so everything
that comes from outside is escaped, and set apart from the direction of the text around it.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from math import ceil, floor, log10
from string import Template

from countermark.autograph.report import (
    AccusedTag,
    AlignedPair,
    GivenCopy,
    Report,
    TraceDocument,
)
from countermark.autograph.report_charts import clock, evidence_chart, scores_chart

_EXPLAINED = (
    "A trace says that the copy given out under a tag went into the leak. It does not say who "
    "passed it on: a copy may have been stolen. The stated chance is a bound that holds over all "
    "issued tags together, whatever was done to the leak."
)
_MOSTLY = 0.995


def _part(name: str) -> str:
    return resources.files("countermark.autograph").joinpath(name).read_text(encoding="utf-8")


def render(document: TraceDocument) -> str:
    """The page."""
    report = document.report
    return Template(_part("report.html")).substitute(
        title=escape(f"Trace of {document.leak_name}"),
        style=_part("report.css"),
        date=_moment(document.traced_at),
        kind="named" if report.accused else "open",
        verdict="\n".join(_verdict(report)),
        facts="".join(
            f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in _facts(document)
        ),
        sections="\n".join(_sections(document)),
        footer=f"{_EXPLAINED} Master {escape(report.master or 'none')}, report version "
        f"{report.version}, traced in {report.work_seconds:,.1f} s.",
    )


def _verdict(report: Report) -> Iterator[str]:
    if not report.accused:
        yield '<p class="kind">Nobody is named</p><h1>Insufficient evidence</h1>'
        if report.more:
            yield f"<p>{_more(report.more.seconds, report.more.leakers)}</p>"
        elif report.reason:
            yield f"<p>{escape(report.reason)}</p>"
        return
    names = ", ".join(_name(one.tag) for one in report.accused)
    kind = "Recipients named" if len(report.accused) > 1 else "Recipient named"
    yield f'<p class="kind">{kind}</p><h1>{names}</h1>'
    worst = max(one.probability for one in report.accused)
    yield f"<p>The chance that anybody innocent would be accused on this is {odds(worst)}.</p>"
    if report.together:
        yield "<p>The evidence points to several recipients acting together.</p>"


def _more(seconds: float, leakers: int) -> str:
    one = "one copy whose tag was issued"
    made = one if leakers == 1 else f"{leakers} copies, mixed, whose tags were issued"
    return f"About {clock(ceil(seconds))} more of this leak would do, if it was made from {made}."


def _facts(document: TraceDocument) -> Iterator[tuple[str, str]]:
    report, leak = document.report, document.report.leak
    yield "Leak", _name(document.leak_name)
    length = "" if leak.duration is None else f"{clock(leak.duration)}, "
    rate = f", {leak.frame_rate:g} frames/s" if leak.frame_rate else ""
    yield "What it is", f"{length}{leak.width} x {leak.height} {escape(leak.video_codec)}{rate}"
    yield "Master", _name(document.master_name) if document.master_name else "none recognised"
    yield "Issued tags scored", f"{report.tags:,}"
    yield "Segments read", f"{len(report.segments):,} in {clock(report.seconds_read)} of the leak"
    yield "Allowed chance of error", odds(report.bound)
    if report.placement:
        yield "The leak's picture", _placement(report)


def _placement(report: Report) -> str:
    if report.placement is None:
        return ""
    place = report.placement
    shown = "all" if place.visible > _MOSTLY else f"{place.visible:.0%}"
    parts = [f"shows {shown} of the master's"]
    parts += ["mirrored"] if place.mirrored else []
    parts += [f"turned by {place.rotation:g}°"] if abs(place.rotation) >= 0.05 else []  # noqa: PLR2004 - degrees that would be shown as 0
    return ", ".join(parts)


def _sections(document: TraceDocument) -> Iterator[str]:
    report = document.report
    if report.accused:
        yield _accused(report.accused)
    if document.copies:
        yield _copies(document.copies)
    if report.pictures:
        yield "<h2>The same moments</h2>" + "".join(map(_pair, report.pictures))
    yield from _evidence(document)
    if report.scores:
        yield _figure(
            "How all issued tags scored",
            scores_chart(report.scores),
            "Bits by which a tag explains the leak better than chance; the number of tags on a "
            f"logarithmic scale. Accused from {report.scores.threshold:.1f} bits.",
        )
    if report.stretches:
        yield _stretches(report)


def _accused(accused: Sequence[AccusedTag]) -> str:
    rows = "".join(
        f"<tr><td>{_name(one.tag)}</td><td>{odds(one.probability)}</td>"
        f'<td class="number">{one.share:.0%}</td></tr>'
        for one in accused
    )
    head = "<tr><th>Tag</th><th>Chance of accusing an innocent</th><th>Share of the leak</th></tr>"
    return f"<h2>Who is named</h2>{_table(head, rows)}"


def _copies(copies: Sequence[GivenCopy]) -> str:
    rows = "".join(
        f'<tr><td>{_name(one.tag)}</td><td class="number">{_moment(one.given_at)}</td>'
        f"<td>{escape(one.asked_from)}</td><td>{escape(one.bound_to or 'any')}</td>"
        f"<td>{escape(one.application)}</td><td>{escape(one.serial)}</td></tr>"
        for one in copies
    )
    head = (
        "<tr><th>Tag</th><th>Given out</th><th>Asked from</th><th>For address</th>"
        "<th>Application</th><th>Link</th></tr>"
    )
    return f"<h2>When their copies were given out</h2>{_table(head, rows)}"


def _pair(pair: AlignedPair) -> str:
    shown = (
        ("Leak", pair.leak, pair.leak_time),
        ("Leak, laid on the master", pair.aligned, pair.leak_time),
        ("Master", pair.master, pair.master_time),
    )
    pictures = "".join(
        f'<div><img alt="{name}" src="data:image/jpeg;base64,{b64encode(data).decode()}">'
        f"<span>{name}, {clock(time)}</span></div>"
        for name, data, time in shown
        if data
    )
    return f'<figure><div class="pictures">{pictures}</div></figure>'


def _evidence(document: TraceDocument) -> Iterator[str]:
    report = document.report
    if not report.segments:
        return
    if not document.symbols:
        caption = "How sure each segment is of its variant, by its time in the master."
        yield _figure("Segment by segment", evidence_chart(report.segments, None), caption)
    for one, symbols in zip(report.accused, document.symbols, strict=False):
        key = (
            '<span class="key"><span><i class="agrees"></i>carries this copy\'s symbol</span>'
            '<span><i class="differs"></i>carries another</span>'
            '<span><i class="unclear"></i>cannot be told</span></span>'
            "The higher, the surer; by the segment's time in the master."
        )
        title = f"Segment by segment: {_name(one.tag)}"
        yield _figure(title, evidence_chart(report.segments, symbols), key)


def _stretches(report: Report) -> str:
    rows = "".join(
        f'<tr><td class="number">{clock(one.leak_start)} to {clock(one.leak_stop)}</td>'
        f'<td class="number">{clock(one.master_start)} to {clock(one.master_stop)}</td></tr>'
        for one in report.stretches
    )
    head = "<tr><th>In the leak</th><th>In the master</th></tr>"
    return f"<h2>Where the leak shows the master</h2>{_table(head, rows)}"


def _table(head: str, rows: str) -> str:
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _figure(title: str, chart: str, caption: str) -> str:
    return f"<h2>{title}</h2><figure>{chart}<figcaption>{caption}</figcaption></figure>"


def _name(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def odds(probability: float) -> str:
    """A small probability as people say it: "below 1 in 4 million"."""
    if probability >= 0.01:  # noqa: PLR2004 - from here on, a percentage says it better
        return f"below {ceil(probability * 100)} %"
    power = floor(-log10(probability))
    for least, word in ((12, None), (9, "billion"), (6, "million"), (3, "thousand"), (0, "")):
        if power >= least:
            if word is None:
                return f"below 1 in 10<sup>{power}</sup>"
            return f"below 1 in {floor(1 / probability / 10**least):,} {word}".rstrip()
    return f"below {probability:g}"
