"""What tracing a leak found: the facts that a report's JSON and its page are made of.

Times are seconds from the beginning of the leak or of the master. Pictures are JPEG, and base64
in JSON. New fields get a default; a field never changes its meaning.
"""

from typing import Literal

from msgspec import Struct

Status = Literal["named", "insufficient evidence"]


class AccusedTag(Struct, frozen=True):
    """A tag whose copy went into the leak.

    Attributes:
        tag: as it was issued.
        probability: at most how likely it is that anybody innocent among all issued tags would be
            accused on evidence like this.
        share: estimated share of the evidence that carries this tag's symbols, 0 to 1.
    """

    tag: str
    probability: float
    share: float


class More(Struct, frozen=True):
    """How much more of the same leak would do.

    Attributes:
        seconds: beside what was read.
        leakers: how many evenly sharing leakers that supposes.
    """

    seconds: float
    leakers: int


class Leak(Struct, frozen=True):
    """The file that was traced, as far as it could be read.

    Attributes:
        duration: seconds, None if it does not say.
        width: of the picture as shown, pixels.
        height: of the picture as shown, pixels.
        frame_rate: mean, frames a second; None if it is a picture or unknown.
        video_codec: FFmpeg's name of it.
    """

    duration: float | None = None
    width: int = 0
    height: int = 0
    frame_rate: float | None = None
    video_codec: str = ""


class Stretch(Struct, frozen=True):
    """A piece of the leak and the piece of the master that it shows, both in seconds."""

    leak_start: float
    leak_stop: float
    master_start: float
    master_stop: float


class Placement(Struct, frozen=True):
    """How the leak's picture lies on the master's.

    Attributes:
        homography: takes homogeneous pixel positions of the leak to those of the master; nine
            numbers, row by row.
        mirrored: left and right are swapped.
        rotation: degrees by which the leak is turned clockwise.
        visible: share of the master's picture that the leak shows, 0 to 1.
    """

    homography: tuple[float, ...]
    mirrored: bool
    rotation: float
    visible: float


class SegmentEvidence(Struct, frozen=True):
    """What was seen of one segment.

    Attributes:
        segment: its number in the master, from 0.
        leak_time: where in the leak it begins.
        master_time: where in the master it begins.
        likelihoods: of each variant, the largest 1; all equal if nothing could be told.
        carries: the master's estimate of how much mark it carries, 1 to 255; 0 if it is too dark,
            flat or still for any.
    """

    segment: int
    leak_time: float
    master_time: float
    likelihoods: tuple[float, ...]
    carries: int = 255


class Scores(Struct, frozen=True):
    """How all issued tags scored.

    Attributes:
        first_bin: score of the first count, bits; the others follow a bit each, and the first and
            last hold all that is beyond them.
        counts: how many tags scored so.
        threshold: score that accuses, bits.
    """

    first_bin: int
    counts: tuple[int, ...]
    threshold: float


class AlignedPair(Struct, frozen=True):
    """The same moment in the leak and in the master.

    Attributes:
        leak_time: seconds.
        master_time: seconds.
        leak: the leak's frame as it is.
        aligned: the leak's frame laid on the master's; black where it shows nothing.
        master: the master's frame.
    """

    leak_time: float
    master_time: float
    leak: bytes
    aligned: bytes
    master: bytes


class Report(Struct, frozen=True, kw_only=True):
    """The result of a trace.

    Attributes:
        status: "named" if anybody is accused.
        reason: without an accusation, why; a sentence for whoever asked.
        master: id of the master that the leak shows; None if it shows none of those given.
        accused: surest first.
        together: the evidence points to several recipients acting together.
        unexplained: share of the evidence that none of the accused explains, 0 to 1.
        more: without an accusation, what would do; None if no amount can be told.
        bound: the greatest allowed probability that anybody innocent is accused.
        tags: how many issued tags were scored.
        seconds_read: how much of the leak was looked at closely.
        leak: what the leak is.
        stretches: which parts of the leak show the master, in the leak's order.
        placement: None if the leak could not be laid on the master.
        segments: the evidence, in the master's order.
        scores: None if no tag was scored.
        pictures: some aligned frames.
        work_seconds: how long the trace took.
        version: of this structure.
    """

    status: Status
    reason: str | None = None
    master: str | None = None
    accused: tuple[AccusedTag, ...] = ()
    together: bool = False
    unexplained: float = 0.0
    more: More | None = None
    bound: float
    tags: int = 0
    seconds_read: float = 0.0
    leak: Leak = Leak()
    stretches: tuple[Stretch, ...] = ()
    placement: Placement | None = None
    segments: tuple[SegmentEvidence, ...] = ()
    scores: Scores | None = None
    pictures: tuple[AlignedPair, ...] = ()
    work_seconds: float = 0.0
    version: Literal[1] = 1


class Finding(Struct, frozen=True, kw_only=True):
    """A report in short: what there is to say without evidence and pictures.

    Attributes:
        verdict: "named" if anybody is accused.
        reason: without an accusation, why.
        accused: surest first.
        together: the evidence points to several recipients acting together.
        more_seconds_needed: of the same leak, without an accusation; None if no amount can be told.
        bound: the greatest allowed probability that anybody innocent is accused.
        tags_scored: how many issued tags were scored.
        segments_read: how many segments were looked at.
        seconds_read: of the leak.
    """

    verdict: Status
    reason: str | None
    accused: tuple[AccusedTag, ...]
    together: bool
    more_seconds_needed: float | None
    bound: float
    tags_scored: int
    segments_read: int
    seconds_read: float


def in_short(report: Report) -> Finding:
    """What a report finds."""
    return Finding(
        verdict=report.status,
        reason=report.reason,
        accused=report.accused,
        together=report.together,
        more_seconds_needed=report.more.seconds if report.more else None,
        bound=report.bound,
        tags_scored=report.tags,
        segments_read=len(report.segments),
        seconds_read=report.seconds_read,
    )


class GivenCopy(Struct, frozen=True):
    """A link to an accused tag's copy, as it was given out.

    Attributes:
        tag: what the copy carries.
        given_at: milliseconds since the epoch.
        serial: of the link.
        application: id of the application that asked for it.
        asked_from: the address that it asked from.
        bound_to: the only address that could use the link; None for any.
    """

    tag: str
    given_at: int
    serial: str
    application: str
    asked_from: str
    bound_to: str | None


class TraceDocument(Struct, frozen=True, kw_only=True):
    """A report with the names that people know things by: what is handed on.

    Attributes:
        leak_name: of the file that was traced.
        master_name: of the master that it shows, None if none.
        traced_at: milliseconds since the epoch.
        report: what was found.
        symbols: for each accused tag of the report, the variant that its copy has in each of the
            report's segments.
        copies: the links that were given out with the accused tags, the first ones of many.
    """

    leak_name: str
    master_name: str | None
    traced_at: int
    report: Report
    symbols: tuple[tuple[int, ...], ...] = ()
    copies: tuple[GivenCopy, ...] = ()
