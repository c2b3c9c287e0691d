"""Reading a leak's symbols: how much of each variant's mark each segment shows, and how surely.

There are three ways to ask (see `amplitudes`), and which one hears more depends on the film and on
the codec. They are joined, each with a weight by what it tells over the whole leak. None looks at
codewords, so weighing costs nothing of the tracer's bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.amplitudes import Courses, Means, News, Residues, Way
from countermark.autograph.canvas import Grid
from countermark.autograph.code import Segments
from countermark.autograph.evidence import Evidence, Floats, from_correlations
from countermark.autograph.innovation import renewed
from countermark.autograph.registration import Piece, Registration
from countermark.autograph.residue import explanations, residues

_CLEAR = 3.0
# Deviations from which on a symbol is as sure as it needs to be.
_SURE = 5.0
# What noise alone tells, and what a way weighs that tells no more.
_NOISE, _LEAST_WEIGHT = 1.0, 0.05
_LEAST_LIKENESS = 0.3
# A frame this much less alike than the piece's median is an insert or under an overlay.
_STRANGER = 0.35


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


class Reader:
    """Gathers what a leak's frames tell, segment by segment."""

    def __init__(self) -> None:
        self._frames: dict[int, int] = {}
        self._ways: tuple[Way, ...] = (News(), Courses(), Means())

    def add(self, segment: int, residues: Residues, new: Grid) -> None:
        """Take a frame in; it follows the one taken before.

        Args:
            segment: which it shows.
            residues: the leak's first, then the K deviations', shape (1 + K, rows, columns).
            new: how much of each cell is `renewed`, shape (rows, columns).
        """
        self._frames[segment] = self._frames.get(segment, 0) + 1
        for way in self._ways:
            way.add(segment, residues, new)

    def take(self, piece: Piece, found: Registration) -> None:
        """Take a registered piece of the leak in; frames that don't resemble the master are left.

        Args:
            piece: of the master.
            found: where the leak's frames lie in it.
        """
        for way in self._ways:
            way.start()
        least = max(_LEAST_LIKENESS, found.agreement - _STRANGER)
        last = len(piece.times) - 1
        before = None
        for laid, frame, like in zip(found.laid, found.frames, found.likeness, strict=True):
            if like < least:
                continue
            beside = piece.means[max(frame - 1, 0)], piece.means[min(frame + 1, last)]
            explained = explanations(piece.means[frame], *beside)
            layers = [laid, *piece.deviations[frame]]
            left = residues(layers, explained, found.covered)
            self.add(int(piece.segments[frame]), left, renewed(laid, before))
            before = laid

    def clear(self) -> int:
        """How many segments' symbols are beyond doubt."""
        found = self.reading()
        return int((np.abs(found.correlations).max(axis=1) > _CLEAR * found.noise).sum())

    def __len__(self) -> int:
        """How many segments were seen."""
        return len(self._frames)

    def reading(self) -> Reading:
        """What has been read so far, in the order of the segments' numbers."""
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
