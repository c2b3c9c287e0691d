"""Finding what a piece of a leak shows, among masters, from thumbnails alone.

Where a picture changes, and when, outlives codecs, brightness, size and moderate crops. The
thumbnails are averaged to 4 by 4 cells, sampled eight times a second, and differenced in time;
large changes are compressed, so that one cut does not drown the rest. A piece of the leak is then
slid along the master by fast correlation (Lewis, "Fast normalized cross-correlation", 1995) at all
rates from 0.8 to 1.25, upright, mirrored and turned. Peaks of several pieces that lie on one line
of the master's time against the leak's support each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from countermark.autograph.canvas import Luma
from countermark.autograph.fingerprint import Fingerprint, Seconds, Thumbnails
from countermark.autograph.timing import Line

Changes = NDArray[np.float32]
"""Compressed changes of brightness, eight a second, shape (16, samples)."""

_HERTZ = 8
_SIDE = 4
_LAG = 2  # samples over which a change is taken
_SOFT = 0.5
_RATES = 1.02 ** np.arange(-11, 12)
_TURNS = 8
# What most leaks are: up to 4 % faster or slower, upright or mirrored.
_USUAL_RATES, _USUAL_TURNS = 1.02 ** np.arange(-2, 3), 2
_PEAKS = 12
_APART = 0.5
# How far a peak may be off the line of another: seconds, and seconds a second between the two, as
# the rate is known to about one per cent only.
_OFF, _DRIFT = 0.4, 0.012
_WEAK = 0.25
_DARK, _STILL, _LEAST_AREA = 36.0, 4.0, 0.05


@dataclass(frozen=True)
class Peak:
    """A place in a master that resembles a piece of the leak.

    Attributes:
        middle: of the piece, seconds of the leak.
        line: from the leak's time to the master's.
        turn: which of the eight symmetries.
        height: the correlation, -1 to 1.
    """

    middle: float
    line: Line
    turn: int
    height: float


def changes(times: Seconds, thumbnails: Thumbnails, start: float, rate: float = 1.0) -> Changes:
    """What changes when.

    Args:
        times: of the frames, seconds, ascending, shape (n,).
        thumbnails: of the frames, shape (n, rows, columns).
        start: time of the first sample.
        rate: how much faster the clock runs by which the samples are taken.
    """
    cells = thumbnails.reshape(len(times), -1).astype(np.float32)
    small = cells @ _shrinking(*thumbnails.shape[1:])
    step = rate / _HERTZ
    count = int((times[-1] - start) / step)
    if count <= _LAG:
        return np.zeros((_SIDE * _SIDE, 0), np.float32)
    # The integral of brightness over time, read at the samples' borders: exact means of samples,
    # whatever the frame rate, also of doubled frames.
    spans = np.diff(times, append=2 * times[-1] - times[-2])
    total = np.concatenate([np.zeros((1, small.shape[1])), (small * spans[:, None]).cumsum(axis=0)])
    borders = start + step * np.arange(count + 1)
    ends = np.append(times, times[-1] + spans[-1])
    read = np.stack([np.interp(borders, ends, column) for column in total.T])
    means = np.diff(read, axis=1) / step
    moved = means[:, _LAG:] - means[:, :-_LAG]
    return (moved / (np.sqrt(np.abs(moved)) + _SOFT)).astype(np.float32)


@lru_cache(maxsize=4)
def _shrinking(rows: int, columns: int) -> NDArray[np.float32]:
    """What each cell of a thumbnail adds to each of the 4 by 4, shape (rows·columns, 16)."""
    units = np.eye(rows * columns, dtype=np.float32).reshape(-1, rows, columns)
    side = (_SIDE, _SIDE)
    shrunk = [cv2.resize(unit, side, interpolation=cv2.INTER_AREA).ravel() for unit in units]
    return np.stack(shrunk).astype(np.float32, copy=False)


class Haystack:
    """A master, prepared to be searched."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._moved = changes(fingerprint.times, fingerprint.thumbnails, 0.0)
        energy = np.square(self._moved).sum(axis=0, dtype=np.float64)
        self._energy = np.concatenate([[0.0], energy.cumsum()])
        self._size = 0
        self._spectrum: NDArray[np.complex64] = np.empty((0, 0), np.complex64)

    def peaks(self, times: Seconds, thumbnails: Thumbnails) -> list[Peak]:
        """The places that resemble a piece of a leak most, highest first.

        Args:
            times: of the piece's frames, shape (n,), two at least.
            thumbnails: of its frames' picture without bars, shape (n, 9, 16).
        """
        found = list(chain.from_iterable(self._at_rate(times, thumbnails, r) for r in _RATES))
        kept: list[Peak] = []
        middle = (times[0] + times[-1]) / 2
        for peak in sorted(found, key=lambda peak: -peak.height):
            place = peak.line.rate * middle + peak.line.offset
            others = (other.line.rate * middle + other.line.offset for other in kept)
            if all(abs(place - other) > _APART for other in others):
                kept.append(peak)
        return kept[:_PEAKS]

    def glance(self, times: Seconds, thumbnails: Thumbnails) -> float:
        """How much the likeliest place resembles a piece, if it is shown in a usual way; quick.

        Args:
            times: as for `peaks`.
            thumbnails: as for `peaks`.
        """
        usual = (self._at_rate(times, thumbnails, r, _USUAL_TURNS) for r in _USUAL_RATES)
        return max((peak.height for peak in chain.from_iterable(usual)), default=0.0)

    def _at_rate(
        self, times: Seconds, thumbnails: Thumbnails, rate: float, turns: int = _TURNS
    ) -> Iterator[Peak]:
        # A leak that runs `rate` times as fast shows `rate` seconds of the master in one.
        needle = changes(times, thumbnails, times[0], 1 / rate)
        length, total = needle.shape[1], self._moved.shape[1]
        if length < _HERTZ or total < length:
            return
        spectrum = self._transformed(length)
        norm = np.linalg.norm(needle)
        energy = self._energy[length:] - self._energy[:-length]
        scale = norm * np.sqrt(np.maximum(energy, 0)) + length * _SOFT**2 / 4
        square = needle.reshape(_SIDE, _SIDE, length)
        middle = float(times[0] + times[-1]) / 2
        for turn in range(turns):
            turned = rfft(_turned(square, turn).reshape(-1, length), self._size)
            both = irfft((spectrum * turned.conj()).sum(axis=0), self._size)
            heights = both[: total - length + 1] / scale
            for place, height in _tops(heights):
                offset = place / _HERTZ - float(times[0]) * rate
                yield Peak(middle, Line(rate, offset), turn, height)

    def _transformed(self, length: int) -> NDArray[np.complex64]:
        needed = next_fast_len(self._moved.shape[1] + length, real=True)
        if self._size < needed:
            self._size = next_fast_len(needed + 4 * length, real=True)
            self._spectrum = rfft(self._moved, self._size)
        return self._spectrum


def _turned(square: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """One of the eight symmetries of a square of cells."""
    mirrored = square[:, ::-1] if turn % 2 else square
    return np.rot90(mirrored, turn // 2)


def _tops(heights: NDArray[np.float64]) -> Iterator[tuple[float, float]]:
    """The highest places of a row, to a fraction of a sample, with their heights."""
    row = np.array(heights)
    for _ in range(_PEAKS):
        place = int(row.argmax())
        if row[place] < _WEAK:
            return
        yield place + _vertex(heights, place), float(row[place])
        row[max(0, place - _HERTZ // 2) : place + _HERTZ // 2 + 1] = -1


def _vertex(row: NDArray[np.float64], place: int) -> float:
    """Where between -½ and ½ the parabola through a maximum and its neighbours has its own."""
    if not 0 < place < len(row) - 1:
        return 0.0
    left, top, right = row[place - 1 : place + 2]
    bend = left - 2 * top + right
    return float(np.clip((left - right) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0


@dataclass(frozen=True)
class Candidate:
    """A line that peaks of one or several pieces lie on.

    Attributes:
        line: from the leak's time to the master's.
        support: sum of the peaks' heights.
        pieces: how many peaks.
    """

    line: Line
    support: float
    pieces: int


def candidates(found: Sequence[Sequence[Peak]]) -> list[Candidate]:
    """Lines that peaks of several pieces agree on, best first.

    Args:
        found: the peaks of each piece.
    """
    lines = [_joined(peak, found) for peak in chain.from_iterable(found)]
    kept: list[Candidate] = []
    for one in sorted(lines, key=lambda candidate: -candidate.support):
        if not any(_alike(one.line, other.line, found) for other in kept):
            kept.append(one)
    return kept


def _joined(peak: Peak, found: Sequence[Sequence[Peak]]) -> Candidate:
    """The peak's own line with the best peak of each piece that lies near it."""
    fellows = []
    for peaks in found:
        near = [other for other in peaks if other.turn == peak.turn and _on_line(other, peak)]
        if near:
            fellows.append(max(near, key=lambda other: other.height))
    support = sum(fellow.height for fellow in fellows)
    return Candidate(_through(peak, fellows), support, len(fellows))


def _on_line(other: Peak, peak: Peak) -> bool:
    shown = other.line.rate * other.middle + other.line.offset
    wanted = peak.line.rate * other.middle + peak.line.offset
    allowed = _OFF + _DRIFT * abs(other.middle - peak.middle)
    return abs(shown - wanted) <= allowed


def _through(peak: Peak, fellows: Sequence[Peak]) -> Line:
    """The line through peaks; the first one's own if they lie too close to tell a rate."""
    leak = np.array([fellow.middle for fellow in fellows])
    if len(fellows) < 2 or np.ptp(leak) < 2 / _DRIFT * _OFF / 8:  # noqa: PLR2004 - a line has two points
        return peak.line
    master = np.array([fellow.line.rate * fellow.middle + fellow.line.offset for fellow in fellows])
    rate, offset = np.polyfit(leak, master, 1)
    return Line(float(rate), float(offset))


def _alike(one: Line, other: Line, found: Sequence[Sequence[Peak]]) -> bool:
    middles = [peaks[0].middle for peaks in found if peaks]
    gaps = [abs((one.rate - other.rate) * at + one.offset - other.offset) for at in middles]
    return min(gaps, default=0.0) < _APART


def picture_area(pictures: Sequence[Luma]) -> Luma:
    """Where a leak shows its picture: the convex hull of what is ever bright or changes.

    Args:
        pictures: sketches from all over the leak, of one size.

    Returns:
        255 inside, 0 in bars; all 255 if hardly anything is to be seen. The picture's shape.
    """
    calm = np.stack([cv2.blur(picture, (3, 3)) for picture in pictures]).astype(np.float32)
    busy = (calm.max(axis=0) > _DARK) | (calm.std(axis=0) > _STILL)
    seen = cv2.morphologyEx(busy.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5)))
    points = cv2.findNonZero(seen)
    area = np.zeros(seen.shape, np.uint8)
    if points is not None:
        cv2.fillConvexPoly(area, cv2.convexHull(points), 255)
    if (area > 0).mean() < _LEAST_AREA:
        area[:] = 255
    return area


def box(area: Luma) -> tuple[slice, slice]:
    """Rows and columns that hold all of an area."""
    left, top, width, height = cv2.boundingRect(area)
    return slice(top, top + height), slice(left, left + width)
