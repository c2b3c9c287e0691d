"""Laying a segment's pattern over its frames."""

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.chroma_marking import ChromaMark
from countermark.autograph.laying import MOST, lay
from countermark.autograph.pattern import Grid, Pattern
from countermark.autograph.visibility import Luma, Rooms, coloured, halved, rooms_of, tintable


class Strength(StrEnum):
    """How strong a mark is."""

    LIGHT = "light"
    NORMAL = "normal"
    STRONG = "strong"


class Bounds(NamedTuple):
    """What a mark must not exceed.

    Attributes:
        peak: largest change of luma, 8-bit steps.
        power: largest mean square of a frame's change, squared steps.
        cost: largest part of the encoder's own error, weighted as the eye does, that the mark adds
            over a segment.
        tinted: part of the cells that are tinted in a scene of which little moves.
    """

    peak: float
    power: float
    cost: float
    tinted: float


BOUNDS = {
    Strength.LIGHT: Bounds(2.0, 0.34, 0.096, 0.05),
    Strength.NORMAL: Bounds(3.0, 0.68, 0.224, 0.1),
    Strength.STRONG: Bounds(MOST, 1.36, 0.512, 0.2),
}
"""Power of light: 52.8 dB of PSNR; the others 3 and 6 dB less."""

FADE_FRAMES = 3
"""Frames over which the mark comes at a segment's start and goes at its end, at most."""

# What part of a segment that is at most: one of nine frames would else be fading for six.
_FADES = 6

# Visibility is judged on a finer grid than that of the pattern, to spare a sky beside a tree.
_FINER = 2
# Cells that are alike would pass half a step, below which rounding takes all, at the same time.
_UNLIKE = 0.2
# Gains to try lie between these powers of two, and are told apart to one in a hundred.
_GAINS = -2.0, 5.0
_GAIN_STEPS = 9
_TABLE_SCALE = 100  # entries to a luma step
# Largest change of a tinted cell, chroma steps before rounding. Where nothing stirs, nothing hides
# that it changes: all of it but its rim changes by one step then, but twice as many cells do. Else
# its middle changes by two.
_TINTS = 1.25, 2.0


class SegmentMark:
    """The mark of one segment, ready to be laid over each of its frames in each variant.

    Args:
        pattern: of the master.
        segment: number of the segment.
        frames: its frames' luma, shape (height, width) each; borrowed until the mark is done with.
        strength: of the mark.
        small: the frames, `halved`, if they are at hand.
        chroma: both planes of the frame in the middle; none if there are no colours to be marked.

    Attributes:
        energy: about the mean square of the change of luma, and of chroma, squared steps.
    """

    def __init__(
        self,
        pattern: Pattern,
        segment: int,
        frames: Sequence[Luma],
        strength: Strength,
        small: Sequence[Luma] = (),
        chroma: Sequence[Luma] = (),
    ) -> None:
        self._frames = frames
        small = small or [halved(frame) for frame in frames]
        shape = pattern.shape[0] * _FINER, pattern.shape[1] * _FINER
        self._directions = [
            cv2.resize(direction, shape[::-1], interpolation=cv2.INTER_LINEAR)
            for direction in pattern.of_segment(segment)
        ]
        rooms, bounds = rooms_of(frames, small, shape), BOUNDS[strength]
        self._amplitudes, self.energy = _bounded(_faded(rooms), bounds)
        self._chroma: ChromaMark | None = None
        share = bounds.tinted * rooms.untold * (2 - rooms.lively)
        count = round(share * math.prod(pattern.chroma_shape))
        if count and chroma and coloured(chroma):
            cells = tintable(small, pattern.chroma_shape, count)
            least, most = _TINTS
            tints = cells * np.float32(least + rooms.lively * (most - least))
            self._chroma = ChromaMark(pattern.of_chroma(segment), tints, chroma[0].shape)
            self.energy += self._chroma.energy / 2  # both planes have half as many pixels as luma

    def lay(
        self, variant: int, frame: int, target: Luma, chroma: tuple[Luma, Luma] | None = None
    ) -> None:
        """Write a marked frame.

        Args:
            variant: which.
            frame: number within the segment.
            target: where to, same shape as the frame.
            chroma: its chroma, to be marked in place.
        """
        change = centred(self._directions[variant] * self._amplitudes[frame])
        lay(self._frames[frame], change, target)
        if self._chroma and chroma:
            self._chroma.lay(variant, fade(frame, len(self._frames)), chroma)


def _faded(rooms: Rooms) -> Rooms:
    """Let the mark come and go, and no cell be like another."""
    count, *shape = rooms.amplitude.shape
    fades = np.array([fade(number, count) for number in range(count)], np.float32)
    unlike = np.random.default_rng(0).uniform(1 - _UNLIKE, 1, shape).astype(np.float32)
    return rooms._replace(amplitude=rooms.amplitude * fades[:, None, None] * unlike)


def _bounded(rooms: Rooms, bounds: Bounds) -> tuple[Grid, float]:
    """Scale amplitudes as far up as the bounds allow.

    Returns:
        The amplitudes, and the mean square of the change that they make.
    """
    amplitudes, power = np.zeros_like(rooms.amplitude), np.zeros_like(rooms.amplitude)
    allowed = bounds.cost * rooms.error
    low, high = _GAINS
    for _ in range(_GAIN_STEPS):
        gain = (low + high) / 2
        tried = bounds.peak * np.minimum(rooms.amplitude * np.float32(2**gain), 1)
        made = _power_of_amplitude()[np.rint(tried * np.float32(_TABLE_SCALE)).astype(np.intp)]
        highest, cost = made.mean(axis=(1, 2)).max(), (made * rooms.weight).mean()
        if highest <= bounds.power and cost <= allowed:
            low, amplitudes, power = gain, tried, made
        else:
            high = gain
    return amplitudes, float(power.mean())


@cache
def _power_of_amplitude() -> NDArray[np.float32]:
    """Mean square of a change after rounding to whole steps, by its amplitude in hundredths.

    Where the signs of neighbouring cells differ, the change passes through zero; so it matters how
    the interpolated pattern's values are distributed, which any pattern shows.
    """
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (32, 32)).astype(np.float32)
    values = cv2.resize(signs, (128, 128), interpolation=cv2.INTER_LINEAR)
    most = round(_TABLE_SCALE * max(bounds.peak for bounds in BOUNDS.values()))
    powers = [np.square(np.rint(values * (one / _TABLE_SCALE))).mean() for one in range(most + 1)]
    return np.array(powers, np.float32)


def fade(number: int, count: int) -> float:
    """How far the mark is faded in at a frame of a segment, 0 to 1; the same from both ends."""
    frames = min(FADE_FRAMES, max(1, round(count / _FADES)))
    return min(1.0, (min(number, count - 1 - number) + 1) / (frames + 1))


def centred(change: Grid) -> Grid:
    """Take the mean out of a change without touching cells that carry none."""
    weight = np.abs(change)
    total = float(weight.sum())
    if total == 0:
        return change
    return np.asarray(change - weight * (change.sum() / total), np.float32)
