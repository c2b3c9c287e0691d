"""Laying a segment's pattern over its frames."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.laying import lay
from countermark.autograph.pattern import Grid, Pattern
from countermark.autograph.visibility import Luma, Room, rooms_of


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
    """

    peak: float
    power: float
    cost: float


BOUNDS = {
    Strength.LIGHT: Bounds(2.0, 0.55, 0.06),
    Strength.NORMAL: Bounds(3.0, 1.1, 0.14),
    Strength.STRONG: Bounds(4.0, 2.2, 0.32),
}
"""Power of light: 50.7 dB of PSNR; the others 3 and 6 dB less."""

FADE_FRAMES = 3
"""Frames over which the mark comes at a segment's start and goes at its end."""

# Visibility is judged on a finer grid than that of the pattern, to spare a sky beside a tree.
_FINER = 2
_MOST_GAIN = 8.0
_GAIN_STEPS = 12
_TABLE_SCALE = 100  # entries to a luma step


class SegmentMark:
    """The mark of one segment, ready to be laid over each of its frames in each variant.

    Args:
        pattern: of the master.
        segment: number of the segment.
        frames: its frames' luma, shape (height, width) each; borrowed until the mark is done with.
        strength: of the mark.

    Attributes:
        energy: about the mean square of the change, squared luma steps.
    """

    def __init__(
        self, pattern: Pattern, segment: int, frames: Sequence[Luma], strength: Strength
    ) -> None:
        self._frames = frames
        shape = pattern.shape[0] * _FINER, pattern.shape[1] * _FINER
        self._directions = [
            cv2.resize(direction, shape[::-1], interpolation=cv2.INTER_LINEAR)
            for direction in pattern.of_segment(segment)
        ]
        self._amplitudes, self.energy = _bounded(_faded(rooms_of(frames, shape)), BOUNDS[strength])

    def lay(self, variant: int, frame: int, target: Luma) -> None:
        """Write a marked frame.

        Args:
            variant: which.
            frame: number within the segment.
            target: where to, same shape as the frame.
        """
        change = centred(self._directions[variant] * self._amplitudes[frame])
        lay(self._frames[frame], change, target)


def _faded(rooms: Room) -> Room:
    """Let the mark come and go."""
    count = len(rooms.amplitude)
    fades = np.array([fade(number, count) for number in range(count)], np.float32)
    return rooms._replace(amplitude=rooms.amplitude * fades[:, None, None])


def _bounded(rooms: Room, bounds: Bounds) -> tuple[Grid, float]:
    """Scale amplitudes as far up as the bounds allow.

    Returns:
        The amplitudes, and the mean square of the change that they make.
    """
    amplitudes, power = np.zeros_like(rooms.amplitude), np.zeros_like(rooms.amplitude)
    allowed = bounds.cost * float((rooms.error * rooms.weight).mean())
    low, high = 0.0, _MOST_GAIN
    for _ in range(_GAIN_STEPS):
        gain = (low + high) / 2
        tried = bounds.peak * np.minimum(rooms.amplitude * np.float32(gain), 1)
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
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (64, 64)).astype(np.float32)
    values = cv2.resize(signs, (256, 256), interpolation=cv2.INTER_LINEAR)
    most = round(_TABLE_SCALE * max(bounds.peak for bounds in BOUNDS.values()))
    powers = [np.square(np.rint(values * (one / _TABLE_SCALE))).mean() for one in range(most + 1)]
    return np.array(powers, np.float32)


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
