"""Reports for tests, made up but for their pictures."""

import io
from random import Random

import av
import numpy as np

from countermark.autograph.report import (
    AccusedTag,
    AlignedPair,
    GivenCopy,
    Leak,
    More,
    Placement,
    Report,
    Scores,
    SegmentEvidence,
    Stretch,
    TraceDocument,
)

TRACED_AT = 1_790_000_000_000


def named(*tags: str, seed: int = 1, segments: int = 80) -> TraceDocument:
    """A trace that names these tags."""
    random = Random(seed)  # noqa: S311 - a test repeats
    symbols = tuple(tuple(random.randrange(2) for _ in range(segments)) for _ in tags)
    evidence = tuple(
        SegmentEvidence(
            segment=number,
            leak_time=number * 0.75 + 3,
            master_time=number * 0.75 + 600 + (30 if number > segments // 2 else 0),
            likelihoods=_likelihoods(random, symbols[random.randrange(len(tags))][number]),
            carries=random.randrange(256),
        )
        for number in range(segments)
    )
    counts = [0] * 129
    for bits, count in zip(range(30, 66), range(1, 37), strict=True):
        counts[bits] = count**3 // 20
    counts[120] = len(tags)
    report = Report(
        status="named",
        master="65f0c0ffee0123456789abcd",
        accused=tuple(
            AccusedTag(tag, 3.2e-12 * 10**at, 0.9 / len(tags)) for at, tag in enumerate(tags)
        ),
        together=len(tags) > 1,
        unexplained=0.04,
        bound=1e-6,
        tags=sum(counts),
        seconds_read=61.0,
        leak=Leak(180.0, 640, 360, 29.97, "h264"),
        stretches=(Stretch(3.0, 33.0, 600.0, 630.0), Stretch(33.0, 63.0, 660.0, 690.0)),
        placement=Placement((1, 0, 0, 0, 1, 0, 0, 0, 1), mirrored=True, rotation=2.0, visible=0.8),
        segments=evidence,
        scores=Scores(-64, tuple(counts), 33.4),
        pictures=tuple(
            AlignedPair(at, at + 600.0, picture(at), picture(at), picture(at)) for at in (5.0, 20.0)
        ),
        work_seconds=14.2,
    )
    copies = tuple(
        GivenCopy(tag, TRACED_AT - 86_400_000 * at, "0123456789ab", "b" * 24, "192.0.2.1", None)
        for at, tag in enumerate(tags, 1)
    )
    return TraceDocument(
        leak_name="leak.mkv",
        master_name="film.mp4",
        traced_at=TRACED_AT,
        report=report,
        symbols=symbols,
        copies=copies,
    )


def insufficient() -> TraceDocument:
    """A trace that names nobody."""
    report = Report(
        status="insufficient evidence",
        reason="About 35 more seconds of this leak would do.",
        master="65f0c0ffee0123456789abcd",
        more=More(34.6, 1),
        bound=1e-6,
        tags=10_000,
        seconds_read=20.0,
        leak=Leak(20.0, 640, 360, 25.0, "vp9"),
        segments=(SegmentEvidence(4, 1.0, 3.0, (1.0, 0.2)),),
        scores=Scores(-64, (0,) * 60 + (9_999, 1) + (0,) * 67, 33.4),
    )
    return TraceDocument(
        leak_name="short.webm", master_name="film.mp4", traced_at=TRACED_AT, report=report
    )


def picture(seconds: float) -> bytes:
    """A JPEG."""
    rows, columns = np.mgrid[0:180, 0:320]
    luma = (rows + columns * 2 + seconds * 9) % 256
    frame = av.VideoFrame.from_ndarray(luma.astype(np.uint8), format="gray").reformat(
        format="yuvj420p"
    )
    target = io.BytesIO()
    with av.open(target, "w", format="image2pipe") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuvj420p"
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return target.getvalue()


def _likelihoods(random: Random, symbol: int) -> tuple[float, float]:
    lead = min(1.0, 10 ** -random.uniform(-0.2, 4))
    other = symbol if random.random() > 0.04 else 1 - symbol
    return (1.0, lead) if other == 0 else (lead, 1.0)
