"""Laying a segment's pattern over its frames."""

from collections.abc import Sequence
from enum import StrEnum

import cv2
import numpy as np

from countermark.autograph.pattern import Grid, Pattern
from countermark.autograph.visibility import Luma, capacity


class Strength(StrEnum):
    """How strong a mark is."""

    LIGHT = "light"
    NORMAL = "normal"
    STRONG = "strong"


PEAK = {Strength.LIGHT: 1.0, Strength.NORMAL: 1.5, Strength.STRONG: 2.2}
"""The largest change of luma, in steps of 8-bit video."""

MOST_RMS = {Strength.LIGHT: 0.78, Strength.NORMAL: 1.1, Strength.STRONG: 1.6}
"""The largest root mean square of a frame's change: 50.3, 47.3 and 44.0 dB of PSNR."""

FADE_FRAMES = 3
"""Frames over which the mark comes at a segment's start and goes at its end."""


class SegmentMark:
    """The mark of one segment, ready to be laid over each of its frames in each variant.

    Args:
        pattern: of the master.
        segment: number of the segment.
        frames: its frames' luma, shape (height, width) each; borrowed until the mark is done with.
        strength: of the mark.
    """

    def __init__(
        self, pattern: Pattern, segment: int, frames: Sequence[Luma], strength: Strength
    ) -> None:
        self._frames = frames
        self._strength = strength
        self._directions = pattern.of_segment(segment)
        self._amplitudes = [self._amplitude(number) for number in range(len(frames))]

    def energy(self) -> float:
        """Mean square of the change over the whole segment."""
        return float(np.mean([np.square(grid).mean() for grid in self._amplitudes]))

    def lay(self, variant: int, frame: int, target: Luma) -> None:
        """Write a marked frame.

        Args:
            variant: which.
            frame: number within the segment.
            target: where to, same shape as the frame.
        """
        change = self._directions[variant] * self._amplitudes[frame]
        height, width = target.shape
        wide = cv2.resize(centred(change), (width, height), interpolation=cv2.INTER_LINEAR)
        target[:] = cv2.add(self._frames[frame], wide, dtype=cv2.CV_8U)

    def _amplitude(self, number: int) -> Grid:
        previous = self._frames[number - 1] if number else None
        room = capacity(self._frames[number], previous, self._directions.shape[1:])
        grid = room * np.float32(PEAK[self._strength] * fade(number, len(self._frames)))
        rms = float(np.sqrt(np.square(grid).mean()))
        return grid * np.float32(min(1.0, MOST_RMS[self._strength] / rms if rms else 1.0))


def fade(number: int, count: int) -> float:
    """How far the mark is faded in at a frame of a segment, 0 to 1; the same from both ends."""
    return min(1.0, (min(number, count - 1 - number) + 1) / (FADE_FRAMES + 1))


def centred(change: Grid) -> Grid:
    """Take the mean out of a change without touching cells that carry none."""
    weight = np.abs(change)
    total = float(weight.sum())
    if total == 0:
        return change
    return np.asarray(change - weight * (change.sum() / total), np.float32)
