"""What an inquiry found, as a report."""

import cv2
import numpy as np

from countermark.autograph.accuse import SCORE_BITS, Verdict
from countermark.autograph.canvas import Canvas, Homography, Luma
from countermark.autograph.report import (
    AccusedTag,
    AlignedPair,
    More,
    Placement,
    Report,
    Scores,
    SegmentEvidence,
    Stretch,
)
from countermark.work.leak_reading import Inquiry, Match
from countermark.work.leak_sources import LeakFilm

_PICTURES = 4
_QUALITY = 80
_WHITE = 255


def described(film: LeakFilm, inquiry: Inquiry, seconds: float) -> Report:
    """Put an inquiry in words and numbers.

    Args:
        film: the leak.
        inquiry: done.
        seconds: how long the trace took.
    """
    verdict = inquiry.verdict
    named = verdict.accused if verdict else ()
    accused = tuple(AccusedTag(one.tag, one.probability, one.share) for one in named)
    more = _more(inquiry, verdict)
    return Report(
        status="named" if accused else "insufficient evidence",
        reason=None if accused else _reason(inquiry, verdict, more),
        master=inquiry.master.index.master,
        accused=accused,
        together=bool(verdict and verdict.together),
        unexplained=verdict.unexplained if verdict else 0.0,
        more=more,
        bound=inquiry.bound,
        tags=verdict.tags if verdict else 0,
        seconds_read=round(inquiry.seconds_read, 3),
        leak=film.facts(),
        stretches=_stretches(inquiry.matches),
        placement=_placement(inquiry),
        segments=_segments(inquiry),
        scores=_scores(verdict),
        pictures=tuple(_pair(inquiry.master.canvas, match) for match in _shown(inquiry.matches)),
        work_seconds=round(seconds, 3),
    )


def _reason(inquiry: Inquiry, verdict: Verdict | None, more: More | None) -> str:
    if inquiry.issued.count == 0:
        return "No copy of this master was ever issued."
    if verdict is None or verdict.symbols == 0:
        return "The leak shows the master, but no piece of it could be read."
    if more is not None:
        return _outlook(more)
    return (
        "The leak shows the master, but what was read points to none of the issued tags: it "
        "carries no mark of this master, one too faint to read, or a tag that was not issued."
    )


def _outlook(more: More) -> str:
    if more.leakers == 1:
        return (
            f"About {more.seconds:.0f} more seconds of this leak would do, if its tag was issued."
        )
    return (
        f"No issued tag alone explains what was read. If {more.leakers} recipients mixed their "
        f"copies, about {more.seconds:.0f} more seconds would do; if the tag was not issued, "
        "no amount will."
    )


def _more(inquiry: Inquiry, verdict: Verdict | None) -> More | None:
    if verdict is None or verdict.outlook is None or not verdict.symbols:
        return None
    each = inquiry.seconds_read / verdict.symbols
    return More(round(verdict.outlook.symbols * each, 1), verdict.outlook.leakers)


def _stretches(matches: list[Match]) -> tuple[Stretch, ...]:
    rows = []
    for match in sorted(matches, key=lambda one: one.start):
        shown = match.line.at(np.array([match.start, match.stop]))
        rows.append(Stretch(match.start, match.stop, float(shown[0]), float(shown[1])))
    return tuple(rows)


def _placement(inquiry: Inquiry) -> Placement | None:
    if not inquiry.matches:
        return None
    best = max(inquiry.matches, key=lambda one: one.agreement)
    canvas, film = inquiry.master.canvas, inquiry.film
    whole = _between(film, best.leak, canvas, best.homography)
    shape = best.leak.shape
    middle = np.array([shape[1] / 2, shape[0] / 2, 1.0])
    aside = best.homography @ np.array([shape[1] / 2 + 1, shape[0] / 2, 1.0])
    at, aside = (best.homography @ middle)[:2] / (best.homography @ middle)[2], aside[:2] / aside[2]
    mirrored = bool(np.linalg.det(best.homography) < 0)
    across, down = (aside - at) * (-1 if mirrored else 1)
    whole_sketch = np.full(shape, 255, np.uint8)
    visible = canvas.lay(whole_sketch, best.homography) > 0
    return Placement(
        homography=tuple(float(number) for number in whole.ravel()),
        mirrored=mirrored,
        rotation=round(float(-np.degrees(np.arctan2(down, across))), 2),
        visible=round(float(visible.mean()), 4),
    )


def _between(film: LeakFilm, sketched: Luma, canvas: Canvas, homography: Homography) -> Homography:
    """The homography from the leak's pixels to the master's."""
    facts = film.facts()
    shrink = np.diag([sketched.shape[1] / facts.width, sketched.shape[0] / facts.height, 1.0])
    widen = np.diag([canvas.scale, canvas.scale, 1.0])
    whole = widen @ homography @ shrink
    return np.asarray(whole / whole[2, 2], np.float64)


def _segments(inquiry: Inquiry) -> tuple[SegmentEvidence, ...]:
    reading = inquiry.reading()
    evidence = reading.evidence() if len(reading.segments) else None
    if evidence is None:
        return ()
    likely = dict(zip(evidence.segments.tolist(), evidence.likelihoods.tolist(), strict=True))
    index, times = inquiry.master.index, inquiry.master.times
    lines = [match.line for match in inquiry.matches]
    rows = []
    for segment in sorted(likely):
        start = float(times[segment])
        line = lines[0]
        leak_time = float((start - line.offset) / line.rate)
        chances = tuple(round(value, 6) for value in likely[segment])
        rows.append(SegmentEvidence(segment, leak_time, start, chances, index.carries[segment]))
    return tuple(rows)


def _scores(verdict: Verdict | None) -> Scores | None:
    if verdict is None or not verdict.tags:
        return None
    counts = tuple(int(count) for count in verdict.scores)
    return Scores(-SCORE_BITS, counts, float(verdict.threshold))


def _shown(matches: list[Match]) -> list[Match]:
    """A few matches spread over the leak, the well aligned ones."""
    ordered = sorted(matches, key=lambda one: one.start)
    if len(ordered) <= _PICTURES:
        return ordered
    places = np.linspace(0, len(ordered) - 1, _PICTURES).round().astype(int)
    return [ordered[place] for place in places]


def _pair(canvas: Canvas, match: Match) -> AlignedPair:
    aligned = canvas.lay(match.leak, match.homography)
    pictures = [_jpeg(picture) for picture in (match.leak, aligned, match.master)]
    return AlignedPair(match.leak_time, match.master_time, *pictures)


def _jpeg(picture: Luma) -> bytes:
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes() if done else b""
