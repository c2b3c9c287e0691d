"""Reading a leak's symbols: how much of each variant's mark each segment shows, and how surely.

There are several ways to ask (see `amplitudes`), and which one hears more depends on the film and
on the codec. They are joined, each with a weight by what it tells over the whole leak. What luma
and chroma tell is then added up. None of it looks at codewords, so weighing costs nothing of the
tracer's bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.amplitudes import Courses, Means, News, Residues, Way
from countermark.autograph.canvas import Grid
from countermark.autograph.code import Segments
from countermark.autograph.evidence import Evidence, Floats, amplitude_of, from_correlations
from countermark.autograph.innovation import renewed
from countermark.autograph.registration import Laid, Piece, Registration
from countermark.autograph.residue import explanations, residues

_CLEAR = 3.0
# Deviations from which on a symbol is as sure as it needs to be.
_SURE = 5.0
# What noise alone tells, and what a way weighs that tells no more.
_NOISE, _LEAST_WEIGHT = 1.0, 0.05
_LEAST_LIKENESS = 0.3
# A frame this much less alike than the piece's median is an insert or under an overlay.
_STRANGER = 0.35
# Mean square of the variants' deviations in chroma below which a frame counts as not tinted.
_UNTINTED = 0.002


@dataclass(frozen=True)
class Reading:
    """What was read, for `evidence.from_correlations`.

    Attributes:
        segments: their numbers, shape (n,).
        correlations: 1 at the variant seen if the mark is whole, shape (n, K).
        noise: standard deviation of a row's correlations, infinite if nothing was told, shape (n,).
        frames: how many frames of the leak showed each, shape (n,).
    """

    segments: Segments
    correlations: Floats
    noise: Floats
    frames: NDArray[np.int64]

    def told(self) -> float:
        """How much it tells: the mean square of correlations to noise, the sure ones alike."""
        if not len(self.segments):
            return 0.0
        heights = self.correlations.max(axis=1) / self.noise
        return float(np.mean(np.minimum(heights, _SURE) ** 2))

    def evidence(self) -> Evidence:
        """The likelihoods."""
        return from_correlations(self.segments, self.correlations, self.noise)


def joined(readings: Sequence[Reading]) -> Reading:
    """One reading of several of the same segments.

    In each segment z = correlation / noise is the mean of theirs, weighted by the square of what
    each tells over the whole leak beyond noise: one that tells little only adds its noise. Its
    standard deviation is put at 1, which it reaches only if their errors are all the same.

    Args:
        readings: one at least, of the same segments in the same order.
    """
    told_beyond = [max(one.told() - _NOISE, _LEAST_WEIGHT) for one in readings]
    weights = np.square(told_beyond)[:, None]
    noises = np.array([one.noise for one in readings])
    correlations = np.array([one.correlations for one in readings])
    sureness = weights / noises  # 0 where nothing was told
    total = sureness.sum(axis=0)
    told = total > 0
    scale = np.where(told, total, 1)
    mean = (sureness[..., None] * correlations).sum(axis=0) / scale[:, None]
    spread = (weights * np.isfinite(noises)).sum(axis=0) / scale
    first = readings[0]
    return Reading(first.segments, mean, np.where(told, spread, np.inf), first.frames)


def added(readings: Sequence[Reading]) -> Reading:
    """One reading of several whose errors have nothing to do with each other.

    Each counts by the inverse of its variance, in units of how much of its mark the leak shows: a
    mark that is told weakly all over the leak, or is hardly there in a segment, adds little.

    Args:
        readings: one at least; the first is of all segments, others may be of some.
    """
    first = readings[0]
    signal = np.zeros_like(first.correlations)
    sureness = np.zeros(len(first.segments))
    for one in readings:
        told = np.isfinite(one.noise) & (one.noise > 0)
        rows = np.searchsorted(first.segments, one.segments[told])
        seen, noise = one.correlations[told], one.noise[told]
        amplitude = amplitude_of(seen, noise)
        signal[rows] += seen * (amplitude / noise**2)[:, None]
        sureness[rows] += (amplitude / noise) ** 2
    if not sureness.any():
        return first
    told = sureness > 0
    scale = np.where(told, sureness, 1)
    noise = np.where(told, 1 / np.sqrt(scale), np.inf)
    return Reading(first.segments, signal / scale[:, None], noise, first.frames)


class Channel:
    """Gathers what frames tell in luma, or in chroma.

    Args:
        ways: to ask.
    """

    def __init__(self, ways: Sequence[Way]) -> None:
        self._ways = ways
        self._frames: dict[int, int] = {}

    def start(self) -> None:
        """The next frame does not follow the one before."""
        for way in self._ways:
            way.start()

    def add(self, segment: int, residues: Residues, new: Grid) -> None:
        """Take a frame in; see `Reader.add`."""
        self._frames[segment] = self._frames.get(segment, 0) + 1
        for way in self._ways:
            way.add(segment, residues, new)

    def __len__(self) -> int:
        """How many segments were seen."""
        return len(self._frames)

    def reading(self) -> Reading:
        """What all ways tell, in the order of the segments' numbers."""
        return joined([self._by(way) for way in self._ways])

    def _by(self, way: Way) -> Reading:
        numbers = sorted(self._frames)
        rows = [way.amplitudes(number) for number in numbers]
        return Reading(
            np.array(numbers, np.int64),
            np.array([correlations for correlations, _ in rows]).reshape(len(rows), -1),
            np.array([noise for _, noise in rows]),
            np.array([self._frames[number] for number in numbers], np.int64),
        )


class Reader:
    """Gathers what a leak's frames tell, segment by segment."""

    def __init__(self) -> None:
        self._luma = Channel((News(), Courses(), Means()))
        self._chroma = Channel((News(), Courses(), Means(neighbours=0)))

    def add(self, segment: int, residues: Residues, new: Grid) -> None:
        """Take a frame's luma in; it follows the one taken before.

        Args:
            segment: which it shows.
            residues: the leak's first, then the K deviations', shape (1 + K, rows, columns).
            new: how much of each cell is `renewed`, shape (rows, columns).
        """
        self._luma.add(segment, residues, new)

    def take(self, piece: Piece, found: Registration, chroma: Laid | None = None) -> None:
        """Take a registered piece of the leak in; frames that don't resemble the master are left.

        Args:
            piece: of the master.
            found: where the leak's frames lie in it.
            chroma: the leak's, if it tells anything.
        """
        shown = list(_shown(piece, found))
        luma = Laid(found.laid, found.covered)
        self._take(self._luma, shown, luma, piece.means, piece.deviations)
        if chroma:
            marked = np.square(piece.chroma_deviations).mean(axis=(1, 2, 3)) > _UNTINTED
            tinted = [(number, frame, segment) for number, frame, segment in shown if marked[frame]]
            self._take(self._chroma, tinted, chroma, piece.chroma_means, piece.chroma_deviations)

    def _take(
        self,
        channel: Channel,
        shown: Sequence[tuple[int, int, int]],
        leak: Laid,
        means: NDArray[np.float32],
        deviations: NDArray[np.float32],
    ) -> None:
        channel.start()
        last = len(means) - 1
        before = None
        for number, frame, segment in shown:
            laid = leak.frames[number]
            beside = means[max(frame - 1, 0)], means[min(frame + 1, last)]
            explained = explanations(means[frame], *beside)
            left = residues([laid, *deviations[frame]], explained, leak.covered)
            channel.add(segment, left, renewed(laid, before))
            before = laid

    def clear(self) -> int:
        """How many segments' symbols are beyond doubt."""
        found = self.reading()
        return int((np.abs(found.correlations).max(axis=1) > _CLEAR * found.noise).sum())

    def __len__(self) -> int:
        """How many segments were seen."""
        return len(self._luma)

    def reading(self) -> Reading:
        """What has been read so far, in the order of the segments' numbers."""
        luma = self._luma.reading()
        return added([luma, self._chroma.reading()]) if len(self._chroma) else luma


def _shown(piece: Piece, found: Registration) -> Iterator[tuple[int, int, int]]:
    """Each frame of the leak that resembles one of the master: its number, that one's, segment."""
    least = max(_LEAST_LIKENESS, found.agreement - _STRANGER)
    for number, (frame, like) in enumerate(zip(found.frames, found.likeness, strict=True)):
        if like >= least:
            yield number, int(frame), int(piece.segments[frame])
